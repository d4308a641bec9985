"""The lines of a file, in blocks whose ends depend on nothing but where they begin."""

import codecs
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from serve import kernels
from serve.errors import InputError
from serve.files.parts import START, Position, Rejected

# A file is read in blocks of so many bytes, which are also the batches in which its articles are filed.
BLOCK_SIZE = 2**22
# What a block has of its last line is read through a buffer of so many bytes, all else directly.
BUFFER_SIZE = 2**16
# No article is as long; a quote that is never closed would otherwise draw the rest of a file into memory.
LONGEST_LINE = 2**26
# What spreadsheets call "Unicode text".
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

(LINE_FEED,) = b"\n"


def count_lines(block: bytes, begin: int, end: int) -> int:
    """The number of line feeds in block[begin:end]."""
    return int(kernels.count_byte(np.frombuffer(block, np.uint8), LINE_FEED, begin, end))


@dataclass
class Lines:
    """A file's lines from `position` on, which moves with `advance`; those of a file in UTF-16 as UTF-8, with positions
    in that."""

    open: Callable[[], IO[bytes]]
    """Opens the file, uncompressed, anew."""
    name: str

    def __post_init__(self) -> None:
        self._begin()
        if self._ahead == codecs.BOM_UTF8:
            self.advance(len(codecs.BOM_UTF8))

    def _begin(self) -> None:
        self._binary, self._ahead = self.open(), b""
        self.position = START
        self._ahead = self._read(len(codecs.BOM_UTF8))
        if self._ahead.startswith(UTF_16):
            self._binary = io.BufferedReader(_AsUtf8(self._ahead, self._binary), BUFFER_SIZE)
            self._ahead = b""

    def seek(self, position: Position) -> None:
        """Goes on at another position, one where a line begins."""
        self._begin()
        if self._binary.seekable():
            self._binary.seek(position.offset)
            self._ahead = b""
        else:
            left = max(0, position.offset - len(self._ahead))
            self._ahead = self._ahead[position.offset :]
            while left and (skipped := len(self._read(min(left, BLOCK_SIZE)))):
                left -= skipped
        self.position = position

    def block(self, size: int) -> bytes | Rejected:
        """The lines that begin within the next `size` bytes; the last of a file may lack its line feed, and after it
        there are b"". A line longer than LONGEST_LINE ends a block, and is then given as a rejected row by itself."""
        ahead = self._ahead
        end = ahead.find(b"\n", size - 1) + 1
        if not end and not self._long():
            more = self._read(max(0, size - len(ahead)))
            rest = b"" if more.endswith(b"\n") else self._read_line(LONGEST_LINE + 1)
            self._ahead = ahead = b"".join((ahead, more, rest))
            end = len(ahead)
            if len(rest) > LONGEST_LINE:
                end = ahead.rfind(b"\n", 0, -len(rest)) + 1
        return self._too_long() if self._long() else ahead[:end]

    def _long(self) -> bool:
        """Whether the next line is too long."""
        return len(self._ahead) > LONGEST_LINE and self._ahead.find(b"\n", 0, LONGEST_LINE + 1) < 0

    def advance(self, size: int, rows: int = 0) -> None:
        """Leaves so many bytes behind, which held so many rows."""
        at = self.position
        self.position = Position(at.offset + size, at.line + count_lines(self._ahead, 0, size), at.rows + rows)
        self._ahead = self._ahead[size:]

    def _too_long(self) -> Rejected:
        raw, at = self._ahead, self.position
        end = raw.find(b"\n") + 1
        self._ahead, size = raw[end or len(raw) :], end or len(raw)
        while not end and (rest := self._read_line(BLOCK_SIZE)):
            size += len(rest)
            end = rest.endswith(b"\n")
        self.position = Position(at.offset + size, at.line + 1, at.rows + 1)
        reason = f"is longer than {LONGEST_LINE:,} bytes; is this a file of articles?"
        return Rejected(f"line {at.line}", reason, raw, at.line)

    def _read(self, size: int) -> bytes:
        try:
            return self._binary.read(size)
        except OSError as error:
            raise self._broken(error) from None

    def _read_line(self, longest: int) -> bytes:
        try:
            return self._binary.readline(longest)
        except OSError as error:
            raise self._broken(error) from None

    def _broken(self, error: OSError) -> InputError:
        line = self.position.line + self._ahead.count(b"\n")
        return InputError(f"{self.name}: cannot be read beyond line {line} ({error}); is it whole?")


class _AsUtf8(io.RawIOBase):
    """A file in UTF-16, of which the first bytes have been read, as UTF-8 without a byte order mark."""

    def __init__(self, begin: bytes, rest: IO[bytes]) -> None:
        self._rest, self._raw = rest, begin
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises OSError for what is no UTF-16."""
        while not self._left:
            raw = self._raw or self._rest.read(BUFFER_SIZE)
            self._raw = b""
            try:
                self._left = self._decoder.decode(raw, final=not raw).encode()
            except UnicodeDecodeError as error:
                raise OSError(f"not UTF-16: {error.reason}") from None
            if not raw:
                break
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
