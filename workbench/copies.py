"""Copies in files of articles: which article each is a copy of, what to tell of it, and the files marked or without them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from serve.counts import counted
from serve.errors import InputError
from serve.files.encoders import encoder
from serve.files.formats import format_of, open_reader
from serve.files.journal import open_output
from train.duplicates import NEARLY, THRESHOLD, ShingleSets
from workbench.crawl import TEXT, article_tables
from workbench.dates import day_of

IDENTICAL, NEARLY_THE_SAME, PARTLY_THE_SAME = KINDS = ("identical", "nearly the same", "partly the same")
# What is added to the columns of a file.
GROUP, COPY_OF, LIKENESS = "group", "copy_of", "likeness"
SHOWN_GROUPS, TITLE_LENGTH = 10, 70


@dataclass(frozen=True)
class Copies:
    """Which of n articles are copies, and of which."""

    articles: pd.DataFrame
    """As `read_articles` returns them."""
    groups: NDArray[np.int64]
    """(n,): the number of each article's group."""
    originals: NDArray[np.int64]
    """(n,): the place of the article that each is a copy of; its own where it is none."""
    kinds: list[str]
    """(n,): the kind of each copy, one of KINDS; empty where it is none."""

    @cached_property
    def copied_from(self) -> list[str]:
        """(n,): the id of the article that each is a copy of; empty where it is none."""
        ids = self.articles["id"].tolist()
        return ["" if of == i else ids[of] for i, of in enumerate(self.originals.tolist())]

    def summary(self) -> dict[str, Any]:
        """The number of articles, of copies by kind, and the groups of two or more, the largest first, as JSON has them."""
        kinds = Counter(self.kinds)
        ids, dates, outlets, titles = (self.articles[name].tolist() for name in ("id", "date", "outlet", "title"))

        def group(rows: list[int]) -> dict[str, Any]:
            rows = _in_time(dates, rows)
            days = sorted(day for day in (day_of(dates[i]) for i in rows) if day)
            title = titles[rows[0]] or self.articles["text"].iloc[rows[0]][:TITLE_LENGTH]
            return {
                "group": int(self.groups[rows[0]]),
                "title": " ".join(title.split()),
                "outlets": sorted({outlets[i] for i in rows} - {""}),
                "days": (days[-1] - days[0]).days + 1 if days else 0,
                "articles": [{"id": ids[i], COPY_OF: self.copied_from[i], LIKENESS: self.kinds[i]} for i in rows],
            }

        groups = sorted(map(group, _larger(self.groups)), key=lambda group: -len(group["articles"]))
        return {"articles": len(self.articles), "copies": {kind: kinds[kind] for kind in KINDS}, "groups": groups}

    def table(self) -> str:
        """The summary with the largest groups as lines of text, for a terminal."""
        summary = self.summary()
        groups, kinds = summary["groups"], summary["copies"]
        copies = sum(kinds.values())
        counts = {
            "articles": len(self.articles),
            "copies": copies,
            **{f"  {kind}": count for kind, count in kinds.items()},
            "without copies": len(self.articles) - copies,
        }
        lines = [f"{name:<18}{count:>10,}" for name, count in counts.items()]
        if groups:
            lines += ["", f"{'group':>8}{'articles':>10}{'outlets':>9}{'days':>6}  first of them"]
        for group in groups[:SHOWN_GROUPS]:
            number, size, outlets = group["group"], len(group["articles"]), len(group["outlets"]) or "-"
            lines.append(
                f"{number:>8}{size:>10,}{outlets:>9}{group['days'] or '-':>6}  {group['title'][:TITLE_LENGTH]}"
            )
        if len(groups) > SHOWN_GROUPS:
            lines.append(f"... and {counted(len(groups) - SHOWN_GROUPS, 'more group')}")
        return "\n".join(lines)

    def write(self, files: Sequence[Path], target: Path, *, unique: bool = False) -> None:
        """Writes the articles of the files that were read once more, all their columns and beside them the group, the id of
        the article that each is a copy of, and the kind of copy; with `unique` those that are no copies, as they are.

        Raises InputError where the files have not the same columns and the target is not JSON Lines.
        """
        with open_reader(files[0]) as reader:
            schema = reader.schema
        added = [] if unique else [pa.field(GROUP, pa.int64()), pa.field(COPY_OF, TEXT), pa.field(LIKENESS, TEXT)]
        encoded = encoder(target, pa.schema([*schema, *added]))
        places = np.flatnonzero([not (unique and kind) for kind in self.kinds])
        with open_output(target, encoded) as output:
            begin = 0
            for batch in _batches(files, schema, target):
                end = begin + batch.num_rows
                rows = places[np.searchsorted(places, begin) : np.searchsorted(places, end)]
                columns = dict(zip(batch.schema.names, batch.take(pa.array(rows - begin)).columns, strict=True))
                if not unique:
                    columns[GROUP] = pa.array(self.groups[rows])
                    columns[COPY_OF] = pa.array([self.copied_from[i] for i in rows], TEXT)
                    columns[LIKENESS] = pa.array([self.kinds[i] for i in rows], TEXT)
                if len(rows):
                    output.write(encoded.encode(pa.record_batch(columns)), "", None)
                begin = end


def find_copies(articles: pd.DataFrame, threshold: float = THRESHOLD) -> Copies:
    """The copies among the articles that `read_articles` returns, with the threshold of `train.duplicates`.

    Of each group the earliest article is none (of those of one day, and without one, the first), nor is any that is in the
    group only by way of others and is not like one that is kept itself.
    """
    sets = ShingleSets.of(articles)
    groups = sets.groups(threshold)
    originals, kinds = np.arange(len(articles)), [""] * len(articles)
    dates = articles["date"].tolist()
    for rows in _larger(groups):
        kept = np.empty(0, np.int64)
        for i in _in_time(dates, rows):
            this = np.full(len(kept), i)
            like = kept[sets.alike(kept, this, threshold)]
            if len(like):
                originals[i] = like[0]
                kinds[i] = _kind(float(sets.jaccard(like[:1], this[:1])[0]))
            else:
                kept = np.append(kept, i)
    return Copies(articles, groups, originals, kinds)


def read_articles(
    files: Sequence[Path], title_column: str | None = None, text_column: str | None = None
) -> pd.DataFrame:
    """The articles of CSV, JSONL or Parquet files, labelled or not: columns id, date, outlet, title and text, all text.

    An article without an id has the name of its file and its number there. Raises InputError for a file that cannot be
    read or has no column of texts.
    """
    tables = list(article_tables(files, title_column, text_column))
    if not sum(map(len, tables)):
        raise InputError(f"{', '.join(map(str, files))}: no articles; name a file that has some.")
    frame: pd.DataFrame = pa.concat_tables(tables).combine_chunks().to_pandas()
    return frame


def _batches(files: Sequence[Path], schema: pa.Schema, target: Path) -> Iterator[pa.RecordBatch]:
    """The rows of the files; for a target whose rows all have the same columns, these in the order of the schema."""
    kind, _ = format_of(target)
    for file in files:
        with open_reader(file) as reader:
            if kind != "jsonl" and _columns(reader.schema, kind) != _columns(schema, kind):
                raise InputError(
                    f"{file}: its columns are not those of {files[0]}; write .jsonl, or name one file at a time."
                )
            for batch in reader:
                late = [name for name in batch.schema.names if name not in schema.names]
                yield batch if kind == "jsonl" else batch.select([*schema.names, *late])


def _columns(schema: pa.Schema, kind: str) -> dict[str, Any]:
    """The columns that a file of this kind needs to be the same, and in Parquet their types."""
    return {field.name: field.type if kind == "parquet" else None for field in schema}


def _kind(jaccard: float) -> str:
    return IDENTICAL if jaccard == 1 else NEARLY_THE_SAME if jaccard >= NEARLY else PARTLY_THE_SAME


def _larger(groups: NDArray[np.int64]) -> list[list[int]]:
    """The articles of each group of two or more."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(groups))[:-1])
    return [part.tolist() for part in parts if len(part) > 1]


def _in_time(dates: list[str], rows: list[int]) -> list[int]:
    """The rows, the earliest first and those without a day last."""
    return sorted(rows, key=lambda i: (day_of(dates[i]) or date.max, i))
