"""Filing whole files: same rows in the same order, whatever the format, and nothing half-written."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve import batch, formats
from serve.batch import predict_file
from serve.errors import InputError
from serve.formats import open_reader, values

if TYPE_CHECKING:
    from serve.model import TopicModel


@dataclass
class Filed:
    names: list[str]
    probabilities: np.ndarray[Any, np.dtype[np.float64]]
    notes: list[str]

    def topics(self, row: int) -> list[tuple[str, float]]:
        found = [(p, name) for name, p in zip(self.names, self.probabilities[row], strict=True) if p >= 0.5]
        return [(name, float(p)) for p, name in sorted(found, reverse=True)]


class Keywords:
    """A model that files by the number of times a word is there, and remembers the sizes of the batches."""

    def __init__(self) -> None:
        self.topics = ["banjir", "panen", "kereta"]
        self.batches: list[int] = []

    def file(self, texts: Sequence[str | None], titles: Sequence[str | None] | None) -> Filed:
        self.batches.append(len(texts))
        whole = [
            f"{title or ''} {text or ''}" for title, text in zip(titles or [None] * len(texts), texts, strict=True)
        ]
        counts = np.array([[len(re.findall(topic, text)) for topic in self.topics] for text in whole], float)
        notes = ["" if text.strip() else "empty; not, looked at" for text in whole]
        return Filed(self.topics, 1 - 1 / (1 + counts), notes)


def keywords() -> "TopicModel":
    return cast("TopicModel", Keywords())


def put(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def lines(*rows: dict[str, Any]) -> str:
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
    assert predict_file(keywords(), put(tmp_path / "crawl.csv", CRAWL), tmp_path / "topics.csv") == 4
    assert (tmp_path / "topics.csv").read_text() == ANSWER


@pytest.mark.parametrize("target", ["topics.jsonl", "topics.parquet", "topics.tsv"])
def test_every_format_has_the_same_answer(tmp_path: Path, target: str) -> None:
    source = put(tmp_path / "crawl.csv", CRAWL)
    predict_file(keywords(), source, tmp_path / "topics.csv")
    predict_file(keywords(), source, tmp_path / target)
    assert read(tmp_path / target) == read(tmp_path / "topics.csv")


def test_rows_are_numbered_where_there_is_no_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "BATCH_SIZE", 30)
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
    monkeypatch.setattr(formats, "BATCH_SIZE", 1)
    rows: list[dict[str, Any]] = [
        {"id": 5, "text": "panen", "topics": ["a", "b"]},
        {"id": "x", "text": 12, "topics": [], "input_topics": {"c": None}},
    ]
    source = put(tmp_path / "a.jsonl", lines(*rows))
    predict_file(keywords(), source, tmp_path / "b.jsonl", keep=True)
    assert read(tmp_path / "b.jsonl") == [
        {"id": 5, "topics": "panen", "probabilities": "0.5000", "note": "", "text": "panen", "input_topics": ["a", "b"]},
        {
            "id": "x", "topics": "", "probabilities": "", "note": "", "text": 12,
            "input_topics": [], "input_input_topics": {"c": None},
        },
    ]  # fmt: skip
    # Without the columns of the input a late key does no harm; with them a CSV has no place for it.
    assert predict_file(keywords(), source, tmp_path / "b.csv") == 2
    with pytest.raises(InputError, match="the column 'input_input_topics' turns up"):
        predict_file(keywords(), source, tmp_path / "c.csv", keep=True)
    assert not (tmp_path / "c.csv").exists()


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    table = pa.table({
        "id": pa.array([9, 8], pa.int32()), "title": pa.array(["banjir", None]).dictionary_encode(),
        "text": pa.array([None, b"kereta"], pa.binary()), "tags": pa.array([["a"], []]),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    assert predict_file(keywords(), tmp_path / "a.parquet", tmp_path / "b.parquet", keep=True, all_topics=True) == 2
    filed = pq.read_table(tmp_path / "b.parquet")
    assert filed.column("topics").to_pylist() == ["banjir", "kereta"]
    assert filed.select(["title", "text", "tags"]).equals(table.select(["title", "text", "tags"]))
    assert filed.schema.field("id").type == pa.int32()
    assert filed.column("banjir").to_pylist() == [0.5, 0.0]


def test_a_text_that_is_a_list(tmp_path: Path) -> None:
    source = put(tmp_path / "a.jsonl", lines({"text": "a"}, {"text": None}, {"text": ["a", "b"]}))
    with pytest.raises(InputError, match=r"a\.jsonl, row 3: the column 'text' holds a list, not text"):
        predict_file(keywords(), source, tmp_path / "b.csv")
    pq.write_table(pa.table({"judul": [None, {"a": 1}], "isi": ["a", "b"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"a\.parquet, row 2: the column 'judul' holds an object, not text"):
        predict_file(keywords(), tmp_path / "a.parquet", tmp_path / "b.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.parquet"]


def test_columns_that_the_user_names(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "kepala,badan,isi\nbanjir,panen,kereta\n")
    predict_file(keywords(), source, tmp_path / "b.csv", title_column="kepala", text_column="badan")
    assert read(tmp_path / "b.csv")[0]["topics"] == "panen|banjir"
    with pytest.raises(InputError, match=r"a\.csv: no column 'teks'; its columns are: kepala, badan, isi\."):
        predict_file(keywords(), source, tmp_path / "c.csv", text_column="teks")


def test_a_title_is_not_counted_twice(tmp_path: Path) -> None:
    predict_file(keywords(), put(tmp_path / "a.csv", "judul\npanen\n"), tmp_path / "b.csv", text_column="judul")
    assert read(tmp_path / "b.csv")[0]["probabilities"] == "0.5000"


def test_a_header_alone_gives_a_header(tmp_path: Path) -> None:
    assert predict_file(keywords(), put(tmp_path / "a.csv", "id,isi\n"), tmp_path / "b.csv") == 0
    assert (tmp_path / "b.csv").read_text() == "id,topics,probabilities,note\n"


def test_the_source_may_be_the_target(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "id,isi\n" + "".join(f"{row},panen\n" for row in range(3000)))
    assert predict_file(keywords(), source, source, keep=True) == 3000
    assert [row["id"] for row in read(source)] == [str(row) for row in range(3000)]
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_mistake_late_in_the_source_leaves_nothing(tmp_path: Path) -> None:
    source = put(tmp_path / "a.csv", "id,isi\n" + "1,panen\n" * 2000 + "1,panen,padi\n")
    with pytest.raises(InputError, match=r"a\.csv, line 2002: "):
        predict_file(keywords(), source, tmp_path / "b.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    class Interrupted(Keywords):
        def file(self, texts: Sequence[str | None], titles: Sequence[str | None] | None) -> Filed:
            if self.batches:
                raise KeyboardInterrupt
            return super().file(texts, titles)

    source = put(tmp_path / "a.csv", "id,isi\n" + "1,panen\n" * 2000)
    with pytest.raises(KeyboardInterrupt):
        predict_file(cast("TopicModel", Interrupted()), source, tmp_path / "b.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_batches_are_filed_as_they_come(tmp_path: Path) -> None:
    model = Keywords()
    source = put(tmp_path / "a.csv", "id,isi\n" + "1,panen\n" * 2000)
    predict_file(cast("TopicModel", model), source, tmp_path / "b.csv")
    assert model.batches == [512, 512, 512, 464]


def test_standard_streams(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CRAWL.encode())))
    assert predict_file(keywords(), "-", None) == 4
    assert capsysbinary.readouterr() == (ANSWER.encode(), b"")


def test_progress_in_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(batch, "SECONDS_BETWEEN_LINES", 0)
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
    assert predict_file(keywords(), source, tmp_path / "b.csv") == 600
    assert "600 rows" in terminal.getvalue()
