"""JSON Lines: one object a line, its keys the columns."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from serve.errors import InputError
from serve.files import lines as blocks
from serve.files.columns import JSON, to_json
from serve.files.lines import Lines
from serve.files.parts import Part, Position, Rejected, no_text, unreadable

Object = dict[str, Any]
Ints = NDArray[np.int64]

# Every row has a cell in every column: rows with ever new keys would take the square of the file's size.
MOST_COLUMNS = 256


def read_json_lines(
    lines: Lines, batch_rows: int
) -> tuple[pa.Schema, Callable[[Sequence[str], Position | None], Iterator[Part]]]:
    """The schema, and what gives the parts, as in `serve.files.formats.Reader`."""
    keys = dict.fromkeys(chain.from_iterable(_first_objects(lines)[:batch_rows]))
    columns = list(dict.fromkeys(map(_without_surrogates, keys)))
    if not columns:
        raise InputError(
            f'{lines.name}: its first rows are empty objects; write each with its text, as {{"text": "..."}}.'
        )

    def parts(texts: Sequence[str], start: Position | None) -> Iterator[Part]:
        if start:
            lines.seek(start)
        while block := lines.block(blocks.BLOCK_SIZE):
            if isinstance(block, Rejected):
                yield Part(_batch([], columns), np.empty(0, np.int64), [block], lines.position)
                continue
            objects, numbers, begun, rejected = _objects(block, lines.position, texts, columns)
            lines.advance(len(block), len(objects) + len(rejected))
            last = max(0, (len(objects) - 1) // batch_rows * batch_rows)
            for begin in range(0, last, batch_rows):
                some = slice(begin, begin + batch_rows)
                yield Part(_batch(objects[some], columns), numbers[some], lines=begun[some])
            yield Part(_batch(objects[last:], columns), numbers[last:], rejected, lines.position, begun[last:])

    return pa.schema([(column, pa.large_string()) for column in columns]), parts


def _first_objects(lines: Lines) -> list[Object]:
    """The objects of the first block that is not blank. Raises InputError when none of its lines can be read."""
    while block := lines.block(blocks.BLOCK_SIZE):
        if isinstance(block, Rejected):
            raise block.error(lines.name)
        objects, _, _, rejected = _objects(block, lines.position, (), ())
        if objects:
            return objects
        if rejected:
            raise rejected[0].error(lines.name)
        lines.advance(len(block))
    raise InputError(f"{lines.name}: is empty; write one JSON object a line.")


def _objects(
    block: bytes, at: Position, texts: Sequence[str], columns: Sequence[str]
) -> tuple[list[Object], Ints, Ints, list[Rejected]]:
    """The objects of the lines that are not blank, their numbers among all rows, their lines, and what is rejected: also
    those whose keys would make more than MOST_COLUMNS, with `columns` and the keys before them in the block."""
    objects: list[Object] = []
    numbers: list[int] = []
    begun: list[int] = []
    rejected: list[Rejected] = []
    known = set(columns)
    odd = unreadable(block, 0) is not None
    offset = at.offset
    for line, raw in enumerate(BytesIO(block), at.line):
        broken = unreadable(raw, offset) if odd else None
        offset += len(raw)
        if broken:
            rejected.append(Rejected(f"line {line}", broken[0], raw, line))
            continue
        text = raw.decode()
        if text.isspace():
            continue
        number = at.rows + len(objects) + len(rejected) + 1
        found = _object(text, line, texts, known)
        if isinstance(found, dict):
            objects.append(found)
            numbers.append(number)
            begun.append(line)
            known.update(found)
        else:
            rejected.append(Rejected(*found, raw, line))
    return objects, np.array(numbers, np.int64), np.array(begun, np.int64), rejected


def _object(text: str, line: int, texts: Sequence[str], known: set[str]) -> Object | tuple[str, str]:
    """The object of a line, or the place and the reason why there is none; `known` are the columns so far."""
    try:
        value = json.loads(text.rstrip())
    except json.JSONDecodeError as error:
        return f"line {line}, column {error.colno}", f"not JSON ({error.msg}); write one JSON object a line."
    except (ValueError, RecursionError):
        return f"line {line}", "JSON too deep, or a number too long, to be read; make it simpler."
    if not isinstance(value, dict):
        return f"line {line}", 'no JSON object; write one a line, such as {"title": "...", "text": "..."}.'
    for name in texts:
        if reason := no_text(value.get(name), name):
            return f"line {line}", reason
    if not value.keys() <= known and len(known | value.keys()) > MOST_COLUMNS:
        return f"line {line}", (
            f"its keys make more than {MOST_COLUMNS} columns; give all rows the same keys, the rest in one object."
        )
    return value


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    return value


def _batch(objects: list[Object], columns: list[str]) -> pa.RecordBatch:
    try:
        return _table(objects, columns)
    except UnicodeEncodeError:
        # Only an escape can bring half a surrogate pair into a string; it has no UTF-8.
        return _table([_without_surrogates(item) for item in objects], columns)


def _table(objects: list[Object], columns: list[str]) -> pa.RecordBatch:
    names = list(dict.fromkeys(chain(columns, chain.from_iterable(objects))))
    return pa.record_batch([_column([item.get(name) for item in objects]) for name in names], names=names)


def _column(cells: list[Any]) -> pa.Array:
    if all(cell is None or isinstance(cell, str) for cell in cells):
        return pa.array(cells, pa.large_string())
    return pa.array([None if cell is None else to_json(cell) for cell in cells], JSON)
