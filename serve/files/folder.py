"""A folder of articles, one a file: .txt and .md as they are, .html and .htm with their title and text extracted."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from serve.errors import InputError
from serve.files import lines
from serve.files.parts import START, Part, Position, Rejected, unreadable

PLAIN, PAGES = (".txt", ".md"), (".html", ".htm")
SCHEMA = pa.schema([(name, pa.large_string()) for name in ("id", "title", "text")])

Article = tuple[str, str | None, str]


def read_folder(
    folder: Path, batch_rows: int
) -> tuple[pa.Schema, Callable[[Sequence[str], Position | None], Iterator[Part]], int, int]:
    """The schema, what gives the parts, as in `serve.files.formats.Reader`, and the numbers of files that are articles and
    that are none, here and in folders below."""
    files, others = _sorted_out(folder)
    if any(file.lower().endswith(PAGES) for file in files):
        _extractor()

    def parts(texts: Sequence[str], start: Position | None) -> Iterator[Part]:
        articles: list[Article] = []
        numbers: list[int] = []
        rejected: list[Rejected] = []
        size, begin = 0, (start or START).offset
        for number, file in enumerate(files[begin:], begin + 1):
            found = _article(folder, file)
            if isinstance(found, Rejected):
                rejected.append(found)
            else:
                articles.append(found)
                numbers.append(number)
                size += len(found[2])
            if number == len(files) or size >= lines.BLOCK_SIZE or len(articles) + len(rejected) >= batch_rows:
                columns = zip(*articles, strict=True) if articles else ([] for _ in SCHEMA)
                batch = pa.record_batch([pa.array(column, pa.large_string()) for column in columns], schema=SCHEMA)
                yield Part(batch, np.array(numbers, np.int64), rejected, Position(number, rows=number))
                articles, numbers, rejected, size = [], [], [], 0

    return SCHEMA, parts, len(files), others


def article_files(folder: Path) -> list[str]:
    """The paths of the articles in `folder`, relative to it, sorted."""
    return _sorted_out(folder)[0]


def _sorted_out(folder: Path) -> tuple[list[str], int]:
    """The paths of the articles, and how many files are none, hidden ones aside."""
    articles, others = [], 0
    for place, _, names in os.walk(folder):
        for name in names:
            if name.lower().endswith(PLAIN + PAGES):
                articles.append(Path(place, name).relative_to(folder).as_posix())
            elif not name.startswith("."):
                others += 1
    if not articles:
        raise InputError(f"{folder}: holds no files that end in {', '.join(PLAIN + PAGES)}; name another folder.")
    return sorted(articles), others


def _article(folder: Path, file: str) -> Article | Rejected:
    """Its id, title and text."""
    try:
        with open(folder / file, "rb") as binary:
            raw = binary.read(lines.LONGEST_LINE + 1)
    except OSError as error:
        return Rejected(file, f"cannot be read ({error.strerror}); is it whole?", b"", file=file)
    if len(raw) > lines.LONGEST_LINE:
        return Rejected(file, f"is longer than {lines.LONGEST_LINE:,} bytes; is this an article?", raw, file=file)
    if broken := unreadable(raw, 0, "in an editor: 'Save as', encoding UTF-8"):
        return Rejected(file, broken[0], raw, file=file)
    text = raw.decode("utf-8-sig")
    if file.lower().endswith(PLAIN):
        return file, None, text
    page = _extractor()(text, with_metadata=True)
    return file, page and page.title, page.text if page and page.text else ""


def _extractor() -> Callable[..., Any]:
    try:
        from trafilatura import bare_extraction
    except ImportError:
        raise InputError(
            "Reading .html files needs trafilatura; install it with `pip install 'kanal[html]'`, or convert them to .txt."
        ) from None
    # It warns of every page without an article.
    logging.getLogger("trafilatura").setLevel(logging.ERROR)
    return bare_extraction
