"""A table in parts: consecutive rows, the rows among them that cannot be read, and the place where the next part begins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serve.errors import InputError
from serve.files.columns import to_json

# So much of a rejected row is kept, in characters.
LONGEST_RAW = 10_000


@dataclass(frozen=True)
class Position:
    """Where a row of a table begins."""

    offset: int = 0
    """Of its first byte in the file, uncompressed; in Parquet the number of rows before it, in a folder of files."""
    line: int = 1
    rows: int = 0
    """How many rows are before it, rejected ones included."""


START = Position()


@dataclass(frozen=True)
class Rejected:
    """A row that cannot be read, and why."""

    at: str
    """The place as a message gives it, such as "line 3, column 2"."""
    reason: str
    raw: bytes
    line: int | None = None
    """Where the row begins."""
    file: str | None = None
    """The file of a folder that it is."""

    def error(self, name: str) -> InputError:
        """The error that stops a strict reader of the table `name`."""
        return InputError(f"{name}, {self.at}: {self.reason}")

    def to_json(self) -> str:
        """One line of JSON, of bounded length."""
        reason = self.reason if self.at in (f"line {self.line}", self.file) else f"{self.at}: {self.reason}"
        entry: dict[str, Any] = {"line": self.line, "reason": reason, "raw": _shown(self.raw)}
        if self.file is not None:
            entry["file"] = self.file
        return to_json(entry) + "\n"


@dataclass(frozen=True)
class Part:
    """Consecutive rows of a table."""

    batch: pa.RecordBatch
    """The n rows that can be read."""
    numbers: NDArray[np.int64]
    """(n,): their places among all rows, rejected ones included, counted from 1."""
    rejected: Sequence[Rejected] = ()
    """Those that cannot be read, among and after these rows."""
    end: Position | None = None
    """Where the next part begins, where reading can be taken up there."""
    lines: NDArray[np.int64] | None = None
    """(n,): the line of the file where each begins; None where rows have none, or a CSV file's were not asked for."""


def in_slices(part: Part, rows: int) -> Iterator[Part]:
    """A part in slices of at most `rows` rows; the last one has all that is rejected."""
    last = max(0, (part.batch.num_rows - 1) // rows * rows)
    lines = part.lines
    for begin in range(0, last, rows):
        some = slice(begin, begin + rows)
        yield Part(part.batch.slice(begin, rows), part.numbers[some], lines=None if lines is None else lines[some])
    rest = None if lines is None else lines[last:]
    yield Part(part.batch.slice(last), part.numbers[last:], part.rejected, part.end, rest)


def unreadable(raw: bytes, offset: int, program: str = "in a spreadsheet: 'CSV UTF-8'") -> tuple[str, int] | None:
    """What is wrong with bytes that are no text, and which of them; None when nothing is. `offset` is theirs in the file,
    `program` tells how a program saves such a file as UTF-8."""
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        at, what = error.start, f"not UTF-8: byte 0x{raw[error.start]:02X}"
        remedy = f"save it as UTF-8 ({program})"
    else:
        at, what = raw.find(b"\0"), "a NUL byte"
        if at < 0:
            return None
        remedy = "save it as UTF-8 text, or remove the byte"
    return f"{what} at offset {offset + at} of the file; {remedy}.", at


def no_text(value: object, column: str) -> str | None:
    """Why a value cannot be the text of an article; None when it can."""
    if not isinstance(value, list | dict):
        return None
    kind = "a list" if isinstance(value, list) else "an object"
    return f"the column '{column}' holds {kind}, not text; write it as one string."


def _shown(raw: bytes) -> str:
    # No character of UTF-8 has more than four bytes.
    text = raw[: 4 * LONGEST_RAW].decode(errors="replace").rstrip("\r\n")
    return f"{text[:LONGEST_RAW]} ... (cut)" if len(text) > LONGEST_RAW or len(raw) > 4 * LONGEST_RAW else text
