import io
import json
import sys

import datasets
import pytest


@pytest.fixture
def layout(tmp_path):
    (tmp_path / "indonews.csv").write_text("text,label\nTimnas menang lewat gol,bola\nHarga gabah naik,bisnis\n")
    return tmp_path / "indonews.csv"


def test_sources_are_listed_with_licence_and_doubts(run):
    status, said, _ = run("data", "sources")
    assert status == 0
    assert "CC BY-NC 4.0" in said
    assert "indonews                  Whose articles they are." in said
    listed = {source["name"]: source for source in json.loads(run("data", "sources", "--json")[1])}
    assert listed["indonews"]["labels"]["bola"] == ["football"]
    assert listed["detik_2026"]["columns"]["judul"] == "title"
    assert listed["id_clickbait"]["unverified"]


def test_pull_from_a_file_shows_the_licence_and_what_became_of_the_labels(run, layout, tmp_path):
    out = tmp_path / "out.jsonl"
    status, said, _ = run("data", "pull", "indonews", "--from", layout, "--out", out)
    assert status == 0
    assert said.index("licence     CC BY 4.0") < said.index("bisnis         1  none of ours")
    assert said.splitlines()[-2] == f"1 article with topics written to {out}"
    assert json.loads(out.read_text())["topics"] == ["football"]


@pytest.fixture
def loads(monkeypatch):
    """What is asked of the hub, which has the rows of one set."""
    asked = []

    def load_dataset(*names, **options):
        asked.append((names, options))
        return datasets.IterableDatasetDict({"train": datasets.Dataset.from_dict({"text": ["gol"], "label": ["bola"]})})

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


def test_nothing_is_fetched_before_the_licence_is_accepted(run, loads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, said, err = run("data", "pull", "indonews")
    assert status == 2
    assert "licence     CC BY 4.0" in said
    assert "nothing was downloaded; say --yes" in err
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    status, said, _ = run("data", "pull", "indonews")
    assert status == 1
    assert said.index("licence     CC BY 4.0") < said.index("Download it under this licence?")
    assert not loads
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert run("data", "pull", "indonews")[0] == 0
    assert len(loads) == 1


def test_yes_fetches_the_set_as_the_list_says(run, loads, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("data", "pull", "indonews", "--yes")[0] == 0
    assert json.loads((tmp_path / "indonews.jsonl").read_text())["topics"] == ["football"]
    ((names, options),) = loads
    assert names == ("jakartaresearch/indonews", None)
    assert options == {"revision": "refs/convert/parquet", "data_files": None, "streaming": True}


def test_import_and_export_go_round(run, layout, tmp_path):
    into, mapping = tmp_path / "corpus.jsonl", tmp_path / "labels.toml"
    mapping.write_text('bola = ["football"]\nbisnis = ["business", "prices"]\n')
    status, said, _ = run("data", "import", layout, "--labels", mapping, "--into", into)
    assert status == 0
    assert "2 articles with topics added" in said
    for form, name in (("csv", "o.csv"), ("hf", "o"), ("fasttext", "o.txt"), ("label-studio", "o.json")):
        status, said, _ = run("data", "export", into, tmp_path / name, "--format", form)
        assert (status, said) == (0, f"2 articles written to {tmp_path / name}\n")
    assert run("data", "import", tmp_path / "o", "--into", tmp_path / "again.jsonl")[0] == 0
    assert (tmp_path / "again.jsonl").read_bytes() == into.read_bytes()
    status, _, err = run("data", "import", layout, "--map", "teks=text", "--into", into)
    assert status == 2
    assert "indonews.csv: no column 'teks'" in err


def test_an_export_replaces_nothing_unasked(run, layout, tmp_path):
    corpus, other = tmp_path / "lab.csv", tmp_path / "lain.csv"
    content = "judul,isi,kategori\nGol,Timnas menang,bola\n"
    corpus.write_text(content)
    other.write_text(content)
    status, _, err = run("data", "export", corpus, "--format", "csv")
    assert status == 2
    assert f"{corpus}: is there already" in err
    assert "with the embedded corpus with --force" in err
    status, _, err = run("data", "export", corpus, other, "--format", "csv")
    assert status == 2
    assert (
        f"{other}: is there already; name a new file (kanal data export FILE OUT), or replace it with --force." in err
    )
    status, _, err = run("data", "export", corpus, corpus, "--format", "csv", "--force")
    assert status == 2
    assert f"{corpus}: is read; name another for OUT." in err
    assert corpus.read_text() == other.read_text() == content
    assert run("data", "export", corpus, other, "--format", "csv", "--force")[0] == 0
    assert other.read_text() != content


def test_the_embedded_corpus_is_exported_with_all_topics_as_classes(run, tmp_path):
    assert run("data", "export", tmp_path / "o", "--format", "hf")[0] == 0
    loaded = datasets.load_from_disk(str(tmp_path / "o"))
    assert len(loaded.features["topics"].feature.names) == 38
    assert len(loaded) > 4000


def test_without_its_packages_it_says_which(run, layout, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    status, _, err = run("data", "pull", "indonews", "--from", layout.parent, "--out", tmp_path / "out.jsonl")
    assert status == 2
    assert err == "Error: 'datasets' is needed: run `pip install 'kanal[workbench]'`.\n"
