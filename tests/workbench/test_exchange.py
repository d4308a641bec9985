import csv
import json
from pathlib import Path

import datasets
import pytest

from serve.batch import predict_file
from serve.errors import InputError
from train.corpus import load_corpus
from train.fit import choose_taxonomy, fit
from workbench.exchange import Form, export_corpus, from_dataset, import_files, to_dataset

NEWS_WATCH = (
    '"title","publish_date","author","content","keyword","category","source","link"\n'
    '"Rupiah Menguat","2026-08-12 05:40:00","Dodi","Rupiah menguat\ndi pasar","kurs","Market","lembah.example","https://a"\n'
)


@pytest.fixture
def corpus_file(tmp_path: Path) -> Path:
    """A corpus with quotes, separators, paragraphs, a split, an article about nothing, and topics with odd names."""
    rows = [
        {"id": "a", "date": "2026-08-12", "outlet": "Kabar", "title": 'Judul, "kutip"', "text": "Satu.\n\nDua; tiga|empat",
         "topics": ["football", "crime"], "split": "test"},
        {"id": "b", "date": "", "outlet": "", "title": "", "text": "Tanpa topik", "topics": []},
        {"id": "c", "date": "", "outlet": "", "title": "Nama", "text": "__label__palsu dan\u2028baris", "topics": ["crime"]},
    ]  # fmt: skip
    file = tmp_path / "corpus.jsonl"
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return file


@pytest.mark.parametrize(("form", "name"), [("csv", "out.csv"), ("csv", "out.tsv.gz"), ("hf", "out")])
def test_what_is_exported_is_imported_as_it_was(corpus_file: Path, tmp_path: Path, form: Form, name: str) -> None:
    export_corpus(load_corpus([corpus_file]), form, tmp_path / name)
    added, intake = import_files([tmp_path / name], tmp_path / "again.jsonl", columns={})
    assert (added, intake.remarks()) == (3, [])
    assert (tmp_path / "again.jsonl").read_bytes() == corpus_file.read_bytes()


def test_topics_with_the_separator_survive_csv(tmp_path: Path) -> None:
    file = tmp_path / "corpus.jsonl"
    file.write_text(json.dumps({"id": "a", "text": "x", "topics": ["a|b", "[c"]}) + "\n")
    export_corpus(load_corpus([file]), "csv", tmp_path / "out.csv")
    assert load_corpus([tmp_path / "out.csv"])["topics"][0] == ["a|b", "[c"]


def test_fasttext_keeps_words_and_topics(corpus_file: Path, tmp_path: Path) -> None:
    export_corpus(load_corpus([corpus_file]), "fasttext", tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines() == [
        '__label__football __label__crime Judul, "kutip" Satu. Dua; tiga|empat',
        "Tanpa topik",
        "__label__crime Nama label__palsu dan baris",
    ]
    import_files([tmp_path / "out.txt"], tmp_path / "again.jsonl", columns={})
    again = load_corpus([tmp_path / "again.jsonl"])
    assert list(again["topics"]) == [["football", "crime"], [], ["crime"]]


def test_label_studio_gets_the_topics_as_annotations(corpus_file: Path, tmp_path: Path) -> None:
    export_corpus(load_corpus([corpus_file]), "label-studio", tmp_path / "out.json")
    tasks = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    results = [task["annotations"][0]["result"] for task in tasks]
    assert results[0][0]["value"] == {"choices": ["football", "crime"]}
    assert results[1] == []
    assert tasks[0]["data"]["text"] == "Satu.\n\nDua; tiga|empat"


def test_a_data_set_has_classes_with_names(corpus_file: Path, tmp_path: Path) -> None:
    export_corpus(load_corpus([corpus_file]), "hf", tmp_path / "out", ["security_pact", "crime"])
    loaded = datasets.load_from_disk(str(tmp_path / "out"))
    assert loaded.features["topics"].feature.names == ["security_pact", "crime", "football"]
    assert loaded["topics"][0] == [2, 1]
    assert loaded["text"][0] == "Satu.\n\nDua; tiga|empat"


def test_a_data_set_becomes_a_corpus_and_back(corpus_file: Path) -> None:
    corpus = load_corpus([corpus_file])
    again = from_dataset(to_dataset(corpus))
    assert again.drop(columns=["file", "line"]).equals(corpus.drop(columns=["file", "line"]))
    assert from_dataset(datasets.DatasetDict({"test": to_dataset(corpus)}))["title"].equals(corpus["title"])


def test_a_data_set_with_columns_of_its_own() -> None:
    dataset = datasets.Dataset.from_dict({"berita": ["satu"], "rubrik": [["a"]]})
    frame = from_dataset(dataset, {"berita": "text", "rubrik": "topics"})
    assert (frame["text"][0], frame["topics"][0]) == ("satu", ["a"])
    with pytest.raises(InputError, match="isi"):
        from_dataset(dataset, {"isi": "text"})


def test_a_data_set_trains_a_model_that_classifies_another(tmp_path: Path) -> None:
    words = {"olahraga": "gol wasit liga kiper stadion", "ekonomi": "rupiah saham bank kurs inflasi"}
    rows = [(f"{a} {b}", label) for label, text in words.items() for a in text.split() for b in text.split()]
    corpus = from_dataset(
        datasets.Dataset.from_dict({"isi": [row[0] for row in rows], "label": [row[1] for row in rows]})
    )
    model = fit(corpus, choose_taxonomy(corpus, None, drop_rare=False))
    crawl = datasets.Dataset.from_dict({"text": ["gol kiper", "kurs bank", None]})
    assert model.predict(crawl["text"])[:2] == [["olahraga"], ["ekonomi"]]

    (tmp_path / "news-watch.csv").write_text(NEWS_WATCH, encoding="utf-8")
    predict_file(model, tmp_path / "news-watch.csv", tmp_path / "topics.csv", keep=True, quiet=True)
    head, row = (tmp_path / "topics.csv").read_text(encoding="utf-8").split("\n", 1)
    assert head == "id,topics,probabilities,note,title,publish_date,author,content,keyword,category,source,link"
    assert row.startswith("1,ekonomi,")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_news_watch_is_imported_without_topics(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"news-watch-kurs-20260812_06.{kind}"
    file.write_text(NEWS_WATCH, encoding="utf-8")
    if kind == "jsonl":
        rows = csv.DictReader(NEWS_WATCH.splitlines(keepends=True))
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    import_files([file], tmp_path / "crawl.jsonl", columns={})
    article = json.loads((tmp_path / "crawl.jsonl").read_text(encoding="utf-8"))
    del article["id"]
    assert article == {
        "date": "2026-08-12", "outlet": "lembah.example", "title": "Rupiah Menguat", "text": "Rupiah menguat\ndi pasar",
    }  # fmt: skip


def test_sections_of_news_watch_are_topics_when_that_is_said(tmp_path: Path) -> None:
    file = tmp_path / "news-watch.csv"
    file.write_text(NEWS_WATCH, encoding="utf-8")
    with pytest.raises(InputError, match="no column of labels to translate"):
        import_files([file], tmp_path / "c.jsonl", columns={}, labels={"market": ("financial_markets",)})
    import_files(
        [file], tmp_path / "c.jsonl", columns={"category": "topics"}, labels={"market": ("financial_markets",)}
    )
    assert load_corpus([tmp_path / "c.jsonl"])["topics"][0] == ["financial_markets"]


def test_importing_twice_adds_nothing_and_leaves_the_file_as_it_is(corpus_file: Path, tmp_path: Path) -> None:
    import_files([corpus_file], tmp_path / "into.jsonl", columns={})
    before = (tmp_path / "into.jsonl").read_bytes()
    added, intake = import_files([corpus_file], tmp_path / "into.jsonl", columns={})
    assert (added, intake.repeats) == (0, 3)
    assert (tmp_path / "into.jsonl").read_bytes() == before


def test_a_mistake_adds_nothing(tmp_path: Path) -> None:
    into = tmp_path / "into.jsonl"
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text('{"text": "a", "topics": []}\n')
    bad.write_text('{"text": "b", "topics": []}\n{"text": 7, "topics": []}\n')
    with pytest.raises(InputError, match=r"bad\.jsonl, line 2, column 'text': expected text, found int 7"):
        import_files([good, bad], into, columns={})
    assert not into.exists()
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        import_files([tmp_path / "none.csv"], into, columns={})
    with pytest.raises(InputError, match=r"ends in \.jsonl"):
        import_files([good], tmp_path / "into.csv", columns={})


def test_labelled_and_unlabelled_articles_are_not_mixed(tmp_path: Path) -> None:
    labelled, crawl = tmp_path / "labelled.jsonl", tmp_path / "crawl.jsonl"
    labelled.write_text('{"id": "1", "text": "a", "topics": []}\n')
    crawl.write_text('{"id": "2", "text": "b"}\n')
    for files, into in (([labelled, crawl], "x.jsonl"), ([crawl], "labelled.jsonl"), ([labelled], "crawl.jsonl")):
        with pytest.raises(InputError, match=r"crawl\.jsonl has no topics"):
            import_files(files, tmp_path / into, columns={})


def test_a_corpus_with_columns_of_its_own_is_not_added_to(tmp_path: Path) -> None:
    into, more = tmp_path / "into.jsonl", tmp_path / "more.jsonl"
    into.write_text('{"text": "a", "kategori": "crime"}\n')
    more.write_text('{"text": "b", "topics": []}\n')
    with pytest.raises(InputError, match=r"into\.jsonl: articles cannot be added.*'kategori'.* --into NEW\.jsonl"):
        import_files([more], into, columns={})
    import_files([into, more], tmp_path / "new.jsonl", columns={})
    assert list(load_corpus([tmp_path / "new.jsonl"])["topics"]) == [["crime"], []]


def test_places_that_cannot_be_used_are_left_alone(corpus_file: Path, tmp_path: Path) -> None:
    corpus = load_corpus([corpus_file])
    with pytest.raises(InputError, match="is no part of a data set"):
        export_corpus(corpus, "hf", tmp_path)
    assert corpus_file.exists()
    with pytest.raises(InputError, match="is a folder"):
        export_corpus(corpus, "fasttext", tmp_path)
    with pytest.raises(InputError, match=r"ends in \.csv"):
        export_corpus(corpus, "csv", tmp_path / "out.parquet")
    export_corpus(corpus, "hf", tmp_path / "out")
    export_corpus(corpus.head(1), "hf", tmp_path / "out")
    assert len(datasets.load_from_disk(str(tmp_path / "out"))) == 1
