"""The bytes of a CSV file -> the places of its fields, and a column's fields as strings that stand together."""

import numpy as np

from serve.native.compiler import I8, INT, U1, inlined, kernel, load_eight, trailing_zeros
from serve.native.text import LOW_BITS, TOP_BITS, U_3, ZERO, U

QUOTE, LINE_FEED, CARRIAGE_RETURN = 34, 10, 13
# Eight of each.
QUOTES, LINE_FEEDS, RETURNS = (np.uint64(byte) * LOW_BITS for byte in (QUOTE, LINE_FEED, CARRIAGE_RETURN))


@kernel
def find_records(data: U1, begin: INT, separator: INT, width: INT, fields: I8, reached: I8) -> int:
    """The number of records of `width` fields from data[begin] on up to the first that is another; blank lines do not count.

    fields: where each field begins and ends, quotes excluded; the end is given as its complement where quotes inside are
    doubled. reached[0]: where the first other record begins, or the end of the data, or where there is no more room.
    """
    n = len(data)
    separators = np.uint64(separator) * LOW_BITS
    rows = 0
    i = begin
    while i < n:
        reached[0] = i
        if 2 * (rows + 1) * width > len(fields):
            return rows
        count = 0
        while True:
            if count == width:
                return rows
            doubled = False
            first = i
            if i < n and data[U(i)] == QUOTE:
                first = i + 1
                i = _quote(data, first, n)
                while i + 1 < n and data[U(i + 1)] == QUOTE:
                    doubled = True
                    i = _quote(data, i + 2, n)
                if i == n:
                    return rows
                last = i
                i += 1
            else:
                i = last = _field_end(data, i, n, separators)
            at = 2 * (rows * width + count)
            fields[U(at)] = first
            fields[U(at + 1)] = ~last if doubled else last
            count += 1
            if i == n or data[U(i)] != separator:
                break
            i += 1
        blank = i == reached[0]
        while i < n and data[U(i)] == CARRIAGE_RETURN:
            i += 1
        if (i < n and data[U(i)] != LINE_FEED) or (count < width and not blank):
            return rows
        i += 1
        if not blank:
            rows += 1
    reached[0] = n
    return rows


@inlined
def _quote(data, i, n):
    """The place of the first quote from i on, n where there is none."""
    while i + 8 <= n:
        chunk = load_eight(data, i) ^ QUOTES
        zeros = (chunk - LOW_BITS) & ~chunk & TOP_BITS
        if zeros != ZERO:
            return i + np.int64(trailing_zeros(zeros) >> U_3)
        i += 8
    while i < n and data[U(i)] != QUOTE:
        i += 1
    return i


@inlined
def _field_end(data, i, n, separators):
    """The place of the first separator, line feed or carriage return from i on, n where there is none."""
    while i + 8 <= n:
        chunk = load_eight(data, i)
        a, b, c = chunk ^ separators, chunk ^ LINE_FEEDS, chunk ^ RETURNS
        zeros = ((a - LOW_BITS) & ~a | (b - LOW_BITS) & ~b | (c - LOW_BITS) & ~c) & TOP_BITS
        if zeros != ZERO:
            return i + np.int64(trailing_zeros(zeros) >> U_3)
        i += 8
    separator = np.uint8(separators)
    while i < n and data[U(i)] != separator and data[U(i)] != LINE_FEED and data[U(i)] != CARRIAGE_RETURN:
        i += 1
    return i


@inlined
def _copy(piece, text, at):
    """Writes a piece to text[at:], and returns where it ends there."""
    target = text[at : at + len(piece)]
    for i in range(len(piece)):
        target[i] = piece[i]
    return at + len(piece)


@kernel
def gather_column(data: U1, fields: I8, column: INT, width: INT, offsets: I8, text: U1) -> int:
    """Writes a column's fields, doubled quotes made single, one behind the other to `text` from offsets[0] on, and their
    ends to offsets[1:]; returns the last of them."""
    end = offsets[0]
    for row in range(len(offsets) - 1):
        at = 2 * (row * width + column)
        i, last = fields[U(at)], fields[U(at + 1)]
        if last < 0:
            last = ~last
            quote = _quote(data, i, last)
            while quote < last:
                end = _copy(data[i : quote + 1], text, end)
                i = quote + 2
                quote = _quote(data, i, last)
        end = _copy(data[i:last], text, end)
        offsets[U(row + 1)] = end
    return end


@kernel
def count_byte(data: U1, byte: INT, begin: INT, end: INT) -> int:
    """How often a byte stands in data[begin:end]."""
    part = data[begin:end]
    sought = np.uint8(byte)
    # More of these are added at once than of wider ones.
    count = np.uint32(0)
    for i in range(len(part)):
        count = np.uint32(count + np.uint32(part[i] == sought))
    return int(count)
