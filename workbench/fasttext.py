"""fastText's files: an article a line, its topics in front of its words as "__label__football"."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from serve.errors import InputError
from train.corpus import Row, Table

PREFIX = "__label__"


def fasttext_line(article: Any) -> str:
    """An article as a line, without the line's end; blanks in a topic become "_", as a blank ends a label."""
    labels = [PREFIX + "_".join(topic.split()) for topic in article.topics]
    words = (
        word.lstrip("_") if word.startswith(PREFIX) else word for word in f"{article.title} {article.text}".split()
    )
    return " ".join([*labels, *words])


def write_fasttext(file: Path, articles: Iterable[Any]) -> None:
    """Writes articles, which have title, text and topics, to a file."""
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(fasttext_line(article) + "\n" for article in articles)


def read_fasttext(file: Path) -> Table:
    """The table in such a file: columns text and topics. Raises InputError for a file that cannot be read as one."""
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise InputError(f"{file}: no such file; check its name and folder.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 text ({error.reason}); save it as UTF-8.") from None
    return Table(str(file), ["text", "topics"], _rows(lines))


def _rows(lines: list[str]) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(lines, 1):
        words = line.split()
        topics = [word.removeprefix(PREFIX) for word in words if word.startswith(PREFIX)]
        if words:
            yield number, {"topics": topics, "text": " ".join(word for word in words if not word.startswith(PREFIX))}
