"""The columns of tables: what their values are in Python, and as text."""

import json
from typing import Any

import pyarrow as pa

# Values of JSON Lines that are no strings keep their JSON in a column of this type.
JSON = pa.json_(pa.large_string())


def as_text(column: pa.Array) -> pa.Array:
    """A column of any type as large_string: lists, objects and what else has no plain form as JSON; null stays null."""
    if column.type != JSON and not pa.types.is_nested(column.type):
        try:
            return column.cast(pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            pass  # bytes that are no UTF-8, lengths of time
    cells = (value if value is None or isinstance(value, str) else to_json(value) for value in values(column))
    return pa.array(cells, pa.large_string())


def values(column: pa.Array) -> list[Any]:
    """A column's values as Python objects, those of JSON parsed."""
    if column.type == JSON:
        return [None if value is None else json.loads(value) for value in column.to_pylist()]
    return list(column.to_pylist())


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    """What JSON has no form for: bytes, dates, decimals."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
