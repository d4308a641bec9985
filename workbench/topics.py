"""A topic added to a taxonomy file, and its words to a lexicon file: behind what stands there, which stays byte for byte."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from serve.atomic import atomic_file
from serve.errors import InputError
from serve.topics import EMBEDDED_TOPICS, Topic, load_topics
from train.lexicon import EMBEDDED_LEXICON, TOKEN, Lexicon, load_lexicon
from workbench.file_lock import changing

TOPIC_ID = re.compile(r"[a-z][a-z0-9_]*")
# So many entries of a lexicon stand on a line.
LINE_WORDS = 8


def add_topic(
    topic: Topic, words: Sequence[str], topics: Path, lexicon: Path | None = None, *, empty: bool = False
) -> dict[str, list[str]]:
    """Adds a topic to the taxonomy file `topics`, and its words, if any, to the file `lexicon`.

    A file that is not there yet begins as a copy of Kanal's own, or as nothing when `empty`. Returns the words that stand
    under other topics of the taxonomy too, with these. Raises InputError, and writes nothing, for an id that is taken or
    not one, for words without a place or without a word of two letters, and for one file that is to be both.
    """
    files = [topics, *([lexicon] if lexicon else [])]
    if len(set(map(os.path.realpath, files))) < len(files):
        raise InputError(f"{topics}: cannot be both the taxonomy and the lexicon; name two files.")
    with changing(*files):
        return _added(topic, words, topics, lexicon, empty)


def _added(topic: Topic, words: Sequence[str], topics: Path, lexicon: Path | None, empty: bool) -> dict[str, list[str]]:
    if not TOPIC_ID.fullmatch(topic.id):
        raise InputError(f"'{topic.id}' is no id of a topic; write small letters, digits and _, a letter first.")
    taxonomy = _content(topics, EMBEDDED_TOPICS, empty)
    others = load_topics(topics if topics.exists() else EMBEDDED_TOPICS) if taxonomy else {}
    if topic.id in others:
        raise InputError(f"{topics}: has a topic '{topic.id}' already; change it there, or choose another id.")
    fields = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(topic).items()}
    lines = [f"{name} = {_toml(value)}\n" for name, value in fields.items() if value and name != "id"]
    taxonomy = _behind(taxonomy, f"\n[{topic.id}]\n" + "".join(lines))
    if not words:
        _write(topics, taxonomy)
        return {}

    if lexicon is None:
        raise InputError("The words need a lexicon file to stand in; name one with --lexicon.")
    for word in words:
        if not TOKEN.search(word):
            raise InputError(f"The seed word '{word}' holds no word of two letters or more; leave it out.")
    entries = _content(lexicon, EMBEDDED_LEXICON, empty)
    listed = load_lexicon(lexicon if lexicon.exists() else EMBEDDED_LEXICON) if entries else {}
    if topic.id in listed:
        raise InputError(f"{lexicon}: lists words of '{topic.id}' already; add to them there, and leave out --words.")
    rows = [", ".join(map(_toml, words[i : i + LINE_WORDS])) for i in range(0, len(words), LINE_WORDS)]
    entries = _behind(entries, f"\n{topic.id} = [\n" + "".join(f"  {row},\n" for row in rows) + "]\n")
    # A lexicon may hold more than the taxonomy's topics, so that what is written first does no harm alone.
    _write(lexicon, entries)
    _write(topics, taxonomy)
    return shared_words(words, {name: listed[name] for name in others if name in listed})


def shared_words(words: Sequence[str], lexicon: Lexicon) -> dict[str, list[str]]:
    """Those of the words that a lexicon has, in any case, with the topics that they stand under."""
    folded = {name: {entry.casefold() for entry in entries} for name, entries in lexicon.items()}
    topics = {word: [name for name, entries in folded.items() if word.casefold() in entries] for word in words}
    return {word: names for word, names in topics.items() if names}


def _content(path: Path, embedded: Path, empty: bool) -> bytes:
    if path.exists():
        return path.read_bytes()
    return b"" if empty else embedded.read_bytes()


def _behind(content: bytes, addition: str) -> bytes:
    """The content with the addition behind it, on lines of its own."""
    if content and not content.endswith(b"\n"):
        content += b"\n"
    return content + addition.encode() if content else addition.lstrip("\n").encode()


def _write(path: Path, content: bytes) -> None:
    with atomic_file(path) as temporary:
        temporary.write_bytes(content)


def _toml(value: str | list[str]) -> str:
    """A text or a list of texts as TOML, whose escapes are JSON's but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
