"""Reading and writing tables: round trips, the sentences of each mistake, bounded batches, nothing half-written."""

import csv
import datetime
import gzip
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.errors import InputError
from serve.files import lines, parquet
from serve.files.columns import JSON, as_text, values
from serve.files.encoders import encoder
from serve.files.formats import Format, open_reader
from serve.files.journal import open_output

TEXT = pa.large_string()
ROWS = [
    {
        "id": "1",
        "judul": "Panen raya di Sukamaju",
        "isi": 'Lurah berkata, "Alhamdulillah."\n\nHarga gabah naik; petani lega.',
    },
    {"id": "2", "judul": "Kereta telat", "isi": "baris satu\rbaris dua\r\nbaris tiga\tberes | ujung"},
    {"id": "3", "judul": "", "isi": "Café “Senja” 🌾 tutup."},
]

Sentence = Callable[[str | bytes, str], str]


def write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema | None = None) -> Path:
    batch = pa.RecordBatch.from_pylist(rows, schema=schema or pa.schema([(name, TEXT) for name in rows[0]]))
    with writing(path, batch.schema) as write_batch:
        write_batch(batch)
    return path


@contextmanager
def writing(path: str | Path, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """A function that writes batches to a file, or to standard output for "-"."""
    target = None if path == "-" else path
    encoded = encoder(target, schema)
    with open_output(target, encoded) as output:
        yield lambda batch: output.write(encoded.encode(batch), "", None)


def read(path: str | Path, format: Format | None = None) -> list[dict[str, Any]]:
    with open_reader(path, format) as reader:
        return [
            dict(zip(batch.schema.names, row, strict=True))
            for batch in reader
            for row in zip(*map(values, batch.columns), strict=True)
        ]


def put(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def sentence(tmp_path: Path) -> Sentence:
    """The sentence, without the folder, that a file of this content and ending is refused with."""

    def refusal(content: str | bytes, ending: str) -> str:
        path = put(tmp_path / f"berita{ending}", content)
        with pytest.raises(InputError) as caught:
            read(path)
        return str(caught.value).replace(f"{tmp_path}/", "")

    return refusal


KINDS = [".csv", ".CSV", ".tsv", ".jsonl", ".ndjson", ".parquet", ".csv.gz", ".jsonl.GZ", ".jsonl.zst", ".tsv.zst"]


@pytest.mark.parametrize("ending", KINDS)
def test_what_is_written_is_read_again(tmp_path: Path, ending: str) -> None:
    assert read(write(tmp_path / f"berita{ending}", ROWS)) == ROWS
    assert [path.name for path in tmp_path.iterdir()] == [f"berita{ending}"]


def test_other_programs_read_our_csv(tmp_path: Path) -> None:
    path = write(tmp_path / "berita.csv", ROWS)
    with open(path, encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file, strict=True)) == ROWS
    assert (
        write(tmp_path / "a.csv", [{"id": "1", "topics": "flood|weather"}]).read_text()
        == "id,topics\n1,flood|weather\n"
    )


def test_gzip_is_gzip(tmp_path: Path) -> None:
    path = write(tmp_path / "berita.jsonl.gz", ROWS)
    assert [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()] == ROWS


NO_NUL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(NO_NUL, NO_NUL), min_size=1, max_size=4), ending=st.sampled_from([".csv", ".tsv", ".jsonl"])
)
def test_any_text_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], ending: str) -> None:
    table: list[dict[str, Any]] = [{"judul": title, "isi": text} for title, text in rows]
    assert read(write(tmp_path_factory.mktemp("berita") / f"berita{ending}", table)) == table


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(NO_NUL, min_size=1, max_size=4))
def test_a_single_column_survives(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    table: list[dict[str, Any]] = [{"isi": text} for text in cells]
    assert read(write(tmp_path_factory.mktemp("berita") / "berita.csv", table)) == table


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_the_dialects_of_csv(tmp_path: Path, separator: str, newline: str, bom: bytes) -> None:
    lines = [["id", '"a,b;c"', "isi"], ["7", "x", f'"satu{newline}{newline}dua ""tiga"""'], ["8", "", "é"], [], ["  "]]
    path = put(tmp_path / "berita.csv", bom + newline.join(separator.join(line) for line in lines).encode())
    assert read(path) == [
        {"id": "7", "a,b;c": "x", "isi": f'satu{newline}{newline}dua "tiga"'},
        {"id": "8", "a,b;c": "", "isi": "é"},
    ]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl"])
def test_utf_16(tmp_path: Path, encoding: str, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 1 << 8)
    rows = [{"id": str(n), "isi": f"Café “Senja” 🌾\n\ntutup {n}"} for n in range(500)]
    content = write(tmp_path / f"dari{ending.removesuffix('.gz')}", rows).read_text(encoding="utf-8")
    raw = f"\ufeff{content}".encode(encoding)
    path = tmp_path / f"berita{ending}"
    path.write_bytes(gzip.compress(raw) if ending.endswith(".gz") else raw)
    assert read(path) == rows
    with open_reader(path) as reader:
        first = next(reader.parts((), None))
    assert first.end and 0 < first.end.rows < len(rows)
    with open_reader(path) as reader:
        rest = [row for part in reader.parts((), first.end) for row in part.batch.to_pylist()]
    assert rest == rows[first.end.rows :]


def test_utf_16_that_breaks_off(sentence: Sentence) -> None:
    broken = "id,isi\n1,satu\n".encode("utf-16")[:-1]
    assert sentence(broken, ".csv") == (
        "berita.csv: cannot be read beyond line 1 (not UTF-16: truncated data); is it whole?"
    )


@pytest.mark.parametrize("line", ["sep=;\r\n", '"sep=;"\n', "\ufeffsep=;\n"])
def test_the_separator_that_excel_names_in_a_first_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "berita.csv"
    path.write_bytes(f"{line}id;isi,teks\n1;satu, dua\n".encode())
    assert read(path) == [{"id": "1", "isi,teks": "satu, dua"}]
    path.write_bytes(b"sep=,isi\n1,satu\n")
    assert read(path) == [{"sep=": "1", "isi": "satu"}]


def test_columns_without_a_name_get_their_place(tmp_path: Path) -> None:
    assert read(put(tmp_path / "berita.csv", ",isi\n0,satu\n")) == [{"column_1": "0", "isi": "satu"}]


def test_a_header_alone_is_an_empty_table(tmp_path: Path) -> None:
    with open_reader(put(tmp_path / "berita.csv", "\n\nid,isi\n\n")) as reader:
        assert reader.columns == ["id", "isi"]
        assert list(reader) == []


def test_a_text_of_five_million_characters(tmp_path: Path) -> None:
    long = "kata, " * 1_000_000
    for ending in (".csv", ".jsonl", ".parquet"):
        assert read(write(tmp_path / f"berita{ending}", [{"isi": long}])) == [{"isi": long}]


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_batches_are_bounded_and_in_order(tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(
        tmp_path / f"berita{ending}", [{"id": str(row), "isi": f"{row} " + "kata " * 200} for row in range(1000)]
    )
    with open_reader(path, batch_rows=64) as reader:
        batches = list(reader)
    assert [batch.num_rows for batch in batches] == [64] * 15 + [40]
    assert [name for batch in batches for name in batch.column("id").to_pylist()] == [str(row) for row in range(1000)]
    monkeypatch.setattr(lines, "BLOCK_SIZE", 10_000)
    with open_reader(path) as reader:
        rows = [batch.num_rows for batch in reader]
    assert sum(rows) == 1000
    assert max(rows) <= 10


def test_a_reader_does_not_read_ahead(tmp_path: Path) -> None:
    good = "".join(f"{row},kata\n" for row in range(2000))
    with open_reader(put(tmp_path / "berita.csv", f"id,isi\n{good}rusak\n"), batch_rows=10) as reader:
        batches = iter(reader)
        assert next(batches).num_rows == 10
        assert 0 < (reader.fraction(10) or 0) <= 1
        with pytest.raises(InputError, match="line 2002"):
            list(batches)


def test_not_utf8(sentence: Sentence) -> None:
    assert sentence(b"id,isi\n1,satu\n2,caf\xe9\n", ".csv") == (
        "berita.csv, line 3: not UTF-8: byte 0xE9 at offset 19 of the file; "
        "save it as UTF-8 (in a spreadsheet: 'CSV UTF-8')."
    )
    assert "line 2: not UTF-8: byte 0xE9 at offset 22 " in sentence(b'\xef\xbb\xbf{"isi": "a"}\n{"a": \xe9}', ".jsonl")


def test_mistakes_are_counted_from_the_start_of_the_file(sentence: Sentence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 16)
    good = "\n\n  \nid,isi\n" + '1,"satu\ndua"\n' * 50
    size = len(good)
    assert f"line 105: not UTF-8: byte 0xE9 at offset {size + 2} " in sentence(good.encode() + b"2,\xe9\n", ".csv")
    assert f"line 105: a NUL byte at offset {size + 2} " in sentence(good + "2,\0\n", ".csv")
    assert "line 105: broken CSV row" in sentence(good + "2\n", ".csv")
    assert "line 105: broken CSV: a quote" in sentence(good + '2,"\n\n\n', ".csv")
    assert "line 106: broken CSV in the row that begins in line 105" in sentence(good + '2,"\na"b\n', ".csv")
    assert "line 52, column 2: not JSON" in sentence('\n{"isi": "é"}' * 50 + "\n{\n", ".jsonl")


def test_nul_bytes(sentence: Sentence) -> None:
    assert sentence("id,isi\n1,sa\0tu\n", ".csv") == (
        "berita.csv, line 2: a NUL byte at offset 11 of the file; save it as UTF-8 text, or remove the byte."
    )


def test_rows_of_another_length(sentence: Sentence) -> None:
    assert sentence('id,judul,isi\n1,a,"b\n\nc"\n2,"a\nb",c,d\n', ".csv") == (
        "berita.csv, line 5: broken CSV row: expected 3 fields, as in the header, found 4; "
        "put quotes around a field that holds separators or line breaks."
    )
    assert "line 3: broken CSV row: expected 2 fields, as in the header, found 1;" in sentence(
        "id;isi\n1;a\n2\n", ".csv"
    )


def test_quotes_that_are_not_closed(sentence: Sentence, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = 'berita.csv, line 3: broken CSV: a quote (") opened in the row that begins here is never closed; '
    expected += "close it, or double it."
    broken = 'id,isi\n1,a\n2,"b\n' + "3,c\n" * 1000
    assert sentence(broken, ".csv") == expected
    # Where the file is long, the end of it is not waited for.
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    limit = csv.field_size_limit(100)
    try:
        assert sentence(broken, ".csv") == expected
    finally:
        csv.field_size_limit(limit)


def test_quotes_within_quotes(sentence: Sentence) -> None:
    assert sentence('id,isi\n1,a\n2,"b\nc" d",e\n', ".csv") == (
        "berita.csv, line 4: broken CSV in the row that begins in line 3: ',' expected after '\"'; "
        'put quotes around a field that holds quotes, and double each of those inside ("").'
    )


def test_line_breaks_of_old(sentence: Sentence) -> None:
    assert "line 1: broken CSV: a carriage return without a line feed;" in sentence("id,isi\r1,a\r", ".csv")


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_empty_files(sentence: Sentence, ending: str, content: bytes) -> None:
    assert sentence(content, ending).startswith(f"berita{ending}: is empty; ")


def test_lines_without_an_end(sentence: Sentence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 100)
    monkeypatch.setattr(lines, "BLOCK_SIZE", 20)
    assert "line 2: is longer than 100 bytes" in sentence('{"isi": "a"}\n{"isi": "' + "a" * 1000, ".jsonl")


def test_twin_columns(sentence: Sentence, tmp_path: Path) -> None:
    assert sentence("id,isi,isi\n1,a,b\n", ".csv") == (
        "berita.csv: two columns are named 'isi'; give each column its own name."
    )
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["isi", "isi"])
    pq.write_table(table, tmp_path / "kembar.parquet")
    with pytest.raises(InputError, match="two columns are named 'isi'"):
        read(tmp_path / "kembar.parquet")


def test_lines_that_are_no_objects(sentence: Sentence) -> None:
    assert sentence('{"isi": "a"}\n\n{"isi": "b",}\n', ".jsonl") == (
        "berita.jsonl, line 3, column 13: not JSON (Expecting property name enclosed in double quotes); "
        "write one JSON object a line."
    )
    assert sentence('[{"isi": "a"}]\n', ".jsonl") == (
        'berita.jsonl, line 1: no JSON object; write one a line, such as {"title": "...", "text": "..."}.'
    )
    assert "line 1: JSON too deep" in sentence("[" * 100_000, ".jsonl")
    assert "line 1: JSON too deep, or a number too long" in sentence('{"isi": ' + "9" * 10_000 + "}", ".jsonl")


def test_damaged_files(sentence: Sentence, tmp_path: Path) -> None:
    assert "berita.parquet: not a Parquet file, or not a whole one (" in sentence("id,isi\n1,a\n", ".parquet")
    assert "berita.parquet: not a Parquet file, or not a whole one (" in sentence("", ".parquet")
    whole = write(tmp_path / "utuh.parquet", [{"isi": "kata " * 99}] * 9).read_bytes()
    assert "not a whole one" in sentence(whole[:-20], ".parquet")
    assert "berita.csv.gz: cannot be read beyond line 1 (" in sentence("id,isi\n1,a\n", ".csv.gz")
    assert "is it whole?" in sentence(gzip.compress(b"id,isi\n1,a\n" * 9)[:-9], ".csv.gz")


def test_a_damaged_page_of_parquet(tmp_path: Path) -> None:
    path = write(tmp_path / "berita.parquet", [{"isi": f"kata {row}" * 99} for row in range(99)])
    whole = bytearray(path.read_bytes())
    whole[200:2000] = b"\xff" * 1800
    path.write_bytes(whole)
    with pytest.raises(InputError, match=re.escape("berita.parquet: damaged after row 0 (")):
        read(path)


def test_places_that_cannot_be_read_or_written(tmp_path: Path) -> None:
    schema = pa.schema([("isi", TEXT)])
    with pytest.raises(InputError, match=r"tiada\.csv: no such file; check its name and folder\."):
        read(tmp_path / "tiada.csv")
    with pytest.raises(InputError, match="is a folder; name a file in it"):
        read(tmp_path)
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    with pytest.raises(InputError, match="is a folder; name a file in it"), writing(folder, schema):
        pass
    blocked = put(tmp_path / "berkas", "") / "berita.csv"
    with pytest.raises(InputError, match="cannot be written"), writing(blocked, schema):
        pass
    for name in ("berita.xlsx", "berita", "berita.gz", "berita.parquet.gz"):
        known = r"must end in one of \.csv, \.tsv, \.jsonl, \.ndjson, \.parquet"
        with pytest.raises(InputError, match=known):
            read(put(tmp_path / name, "isi\na\n"))
        with pytest.raises(InputError, match=known), writing(tmp_path / name, schema):
            pass


def test_json_values_keep_their_kind(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "isi": "a", "topics": ["x", "y"], "wartawan": {"nama": "é"}},
        {"id": "2", "isi": None, "topics": "[]", "wartawan": None},
        {"id": 3.5, "isi": "c", "topics": [], "wartawan": True},
    ]
    source = put(tmp_path / "berita.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert read(source) == rows
    with open_reader(source) as reader:
        batch = next(iter(reader))
        assert [column.type for column in batch.columns] == [JSON, TEXT, JSON, JSON]
        assert as_text(batch.column("id")).to_pylist() == ["1", "2", "3.5"]
        assert as_text(batch.column("topics")).to_pylist() == ['["x", "y"]', "[]", "[]"]
        for name in ("b.jsonl", "b.csv", "b.parquet"):
            with writing(tmp_path / name, reader.schema) as write_batch:
                write_batch(batch)
    assert read(tmp_path / "b.jsonl") == rows
    assert read(tmp_path / "b.csv")[0] == {"id": "1", "isi": "a", "topics": '["x", "y"]', "wartawan": '{"nama": "é"}'}
    assert read(tmp_path / "b.parquet")[1] == {"id": "2", "isi": None, "topics": "[]", "wartawan": None}


def test_keys_that_come_and_go(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"isi": "a", "judul": "b"}, {"isi": "c"}, {"isi": "d", "sumber": "e"}]
    source = put(tmp_path / "berita.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    with open_reader(source, batch_rows=2) as reader:
        assert reader.columns == ["isi", "judul"]
        first, second = reader
    assert first.to_pylist()[1] == {"isi": "c", "judul": None}
    assert second.to_pylist() == [{"isi": "d", "judul": None, "sumber": "e"}]
    for ending in (".csv", ".parquet"):
        target = tmp_path / f"b{ending}"
        with (
            pytest.raises(InputError, match="the column 'sumber' turns up"),
            writing(target, first.schema) as write_batch,
        ):
            write_batch(first)
            write_batch(second)
        assert not target.exists()


def test_half_surrogates_become_the_replacement_character(tmp_path: Path) -> None:
    source = put(tmp_path / "berita.jsonl", r'{"isi": "a\ud83d b \ud83c\udf3e \\ud800", "x\udfff": ["\uDC00"]}')
    assert read(source) == [{"isi": "a\ufffd b 🌾 \\ud800", "x\ufffd": ["\ufffd"]}]


def test_strings_of_parquet_that_are_no_utf8(tmp_path: Path) -> None:
    data = pa.array([b"panen", None, b"caf\xe9"])
    strings = pa.Array.from_buffers(pa.string(), 3, data.buffers())
    pq.write_table(pa.table({"a": strings, "b": strings.dictionary_encode()}), tmp_path / "a.parquet")
    assert [row["a"] for row in read(tmp_path / "a.parquet")] == ["panen", None, "caf\ufffd"]
    assert [row["b"] for row in read(tmp_path / "a.parquet")] == ["panen", None, "caf\ufffd"]
    lists = pa.ListArray.from_arrays([0, 1, 2, 3], strings)
    pq.write_table(pa.table({"a": lists}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"b\.parquet: damaged after row 0 \(.*UTF8"):
        read(tmp_path / "b.parquet")


def test_what_json_has_no_number_for_is_null(tmp_path: Path) -> None:
    source = put(tmp_path / "a.jsonl", '{"x": NaN, "y": [1.5, -Infinity, {"z": 1e999}], "n": "NaN"}\n')
    with open_reader(source) as reader:
        batch = next(iter(reader))
    lists = pa.array([[1.0, float("nan")]])
    batch = batch.append_column("l", lists)
    with writing(tmp_path / "b.jsonl", batch.schema) as write_batch:
        write_batch(batch)
    written = '{"x": null, "y": [1.5, null, {"z": null}], "n": "NaN", "l": [1.0, null]}\n'
    assert (tmp_path / "b.jsonl").read_text() == written


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    schema = pa.schema(
        [("n", pa.int32()), ("x", pa.float64()), ("t", pa.date32()), ("l", pa.list_(TEXT)), ("b", pa.binary())]
    )
    rows = [
        {"n": 1, "x": float("nan"), "t": datetime.date(2024, 2, 29), "l": ["a"], "b": b"\xff"},
        dict.fromkeys(schema.names),
    ]
    source = write(tmp_path / "a.parquet", rows, schema)
    with open_reader(source) as reader:
        assert reader.schema.equals(schema)
        batch = next(iter(reader))
    for name in ("b.csv", "b.jsonl"):
        with writing(tmp_path / name, schema) as write_batch:
            write_batch(batch)
    assert (tmp_path / "b.csv").read_text() == 'n,x,t,l,b\n1,nan,2024-02-29,"[""a""]",\ufffd\n,,,,\n'
    assert read(tmp_path / "b.jsonl")[0] == {"n": 1, "x": None, "t": "2024-02-29", "l": ["a"], "b": "\ufffd"}


def test_row_groups_of_parquet_hold_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_SIZE", 10_000)
    batch = pa.record_batch({"isi": pa.array(["a" * 100] * 10, TEXT)})
    with writing(tmp_path / "a.parquet", batch.schema) as write_batch:
        for _ in range(25):
            write_batch(batch)
    metadata = pq.ParquetFile(tmp_path / "a.parquet").metadata
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == [100, 100, 50]


@pytest.mark.parametrize("ending", KINDS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_writer_leaves_nothing(tmp_path: Path, ending: str, error: type[BaseException]) -> None:
    old = put(tmp_path / f"berita{ending}", "lama")
    batch = pa.RecordBatch.from_pylist(ROWS, schema=pa.schema([(name, TEXT) for name in ROWS[0]]))
    with pytest.raises(error), writing(old, batch.schema) as write_batch:
        write_batch(batch)
        raise error
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"lama"]


def test_the_file_behind_a_link_is_replaced(tmp_path: Path) -> None:
    link = tmp_path / "tautan.csv"
    link.symlink_to(put(tmp_path / "asli.csv", "lama"))
    write(link, ROWS)
    assert link.is_symlink()
    assert read(tmp_path / "asli.csv") == ROWS


def test_standard_streams(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("id;isi\r\n1;é\r\n".encode()), "ascii"))
    with open_reader("-") as reader, writing("-", reader.schema) as write_batch:
        assert reader.name == "standard input"
        for batch in reader:
            write_batch(batch)
    assert capsysbinary.readouterr().out == "id,isi\n1,é\n".encode()


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
@pytest.mark.parametrize("compression", ["", ".gz", ".zst"])
def test_standard_input_tells_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, compression: str
) -> None:
    content = write(tmp_path / f"berita{ending}{compression}", ROWS).read_bytes()
    for begin in (b"",) if compression else (b"", b"\xef\xbb\xbf", b"\n \n"):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(begin + content)))
        assert read("-") == ROWS


def test_parquet_is_not_read_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = write(tmp_path / "berita.parquet", ROWS).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    with pytest.raises(InputError, match=r"^standard input: Parquet cannot be read from a stream; name the file\.$"):
        read("-")


def test_errors_of_standard_input_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b'{"isi": 1}\n{')))
    with pytest.raises(InputError, match=r"^standard input, line 2, column 2: not JSON"):
        read("-", "jsonl")
