"""Each topic's terms, names and phrases as an editor lists them, and what training makes of them."""

import itertools
import random
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from serve.errors import InputError
from serve.paths import DATA
from serve.regular import LARGEST_TOML, read_regular

EMBEDDED_LEXICON = DATA / "lexicon.toml"
TOKEN = re.compile(r"\w\w+")

Lexicon = dict[str, list[str]]


def load_lexicon(path: str | Path = EMBEDDED_LEXICON) -> Lexicon:
    """The entries of each topic. Raises InputError when the file is no TOML of lists of words."""
    path = Path(path)
    try:
        lexicon = tomllib.loads(read_regular(path, LARGEST_TOML).decode())
    except FileNotFoundError:
        raise InputError(f'{path}: no such lexicon; write a TOML file of lines such as topic = ["a term"].') from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not a TOML file ({error}); mend it there.") from None
    for topic, entries in lexicon.items():
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            raise InputError(f'{path}: \'{topic}\' is not a list of texts; write {topic} = ["a term", "a name"].')
    return lexicon


def lexicon_pieces(lexicon: Lexicon, topics: Iterable[str], size: int) -> list[tuple[str, str]]:
    """Short texts of `size` entries each with the topic that they stand under: extra examples to learn from.

    Each entry comes twice, in other company: which entries stand together is chance, and should not matter.
    """
    pieces = []
    for seed in range(2):
        shuffle = random.Random(seed).shuffle
        for topic in topics:
            entries = list(lexicon.get(topic, []))
            shuffle(entries)
            pieces += [(" ".join(entries[i : i + size]), topic) for i in range(0, len(entries), size)]
    return pieces


def lexicon_pairs(lexicon: Lexicon, topics: Iterable[str]) -> set[str]:
    """The pairs of neighbouring words in the entries: "perjanjian pertahanan", where a word alone misleads."""
    pairs = set()
    for topic in topics:
        for entry in lexicon.get(topic, []):
            words = TOKEN.findall(entry.lower())
            pairs |= {f"{left} {right}" for left, right in itertools.pairwise(words)}
    return pairs
