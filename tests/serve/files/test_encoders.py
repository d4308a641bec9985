"""Batches as bytes: CSV with quotes only where they are needed, members of compressions that stand alone."""

import gzip
import io
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.errors import InputError
from serve.files.encoders import encoder

cells = st.none() | st.text(st.sampled_from('a é,;"\t\n\r|'), max_size=5)


def plainly(rows: list[list[str | None]], separator: str) -> str:
    def quoted(cell: str) -> str:
        return '"' + cell.replace('"', '""') + '"' if re.search('[",;\t\r\n]', cell) else cell

    return "".join(
        (separator.join(quoted(cell or "") for cell in row) or '""' * (len(row) == 1)) + "\n" for row in rows
    )


@settings(deadline=None)
@given(
    rows=st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=5)),
    ending=st.sampled_from([".csv", ".tsv"]),
)
def test_csv_has_quotes_only_where_needed(rows: list[list[str | None]], ending: str) -> None:
    columns = [pa.array(column, pa.large_string()) for column in zip(*rows, strict=True)]
    names = [f"a;{place}" for place in range(len(columns))]
    batch = pa.record_batch(columns, names=names)
    encoded = encoder(f"b{ending}", batch.schema)
    separator = "\t" if ending == ".tsv" else ","
    assert encoded.header.decode() == plainly([list(names)], separator)
    assert encoded.encode(batch).decode() == plainly(rows, separator)
    assert encoded.encode(batch.slice(1)).decode() == plainly(rows[1:], separator)


@pytest.mark.parametrize("ending", [".csv.gz", ".jsonl.gz", ".csv.zst"])
def test_each_batch_is_a_member_for_itself(ending: str) -> None:
    batch = pa.record_batch({"isi": pa.array(["panen"] * 3)})
    plain, packed = encoder(f"b{Path(ending).stem}", batch.schema), encoder(f"b{ending}", batch.schema)
    members = packed.encode(batch), packed.header, packed.encode(batch.slice(1))
    expected = plain.encode(batch), plain.header, plain.encode(batch.slice(1))
    for member, content in zip(members, expected, strict=True):
        if ending.endswith(".gz"):
            assert gzip.decompress(member) == content
        elif member:
            assert pa.CompressedInputStream(io.BytesIO(member), "zstd").read() == content
    assert packed.encode(batch.slice(3)) == b""


def test_twin_columns_are_refused() -> None:
    with pytest.raises(InputError, match=r"b\.csv: two columns are named 'isi'"):
        encoder("b.csv", pa.schema([("isi", pa.string()), ("isi", pa.string())]))
