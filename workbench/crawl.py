"""A crawl as a model sees it: a few figures of each article, read part by part, and none of the text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import repeat
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serve.article import find_column
from serve.errors import InputError
from serve.files.formats import Reader, as_text, open_reader
from serve.model import TopicModel
from serve.progress import progress
from workbench.dates import day_of

Strings: TypeAlias = NDArray[np.object_]
LEARNT = "train"
"""What the column `split` says of an article that a model has learnt from."""


@dataclass(frozen=True)
class Crawl:
    """The figures of n articles, one row each in all arrays."""

    words: NDArray[np.int64]
    known: NDArray[np.int64]
    """How many of the words the model's vocabulary holds."""
    confidence: NDArray[np.float64]
    """Log-odds, as `Filed.confidence`."""
    uncertain: NDArray[np.bool_]
    assigned: NDArray[np.bool_]
    """(n, k): whether the article is filed under each of the model's topics."""
    notes: Strings
    """As `Filed.notes`, without "uncertain"."""
    outlets: Strings
    """"" where none is given."""
    weeks: Strings
    """The Monday of the article's week, as ISO 8601; "" where no date can be read."""
    learnt: NDArray[np.bool_]
    """Whether the file says that models learn from the article."""

    def __len__(self) -> int:
        return len(self.words)

    def rows(self, chosen: NDArray[Any]) -> Self:
        """Some of the articles, by their places or a mask (n,)."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def held_out(self) -> Self:
        """The articles that models do not learn from, where the file tells them from the others; else all."""
        return self if self.learnt.all() else self.rows(~self.learnt)

    @classmethod
    def together(cls, parts: Iterable[Self]) -> Self:
        """All articles of one or more parts."""
        kept = list(parts)
        return cls(*(np.concatenate([getattr(part, field.name) for part in kept]) for field in fields(cls)))


def read_crawl_figures(
    file: str | Path,
    model: TopicModel,
    *,
    title_column: str | None = None,
    text_column: str | None = None,
    rejected: Callable[[int], None] | None = None,
) -> Crawl:
    """The figures of the articles of a file, a folder or "-", labelled or not, filed by the model in bounded memory.

    Rows that cannot be read are left out, and `rejected` is told how many where there are any. Raises InputError where
    there is no article, or no column of texts.
    """
    with open_reader(file, folders=True) as reader:
        columns = _columns(reader, title_column, text_column)
        texts = [columns["text"], *([columns["title"]] if columns["title"] else [])]
        parts, broken, rows = [], 0, 0
        with progress(reader.name, reader.fraction) as report:
            for part in reader.parts(texts, None):
                broken += len(part.rejected)
                if part.batch.num_rows:
                    parts.append(_figures(part.batch, columns, model))
                    rows += part.batch.num_rows
                    report(rows)
    if not parts:
        raise InputError(f"{reader.name}: has no articles; name a file that has some.")
    if broken and rejected:
        rejected(broken)
    return Crawl.together(parts)


def _columns(reader: Reader, title_column: str | None, text_column: str | None) -> dict[str, str | None]:
    """The columns of a table by what they hold; None where there is none."""
    text = find_column("text", reader.columns, text_column, file=reader.name)
    title = find_column("title", reader.columns, title_column, file=reader.name, required=False)
    return {
        "text": text,
        "title": None if title == text else title,
        "date": find_column("date", reader.columns, file=reader.name, required=False),
        "outlet": find_column("outlet", reader.columns, file=reader.name, required=False),
        "split": "split" if "split" in reader.columns else None,
    }


def _figures(batch: pa.RecordBatch, columns: dict[str, str | None], model: TopicModel) -> Crawl:
    def cells(name: str) -> Iterable[str]:
        column = columns[name]
        return (cell or "" for cell in as_text(batch.column(column)).to_pylist()) if column else repeat("", len(batch))

    titles = as_text(batch.column(columns["title"])) if columns["title"] else None
    filed = model.file(as_text(batch.column(columns["text"])), titles)
    notes = [note.split("; ") if note else [] for note in filed.notes]
    return Crawl(
        words=filed.words,
        known=filed.known,
        confidence=filed.confidence,
        uncertain=np.array(["uncertain" in note for note in notes]),
        assigned=filed.assigned,
        notes=_strings("; ".join(part for part in note if part != "uncertain") for note in notes),
        outlets=_strings(outlet.strip() for outlet in cells("outlet")),
        weeks=_strings(map(_week, cells("date"))),
        learnt=np.array([split == LEARNT for split in cells("split")]),
    )


def _week(date: str) -> str:
    day = day_of(date) if date else None
    return (day - timedelta(days=day.weekday())).isoformat() if day else ""


def _strings(values: Iterable[str]) -> Strings:
    return np.array(list(values), dtype=object)
