"""Targets whose input is text: cleaning, the vectoriser, filing, explaining, and the matcher of patterns."""

import re
from functools import cache
from typing import Any

import numpy as np

from serve.clean import clean, clean_traced, normalise, normalise_traced
from serve.model import TopicModel, compose, compose_all
from serve.topics import Topic
from serve.vectorizer import Documents, TfidfVectorizer
from tests.fuzz.pieces import WORDS, parts_of, text_of
from tests.fuzz.target import Target

LEARNT = [" ".join(WORDS), "presiden tiba di istana merdeka dan kunjungan kenegaraan yang", "kata dia menurut budi"]


@cache
def model() -> TopicModel:
    """A model of random weights on the pieces' own words."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit(LEARNT)
    chance = np.random.default_rng(0)
    v, k = len(vectorizer.terms_), 5
    return TopicModel(
        taxonomy={name: Topic(name) for name in "abcde"},
        vectorizer=vectorizer,
        weights=chance.normal(size=(v, k)).astype(np.float32),
        bias=chance.normal(size=k).astype(np.float32),
        calibration=np.array([[1.0] * k, [0.0] * k]),
        thresholds=np.full(k, 0.5),
        title_weight=2,
    )


def draw_article(data: bytes) -> dict[str, str]:
    title, text = parts_of(data, 2)
    return {"title": text_of(title), "text": text_of(text)}


def check_cleaning(article: dict[str, str]) -> None:
    """Cleaning traced and untraced, alone and in bulk, says the same, and its spans are spans of the text."""
    text, title = article["text"], article["title"]
    traced = clean_traced(text, title)
    assert traced.text == clean(text, title)
    assert len(traced.origins) == len(traced.text)
    assert all(0 <= origin < len(text) for origin in traced.origins)
    assert traced.origins == sorted(traced.origins)
    assert all(0 <= span.start < span.end <= len(text) for span in traced.removed)
    for character, origin in zip(traced.text, traced.origins, strict=True):
        if character.isascii() and character.isalnum() and text[origin].isascii() and text[origin].isalnum():
            assert character == text[origin]
    plain = normalise_traced(text)
    assert plain.text == normalise(text)
    assert len(plain.origins) == len(plain.text)
    assert all(0 <= origin < len(text) for origin in plain.origins)
    assert "  " not in plain.text and "\n\n\n" not in plain.text and plain.text == plain.text.strip(" \n")
    together = compose_all([text, "a"], [title, None], 2)
    assert bytes(together.bytes(0)) == bytes(Documents.of([compose(title, text, 2)]).bytes(0))


def check_filing(article: dict[str, str]) -> None:
    """Filing in one pass, one by one or many at a time, is cleaning, composing and scoring in turn."""
    text, title = article["text"], article["title"]
    stepwise = model().scores(Documents.of(compose_all([text], [title], model().title_weight)))
    many = model().file([text, "presiden"], [title, None])
    np.testing.assert_allclose(many.scores[:1], stepwise, atol=1e-5)
    assert model().predict(text, title) == model().predict([text, "presiden"], [title, ""])[0]


def check_explaining(article: dict[str, str]) -> None:
    """An explanation adds up to the score, and its spans are those of its words."""
    explanation = model().explain(article["text"], article["title"])
    assert all(0 <= span.start < span.end <= len(article["text"]) for span in explanation.removed)
    for topic in explanation.topics:
        total = topic.bias + sum(word.value for word in topic.contributions)
        assert abs(total - topic.score) < 1e-4 * max(1, len(topic.contributions))
        for word in topic.contributions:
            assert word.spans
            for span in word.spans:
                given = article[span.field]
                assert 0 <= span.start < span.end <= len(given)
                shown = given[span.start : span.end]
                if shown.isascii() and shown.isalnum():
                    assert shown.lower() in word.term.split(" ")


def draw_documents(data: bytes) -> dict[str, Any]:
    settings, first, second, third = parts_of(data, 4)
    choice = settings[0] if settings else 0
    return {
        "texts": [text_of(part) for part in (first, second, third)],
        "ngram_range": [[1, 1], [1, 2], [2, 3], [2, 2]][choice % 4],
        "sublinear_tf": choice % 8 > 3,
        "norm": ["l2", "l1", None][choice % 3],
    }


def check_vectorizer(given: dict[str, Any]) -> None:
    """The vocabulary and the matrix are scikit-learn's."""
    from sklearn.feature_extraction.text import TfidfVectorizer as Theirs

    parameters = {
        "ngram_range": tuple(given["ngram_range"]), "sublinear_tf": given["sublinear_tf"], "norm": given["norm"],
    }  # fmt: skip
    ours, theirs = TfidfVectorizer(**parameters), Theirs(**parameters)
    try:
        expected = theirs.fit_transform(given["texts"]).tocsr()
    except ValueError as empty:
        assert "empty vocabulary" in str(empty)
        try:
            ours.fit(given["texts"])
        except ValueError as error:
            assert str(error) == str(empty)
            return
        raise AssertionError("a vocabulary where scikit-learn finds none") from None
    found = ours.fit_transform(given["texts"])
    assert ours.get_feature_names_out().tolist() == theirs.get_feature_names_out().tolist()
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    expected.sort_indices()
    np.testing.assert_array_equal(found.indices, expected.indices)
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-9)


def check_matcher(given: dict[str, str]) -> None:
    """The rules' patterns match what they match in Python's `re`."""
    from tests.serve.test_patterns import OF_RULES, PLAIN, Finder, expected

    for number, pattern in enumerate(OF_RULES + PLAIN):
        assert _finder(Finder).spans(given["text"], number) == expected(given["text"], pattern), pattern


@cache
def _finder(finder: Any) -> Any:
    from tests.serve.test_patterns import OF_RULES, PLAIN

    return finder(OF_RULES + PLAIN)


def draw_plain(data: bytes) -> dict[str, str]:
    """A text as the matcher gets to see it: in plain form, and short, for Python's `re` may explode where it does not."""
    return {"text": re.sub("[\ud800-\udfff]", "", normalise(text_of(data)))[:3000]}


TEXTS = (
    Target("cleaning", "the same traced, in bulk and alone; every span valid", draw_article, check_cleaning),
    Target("vectorizer", "vocabulary and matrix equal scikit-learn's", draw_documents, check_vectorizer),
    Target("filing", "one pass equals cleaning, composing and scoring in turn", draw_article, check_filing),
    Target("explaining", "adds up to the score; every span is its word's", draw_article, check_explaining),
    Target("matcher", "the rules' patterns match what Python's `re` matches", draw_plain, check_matcher),
)
