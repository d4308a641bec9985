"""A filed crawl, as `kanal predict --keep` writes it: where, when and under which headline each article stood, and its
topics."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from serve.article import NOTE_SEPARATOR, TOPIC_SEPARATOR, UNCERTAIN, find_column
from serve.errors import InputError
from serve.files.columns import as_text
from serve.files.formats import open_reader
from workbench.dates import day_of

COLUMNS = ("id", "date", "day", "outlet", "title", "link", "topics", "probabilities", "uncertain")
ADDED = ("topics", "probabilities", "note")
# What is longer is cut, so that a page's text in the wrong column fills neither the memory nor a report.
TITLE_CHARACTERS = 200
NAME_CHARACTERS = 80
LINK_CHARACTERS = 2000
# Line ends and the like, and what is not seen: marks that turn the direction of what follows among them.
CONTROL, UNSEEN = r"[\p{Cc}\p{Z}]+", r"\p{Cf}+"
EMPTY, ELLIPSIS = (pa.scalar(text, pa.large_string()) for text in ("", "…"))
LINK = r"^(?i:https?)://[^\s\p{Cc}\p{Cf}\p{Z}]+$"


def load_filed(
    file: str | Path,
    *,
    title_column: str | None = None,
    date_column: str | None = None,
    outlet_column: str | None = None,
) -> pd.DataFrame:
    """The articles of a CSV, JSONL or Parquet file that `kanal predict` wrote, in its order.

    Columns: id; date (as the file has it), day (what it means: a datetime.date, NaT where that is no date); outlet; title
    (the first words of the text where there is none) on one line; link (http or https, else ""); topics (list of str,
    best first); probabilities (list of float); uncertain (bool). What the file has no column for is "" and NaT. Columns
    that are not named are found by their usual names; texts are not held. Raises InputError.
    """
    with open_reader(file) as reader:
        missing = [column for column in ADDED if column not in reader.columns]
        if missing:
            raise InputError(
                f"{reader.name}: no column '{missing[0]}', so it is no filed crawl; "
                "file the crawl with `kanal predict CRAWL FILED --keep` first."
            )
        given = {"title": title_column, "date": date_column, "outlet": outlet_column, "text": None, "link": None}
        columns = {
            field: find_column(field, reader.columns, name, file=reader.name, required=False)
            for field, name in given.items()
        }
        parts, rows = [], 0
        for batch in reader:
            parts.append(_frame(batch, columns, f"{reader.name}, row", rows + 1))
            rows += batch.num_rows
    if not parts:
        raise InputError(f"{file}: has no articles; name a file that has some.")
    return pd.concat(parts, ignore_index=True)


def _frame(batch: pa.RecordBatch, columns: dict[str, str | None], row: str, first: int) -> pd.DataFrame:
    """The articles of a batch, the first of which is called `row` number `first`."""

    def cells(column: str | None) -> pa.Array:
        """The column's text, empty where there is none."""
        if column is None or column not in batch.schema.names:
            return pa.repeat(EMPTY, batch.num_rows)
        return pc.fill_null(as_text(batch.column(column)), EMPTY)

    topics = [cell.split(TOPIC_SEPARATOR) if cell else [] for cell in cells("topics").to_pylist()]
    probabilities = [
        _numbers(cell, len(of), f"{row} {number}")
        for number, (cell, of) in enumerate(zip(cells("probabilities").to_pylist(), topics, strict=True), first)
    ]
    dates = _line(cells(columns["date"]), NAME_CHARACTERS)
    titles = _line(cells(columns["title"]), TITLE_CHARACTERS)
    untitled = pc.equal(titles, EMPTY)
    beginnings = _line(pc.if_else(untitled, cells(columns["text"]), EMPTY), TITLE_CHARACTERS)
    links = pc.utf8_trim_whitespace(cells(columns["link"]))
    safe = pc.and_(pc.match_substring_regex(links, LINK), pc.less_equal(pc.utf8_length(links), LINK_CHARACTERS))
    return pd.DataFrame({
        # As it is, it would hold the part of the file that it was read from.
        "id": _line(cells("id"), LINK_CHARACTERS).to_pandas(),
        "date": dates.to_pandas(),
        "day": pd.Series([day_of(cell) or pd.NaT for cell in dates.to_pylist()], dtype=object),
        "outlet": _line(cells(columns["outlet"]), NAME_CHARACTERS).to_pandas(),
        "title": pc.if_else(untitled, beginnings, titles).to_pandas(),
        "link": pc.if_else(safe, links, EMPTY).to_pandas(),
        "topics": pd.Series(topics, dtype=object),
        "probabilities": pd.Series(probabilities, dtype=object),
        "uncertain": [UNCERTAIN in cell.split(NOTE_SEPARATOR) for cell in cells("note").to_pylist()],
    })  # fmt: skip


def _line(cells: pa.Array, characters: int) -> pa.Array:
    """Each cell on one line of so many characters at the most, without what is not seen."""
    cells = pc.utf8_slice_codeunits(cells, 0, 4 * characters)
    cells = pc.replace_substring_regex(pc.replace_substring_regex(cells, CONTROL, " "), UNSEEN, "")
    cells = pc.utf8_trim_whitespace(cells)
    cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(cells, 0, characters - 1), ELLIPSIS, EMPTY)
    return pc.if_else(pc.greater(pc.utf8_length(cells), characters), cut, cells)


def _numbers(cell: str, expected: int, place: str) -> list[float]:
    try:
        numbers = [float(probability) for probability in cell.split(TOPIC_SEPARATOR)] if cell else []
    except ValueError:
        numbers = []
    if len(numbers) != expected or not all(0 <= number <= 1 for number in numbers):
        raise InputError(
            f"{place}, column 'probabilities': expected a number from 0 to 1 for each of its topics ({expected}), "
            f"found '{cell[:NAME_CHARACTERS]}'; file the crawl again with `kanal predict`."
        )
    return numbers
