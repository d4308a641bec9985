"""Sets are read from local files in the layouts that they have on the hub; nothing is fetched."""

import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from serve.errors import InputError
from workbench.intake import Intake
from workbench.pull import pull
from workbench.sources import find_source

ROWS = [("Timnas menang lewat gol penalti", "bola"), ("Ponsel lipat dirilis", "tekno"), ("Harga gabah naik", "bisnis")]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


def pulled(name: str, path: Path | None, out: Path, **options: Any) -> tuple[list[dict[str, Any]], Intake]:
    source, place = find_source(name, options.pop("columns", {}), options.pop("labels", None))
    written, intake = pull(source, out, path=path or place, **options)
    articles = [json.loads(line) for line in out.read_text().splitlines()]
    assert written == len(articles)
    return articles, intake


def csv_of(rows: list[tuple[str, str]], head: str = "text,label") -> str:
    return head + "\n" + "".join(f"{text},{label}\n" for text, label in rows)


def write_layout(folder: Path, kind: str) -> Path:
    """The rows of ROWS as files of a kind; returns what to name."""
    whole = datasets.Dataset.from_dict({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]})
    file = folder / f"train.{kind}"
    objects = [{"text": text, "label": label} for text, label in ROWS]
    if kind == "csv":
        file.write_text(csv_of(ROWS))
    elif kind == "csv.gz":
        file.write_bytes(gzip.compress(csv_of(ROWS).encode()))
    elif kind == "json":
        file.write_text(json.dumps(objects, indent=1))
    elif kind == "jsonl":
        file.write_text("".join(json.dumps(item) + "\n" for item in objects))
    elif kind == "parquet":
        whole.to_parquet(file)
    else:
        file = folder / "saved"
        (whole if kind == "saved" else datasets.DatasetDict({"train": whole})).save_to_disk(file)
    return file


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "json", "jsonl", "parquet", "saved", "saved splits"])
def test_files_of_any_kind_give_the_same_articles(tmp_path: Path, kind: str) -> None:
    articles, intake = pulled("indonews", write_layout(tmp_path, kind), tmp_path / "out.jsonl")
    assert [(article["text"], article["topics"]) for article in articles] == [
        (ROWS[0][0], ["football"]), (ROWS[1][0], ["technology"]),
    ]  # fmt: skip
    assert intake.by_label == {"bola": 1, "tekno": 1, "bisnis": 1}
    assert intake.left_out == 1


def test_a_folder_in_the_layout_of_the_hub_has_its_splits(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.csv").write_text(csv_of(ROWS[:1]))
    (tmp_path / "set" / "test.csv").write_text(csv_of(ROWS[1:]))
    articles, _ = pulled("indonews", tmp_path / "set", tmp_path / "out.jsonl")
    assert [article["split"] for article in articles] == ["train", "test"]


def test_without_a_test_split_there_are_no_splits(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.csv").write_text(csv_of(ROWS[:1]))
    (tmp_path / "set" / "validation.csv").write_text(csv_of(ROWS[1:]))
    articles, _ = pulled("indonews", tmp_path / "set", tmp_path / "out.jsonl")
    assert len(articles) == 2
    assert not any("split" in article for article in articles)


def test_classes_are_mapped_by_their_names(tmp_path: Path) -> None:
    features = datasets.Features(
        {"news": datasets.Value("string"), "label": datasets.ClassLabel(names=["news", "otomotif"])}
    )
    rows = {"news": ["Warga bergotong royong", "Mobil listrik dijual"], "label": [0, 1]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "train.parquet")
    articles, intake = pulled("indonesian_news_dataset", tmp_path / "train.parquet", tmp_path / "out.jsonl")
    assert [article["topics"] for article in articles] == [["automotive"]]
    assert intake.by_label == {"news": 1, "otomotif": 1}


def test_titles_with_american_dates(tmp_path: Path) -> None:
    head = "Date,Url,Title,Category\n"
    rows = "02/03/2020,https://a.example/1,Resep Soto,food\n02/26/2020,https://a.example/2,Laga Malam,sport\n"
    (tmp_path / "titles.csv").write_text(head + rows)
    (article,), _ = pulled("indonesian_news_title", tmp_path / "titles.csv", tmp_path / "out.jsonl")
    assert (article["title"], article["text"], article["date"]) == ("Resep Soto", "", "2020-02-03")
    assert article["topics"] == ["travel_food"]


def test_an_unlabelled_set_gives_articles_without_topics(tmp_path: Path) -> None:
    row = {"id": "0", "url": "", "date": "2018-01-02 07:00:00", "title": "Judul", "content": "Isi berita"}
    (tmp_path / "a.jsonl").write_text(json.dumps({**row, "category": "bola"}) + "\n")
    articles, intake = pulled("id_newspapers_2018", tmp_path / "a.jsonl", tmp_path / "out.jsonl")
    assert articles == [{"id": "0", "date": "2018-01-02", "outlet": "", "title": "Judul", "text": "Isi berita"}]
    assert not intake.labelled


def test_a_set_of_ones_own_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(csv_of(ROWS, "berita,rubrik"))
    columns = {"berita": "text", "rubrik": "topics"}
    articles, _ = pulled(str(tmp_path / "mine.csv"), None, tmp_path / "out.jsonl", columns=columns)
    assert [article["topics"] for article in articles] == [["bola"], ["tekno"], ["bisnis"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [";", "\t"])
def test_csv_of_a_spreadsheet(tmp_path: Path, separator: str, encoding: str) -> None:
    file = tmp_path / "kliping.csv"
    rows = ["judul;isi;rubrik", 'Gol;"Timnas menang; lewat gol\n\npenalti";Bola', "Ponsel;Ponsel lipat dirilis;tekno"]
    file.write_bytes("\r\n".join([*rows, ""]).replace(";", separator).encode(encoding))
    options = {"columns": {"rubrik": "topics"}, "labels": {"bola": ["football"]}}
    articles, intake = pulled(str(file), None, tmp_path / "out.jsonl", **options)
    assert [(article["text"], article["topics"]) for article in articles] == [
        (f"Timnas menang{separator} lewat gol\n\npenalti", ["football"])
    ]
    assert intake.left_out == 1


def test_a_limit_is_of_articles_written(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_of([ROWS[2], *ROWS]))
    articles, _ = pulled("indonews", tmp_path / "a.csv", tmp_path / "out.jsonl", limit=1)
    assert [article["topics"] for article in articles] == [["football"]]


def failure(name: str, path: Path | None, out: Path) -> str:
    source, place = find_source(name, {}, None)
    with pytest.raises(InputError) as caught:
        pull(source, out, path=path or place)
    assert not out.exists()
    return str(caught.value)


def test_what_cannot_be_had_is_a_sentence_and_no_file(tmp_path: Path) -> None:
    out = tmp_path / "out" / "x.jsonl"
    assert "check the name and the network" in failure("owner/name", None, out)
    assert "the hub has only a script for it" in failure("indonesian_news_dataset", None, out)
    for nowhere in (tmp_path / "nowhere.csv", tmp_path / "nowhere"):
        assert failure("indonews", nowhere, out) == f"{nowhere}: no such file or folder; check its name."
    (tmp_path / "empty").mkdir()
    assert "doesn't contain any data files" in failure("indonews", tmp_path / "empty", out)
    (tmp_path / "a.csv").write_text("isi,jenis\na,b\n")
    assert "no column 'text'; its columns are: isi, jenis" in failure("indonews", tmp_path / "a.csv", out)
    (tmp_path / "a.csv").write_text("text,label\na,bisnis\n")
    assert "no article to write (left out, their labels" in failure("indonews", tmp_path / "a.csv", out)


def test_a_set_that_is_only_a_script_is_explained(tmp_path: Path) -> None:
    folder = tmp_path / "berita"
    folder.mkdir()
    (folder / "berita.py").write_text("raise SystemExit('must never run')\n")
    said = failure(str(folder), None, tmp_path / "x.jsonl")
    assert "is read by a script, which `datasets` no longer runs" in said
    assert "--from" in said


def test_a_file_that_breaks_off_leaves_no_articles(tmp_path: Path) -> None:
    good = "".join(json.dumps({"text": f"berita {i}", "label": "bola"}) + "\n" for i in range(3))
    (tmp_path / "a.jsonl").write_text(good + '{"text": "putus')
    assert "a.jsonl, line 4, column 10: not JSON" in failure("indonews", tmp_path / "a.jsonl", tmp_path / "x.jsonl")
