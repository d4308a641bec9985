"""CSV: its records and fields are found in the bytes, a block of the file at a time.

The rules are those of Python's csv module in its strict mode. Where quotes stand only where they should, a line break
or a separator counts when the number of quotes before it is even, which numpy tells for a whole block at once. From the
first record on where a quote or a carriage return stands elsewhere, the rest of a block goes through the csv module.
"""

import csv
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serve.errors import InputError
from serve.files import lines as blocks
from serve.files.bits import after, before, bits, odd, places
from serve.files.lines import Lines
from serve.files.parts import Part, Position, Rejected, in_slices, unreadable

SEPARATORS = (",", ";", "\t", "|")
QUOTE, LINE_FEED, CARRIAGE_RETURN = b'"\n\r'

NOWHERE = sys.maxsize

Ints = NDArray[np.int64]
# For each record of a block that is no row: where and why, None for a blank one.
Wrong = dict[int, tuple[int, str] | None]


def read_csv(
    lines: Lines, batch_rows: int
) -> tuple[pa.Schema, Callable[[Sequence[str], Position | None], Iterator[Part]]]:
    """The schema, and what gives the parts, as in `serve.files.formats.Reader`."""
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
            batch, numbers, rejected, end = _records(block, lines.position, schema, separator)
            if end == 0:
                # Not one whole record: more of the file has to be seen, unless there is no more, or far too much.
                if seen < len(block) <= blocks.LONGEST_LINE:
                    size, seen = 2 * len(block), len(block)
                    continue
                first = _first_line(block)
                rejected, end = [_never_closed(first, lines.position.line)], len(first)
            size = seen = 0
            lines.advance(end, len(numbers) + len(rejected))
            yield from in_slices(Part(batch, numbers, rejected, lines.position), batch_rows)

    return schema, parts


def _header(lines: Lines) -> tuple[list[str], str]:
    """The fields of the first record, which `lines` then has passed, and the separator between them."""
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
        separator = separator_of(first.decode())
        record, end = next(_careful_records(block, at, separator), (_never_closed(first, at.line), 0))
        if isinstance(record, Rejected):
            raise record.error(lines.name)
        lines.advance(end)
        return record, separator
    raise InputError(f"{lines.name}: is empty; its first line must name the columns.")


def separator_of(header: str) -> str:
    """The separator that is most frequent outside the quotes of the header; a comma where there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(SEPARATORS, key=bare.count)


def _first_line(block: bytes) -> bytes:
    return block[: block.find(b"\n") + 1] or block


def _records(
    block: bytes, at: Position, schema: pa.Schema, separator: str
) -> tuple[pa.RecordBatch, Ints, list[Rejected], int]:
    """The whole records of a block that begins at `at`: those as long as the header, their numbers among all rows, those
    that are rejected, and the offset where the last one ends."""
    plain = _PlainRecords.of(block, separator)
    wrong = plain.wrong(len(schema), at)
    batch, numbers = plain.batch(schema, wrong), at.rows + plain.numbers(wrong)
    rejected = plain.rejected(wrong, at)
    if plain.all:
        return batch, numbers, rejected, plain.end
    here = Position(
        at.offset + plain.end, at.line + block.count(b"\n", 0, plain.end), at.rows + len(numbers) + len(rejected)
    )
    number, end = here.rows, plain.end
    records: dict[int, list[str]] = {}
    for record, size in _careful_records(block[plain.end :], here, separator, len(schema)):
        end = plain.end + size
        if record:
            number += 1
        if isinstance(record, Rejected):
            rejected.append(record)
        elif record:
            records[number] = record
    if records:
        batch = pa.concat_batches([batch, _batch(list(records.values()), schema)])
        numbers = np.concatenate([numbers, np.array(list(records), np.int64)])
    return batch, numbers, rejected, end


@dataclass(frozen=True)
class _PlainRecords:
    """The n records of a block up to the first one where a quote or a carriage return stands where none should; all
    places are offsets in the block."""

    block: bytes
    data: NDArray[np.uint8]
    """The bytes of the block, with a line feed at the end."""
    breaks: Ints
    """The separators and line feeds that are outside quotes."""
    last: Ints
    """(n,): the places in `breaks` of the records' line feeds."""
    begins: Ints
    """(n,)."""
    stops: Ints
    """(n,): where the records' text ends."""
    end: int
    doubled: Ints
    """The second ones of doubled quotes."""
    all: bool
    """Whether these are all records that end in the block."""

    @classmethod
    def of(cls, block: bytes, separator: str) -> Self:
        whole = block if block.endswith(b"\n") else block + b"\n"
        data = np.frombuffer(whole, np.uint8)
        quotes, separators, feeds = (bits(data == byte) for byte in (QUOTE, ord(separator), LINE_FEED))
        inside = odd(quotes)
        breaks = places((separators | feeds) & ~inside)
        opening, closing = quotes & inside, quotes & ~inside
        bounds = quotes | separators | feeds
        wrong = opening & ~after(bounds)
        wrong[0] &= ~np.uint64(1)  # the block's first byte may be a quote
        if b"\r" in whole:
            returns = bits(data == CARRIAGE_RETURN)
            wrong |= returns & ~inside & ~before(feeds)
            bounds |= returns
        wrong |= closing & ~before(bounds)
        strange = int(places(wrong)[0]) if wrong.any() else NOWHERE
        last = np.flatnonzero(data[breaks] == LINE_FEED)
        plain = last[: np.searchsorted(breaks[last], strange)]
        ends = breaks[plain]
        begins = np.concatenate([np.zeros(1, np.int64), ends + 1])
        stops = ends - ((data[ends - 1] == CARRIAGE_RETURN) & (ends > begins[:-1]))
        return cls(
            block=block,
            data=data,
            breaks=breaks,
            last=plain,
            begins=begins[:-1],
            stops=stops,
            end=min(int(begins[-1]), len(block)),
            doubled=places(opening & after(closing)),
            all=strange == NOWHERE,
        )

    def wrong(self, width: int, at: Position) -> Wrong:
        """The records that are no rows of `width` fields: where and why, None for a blank one."""
        counts = np.diff(self.last, prepend=-1)
        blank = self.stops == self.begins
        wrong: Wrong = dict.fromkeys(np.flatnonzero(blank).tolist())
        for row in np.flatnonzero(~blank & (counts != width)).tolist():
            raw = self._raw(row)
            text = raw[1:-1] if raw[0] == QUOTE else raw
            spaces = counts[row] == 1 and not text.decode(errors="replace").strip()
            wrong[row] = None if spaces else (int(self.begins[row]), _other_length(width, int(counts[row])))
        if not _is_text(self.block, self.end):
            for row in np.flatnonzero(~blank).tolist():
                begin = int(self.begins[row])
                if broken := unreadable(self._raw(row), at.offset + begin):
                    wrong[row] = begin + broken[1], broken[0]
        return dict(sorted(wrong.items()))

    def numbers(self, wrong: Wrong) -> Ints:
        """The places of the rows among all records that are not blank, from 1."""
        filled = np.ones(len(self.last), np.int64)
        filled[[row for row, why in wrong.items() if why is None]] = 0
        return np.cumsum(filled)[self._right(wrong)]

    def batch(self, schema: pa.Schema, wrong: Wrong) -> pa.RecordBatch:
        """The records that are not wrong."""
        right = self._right(wrong)
        width = len(schema)
        if not len(right):
            return _batch([], schema)
        ends = self.breaks[self.last[right, None] - np.arange(width)[::-1]]
        ends[:, -1] = self.stops[right]
        starts = np.concatenate([self.begins[right, None], ends[:, :-1] + 1], axis=1)
        quoted = self.data[starts] == QUOTE
        starts, ends = (starts + quoted).ravel(), (ends - quoted).ravel()
        field = np.searchsorted(starts, self.doubled, side="right") - 1
        within = (field >= 0) & (self.doubled < np.append(ends, 0)[field])
        dropped = self.doubled[within]
        # The pieces of fields that are kept, and what is between two of them, in turn.
        bounds = np.sort(np.concatenate([starts, ends, dropped, dropped + 1]))
        counts = 1 + np.bincount(field[within], minlength=len(starts))
        of_column = np.repeat(np.arange(len(starts)) % width, counts)
        pieces = _strings(bounds, self.data)
        columns = []
        for place in range(width):
            taken = pieces.take(pa.array(2 * np.flatnonzero(of_column == place)))
            _, offsets, text = taken.buffers()
            firsts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts[place::width])])
            columns.append(_strings(np.frombuffer(offsets, np.int64)[firsts], text))
        return pa.record_batch(columns, schema=schema)

    def rejected(self, wrong: Wrong, at: Position) -> list[Rejected]:
        """Those that are wrong and not blank."""
        broken = {row: why for row, why in wrong.items() if why}
        if not broken:
            return []
        feeds = np.flatnonzero(self.data == LINE_FEED)
        begins = at.line + np.searchsorted(feeds, self.begins[list(broken)])
        places = at.line + np.searchsorted(feeds, [place for place, _ in broken.values()])
        return [
            Rejected(f"line {place}", reason, self._raw(row), begin)
            for (row, (_, reason)), begin, place in zip(broken.items(), begins.tolist(), places.tolist(), strict=True)
        ]

    def _right(self, wrong: Wrong) -> Ints:
        return np.delete(np.arange(len(self.last)), list(wrong))

    def _raw(self, row: int) -> bytes:
        return self.block[self.begins[row] : self.stops[row]]


def _strings(offsets: Ints, data: object) -> pa.Array:
    """The strings between each two neighbouring offsets."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)


def _is_text(block: bytes, end: int) -> bool:
    """Whether a block's first bytes are UTF-8 without NUL bytes."""
    try:
        _strings(np.array([0, end]), block).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return block.find(b"\0", 0, end) < 0


class _Feed:
    """Lines for the csv module, which draws one at a time; `place` may be set back. Bytes that are no UTF-8 become
    half surrogates."""

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.place = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        if self.place == len(self.lines):
            raise StopIteration
        self.place += 1
        return self.lines[self.place - 1].decode(errors="surrogateescape")


def _careful_records(
    block: bytes, at: Position, separator: str, width: int | None = None
) -> Iterator[tuple[list[str] | Rejected, int]]:
    """Each whole record of a block that begins at `at` as the csv module reads it, [] for a blank one, and its end.

    Only the first line is rejected of a record whose quotes are broken, since the fault may be of that line alone.
    """
    feed = _Feed(BytesIO(block).readlines())
    read = csv.reader(feed, delimiter=separator, strict=True)
    end = 0
    while True:
        begin, start = feed.place, end
        line = at.line + begin
        record: list[str] | Rejected
        try:
            record = next(read)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                return
            first = feed.lines[begin]
            record = _broken(str(error), first, line, at.line + feed.place - 1)
            feed.place = begin + 1
            end += len(first)
        else:
            end += sum(map(len, feed.lines[begin : feed.place]))
            raw = block[start:end]
            if broken := unreadable(raw, at.offset + start):
                place = line + raw.count(b"\n", 0, broken[1])
                record = Rejected(f"line {place}", broken[0], raw, line)
            elif width is not None and len(record) != width:
                spaces = len(record) < 2 and not "".join(record).strip()
                record = [] if spaces else Rejected(f"line {line}", _other_length(width, len(record)), raw, line)
        yield record, end


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
