"""The columns of tables: what their values are in Python, and as text."""

import json
from typing import Any

import pyarrow as pa

# Values of JSON Lines that are no strings keep their JSON in a column of this type.
JSON = pa.json_(pa.large_string())


def as_text(column: pa.Array) -> pa.Array:
    """A column of any type as large_string: lists and objects as JSON, in bytes that are no UTF-8 U+FFFD for what is none;
    null stays null."""
    if column.type != JSON and not pa.types.is_nested(column.type):
        try:
            return column.cast(pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass  # bytes that are no UTF-8, identifiers
    return pa.array(map(_text, values(column)), pa.large_string())


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return to_json(value) if isinstance(value, bool | int | float | list | dict) else _plain(value)


def values(column: pa.Array) -> list[Any]:
    """A column's values as Python objects, those of JSON parsed."""
    if column.type == JSON:
        return [None if value is None else json.loads(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def to_json(value: Any) -> str:
    """JSON, with null for the numbers that it has no form for, NaN and the infinities, however deep they stand."""
    try:
        return _encode(value)
    except ValueError:
        # Only where there are some: looking for them first takes as long as writing.
        finite = json.loads(json.dumps(value, default=_plain), parse_constant=lambda name: None)
        return _encode(finite)


def _plain(value: object) -> str:
    """What JSON has no form for: bytes, dates, decimals."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain).encode
