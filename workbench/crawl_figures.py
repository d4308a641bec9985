"""A crawl as a model sees it: a few figures of each article, read part by part, and none of the text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from itertools import repeat
from pathlib import Path
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serve.article import NOTE_SEPARATOR, UNCERTAIN, find_column
from serve.errors import InputError
from serve.files.columns import as_text
from serve.files.formats import Reader, open_reader
from serve.model import TopicModel
from serve.progress import progress
from workbench.dates import day_of

Strings: TypeAlias = NDArray[np.object_]
LEARNT = "train"
"""What the column `split` says of an article that a model has learnt from."""


@dataclass(frozen=True)
class CrawlFigures:
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
    unreadable: int = 0
    """How many further rows could not be read."""
    left_out: int = 0
    """How many further articles models learn from."""

    def __len__(self) -> int:
        return len(self.words)

    def rows(self, chosen: NDArray[Any]) -> Self:
        """Some of the articles, by their places or a mask (n,)."""
        return replace(self, **{name: values[chosen] for name, values in self._arrays().items()})

    def held_out(self) -> Self:
        """The articles that models do not learn from, where the file tells them from the others; else all."""
        return self if self.learnt.all() else replace(self.rows(~self.learnt), left_out=int(self.learnt.sum()))

    @classmethod
    def together(cls, parts: Sequence[Self], unreadable: int = 0) -> Self:
        """All articles of one or more parts."""
        arrays = [part._arrays() for part in parts]
        whole: dict[str, Any] = {name: np.concatenate([part[name] for part in arrays]) for name in arrays[0]}
        return replace(parts[0], unreadable=unreadable, **whole)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


def read_crawl_figures(
    file: str | Path,
    model: TopicModel,
    title_column: str | None = None,
    text_column: str | None = None,
    *,
    usual: bool = False,
) -> CrawlFigures:
    """The figures of the articles of a file, a folder or "-", labelled or not, filed by the model in bounded memory.

    With `usual`, a column that is named and not there is looked for by its usual names. Rows that cannot be read are left
    out and counted. Raises InputError where there is no article, or no column of texts.
    """
    with open_reader(file, folders=True) as reader:
        if usual:
            title_column, text_column = (
                name if name in reader.columns else None for name in (title_column, text_column)
            )
        columns = _columns(reader, title_column, text_column)
        texts = [columns[name] for name in ("text", "title") if name in columns]
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
    return CrawlFigures.together(parts, broken)


def _columns(reader: Reader, title_column: str | None, text_column: str | None) -> dict[str, str]:
    """The columns of a table by what they hold, those that it has."""
    found = {
        "text": find_column("text", reader.columns, text_column, file=reader.name),
        "title": find_column("title", reader.columns, title_column, file=reader.name, required=False),
        "date": find_column("date", reader.columns, file=reader.name, required=False),
        "outlet": find_column("outlet", reader.columns, file=reader.name, required=False),
        "split": "split" if "split" in reader.columns else None,
    }
    if found["title"] == found["text"]:
        found["title"] = None
    return {name: column for name, column in found.items() if column is not None}


def _figures(batch: pa.RecordBatch, columns: dict[str, str], model: TopicModel) -> CrawlFigures:
    def cells(name: str) -> Iterable[str]:
        if name not in columns:
            return repeat("", batch.num_rows)
        return (cell or "" for cell in as_text(batch.column(columns[name])).to_pylist())

    filed = model.file(*(as_text(batch.column(columns[name])) for name in ("text", "title") if name in columns))
    notes = [note.split(NOTE_SEPARATOR) if note else [] for note in filed.notes]
    return CrawlFigures(
        words=filed.words,
        known=filed.known,
        confidence=filed.confidence,
        uncertain=np.array([UNCERTAIN in note for note in notes]),
        assigned=filed.assigned,
        notes=_strings(NOTE_SEPARATOR.join(part for part in note if part != UNCERTAIN) for note in notes),
        outlets=_strings(outlet.strip() for outlet in cells("outlet")),
        weeks=_strings(map(_week, cells("date"))),
        learnt=np.array([split == LEARNT for split in cells("split")]),
    )


def _week(date: str) -> str:
    day = day_of(date) if date else None
    return (day - timedelta(days=day.weekday())).isoformat() if day else ""


def _strings(values: Iterable[str]) -> Strings:
    return np.array(list(values), dtype=object)
