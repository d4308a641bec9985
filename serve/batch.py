"""Files of articles in, files of their topics out, a batch at a time."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from serve.article import TOPIC_SEPARATOR, find_column
from serve.errors import InputError
from serve.formats import JSON, Reader, as_text, open_reader, open_writer, values

if TYPE_CHECKING:
    from serve.model import TopicModel

DECIMALS = 4
SECONDS_BETWEEN_LINES = 10


def predict_file(
    model: "TopicModel",
    source: str | Path,
    target: str | Path | None,
    *,
    title_column: str | None = None,
    text_column: str | None = None,
    keep: bool = False,
    all_topics: bool = False,
) -> int:
    """Files each article of `source` and returns their number; `target` None or "-" is standard output.

    The target has one row for each of the source, in its order: `id` (the source's, or else the number of the row,
    from 1), `topics` (joined by "|", best first), their `probabilities` (likewise) and `note` (see `Filed.notes`).
    `keep` adds the source's columns under their own names; one whose name is taken by a column of the answer gets
    "input_" before it, but a column of ids that is named `id` is not given twice. `all_topics` adds a column of
    probabilities for each topic, named by its id. Raises InputError for a source that is broken or lacks the columns; then there is no target.
    """
    with open_reader(source) as reader:
        id_column = find_column("id", reader.columns, file=reader.name, required=False)
        text_column = find_column("text", reader.columns, text_column, file=reader.name)
        title_column = find_column("title", reader.columns, title_column, file=reader.name, required=False)
        assert text_column is not None
        if title_column == text_column:
            title_column = None
        answer = [
            pa.field("id", reader.schema.field(id_column).type if id_column else pa.int64()),
            pa.field("topics", pa.large_string()),
            pa.field("probabilities", pa.large_string()),
            pa.field("note", pa.large_string()),
        ]
        every_topic = [pa.field(topic, pa.float64()) for topic in model.topics] if all_topics else []
        names = _Names([column.name for column in answer + every_topic])

        def kept_of(columns: Sequence[str]) -> list[str]:
            return [column for column in columns if not column == id_column == "id"] if keep else []

        kept = [reader.schema.field(column).with_name(names[column]) for column in kept_of(reader.columns)]
        rows = 0
        with open_writer(target or "-", pa.schema(answer + kept + every_topic)) as writer, _progress(reader) as report:
            for batch in reader:
                filed = model.file(
                    _texts(batch, text_column, reader.name, rows),
                    _texts(batch, title_column, reader.name, rows) if title_column else None,
                )
                topics = [filed.topics(row) for row in range(batch.num_rows)]
                ids = batch.column(id_column) if id_column else pa.array(range(rows + 1, rows + 1 + batch.num_rows))
                columns = {
                    "id": ids,
                    "topics": _joined([topic for topic, _ in found] for found in topics),
                    "probabilities": _joined([f"{p:.{DECIMALS}f}" for _, p in found] for found in topics),
                    "note": pa.array(filed.notes, pa.large_string()),
                }
                columns |= {names[column]: batch.column(column) for column in kept_of(batch.schema.names)}
                if all_topics:
                    columns |= dict(zip(model.topics, np.round(filed.probabilities, DECIMALS).T, strict=True))
                writer.write(pa.record_batch(columns))
                rows += batch.num_rows
                report(rows)
    return rows


class _Names(dict[str, str]):
    """The name in the target of each column of the source, once told always the same."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.taken = set(taken)

    def __missing__(self, column: str) -> str:
        name = column
        while name in self.taken:
            name = f"input_{name}"
        self.taken.add(name)
        self[column] = name
        return name


def _texts(batch: pa.RecordBatch, name: str, file: str, rows_before: int) -> list[str | None]:
    """A column's texts; numbers become text, null stays None, and lists and objects raise InputError."""
    column = batch.column(name)
    if column.type == JSON or pa.types.is_nested(column.type):
        for row, value in enumerate(values(column), rows_before + 1):
            if isinstance(value, list | dict):
                kind = "a list" if isinstance(value, list) else "an object"
                raise InputError(
                    f"{file}, row {row}: the column '{name}' holds {kind}, not text; write it as one string."
                )
    return list(as_text(column).to_pylist())


def _joined(lists: Iterator[list[str]]) -> pa.Array:
    return pa.array((TOPIC_SEPARATOR.join(items) for items in lists), pa.large_string())


@contextmanager
def _progress(reader: Reader) -> Iterator[Callable[[int], None]]:
    """A function that takes the number of rows done: it moves a bar on a terminal, or writes lines to a log."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        text = TextColumn("{task.completed:,} rows")
        with Progress(BarColumn(), text, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None)

            def move(rows: int) -> None:
                fraction = reader.fraction(rows)
                bar.update(task, completed=rows, total=rows / fraction if fraction else None)

            yield move
    else:
        latest = time.monotonic()

        def line(rows: int) -> None:
            nonlocal latest
            if time.monotonic() - latest >= SECONDS_BETWEEN_LINES:
                latest = time.monotonic()
                fraction = reader.fraction(rows)
                share = f" ({fraction:.0%})" if fraction else ""
                print(f"{reader.name}: {rows:,} rows filed{share}", file=sys.stderr)

        yield line
