"""Articles of a crawl, labelled or not, read part by part in one form whatever file they are in."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from serve.article import find_column
from serve.files.columns import as_text
from serve.files.formats import open_reader, plain_name

TEXT = pa.large_string()


def article_tables(
    files: Sequence[str | Path], title_column: str | None = None, text_column: str | None = None
) -> Iterator[pa.Table]:
    """The articles of CSV, JSONL or Parquet files, some thousand at a time: columns id, date, outlet, title and text, all
    text, "" where a file has none. Columns that are not named are found by their usual names.

    An article without an id has the name of its file and its number there. Raises InputError for a file that cannot be
    read or has no column of texts.
    """
    for file in files:
        with open_reader(file) as reader:
            text = find_column("text", reader.columns, text_column, file=reader.name)
            title = find_column("title", reader.columns, title_column, file=reader.name, required=False)
            others = {
                name: find_column(name, reader.columns, file=reader.name, required=False)
                for name in ("id", "date", "outlet")
            }
            names = {**others, "title": title if title != text else None, "text": text}
            number = 0
            for batch in reader:
                cells = {name: _cells(batch, column) for name, column in names.items()}
                numbered = [f"{plain_name(file)}-{number + i}" for i in range(1, batch.num_rows + 1)]
                own = cells["id"].to_pylist()
                cells["id"] = pa.array([given or made for given, made in zip(own, numbered, strict=True)], TEXT)
                number += batch.num_rows
                yield pa.table(cells)


def _cells(batch: pa.RecordBatch, column: str | None) -> pa.Array:
    """A column as text, empty where there is none."""
    if column is None:
        return pa.array([""] * batch.num_rows, TEXT)
    return as_text(batch.column(column)).fill_null("")
