"""Batches of rows as bytes of a file: CSV, JSON Lines, or what becomes Parquet, each batch for itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from serve.errors import InputError
from serve.files.columns import as_text, to_json, values
from serve.files.formats import STREAM, format_of, refuse_folder, refuse_twins

TEXT = pa.large_string()


@dataclass(frozen=True)
class Encoder:
    """How a file is put together. Its header and the bytes of each batch are whole members of the compression, so that
    it may be cut behind any of them."""

    name: str
    """What messages call the file."""
    header: bytes
    encode: Callable[[pa.RecordBatch], bytes]
    """The bytes of a batch."""
    place: Callable[[Path, Path], object] = Path.replace
    """Makes the file from one of all those bytes."""


def encoder(target: str | Path | None, schema: pa.Schema) -> Encoder:
    """The encoder for batches whose columns are those of `schema`, for a file, or standard output for None.

    In CSV null is an empty field, and lists and objects are their JSON; in Parquet columns of type JSON become strings.
    JSON Lines takes columns beyond the schema, the others raise InputError for them.
    """
    name = "standard output" if target is None else str(target)
    format, compression = format_of(target or STREAM)
    refuse_folder(target or STREAM)
    refuse_twins(schema.names, name)
    separator = "\t" if format == "tsv" else ","

    def pack(data: bytes) -> bytes:
        if not compression or not data:
            return data
        # Of gzip's levels the 9 that Arrow takes is three times as slow as 4, for a file 6% smaller. A codec may not be
        # shared between threads.
        level = 4 if compression == "gzip" else None
        return pa.Codec(compression, compression_level=level).compress(data, asbytes=True)

    known = set(schema.names)

    def in_schema(batch: pa.RecordBatch) -> pa.RecordBatch:
        late = [column for column in batch.schema.names if column not in known]
        if late:
            raise InputError(
                f"{name}: the column '{late[0]}' turns up after the first rows, too late for this kind of file; "
                "give it in the input's first line (null will do), write .jsonl, or keep no columns of the input."
            )
        return batch

    if format == "parquet":
        from serve.files.parquet import to_arrow, write_parquet

        return Encoder(name, to_arrow(None, schema), lambda batch: to_arrow(in_schema(batch), schema), write_parquet)
    if format == "jsonl":
        return Encoder(name, b"", lambda batch: pack(_json_lines(batch)))
    header = _csv([pa.array([column]) for column in schema.names], separator)
    return Encoder(name, pack(header), lambda batch: pack(_csv(in_schema(batch).columns, separator)))


def _csv(columns: Sequence[pa.Array], separator: str) -> bytes:
    """Lines of CSV, with quotes only where needed. (The csv module leaves a lone carriage return bare, which it cannot
    read; a line without any character would be none.)"""
    pieces: list[pa.Array | pa.Scalar] = []
    for place, column in enumerate(columns):
        cells = pc.fill_null(as_text(column), pa.scalar("", TEXT))
        pieces.append(pa.scalar(separator if place else "\n", TEXT))
        if pa.types.is_primitive(column.type) and len(columns) > 1:
            pieces.append(cells)
            continue
        special = pc.match_substring_regex(cells, '[",;\t\r\n]')
        if len(columns) == 1:
            special = pc.or_(special, pc.equal(cells, pa.scalar("", TEXT)))
        if pc.any(special).as_py():
            quote = pc.if_else(special, pa.scalar('"', TEXT), pa.scalar("", TEXT))
            pieces += [quote, pc.replace_substring(cells, '"', '""'), quote]
        else:
            pieces.append(cells)
    lines = pc.binary_join_element_wise(*pieces, pa.scalar("", TEXT))
    if not len(lines):
        return b""
    _, offsets, data = lines.buffers()
    begin, end = np.frombuffer(offsets, np.int64)[[lines.offset, lines.offset + len(lines)]].tolist()
    # The line feeds are joined in front, where a short field is copied for them, and belong behind.
    return b"".join([memoryview(data)[begin + 1 : end], b"\n"])


def _json_lines(batch: pa.RecordBatch) -> bytes:
    names = batch.schema.names
    rows = zip(*map(_json_values, batch.columns), strict=True)
    return "".join(to_json(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode()


def _json_values(column: pa.Array) -> list[object]:
    # As `to_json` would have it, for all rows at once: data frames have NaN wherever a number is missing.
    return values(pc.if_else(pc.is_finite(column), column, None) if pa.types.is_floating(column.type) else column)
