"""Filing whole files: same rows in the same order, whatever the format, and nothing half-written."""

import io
import json
import os
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve import pipeline, progress
from serve.batch import Outcome, predict_file
from serve.errors import InputError
from serve.files import lines
from serve.files.columns import values
from serve.files.formats import open_reader
from serve.files.journal import rejected_file
from tests.serve.files.keywords import Keywords, Stopped, keywords

if TYPE_CHECKING:
    from serve.model import TopicModel


def put(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def json_lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def read(path: Path) -> list[dict[str, Any]]:
    with open_reader(path) as reader:
        return [
            dict(zip(batch.schema.names, row, strict=True))
            for batch in reader
            for row in zip(*map(values, batch.columns), strict=True)
        ]


CRAWL = (
    "no;judul;isi;topics\n"
    'B7;Panen;"Panen padi, panen jagung:\n\nkereta gabah, kereta jagung, panen";lama\n'
    "A3;;tiada apa-apa;\n"
    "C1;banjir;;\n"
    "D4;;;\n"
)
ANSWER = (
    "id,topics,probabilities,note\n"
    "B7,panen|kereta,0.6667|0.6667,\n"
    "A3,,,\n"
    "C1,banjir,0.5000,\n"
    'D4,,,"empty; not, looked at"\n'
)


def test_a_csv_is_filed_in_its_order(tmp_path: Path) -> None:
    assert predict_file(keywords(), put(tmp_path / "crawl.csv", CRAWL), tmp_path / "topics.csv") == Outcome(4, 0)
    assert (tmp_path / "topics.csv").read_text() == ANSWER


@pytest.mark.parametrize("target", ["topics.jsonl", "topics.parquet", "topics.tsv"])
def test_every_format_has_the_same_answer(tmp_path: Path, target: str) -> None:
    source = put(tmp_path / "crawl.csv", CRAWL)
    predict_file(keywords(), source, tmp_path / "topics.csv")
    predict_file(keywords(), source, tmp_path / target)
    assert read(tmp_path / target) == read(tmp_path / "topics.csv")


def test_rows_are_numbered_where_there_is_no_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 30)
    source = put(tmp_path / "crawl.csv", "isi\n" + "panen hari ini\n" * 5)
    predict_file(keywords(), source, tmp_path / "topics.jsonl")
    assert [row["id"] for row in read(tmp_path / "topics.jsonl")] == [1, 2, 3, 4, 5]


def test_keep_and_all(tmp_path: Path) -> None:
    predict_file(keywords(), put(tmp_path / "crawl.csv", CRAWL), tmp_path / "topics.csv", keep=True, all_topics=True)
    first, second, *_ = read(tmp_path / "topics.csv")
    kept = ["no", "judul", "isi", "input_topics"]
    assert list(first) == ["id", "topics", "probabilities", "note", *kept, "banjir", "panen", "kereta"]
    assert first["isi"] == "Panen padi, panen jagung:\n\nkereta gabah, kereta jagung, panen"
    assert (first["input_topics"], first["panen"], second["panen"]) == ("lama", "0.6667", "0")


def test_names_that_are_taken(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "id,text,topics,input_topics,banjir,note\n1,panen,a,b,c,d\n")
    predict_file(keywords(), source, tmp_path / "b.jsonl", keep=True, all_topics=True)
    assert read(tmp_path / "b.jsonl") == [
        {
            "id": "1", "topics": "panen", "probabilities": "0.5000", "note": "",
            "text": "panen", "input_topics": "a", "input_input_topics": "b", "input_banjir": "c", "input_note": "d",
            "banjir": 0.0, "panen": 0.5, "kereta": 0.0,
        }
    ]  # fmt: skip


def test_nested_values_and_late_keys_are_kept_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 1)
    rows: list[dict[str, Any]] = [
        {"id": 5, "text": "panen", "topics": ["a", "b"]},
        {"id": "x", "text": 12, "topics": [], "input_topics": {"c": None}},
    ]
    source = put(tmp_path / "a.jsonl", json_lines(*rows))
    predict_file(keywords(), source, tmp_path / "b.jsonl", keep=True)
    assert read(tmp_path / "b.jsonl") == [
        {"id": 5, "topics": "panen", "probabilities": "0.5000", "note": "", "text": "panen", "input_topics": ["a", "b"]},
        {
            "id": "x", "topics": "", "probabilities": "", "note": "", "text": 12,
            "input_topics": [], "input_input_topics": {"c": None},
        },
    ]  # fmt: skip
    # Without the columns of the input a late key does no harm; with them a CSV has no place for it.
    assert predict_file(keywords(), source, tmp_path / "b.csv") == Outcome(2, 0)
    with pytest.raises(InputError, match="the column 'input_input_topics' turns up"):
        predict_file(keywords(), source, tmp_path / "c.csv", keep=True)
    assert not (tmp_path / "c.csv").exists()


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({
        "id": pa.array([9, 8], pa.int32()), "title": pa.array(["banjir", None]).dictionary_encode(),
        "text": pa.array([None, b"kereta"], pa.binary()), "tags": pa.array([["a"], []]),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    assert predict_file(
        keywords(), tmp_path / "a.parquet", tmp_path / "b.parquet", keep=True, all_topics=True
    ) == Outcome(2, 0)
    filed = pq.read_table(tmp_path / "b.parquet")
    assert filed.column("topics").to_pylist() == ["banjir", "kereta"]
    assert filed.select(["title", "text", "tags"]).equals(table.select(["title", "text", "tags"]))
    assert filed.schema.field("id").type == pa.int32()
    assert filed.column("banjir").to_pylist() == [0.5, 0.0]


def test_a_text_that_is_a_list(tmp_path: Path) -> None:
    source = put(tmp_path / "a.jsonl", json_lines({"text": "a"}, {"text": None}, {"text": ["a", "b"]}))
    with pytest.raises(InputError, match=r"a\.jsonl, line 3: the column 'text' holds a list, not text"):
        predict_file(keywords(), source, tmp_path / "b.csv", strict=True)
    pq.write_table(pa.table({"judul": [None, {"a": 1}], "isi": ["a", "b"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet, row 2: the column 'judul' holds an object, not text"):
        predict_file(keywords(), tmp_path / "a.parquet", tmp_path / "b.csv", strict=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.parquet"]


def test_rows_that_cannot_be_read_do_not_stop_a_run(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(
        b'{"id": 1, "text": "panen"}\n{"id": 2,}\n\n["panen"]\n{"text": ["a"]}\n{"text": "\xe9"}\n{"text": "a\0"}\n'
        + b"[" * 100_000
        + b'\n{"id": 8, "text": "banjir"}\n'
    )
    target = tmp_path / "b.csv"
    assert predict_file(keywords(), source, target) == Outcome(2, 6)
    assert [row["id"] for row in read(target)] == ["1", "8"]
    rejected = [json.loads(line) for line in rejected_file(target).read_text().splitlines()]
    assert [(row["line"], row["reason"].partition(";")[0]) for row in rejected] == [
        (2, "line 2, column 10: not JSON (Expecting property name enclosed in double quotes)"),
        (4, "no JSON object"),
        (5, "the column 'text' holds a list, not text"),
        (6, "not UTF-8: byte 0xE9 at offset 75 of the file"),
        (7, "a NUL byte at offset 90 of the file"),
        (8, "JSON too deep, or a number too long, to be read"),
    ]
    assert rejected[0]["raw"] == '{"id": 2,}'
    assert len(rejected[5]["raw"]) < 11_000
    with pytest.raises(InputError, match=r"a\.jsonl, line 2, column 10: not JSON"):
        predict_file(keywords(), source, target, strict=True)


def test_rows_of_parquet_that_are_no_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"isi": [["a"], None, ["b"]], "no": [1, 2, 3]}), tmp_path / "a.parquet")
    target = tmp_path / "b.csv"
    assert predict_file(keywords(), tmp_path / "a.parquet", target) == Outcome(1, 2)
    assert [row["id"] for row in read(target)] == ["2"]
    first, last = map(json.loads, rejected_file(target).read_text().splitlines())
    assert first == {
        "line": None,
        "reason": "row 1: the column 'isi' holds a list, not text; write it as one string.",
        "raw": '{"isi": ["a"], "no": 1}',
    }
    assert last["reason"].startswith("row 3: ")


def test_bytes_of_parquet_that_are_no_text(tmp_path: Path) -> None:
    isi = pa.array([b"panen\n\nkereta", b"caf\xe9", None])
    for type in (pa.binary(), pa.string()):
        table = pa.table({"isi": pa.Array.from_buffers(type, 3, isi.buffers()), "id": isi})
        pq.write_table(table, tmp_path / "a.parquet")
        target = tmp_path / "b.csv"
        assert predict_file(keywords(), tmp_path / "a.parquet", target) == Outcome(2, 1)
        assert [(row["id"], row["topics"]) for row in read(target)] == [("panen\n\nkereta", "panen|kereta"), ("", "")]
        (rejected,) = map(json.loads, rejected_file(target).read_text().splitlines())
        assert rejected == {
            "line": None,
            "reason": "row 2: the column 'isi' holds what is not UTF-8: byte 0xE9 at offset 3; write it as UTF-8.",
            "raw": '{"isi": "caf\ufffd", "id": "caf\ufffd"}',
        }


def test_rejected_rows_count_when_rows_are_numbered(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "judul,isi\na,b\na\n\na,b\n")
    predict_file(keywords(), source, tmp_path / "b.csv")
    assert [row["id"] for row in read(tmp_path / "b.csv")] == ["1", "3"]


def test_a_source_without_any_row_that_can_be_read_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.jsonl, line 1, column 1: not JSON"):
        predict_file(keywords(), put(tmp_path / "a.jsonl", "id,isi\n1,a\n"), tmp_path / "b.csv")


def test_columns_that_the_user_names(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "kepala,badan,isi\nbanjir,panen,kereta\n")
    predict_file(keywords(), source, tmp_path / "b.csv", title_column="kepala", text_column="badan")
    assert read(tmp_path / "b.csv")[0]["topics"] == "banjir|panen"
    with pytest.raises(InputError, match=r"a\.csv: no column 'teks'; its columns are: kepala, badan, isi\."):
        predict_file(keywords(), source, tmp_path / "c.csv", text_column="teks")


def test_doubts_about_columns_are_told_unless_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = put(tmp_path / "crawl.csv", "judul,isi,konten\nA,B,C\n")
    predict_file(keywords(), source, tmp_path / "topics.csv")
    assert capsys.readouterr().err == f"{source}: the text is 'isi', not 'konten' (--text-column names another).\n"
    predict_file(keywords(), source, tmp_path / "topics.csv", quiet=True)
    predict_file(keywords(), put(tmp_path / "crawl.csv", CRAWL), tmp_path / "topics.csv")
    assert capsys.readouterr().err == ""


def test_a_title_is_not_counted_twice(tmp_path: Path) -> None:
    predict_file(keywords(), put(tmp_path / "a.csv", "judul\npanen\n"), tmp_path / "b.csv", text_column="judul")
    assert read(tmp_path / "b.csv")[0]["probabilities"] == "0.5000"


def test_a_header_alone_gives_a_header(tmp_path: Path) -> None:
    assert predict_file(keywords(), put(tmp_path / "a.csv", "id,isi\n"), tmp_path / "b.csv") == Outcome(0, 0)
    assert (tmp_path / "b.csv").read_text() == "id,topics,probabilities,note\n"


def test_the_source_may_be_the_target(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "id,isi\n" + "".join(f"{row},panen\n" for row in range(3000)))
    assert predict_file(keywords(), source, source, keep=True) == Outcome(3000, 0)
    assert [row["id"] for row in read(source)] == [str(row) for row in range(3000)]
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_the_source_may_not_be_the_target_when_its_texts_would_go(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "id,isi\n1,panen\n")
    (tmp_path / "link.csv").symlink_to("a.csv")
    for target in (source, tmp_path / "link.csv"):
        with pytest.raises(InputError, match="is what is read, and would be lost"):
            predict_file(keywords(), source, target)
    assert source.read_text() == "id,isi\n1,panen\n"


def test_a_mistake_late_in_the_source_leaves_nothing(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "id,isi\n" + "1,panen\n" * 2000 + "1,panen,padi\n")
    with pytest.raises(InputError, match=r"a\.csv, line 2002: "):
        predict_file(keywords(), source, tmp_path / "b.csv", strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_an_interrupt_leaves_nothing_under_the_final_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 4000)
    source = put(tmp_path / "a.csv", "id,isi\n" + "1,panen\n" * 2000)
    with pytest.raises(KeyboardInterrupt):
        predict_file(cast("TopicModel", Stopped(2)), source, tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()
    # Only a source that can be read again leaves something to resume.
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(source.read_bytes())))
    with pytest.raises(KeyboardInterrupt):
        predict_file(cast("TopicModel", Stopped(2)), "-", tmp_path / "c.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.csv", "b.csv.journal", "b.csv.partial", "b.csv.rejected.jsonl.partial",
    ]  # fmt: skip
    assert predict_file(keywords(), source, tmp_path / "b.csv", resume=True) == Outcome(2000, 0)
    assert (tmp_path / "b.csv").read_text().count("\n") == 2001
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv"]


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_are_filed_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 4000)
    model = Keywords()
    source = put(tmp_path / "a.csv", "id,isi\n" + "".join(f"{row:02},panen\n" for row in range(1000)))
    predict_file(cast("TopicModel", model), source, tmp_path / "b.csv", workers=workers)
    assert sorted(model.batches) == [190, 400, 410]
    assert [row["id"] for row in read(tmp_path / "b.csv")] == [f"{row:02}" for row in range(1000)]


def test_standard_streams(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CRAWL.encode())))
    assert predict_file(keywords(), "-", None) == Outcome(4, 0)
    assert capsysbinary.readouterr() == (ANSWER.encode(), b"")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a\xe9\n".join([CRAWL.encode(), b""]))))
    assert predict_file(keywords(), "-", "-") == Outcome(4, 1)
    out, err = capsysbinary.readouterr()
    assert out == ANSWER.encode()
    assert json.loads(err)["line"] == 8


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    writing = Thread(target=put, args=(tmp_path / "a.csv", CRAWL))
    writing.start()
    assert predict_file(keywords(), tmp_path / "a.csv", tmp_path / "b.csv") == Outcome(4, 0)
    writing.join()
    assert (tmp_path / "b.csv").read_text() == ANSWER


def test_an_interrupt_does_not_wait_for_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 100)
    monkeypatch.setattr(pipeline, "SECONDS_TO_END", 0.01)
    outlet, inlet = os.pipe()
    with open(inlet, "wb") as pipe, open(outlet) as stdin:
        pipe.write(b"id,isi\n" + b"1,panen\n" * 28)
        pipe.flush()
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(KeyboardInterrupt):
            predict_file(cast("TopicModel", Stopped(2)), "-", tmp_path / "b.csv", workers=1)
    assert list(tmp_path.iterdir()) == []


def test_progress_in_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    source = put(tmp_path / "a.csv", "id,isi\n" + "1,panen\n" * 600)
    predict_file(keywords(), source, tmp_path / "b.csv")
    assert capsys.readouterr().err.splitlines()[-1] == f"{source}: 600 rows filed (100%)"


def test_progress_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    source = put(tmp_path / "a.csv", "id,isi\n" + "1,panen\n" * 600)
    assert predict_file(keywords(), source, tmp_path / "b.csv") == Outcome(600, 0)
    assert "600 articles" in terminal.getvalue()
