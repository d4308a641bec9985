"""Parquet: reading it batch by batch from any row, and writing it from the batches that have been kept in a file."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from serve.atomic import atomic_file
from serve.errors import InputError
from serve.files import lines
from serve.files.columns import JSON, as_text, to_json, values
from serve.files.parts import START, Part, Position, Rejected, no_text

# A row group is written when its batches have this many bytes.
ROW_GROUP_SIZE = 2**26


def read_parquet(
    binary: IO[bytes], name: str, batch_rows: int
) -> tuple[pa.Schema, Callable[[Sequence[str], Position | None], Iterator[Part]], int]:
    """The schema, what gives the parts, as in `serve.files.formats.Reader`, and the number of rows."""
    try:
        file = pq.ParquetFile(binary, buffer_size=2**20, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{name}: not a Parquet file, or not a whole one ({_first_line(error)}); write it again."
        ) from None
    groups = [file.metadata.row_group(group) for group in range(file.num_row_groups)]
    total, size = file.metadata.num_rows, sum(group.total_byte_size for group in groups)
    rows = max(1, min(batch_rows, lines.BLOCK_SIZE * total // max(size, 1)))

    def batches(first: int) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The batches from row `first` on, where one begins, with the number of rows before each."""
        before = 0
        for place, group in enumerate(groups):
            if before + group.num_rows > first:
                done = before
                for batch in file.iter_batches(batch_size=rows, row_groups=[place]):
                    if done >= first:
                        yield done, batch
                    done += batch.num_rows
            before += group.num_rows

    def parts(texts: Sequence[str], start: Position | None) -> Iterator[Part]:
        done = (start or START).offset
        try:
            for before, batch in batches(done):
                part = _part(batch, before, texts)
                done = before + batch.num_rows
                yield part
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{name}: damaged after row {done} ({_first_line(error)}); write it again.") from None

    return file.schema_arrow, parts, total


def _part(batch: pa.RecordBatch, before: int, texts: Sequence[str]) -> Part:
    """A batch without the rows whose `texts` are lists, objects or bytes that are no UTF-8. In other strings U+FFFD stands
    for such bytes; of lists and objects with such strings ArrowInvalid tells."""
    wrong: dict[int, str] = {}
    for place, name in enumerate(batch.schema.names):
        column = batch.column(place)
        if pa.types.is_nested(column.type):
            column.validate(full=True)
            cells = values(column) if name in texts else ()
            reasons = {row: reason for row, cell in enumerate(cells) if (reason := no_text(cell, name))}
        elif (reasons := _not_utf8(column, name)) and _is_string(column.type):
            batch = batch.set_column(place, batch.schema.field(place), _replaced(column))
        if name in texts:
            wrong = reasons | wrong
    after = before + batch.num_rows
    numbers = np.arange(before + 1, after + 1)
    rejected = [
        Rejected(f"row {before + row + 1}", wrong[row], to_json(batch.slice(row, 1).to_pylist()[0]).encode())
        for row in sorted(wrong)
    ]
    if wrong:
        right = np.delete(np.arange(batch.num_rows), list(wrong))
        batch, numbers = batch.take(pa.array(right)), numbers[right]
    return Part(batch, numbers, rejected, Position(after, rows=after))


def _not_utf8(column: pa.Array, name: str) -> dict[int, str]:
    """What is wrong with each cell that is bytes but no UTF-8, by its row; strings of Parquet may be such too."""
    try:
        data = column.cast(pa.large_binary())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return {}  # numbers, dates
    try:
        data.cast(pa.large_string())
    except pa.ArrowInvalid:
        return {row: reason for row, cell in enumerate(data.to_pylist()) if (reason := _no_utf8(cell, name))}
    return {}


def _no_utf8(cell: bytes | None, name: str) -> str | None:
    try:
        (cell or b"").decode()
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02X} at offset {error.start}"
        return f"the column '{name}' holds what is not UTF-8: {found}; write it as UTF-8."
    return None


def _replaced(column: pa.Array) -> pa.Array:
    cells = column.cast(pa.large_binary()).to_pylist()
    return pa.array([None if cell is None else cell.decode(errors="replace") for cell in cells], column.type)


def _is_string(type: pa.DataType) -> bool:
    kind = type.value_type if pa.types.is_dictionary(type) else type
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def to_arrow(batch: pa.RecordBatch | None, schema: pa.Schema) -> bytes:
    """An Arrow stream of one batch, or of none. Streams may stand one after another in a file for `write_parquet`."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
        if batch is not None:
            columns = [as_text(column) if column.type == JSON else column for column in batch.columns]
            stream.write_batch(pa.record_batch(columns, schema=schema))
    return sink.getvalue().to_pybytes()


def write_parquet(streams: Path, target: Path) -> None:
    """Writes the batches of a file of Arrow streams, in row groups of ROW_GROUP_SIZE."""
    with atomic_file(target) as part, pa.OSFile(str(streams)) as file:
        schema, batches = _batches(file)
        with pq.ParquetWriter(part, schema) as writer:
            waiting: list[pa.RecordBatch] = []
            for batch in batches:
                waiting.append(batch)
                if sum(batch.nbytes for batch in waiting) >= ROW_GROUP_SIZE:
                    writer.write_table(pa.Table.from_batches(waiting))
                    waiting = []
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting))


def _batches(file: pa.NativeFile) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The schema and the batches of the streams of a file."""

    def batches() -> Iterator[pa.RecordBatch]:
        while file.tell() < file.size():
            with pa.ipc.open_stream(file) as stream:
                yield from stream

    with pa.ipc.open_stream(file) as stream:
        schema = stream.schema
    file.seek(0)
    return schema, batches()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
