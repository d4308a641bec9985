"""The data in data/: whole, of one form, and of one taxonomy."""

import re
import tomllib

import pandas as pd
import pytest

from serve.files.formats import open_reader
from serve.paths import DATA
from serve.topics import load_topics
from train.check import MIN_ARTICLES, Report, check_corpus
from train.corpus import articles_of, load_corpus, place, topic_counts

TOPICS = load_topics()


@pytest.fixture(scope="module")
def articles() -> pd.DataFrame:
    return load_corpus([DATA / "corpus" / "articles.jsonl"])


@pytest.fixture(scope="module")
def report(articles: pd.DataFrame) -> Report:
    return check_corpus(articles, TOPICS)


def test_check_finds_nothing_wrong(report: Report) -> None:
    assert report.errors == []
    assert report.warnings == []


def test_every_field_is_filled(articles: pd.DataFrame) -> None:
    # A headline may stand alone: a push notification has no text.
    for field in ("id", "date", "outlet", "title"):
        assert [place(article) for article in articles_of(articles) if not getattr(article, field).strip()] == []
    assert set(articles["split"]) == {"train", "test"}


def test_every_topic_can_be_learnt_and_measured(articles: pd.DataFrame) -> None:
    for split in ("train", "test"):
        counts = topic_counts(articles[articles["split"] == split])
        assert counts.keys() == TOPICS.keys()
        assert min(counts.values()) >= MIN_ARTICLES


def test_some_articles_have_no_topic(articles: pd.DataFrame) -> None:
    assert set(articles[[not topics for topics in articles["topics"]]]["split"]) == {"train", "test"}


def test_topics_have_names_codes_and_definitions() -> None:
    for topic in TOPICS.values():
        assert re.fullmatch("[a-z_]+", topic.id)
        assert all((topic.group, topic.name_id, topic.name_en, topic.about, topic.not_about)), topic.id
        assert topic.iptc, topic.id
        assert all(re.fullmatch(r"medtop:\d{8}", code) for code in topic.iptc), topic.id
        assert topic.iab, topic.id
        assert all(re.fullmatch(r"[0-9A-Za-z]{1,6}", code) for code in topic.iab), topic.id


def test_lexicon_has_terms_for_every_topic() -> None:
    lexicon = tomllib.loads((DATA / "lexicon.toml").read_text(encoding="utf-8"))
    assert lexicon.keys() == TOPICS.keys()
    for topic, terms in lexicon.items():
        assert terms, topic
        assert all(isinstance(term, str) and term.strip() for term in terms), topic


def test_datasheet_has_the_counts_of_the_check(report: Report) -> None:
    assert report.table() in (DATA / "README.md").read_text(encoding="utf-8")


def test_samples_are_whole_articles_with_one_empty() -> None:
    with open_reader(DATA / "samples" / "articles.csv") as reader:
        assert reader.columns == ["id", "judul", "isi"]
        rows = [row for batch in reader for row in batch.to_pylist()]
    assert len({row["id"] for row in rows}) == len(rows) >= 20
    assert all(row["judul"] for row in rows)
    lengths = sorted(len(row["isi"].split()) for row in rows)
    assert lengths[0] == 0
    assert lengths[1] >= 120
    assert lengths[-1] <= 350
