"""Where a new topic's articles are sought, and what a person is given to decide on."""

import json
from pathlib import Path

import pytest

from serve.errors import InputError
from serve.labelling.store import LabelStore
from serve.topics import Topic
from tests.train.test_tracking import tiny_model
from workbench.candidates import Candidate
from workbench.corpus_file import content_id
from workbench.decisions import SuggestedTopics, write_suggestions
from workbench.new_topic import as_suggestions, as_tasks, gather, read_examples
from workbench.queue import write_tasks


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    path = tmp_path / "crawl.csv"
    path.write_text("id,tanggal,media,judul,isi\nx1,2 Januari 2026,Warta,Satu,bola liga\nx2,,Warta,Dua,presiden\n")
    return path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "corpus.jsonl"
    articles = [
        {"id": i, "title": i, "text": f"teks {i}", "topics": t}
        for i, t in (("a", ["rail"]), ("b", ["trade"]), ("c", []))
    ]
    path.write_text("".join(json.dumps(article) + "\n" for article in articles))
    return path


def test_a_corpus_gives_examples_and_the_articles_without_the_topic(corpus: Path, crawl: Path) -> None:
    articles, examples = gather("rail", [], [str(corpus)], examples=crawl)
    assert list(articles["id"]) == ["b", "c"]
    assert sorted(examples["id"]) == ["a", "x1", "x2"]


def test_what_was_decided_on_is_left_out(corpus: Path, crawl: Path, tmp_path: Path) -> None:
    with LabelStore(tmp_path / "labels.db", create=True) as store:
        all_of_them, _ = gather("rail", [crawl], [])
        store.add(as_tasks([Candidate(0, 1, []), Candidate(1, 1, [])], all_of_them, None))
        (two,) = all_of_them.loc[all_of_them["title"] == "Dua", "id"]
        store.save(two, [], "sari", store.get(two).revision)
    articles, _ = gather("rail", [crawl], [], skip=[tmp_path / "labels.db"])
    assert list(articles["title"]) == ["Satu"]
    review = tmp_path / "review.csv"
    rows = [SuggestedTopics(name, "f", 1, "", (), ("rail",), "1", said) for name, said in (("b", "keep"), ("c", ""))]
    write_suggestions(review, rows)
    articles, _ = gather("rail", [], [str(corpus)], skip=[review])
    assert list(articles["id"]) == ["c"]


def test_mistakes_are_said(corpus: Path, crawl: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="crawl, or those of a labelled corpus"):
        gather("rail", [], [])
    with pytest.raises(InputError, match="crawl, or those of a labelled corpus"):
        gather("rail", [crawl], [str(corpus)])
    with pytest.raises(InputError, match="no article has the topic 'sports'"):
        read_examples(corpus, "sports")
    corpus.write_text('{"id": "a", "text": "teks", "topics": ["rail"]}\n')
    with pytest.raises(InputError, match="No article is left"):
        gather("rail", [], [str(corpus)])


def test_tasks_carry_the_models_topics_and_the_reason(crawl: Path) -> None:
    articles, _ = gather("rail", [crawl], [])
    first, second = as_tasks([Candidate(1, 0.5, []), Candidate(0, 0.9, ["bola"])], articles, tiny_model())
    assert (first.title, first.date, first.reason) == ("Dua", "", "likeness 0.50, none of the seed words")
    assert (second.date, second.outlet, second.title) == ("2026-01-02", "Warta", "Satu")
    assert second.id == content_id({"title": "Satu", "text": "bola liga"})
    assert [topic for topic, _ in second.suggested] == ["olahraga"]
    assert next(as_tasks([Candidate(0, 0.9, [])], articles, None)).suggested == ()


def test_a_store_offers_the_new_topic_beside_the_others(crawl: Path, tmp_path: Path) -> None:
    articles, _ = gather("rail", [crawl], [])
    topics = [Topic("trade"), Topic("rail", name_en="Railways")]
    assert write_tasks(as_tasks([Candidate(0, 0.9, [])], articles, None), tmp_path / "labels.db", topics) == 1
    with LabelStore(tmp_path / "labels.db") as store:
        assert store.topics() == topics


def test_suggestions_keep_the_topics_that_an_article_has(corpus: Path) -> None:
    articles, _ = gather("rail", [], [str(corpus)])
    (row,) = as_suggestions([Candidate(0, 0.5, [])], articles, "rail")
    assert (row.id, row.file, row.line, row.given, row.proposed) == ("b", str(corpus), 2, ("trade",), ("trade", "rail"))
    assert row.decision == ""
