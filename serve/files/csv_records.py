"""CSV: its records and fields are found in the bytes, a block of the file at a time.

The rules are those of Python's csv module in its strict mode. A kernel goes by them from row to row; a record that is none
goes through the csv module, which tells what is wrong, as do all records of a block that is not text.
"""

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serve import kernels
from serve.errors import InputError
from serve.files import lines as blocks
from serve.files.lines import LINE_FEED, Lines, count_lines
from serve.files.parts import Part, Position, Rejected, in_slices, unreadable

SEPARATORS = (",", ";", "\t", "|")
# There is room for the fields of rows of so many bytes a field; it grows where they are shorter.
BYTES_PER_FIELD = 64
# Excel's own first line, which names the separator.
SEPARATOR_LINE = re.compile(rb'"?sep=([^\w\s"]|\t)"?\r?\n')

Ints = NDArray[np.int64]

# A column takes some hundred bytes of memory; a few kilobytes, unpacked, could name more than there is memory for.
LONGEST_HEADER = 2**20


def read_csv(
    lines: Lines, batch_rows: int, *, with_lines: bool = False
) -> tuple[pa.Schema, Callable[[Sequence[str], Position | None], Iterator[Part]]]:
    """The schema, and what gives the parts, as in `serve.files.formats.Reader`; only `with_lines` they tell these."""
    # The csv module has one limit for the whole process: it is raised, never lowered.
    csv.field_size_limit(max(csv.field_size_limit(), blocks.LONGEST_LINE))
    header, separator = _header(lines)
    # Spreadsheets and data frames leave the heads of columns of row numbers empty.
    schema = pa.schema([(head or f"column_{place}", pa.large_string()) for place, head in enumerate(header, 1)])

    def parts(texts: Sequence[str], start: Position | None) -> Iterator[Part]:
        if start:
            lines.seek(start)
        size = seen = 0
        while block := lines.block(max(size, blocks.BLOCK_SIZE)):
            if isinstance(block, Rejected):
                yield Part(_batch([], schema), np.empty(0, np.int64), [block], lines.position)
                continue
            batch, numbers, begun, rejected, end = _records(block, lines.position, schema, separator, with_lines)
            if end == 0:
                # Not one whole record: more of the file has to be seen, unless there is no more, or far too much.
                if seen < len(block) <= blocks.LONGEST_LINE:
                    size, seen = 2 * len(block), len(block)
                    continue
                first = _first_line(block)
                rejected, end = [_never_closed(first, lines.position.line)], len(first)
            size = seen = 0
            lines.advance(end, len(numbers) + len(rejected))
            yield from in_slices(Part(batch, numbers, rejected, lines.position, begun), batch_rows)

    return schema, parts


def _header(lines: Lines) -> tuple[list[str], str]:
    """The fields of the first record, which `lines` then has passed, and the separator between them."""
    separator = None
    while block := lines.block(blocks.BLOCK_SIZE):
        at = lines.position
        if isinstance(block, Rejected):
            raise block.error(lines.name)
        first = _first_line(block)
        if broken := unreadable(first, at.offset):
            raise Rejected(f"line {at.line}", broken[0], first).error(lines.name)
        if first.decode().isspace():
            lines.advance(len(first))
            continue
        if separator is None and (named := SEPARATOR_LINE.fullmatch(first)):
            separator = named[1].decode()
            lines.advance(len(first))
            continue
        if len(first) > LONGEST_HEADER:
            raise InputError(
                f"{lines.name}, line {at.line}: names columns in more than {LONGEST_HEADER:,} bytes; is this a file of articles?"
            )
        separator = separator or separator_of(first.decode())
        whole = block if len(block) <= LONGEST_HEADER else block[: block.rfind(b"\n", 0, LONGEST_HEADER) + 1]
        record, end = _record(whole, 0, at.line, at.offset, separator) or (_never_closed(first, at.line), 0)
        if isinstance(record, Rejected):
            raise record.error(lines.name)
        lines.advance(end)
        return record, separator
    raise InputError(f"{lines.name}: is empty; its first line must name the columns.")


def separator_of(header: str) -> str:
    """The separator that is most frequent outside the quotes of the header; a comma where there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(SEPARATORS, key=bare.count)


def _first_line(block: bytes, begin: int = 0) -> bytes:
    return block[begin : block.find(b"\n", begin) + 1 or len(block)]


def _records(
    block: bytes, at: Position, schema: pa.Schema, separator: str, with_lines: bool
) -> tuple[pa.RecordBatch, Ints, Ints | None, list[Rejected], int]:
    """The whole records of a block that begins at `at`: those as long as the header, their numbers among all rows, the
    lines where they begin if these are wanted, those that are rejected, and the offset where the last one ends."""
    width = len(schema)
    data = np.frombuffer(block, np.uint8)
    fields = np.empty(2 * width * (len(block) // (BYTES_PER_FIELD * width) + 1), np.int64)
    reached = np.zeros(1, np.int64)
    plain = _is_text(block)
    records: list[list[str]] = []
    begun: list[int] = []
    rejected: list[Rejected] = []
    # How many rows stand before each of those.
    before: list[int] = []
    rows, end, line = 0, 0, at.line
    while end < len(block):
        if plain:
            room = fields[2 * width * rows :]
            rows += kernels.find_records(data, end, ord(separator), width, room, reached)
            begin, end = end, int(reached[0])
            if end > begin:
                line += count_lines(block, begin, end)
            if 2 * width * rows == len(fields):
                fields = np.concatenate([fields, fields])
                continue
        found = _record(block, end, line, at.offset, separator, width)
        if found is None:
            break
        record, size = found
        if isinstance(record, Rejected):
            rejected.append(record)
            before.append(rows)
        elif record:
            records.append(record)
            begun.append(line)
            rows += 1
        # Few bytes are counted sooner than a kernel is called.
        line += block.count(b"\n", end, end + size)
        end += size
    assert not (plain and records)
    batch = _gathered(data, fields, rows, schema) if plain else _batch(records, schema)
    places = np.arange(rows)
    numbers = at.rows + 1 + places + np.searchsorted(before, places, side="right")
    if not with_lines:
        return batch, numbers, None, rejected, end
    first_fields = fields[: 2 * width * rows : 2 * width]
    in_block = np.searchsorted(np.flatnonzero(data == LINE_FEED), first_fields)
    return batch, numbers, at.line + in_block if plain else np.array(begun, np.int64), rejected, end


def _gathered(data: NDArray[np.uint8], fields: Ints, rows: int, schema: pa.Schema) -> pa.RecordBatch:
    """The rows whose fields stand in `data` where `serve.native.records.find_records` says."""
    text = np.empty(len(data), np.uint8)
    columns, end = [], 0
    for place in range(len(schema)):
        offsets = np.full(rows + 1, end)
        end = kernels.gather_column(data, fields, place, len(schema), offsets, text)
        columns.append(_strings(offsets, text))
    return pa.record_batch(columns, schema=schema)


def _strings(offsets: Ints, data: object) -> pa.Array:
    """The strings between each two neighbouring offsets."""
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def _is_text(block: bytes) -> bool:
    """Whether the bytes are UTF-8 without NUL bytes."""
    try:
        _strings(np.array([0, len(block)]), block).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return b"\0" not in block


def _record(
    block: bytes, begin: int, line: int, offset: int, separator: str, width: int | None = None
) -> tuple[list[str] | Rejected, int] | None:
    """The record at block[begin:] as the csv module reads it, [] for a blank one, and its size; None when no record ends there.

    It stands in line `line` of the file, the block at `offset`. Only the first line is rejected of a record whose quotes
    are broken, since the fault may be of that line alone.
    """
    lines = BytesIO(block)
    lines.seek(begin)
    # Bytes that are no UTF-8 become half surrogates.
    read = csv.reader((raw.decode(errors="surrogateescape") for raw in lines), delimiter=separator, strict=True)
    try:
        record = next(read, None)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return None
        first = _first_line(block, begin)
        return _broken(str(error), first, line, line + read.line_num - 1), len(first)
    if record is None:
        return None
    raw = block[begin : lines.tell()]
    if broken := unreadable(raw, offset + begin):
        place = line + raw.count(b"\n", 0, broken[1])
        return Rejected(f"line {place}", broken[0], raw, line), len(raw)
    if width is not None and len(record) != width:
        if len(record) < 2 and not "".join(record).strip():
            return [], len(raw)
        return Rejected(f"line {line}", _other_length(width, len(record)), raw, line), len(raw)
    return record, len(raw)


def _broken(reason: str, raw: bytes, begin: int, end: int) -> Rejected:
    """What the csv module's reason means to a user, for a record from line `begin` that broke in line `end`."""
    if "field larger than" in reason:
        return _never_closed(raw, begin)
    if "new-line" in reason:
        what = "broken CSV: a carriage return without a line feed; save it with line breaks of Unix or Windows."
    else:
        what = (
            f"broken CSV in the row that begins in line {begin}: {reason}; "
            'put quotes around a field that holds quotes, and double each of those inside ("").'
        )
    return Rejected(f"line {end}", what, raw, begin)


def _never_closed(raw: bytes, line: int) -> Rejected:
    what = 'broken CSV: a quote (") opened in the row that begins here is never closed; close it, or double it.'
    return Rejected(f"line {line}", what, raw, line)


def _other_length(expected: int, found: int) -> str:
    return (
        f"broken CSV row: expected {expected} fields, as in the header, found {found}; "
        "put quotes around a field that holds separators or line breaks."
    )


def _batch(records: list[list[str]], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*records, strict=True) if records else ([] for _ in schema)
    return pa.record_batch([pa.array(column, pa.large_string()) for column in columns], schema=schema)
