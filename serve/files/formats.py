"""Tables of articles in files, folders and streams: what they are is told by their names; they are read part by part."""

import io
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import pyarrow as pa

from serve.counts import counted
from serve.errors import InputError
from serve.files import lines as blocks
from serve.files.csv_records import read_csv
from serve.files.folder import PAGES, PLAIN, read_folder
from serve.files.json_lines import read_json_lines
from serve.files.lines import BUFFER_SIZE, Lines
from serve.files.parts import Part, Position, Rejected

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
# What compressed streams begin with.
MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
LONGEST_MAGIC = max(map(len, MAGIC))

# A batch has at most so many rows; of long ones it has as many as are in a block of the file.
BATCH_ROWS = 8192


@dataclass
class Reader:
    """A table that is read once, from front to end; `name` is what messages call it.

    `schema` tells the columns. CSV has strings alone, Parquet its own types. In JSON Lines the columns are the keys of
    the first batch; a batch with later keys has these as further columns after them, a missing key is null, and a
    column is of type JSON in the batches where it holds anything but strings. A row whose keys would make too many columns
    is rejected.
    """

    name: str
    schema: pa.Schema
    parts: Callable[[Sequence[str], Position | None], Iterator[Part]]
    """The parts from a position on (None: the first row). A row that holds a list, an object or bytes that
    are no UTF-8 in one of the columns that are named is rejected, as one that is broken is."""
    fraction: Callable[[int], float | None]
    """The share of the table that the given number of rows is, where that can be known."""
    remark: str = ""
    """What a user should know of it: files of a folder that are left out."""

    @property
    def columns(self) -> list[str]:
        return list(self.schema.names)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches. Raises InputError for the first row that cannot be read."""
        return (part.batch for part in self.whole_parts())

    def whole_parts(self) -> Iterator[Part]:
        """The parts that have rows. Raises InputError for the first row that cannot be read."""
        for part in self.parts((), None):
            if part.batch.num_rows:
                yield part
            for rejected in part.rejected:
                raise rejected.error(self.name)


@contextmanager
def open_reader(
    source: str | Path,
    format: Format | None = None,
    batch_rows: int = BATCH_ROWS,
    *,
    folders: bool = False,
    with_lines: bool = False,
) -> Iterator[Reader]:
    """The table in a file, or in standard input for "-", in batches of at most `batch_rows` rows; with `folders` also
    the articles in a folder. The parts of CSV tell the lines of their rows `with_lines` alone: finding them takes time.

    `format` is told by the file's name when not given; standard input may be CSV or JSON Lines, by its first character,
    as it is or compressed.
    Raises InputError, here or while reading, that names the file, the line and the remedy.
    """
    name = "standard input" if source == STREAM else str(source)
    if source != STREAM and not os.path.exists(source):
        raise InputError(f"{name}: no such file; check its name and folder.")
    if folders and source != STREAM and os.path.isdir(source):
        schema, parts, files, others = read_folder(Path(source), batch_rows)
        remark = f"{name}: {counted(others, 'file')} left out, not {', '.join(PLAIN + PAGES)}." if others else ""
        yield Reader(name, schema, parts, _rows_fraction(files), remark)
        return
    if folders and os.path.splitext(source)[1].lower() in PLAIN + PAGES and os.path.isfile(source):
        raise InputError(
            f"{name}: texts and pages are read from a folder, one article a file; name the folder that holds it."
        )
    refuse_folder(source)
    told = format
    format, compression = format_of(source, format)
    with ExitStack() as stack:
        opened: list[IO[bytes]] = []

        def begin() -> IO[bytes]:
            """The file from its start, uncompressed; a pipe has but one."""
            codec = compression
            if source == STREAM:
                stream = _standard_input()
                codec = compression_of(stream.peek(LONGEST_MAGIC))
                opened.append(stream)
            else:
                opened.append(stack.enter_context(_open(source)))
            if not codec:
                return opened[-1]
            return io.BufferedReader(pa.CompressedInputStream(opened[-1], codec), BUFFER_SIZE)

        if format == "parquet":
            from serve.files.parquet import read_parquet

            schema, parts, total = read_parquet(begin(), name, batch_rows)
            fraction = _rows_fraction(total)
        else:
            lines = Lines(begin, name)
            if source == STREAM and told is None:
                format = _streamed_format(lines)
            if format == "jsonl":
                schema, parts = read_json_lines(lines, batch_rows)
            else:
                schema, parts = read_csv(lines, batch_rows, with_lines=with_lines)
            fraction = _bytes_fraction(opened)
        refuse_twins(schema.names, name)
        yield Reader(name, schema, parts, fraction)


def format_of(place: str | Path, format: Format | None = None) -> tuple[Format, str | None]:
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


def plain_name(place: str | Path) -> str:
    """A file's name without the endings that tell its format and compression: the same however it is packed."""
    path = Path(place)
    return Path(path.stem).stem if path.suffix.lower() in COMPRESSIONS else path.stem


def refuse_folder(place: str | Path) -> None:
    if place != STREAM and os.path.isdir(place):
        raise InputError(f"{place}: is a folder; name a file in it.")


def refuse_twins(columns: Sequence[str], name: str) -> None:
    twins = {column for column, n in Counter(columns).items() if n > 1}
    if twins:
        raise InputError(f"{name}: two columns are named '{min(twins)}'; give each column its own name.")


def _standard_input() -> io.BufferedReader:
    """Standard input without Python's own buffer: a thread that waits for input would hold its lock for ever."""
    raw: Any
    try:
        raw = io.FileIO(os.dup(sys.stdin.fileno()))
    except OSError:
        raw = sys.stdin.buffer
    return io.BufferedReader(raw, BUFFER_SIZE)


def compression_of(head: bytes) -> str | None:
    """The compression that a file's first LONGEST_MAGIC bytes tell."""
    return next((codec for magic, codec in MAGIC.items() if head.startswith(magic)), None)


def _streamed_format(lines: Lines) -> Format:
    """What a stream's first characters tell. Raises InputError for Parquet, which is read from its end."""
    block = lines.block(blocks.BLOCK_SIZE)
    begin = block.raw if isinstance(block, Rejected) else block
    if begin.startswith(b"PAR1"):
        raise InputError(f"{lines.name}: Parquet cannot be read from a stream; name the file.")
    return "jsonl" if begin.lstrip().startswith(b"{") else "csv"


def _open(file: str | Path) -> IO[bytes]:
    try:
        return open(file, "rb", buffering=BUFFER_SIZE)
    except OSError as error:
        raise InputError(f"{file}: cannot be opened ({error.strerror}); check who may read it.") from None


def _rows_fraction(total: int) -> Callable[[int], float | None]:
    return lambda rows: rows / total if total else None


def _bytes_fraction(opened: list[IO[bytes]]) -> Callable[[int], float | None]:
    """How far the file that was opened last has been read; None for a pipe."""
    size = _size(opened[0])
    return lambda rows: opened[-1].tell() / size if size else None


def _size(binary: IO[bytes]) -> int:
    """A file's size in bytes; 0 for a pipe."""
    try:
        return os.fstat(binary.fileno()).st_size if binary.seekable() else 0
    except OSError:
        return 0
