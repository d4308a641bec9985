"""Tables of articles in files and streams: CSV, JSON Lines and Parquet, read and written a batch at a time."""

import codecs
import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar

import pyarrow as pa

from serve.atomic import atomic_file
from serve.errors import InputError

if TYPE_CHECKING:
    import _csv

STREAM = "-"
Format = Literal["csv", "tsv", "jsonl", "parquet"]
FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
SEPARATORS = (",", ";", "\t", "|")

# A batch ends after so many rows, or sooner, when its text has reached so many characters.
BATCH_ROWS = 512
BATCH_SIZE = 2**24
# Text is read and decoded in blocks of so many bytes.
BLOCK_SIZE = 2**20
# No article is as long; a quote that is never closed would otherwise draw the rest of a file into memory.
LONGEST_LINE = 2**26
# A row group of Parquet is written when its batches have this many bytes.
ROW_GROUP_SIZE = 2**26

# Values of JSON Lines that are no strings keep their JSON in a column of this type.
JSON = pa.json_(pa.large_string())

T = TypeVar("T")


@dataclass
class Reader:
    """A table that is read once, from front to end; `name` is what messages call it.

    `schema` tells the columns. CSV has strings alone, Parquet its own types. In JSON Lines the columns are the keys of
    the first batch; a batch with later keys has these as further columns after them, a missing key is null, and a
    column is of type JSON in the batches where it holds anything but strings.
    """

    name: str
    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    # The share of the table that the given number of rows is, where that can be known.
    fraction: Callable[[int], float | None]

    @property
    def columns(self) -> list[str]:
        return list(self.schema.names)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self.batches)


@dataclass
class Writer:
    """A table that is being written; `write` takes batches whose columns are those of its schema."""

    write: Callable[[pa.RecordBatch], None]


@contextmanager
def open_reader(source: str | Path, format: Format | None = None, batch_rows: int = BATCH_ROWS) -> Iterator[Reader]:
    """The table in a file, or in standard input for "-", in batches of at most `batch_rows` rows.

    `format` is told by the file's name when not given, and CSV for "-".
    Raises InputError, here or while reading, that names the file, the line and the remedy.
    """
    name = "standard input" if source == STREAM else str(source)
    with ExitStack() as stack:
        if source != STREAM:
            if not os.path.exists(source):
                raise InputError(f"{name}: no such file; check its name and folder.")
            _refuse_folder(source)
        format, compression = _format(source, format)
        binary: IO[bytes] = sys.stdin.buffer
        if source != STREAM:
            try:
                binary = stack.enter_context(open(source, "rb", buffering=BLOCK_SIZE))
            except OSError as error:
                raise InputError(f"{name}: cannot be opened ({error.strerror}); check who may read it.") from None
        if format == "parquet":
            yield _read_parquet(binary, name, batch_rows)
            return
        fraction = _bytes_fraction(binary)
        if compression:
            binary = io.BufferedReader(stack.enter_context(pa.CompressedInputStream(binary, compression)), BLOCK_SIZE)
        lines = _Lines(binary, name)
        read = _read_jsonl if format == "jsonl" else _read_csv
        schema, batches = read(lines, batch_rows)
        _refuse_twins(schema.names, name)
        yield Reader(name, schema, batches, fraction)


@contextmanager
def open_writer(target: str | Path, schema: pa.Schema, format: Format | None = None) -> Iterator[Writer]:
    """A writer to a file, or to standard output for "-"; the file appears when the block ends, never when it raises.

    `format` as for `open_reader`. The target may be the very file that is being read. In CSV null is an empty field,
    and lists and objects are their JSON; in Parquet columns of type JSON become strings. JSON Lines takes columns
    beyond the schema, the others raise InputError for them. So does any target that cannot be written.
    """
    name = "standard output" if target == STREAM else str(target)
    _refuse_twins(schema.names, name)
    format, compression = _format(target, format)
    with ExitStack() as stack:
        binary: IO[bytes] = sys.stdout.buffer
        if target != STREAM:
            _refuse_folder(target)
            try:
                # The file behind a link is replaced, not the link.
                part = stack.enter_context(atomic_file(os.path.realpath(target)))
                binary = stack.enter_context(open(part, "wb"))
            except OSError as error:
                raise InputError(f"{name}: cannot be written ({error.strerror}); choose another place.") from None
        if compression:
            binary = stack.enter_context(pa.CompressedOutputStream(binary, compression))
        if format == "parquet":
            yield Writer(stack.enter_context(_parquet_writing(binary, schema, name)))
        elif format == "jsonl":
            yield Writer(lambda batch: _write_jsonl(binary, batch))
        else:
            separator = "\t" if format == "tsv" else ","
            binary.write(_csv_line(schema.names, separator).encode())
            yield Writer(lambda batch: _write_csv(binary, batch, schema, separator, name))
        binary.flush()


def as_text(column: pa.Array) -> pa.Array:
    """A column of any type as large_string: lists, objects and what else has no plain form as JSON; null stays null."""
    if column.type != JSON and not pa.types.is_nested(column.type):
        try:
            return column.cast(pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass  # bytes that are no UTF-8, lengths of time
    cells = (value if value is None or isinstance(value, str) else _to_json(value) for value in values(column))
    return pa.array(cells, pa.large_string())


def values(column: pa.Array) -> list[Any]:
    """A column's values as Python objects, those of JSON parsed."""
    if column.type == JSON:
        return [None if value is None else json.loads(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def _format(place: str | Path, format: Format | None) -> tuple[Format, str | None]:
    """The format and the compression that a place's name tells."""
    if place == STREAM:
        return format or "csv", None
    suffixes = [suffix.lower() for suffix in Path(place).suffixes]
    compression = COMPRESSIONS.get(suffixes[-1]) if suffixes else None
    if compression:
        suffixes.pop()
    found = format or (FORMATS.get(suffixes[-1]) if suffixes else None)
    if found is None or (compression and found == "parquet"):
        known = ", ".join(FORMATS)
        raise InputError(
            f"{place}: unknown kind of file; its name must end in one of {known} "
            "(all but .parquet also with .gz or .zst)."
        )
    return found, compression


def _refuse_folder(place: str | Path) -> None:
    if os.path.isdir(place):
        raise InputError(f"{place}: is a folder; name a file in it.")


def _refuse_twins(columns: Sequence[str], name: str) -> None:
    twins = {column for column in columns if columns.count(column) > 1}
    if twins:
        raise InputError(f"{name}: two columns are named '{min(twins)}'; give each column its own name.")


def _bytes_fraction(binary: IO[bytes]) -> Callable[[int], float | None]:
    """How far a file has been read; None for a pipe."""
    try:
        size = os.fstat(binary.fileno()).st_size if binary.seekable() else 0
    except OSError:
        size = 0
    return lambda rows: binary.tell() / size if size else None


class _Lines:
    """The lines of a UTF-8 file, with their line breaks."""

    def __init__(self, binary: IO[bytes], name: str) -> None:
        self.binary = binary
        self.name = name

    def __iter__(self) -> Iterator[str]:
        line, offset = 1, 0
        while block := self._block(line):
            self._check(block, line, offset)
            line += block.count(b"\n")
            bom = codecs.BOM_UTF8 if offset == 0 else b""
            offset += len(block)
            yield from map(bytes.decode, io.BytesIO(block.removeprefix(bom)))

    def _block(self, line: int) -> bytes:
        """Whole lines, some BLOCK_SIZE bytes of them; `line` is the number of the first."""
        try:
            block = self.binary.read(BLOCK_SIZE)
            rest = self.binary.readline(LONGEST_LINE + 1)
        except OSError as error:
            raise InputError(f"{self.name}: cannot be read beyond line {line} ({error}); is it whole?") from None
        if len(rest) > LONGEST_LINE:
            raise self.error(
                f"is longer than {LONGEST_LINE:,} bytes; is this a file of articles?", line + block.count(b"\n")
            )
        return block + rest

    def _check(self, block: bytes, line: int, offset: int) -> None:
        """Raises for bytes that are no text, in a block that begins with `line` at `offset` of the file."""
        try:
            block.decode()
        except UnicodeDecodeError as error:
            at = error.start
            what = f"not UTF-8: byte 0x{block[at]:02X}"
            remedy = "save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')"
        else:
            at = block.find(b"\0")
            if at < 0:
                return
            what = "a NUL byte"
            remedy = "save it as UTF-8 text, or remove the byte"
        raise self.error(f"{what} at offset {offset + at} of the file; {remedy}.", line + block.count(b"\n", 0, at))

    def error(self, what: str, line: int) -> InputError:
        return InputError(f"{self.name}, line {line}: {what}")


def _in_batches(sized: Iterable[tuple[int, T]], batch_rows: int) -> Iterator[list[T]]:
    """The items in lists of at most `batch_rows`, each list ended early when the sizes add up to BATCH_SIZE."""
    batch: list[T] = []
    total = 0
    for size, item in sized:
        batch.append(item)
        total += size
        if len(batch) >= batch_rows or total >= BATCH_SIZE:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _read_csv(lines: _Lines, batch_rows: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    # The csv module has one limit for the whole process: it is raised, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_LINE))
    text = iter(lines)
    blank, header = 0, ""
    for header in text:
        if not header.isspace():
            break
        blank += 1
    else:
        raise InputError(f"{lines.name}: is empty; its first line must name the columns.")
    read = csv.reader(chain(["\n"] * blank, [header], text), delimiter=_separator(header), strict=True)
    rows = _csv_rows(read, lines)
    # Spreadsheets and data frames leave the heads of columns of row numbers empty.
    columns = [column or f"column_{place}" for place, column in enumerate(next(rows), 1)]
    schema = pa.schema([(column, pa.large_string()) for column in columns])

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in _in_batches(((sum(map(len, row)), row) for row in rows), batch_rows):
            arrays = [pa.array(column, pa.large_string()) for column in zip(*batch, strict=True)]
            yield pa.record_batch(arrays, schema=schema)

    return schema, batches()


def _csv_rows(read: "_csv.Reader", lines: _Lines) -> Iterator[list[str]]:
    """The rows that are not blank, all as long as the first."""
    expected = 0
    while True:
        begin = read.line_num + 1
        try:
            row = next(read, None)
        except csv.Error as error:
            raise _csv_error(str(error), begin, read.line_num, lines) from None
        if row is None:
            return
        expected = expected or len(row)
        if row and len(row) == expected:
            yield row
        elif "".join(row).strip() or len(row) > 1:
            raise lines.error(
                f"broken CSV row: expected {expected} fields, as in the header, found {len(row)}; "
                "put quotes around a field that holds separators or line breaks.",
                begin,
            )


def _csv_error(reason: str, begin: int, end: int, lines: _Lines) -> InputError:
    """What the csv module's reason means to a user, for a row from line `begin` that broke in line `end`."""
    if "unexpected end of data" in reason or "field larger than" in reason:
        what = 'broken CSV: a quote (") opened in the row that begins here is never closed; close it, or double it.'
        return lines.error(what, begin)
    if "new-line" in reason:
        return lines.error(
            "broken CSV: a carriage return without a line feed; save it with line breaks of Unix or Windows.", end
        )
    return lines.error(
        f"broken CSV in the row that begins in line {begin}: {reason}; "
        'put quotes around a field that holds quotes, and double each of those inside ("").',
        end,
    )


def _separator(header: str) -> str:
    """The separator that is most frequent outside the quotes of the header; a comma where there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(SEPARATORS, key=bare.count)


def _read_jsonl(lines: _Lines, batch_rows: int) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    batches = _in_batches(_json_objects(lines), batch_rows)
    first = next(batches, None)
    if first is None:
        raise InputError(f"{lines.name}: is empty; write one JSON object a line.")
    columns = list(dict.fromkeys(chain.from_iterable(first)))
    schema = pa.schema([(column, pa.large_string()) for column in columns])
    return schema, (_json_batch(objects, columns) for objects in chain([first], batches))


def _json_objects(lines: _Lines) -> Iterator[tuple[int, dict[str, Any]]]:
    """The object of each line that is not blank, with the line's length."""
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            value = json.loads(line.rstrip())
        except json.JSONDecodeError as error:
            what = f"column {error.colno}: not JSON ({error.msg}); write one JSON object a line."
            raise InputError(f"{lines.name}, line {number}, {what}") from None
        except (ValueError, RecursionError):
            raise lines.error("JSON too deep, or a number too long, to be read; make it simpler.", number) from None
        if not isinstance(value, dict):
            what = 'no JSON object; write one a line, such as {"title": "...", "text": "..."}.'
            raise lines.error(what, number)
        # Only an escape can bring half a surrogate pair into a string; it has no UTF-8.
        yield len(line), _without_surrogates(value) if r"\ud" in line or r"\uD" in line else value


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _json_batch(objects: list[dict[str, Any]], columns: list[str]) -> pa.RecordBatch:
    names = list(dict.fromkeys(chain(columns, chain.from_iterable(objects))))
    return pa.record_batch([_json_column([item.get(name) for item in objects]) for name in names], names=names)


def _json_column(cells: list[Any]) -> pa.Array:
    if all(cell is None or isinstance(cell, str) for cell in cells):
        return pa.array(cells, pa.large_string())
    return pa.array([None if cell is None else _to_json(cell) for cell in cells], JSON)


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    """What JSON has no form for: bytes, dates, decimals."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _read_parquet(binary: IO[bytes], name: str, batch_rows: int) -> Reader:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(binary, buffer_size=2**20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{name}: not a Parquet file, or not a whole one ({_first_line(error)}); write it again."
        ) from None
    _refuse_twins(file.schema_arrow.names, name)
    total = file.metadata.num_rows
    size = sum(file.metadata.row_group(group).total_byte_size for group in range(file.num_row_groups))
    rows = max(1, min(batch_rows, BATCH_SIZE * total // max(size, 1)))

    def batches() -> Iterator[pa.RecordBatch]:
        done = 0
        try:
            for batch in file.iter_batches(batch_size=rows):
                yield batch
                done += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{name}: damaged after row {done} ({_first_line(error)}); write it again.") from None

    return Reader(name, file.schema_arrow, batches(), lambda done: done / total if total else None)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def _write_csv(binary: IO[bytes], batch: pa.RecordBatch, schema: pa.Schema, separator: str, name: str) -> None:
    _refuse_late_columns(batch, schema, name)
    columns = [as_text(column).to_pylist() for column in batch.columns]
    binary.write("".join(_csv_line(row, separator) for row in zip(*columns, strict=True)).encode())


def _csv_line(cells: Sequence[str | None], separator: str) -> str:
    """One row; quotes only where needed. (The csv module leaves a lone carriage return bare, which it cannot read.)"""
    fields = [_quoted(cell) if cell and _special(cell) else cell or "" for cell in cells]
    return (separator.join(fields) if fields != [""] else '""') + "\n"


_special = re.compile('[",;\t\r\n]').search


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def _write_jsonl(binary: IO[bytes], batch: pa.RecordBatch) -> None:
    names = batch.schema.names
    rows = zip(*map(_json_values, batch.columns), strict=True)
    binary.write("".join(_to_json(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode())


def _json_values(column: pa.Array) -> list[Any]:
    if pa.types.is_floating(column.type):
        # JSON has no NaN and no infinity.
        import pyarrow.compute as pc

        column = pc.if_else(pc.is_finite(column), column, None)
    return values(column)


@contextmanager
def _parquet_writing(binary: IO[bytes], schema: pa.Schema, name: str) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that collects batches and writes them in row groups of ROW_GROUP_SIZE."""
    import pyarrow.parquet as pq

    waiting: list[pa.RecordBatch] = []

    def flush() -> None:
        if waiting:
            file.write_table(pa.Table.from_batches(waiting, schema))
            waiting.clear()

    def write(batch: pa.RecordBatch) -> None:
        _refuse_late_columns(batch, schema, name)
        columns = [as_text(column) if column.type == JSON else column for column in batch.columns]
        waiting.append(pa.record_batch(columns, schema=schema))
        if sum(batch.nbytes for batch in waiting) >= ROW_GROUP_SIZE:
            flush()

    with pq.ParquetWriter(binary, schema) as file:
        yield write
        flush()


def _refuse_late_columns(batch: pa.RecordBatch, schema: pa.Schema, name: str) -> None:
    late = [column for column in batch.schema.names if column not in schema.names]
    if late:
        raise InputError(
            f"{name}: the column '{late[0]}' turns up after the first rows, too late for this kind of file; "
            "give it in the input's first line (null will do), write .jsonl, or keep no columns of the input."
        )
