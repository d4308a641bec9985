"""Labels from a store into a corpus file."""

import json
from pathlib import Path

import pytest

from serve.errors import InputError
from serve.labelling.store import Labelled, LabelStore, Task
from serve.topics import Topic
from train.corpus import load_corpus
from workbench.corpus_file import content_id, write_articles
from workbench.label_import import decide, import_labels


def store(path: Path, labels: dict[str, tuple[str, ...]]) -> Path:
    """A label store whose tasks are labelled so, and one task more."""
    with LabelStore(path, create=True) as opened:
        for name in (*labels, "waiting"):
            opened.add([Task(name, f"Judul {name}", f"Teks {name}.", "2026-03-04", "Warta Uji")])
        for name, topics in labels.items():
            opened.save(name, topics, "sari", 0)
    return path


def article(name: str, *topics: str) -> dict[str, object]:
    return {"id": name, "date": "", "outlet": "", "title": "Lama", "text": "Teks lama.", "topics": topics}


def test_labels_of_a_store_become_articles_of_a_corpus(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    labels = store(tmp_path / "labels.db", {"a": ("sports", "crime"), "b": ()})
    assert import_labels(labels, corpus).added == 2
    frame = load_corpus([corpus])
    assert list(frame["id"]) == ["a", "b"]
    assert list(frame["topics"]) == [["sports", "crime"], []]
    assert set(frame["date"]) == {"2026-03-04"} and set(frame["outlet"]) == {"Warta Uji"}
    assert list(frame["text"]) == ["Teks a.", "Teks b."]


def test_an_article_that_the_corpus_has_stays_as_it_is_and_is_told(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    write_articles(corpus, [article("same", "crime", "court"), article("other", "crime")])
    before = corpus.read_bytes()
    labels = store(tmp_path / "labels.db", {"same": ("court", "crime"), "other": ("court",), "new": ("sports",)})
    found = import_labels(labels, corpus)
    assert (found.added, found.known, found.otherwise) == (1, ["same"], ["other"])
    assert corpus.read_bytes().startswith(before)
    assert json.loads(corpus.read_bytes().removeprefix(before))["id"] == "new"
    assert "1 left out: in the corpus with other topics (other)" in found.table()


@pytest.mark.parametrize(
    "corpus",
    [
        '\ufeff{"id": "old", "text": "Lama", "topics": ["court"]}\n',
        '{"id": "old", "text": "Lama", "topics": "court"}\n\n',
        '{"text": "Teks old.", "title": "Judul old", "topics": "[\\"court\\"]"}',
    ],
)
def test_a_corpus_is_read_as_training_reads_it(tmp_path: Path, corpus: str) -> None:
    into = tmp_path / "corpus.jsonl"
    into.write_text(corpus, encoding="utf-8")
    labels = tmp_path / "labels.db"
    with LabelStore(labels, create=True) as opened:
        old = {"title": "Judul old", "text": "Teks old."}
        for name in ("new", content_id(old) if "id" not in corpus else "old"):
            opened.add([Task(name, **old)])
            opened.save(name, ("court",), "sari", 0)
    found = import_labels(labels, into)
    assert (found.added, len(found.known), found.otherwise) == (1, 1, [])
    assert list(load_corpus([into])["topics"]) == [["court"], ["court"]]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "id,text,topics\n1,a,b\n", r"a\.csv: articles are kept in a file of JSON Lines"),
        ("a.jsonl", '{"id": "1", "text": "a"}\n', r"a\.jsonl: its articles have no topics"),
        ("a.jsonl", '{"text": "a", "kategori": "b"}\n', "its column for the topics is 'kategori'.*kanal data import"),
        ("a.jsonl", '{"isi": "a", "topics": "b"}\n', "its column for the text is 'isi' and theirs 'text'"),
        ("a.jsonl", '{"text": "a", "topics": 1}\n[]\n', r"a\.jsonl, line 2: no JSON object"),
    ],
)
def test_a_corpus_that_cannot_be_added_to(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=said):
        import_labels(store(tmp_path / "labels.db", {"a": ("crime",)}), tmp_path / name)
    assert (tmp_path / name).read_text() == content


def test_topics_that_nobody_knows_are_told(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    write_articles(corpus, [article("old", "ours")])
    labels = store(tmp_path / "labels.db", {"a": ("ours", "crime", "zzz", "offered"), "b": ("crme",)})
    with LabelStore(labels) as opened:
        opened.offer([Topic("offered")])
    found = import_labels(labels, corpus)
    assert found.new_topics == ["crme", "zzz"]
    assert "topics that the corpus did not have, and that are not Kanal's: crme, zzz" in found.table()


def test_a_second_import_adds_nothing(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    labels = store(tmp_path / "labels.db", {"a": ("sports",)})
    import_labels(labels, corpus)
    before = corpus.read_bytes()
    assert import_labels(labels, corpus).added == 0
    assert corpus.read_bytes() == before


def test_who_said_otherwise_is_told(tmp_path: Path) -> None:
    task = Task("a", "Judul", "Teks")
    given = [("sari", ("crime",), "1"), ("budi", ("court", "crime"), "2"), ("ani", (), "3")]
    (verdict,) = decide(Labelled(task, topics, who, at) for who, topics, at in given)
    assert verdict.unlike
    assert verdict.topics == ("crime",)
    assert verdict.by_annotator == {"sari": ("crime",), "budi": ("court", "crime"), "ani": ()}


def test_the_order_of_topics_is_no_disagreement() -> None:
    task = Task("a", "Judul", "Teks")
    given = [("sari", ("crime", "court"), "1"), ("budi", ("court", "crime"), "2")]
    (verdict,) = decide(Labelled(task, topics, who, at) for who, topics, at in given)
    assert not verdict.unlike
    assert verdict.topics == ("crime", "court")
