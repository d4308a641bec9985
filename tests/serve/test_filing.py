"""Filing in one pass says what cleaning, composing and scoring one after the other say."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.language import language_of
from serve.model import TopicModel, compose, compose_all
from serve.topics import Topic
from serve.vectorizer import Documents, TfidfVectorizer

ODD_PAGES = [
    "",
    " \n ",
    "a",
    "Baca juga: ",
    "(abc/def)",
    "JAKARTA, KOMPAS.com - Presiden tiba.",
    "Kata &quot;presiden&quot; &amp;amp; R&B &copy; &#8220;dua&#8221; &bukan",
    "cafÃ© kafe\u0301 ﬁnal ½ … ™ 𝐁𝐨𝐥𝐝 ΟΔΟΣ İstanbul \ud800",
    "\u200bPre\xadsiden\r\ntiba\r\rdi\x00 istana\x85lagi\u2028pula",
    "½" * 60_000,
    "½¼ㄱ㏂㏘ŉ" * 20_000,
    "x" * 70_000 + " presiden " * 20_000,
]
PIECES = [
    *"ab \n.,:()[]/-",
    "Baca juga: ",
    "é",
    "e\u0301",
    "&amp;",
    "&#39;",
    "Ã©",
    "presiden ",
    "Σ",
    "\u200b",
    "<p>",
    "…",
]


@pytest.fixture(scope="module")
def model(corpus_texts) -> TopicModel:
    """A model of random weights on the corpus' own words."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True).fit(corpus_texts)
    generator = np.random.default_rng(0)
    v, k = len(vectorizer.terms_), 7
    return TopicModel(
        taxonomy={name: Topic(name) for name in "abcdefg"},
        vectorizer=vectorizer,
        weights=generator.normal(size=(v, k)).astype(np.float32),
        bias=generator.normal(size=k).astype(np.float32),
        calibration=np.array([[1.0] * k, [0.0] * k]),
        thresholds=np.full(k, 0.5),
    )


def in_steps(model: TopicModel, texts: list[str], titles: list[str] | None) -> np.ndarray:
    return model.scores(Documents.of(compose_all(texts, titles, model.title_weight)))


@pytest.mark.parametrize("with_titles", [True, False])
def test_one_pass_equals_the_steps_on_the_corpus(model, corpus_texts, with_titles):
    texts = corpus_texts[:600] + ODD_PAGES
    titles = [text[:60] for text in texts[::-1]] if with_titles else None
    np.testing.assert_allclose(model.file(texts, titles).scores, in_steps(model, texts, titles), atol=1e-5)


def test_one_pass_equals_the_steps_on_real_articles(model, gold):
    texts, titles = [article["text"] for article in gold], [article["title"] for article in gold]
    filed = model.file(texts, titles)
    np.testing.assert_allclose(filed.scores, in_steps(model, texts, titles), atol=1e-5)
    for text, title, note in zip(texts, titles, filed.notes, strict=True):
        language = language_of(compose(title, text, model.title_weight))
        assert ("not Indonesian" in note) == (language not in ("", "Indonesian"))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
)
def test_one_pass_equals_the_steps_on_any_text(model, text, title):
    np.testing.assert_allclose(model.file([text], [title]).scores, in_steps(model, [text], [title]), atol=1e-5)


def test_arrow_lists_slices_and_threads_give_the_same(model, corpus_texts):
    texts = [*corpus_texts[:300], None, ""]
    titles = [None, *corpus_texts[:300], "x"]
    expected = model.file(texts, titles).scores
    arrays = pa.array(["front", *texts], pa.string()).slice(1), pa.array(titles, pa.large_string())
    np.testing.assert_array_equal(model.file(*arrays).scores, expected)
    np.testing.assert_array_equal(model.file(pa.chunked_array([arrays[0]]), titles, n_threads=1).scores, expected)
    one_by_one = [model.file([text], [title]).scores[0] for text, title in zip(texts, titles, strict=True)]
    np.testing.assert_array_equal(one_by_one, expected)


def test_titles_must_be_as_many_as_texts(model):
    with pytest.raises(ValueError, match="2 texts and 1 titles"):
        model.file(["a", "b"], ["c"])


@pytest.mark.parametrize("language", ["English", "Javanese", "Malay"])
def test_other_languages_are_noted(model, language):
    texts = {
        "English": "The president said on Monday that they would not have been there if it had not been for the others.",
        "Javanese": "Presiden wis teka ing kutha iki lan ora bakal lunga maneh amarga kabeh wong padha ngerti yen dheweke isih lara.",
        "Malay": "Polis berkata suspek ditahan kerana kes jenayah itu dan siasatan masih dijalankan manakala mangsa dihantar ke hospital.",
    }
    assert model.file([texts[language]]).notes[0].startswith(f"not Indonesian: {language}")


def test_a_page_may_be_very_long(model):
    text = "presiden menerima tamu negara di istana merdeka. " * 60_000
    assert model.file([text, "tamu"]).scores.shape == (2, 7)


def test_one_article_is_filed_as_many_are(model, corpus_texts):
    texts = [*corpus_texts[:200], *ODD_PAGES, "kata tak dikenal zzqx wwvy qqrt pplk mmnb vvcx"]
    titles = [*corpus_texts[1:201], *([""] * (len(texts) - 200))]
    together = model.predict(texts, titles)
    assert [model.predict(text, title) for text, title in zip(texts, titles, strict=True)] == together
    assert [model.predict(text) for text in texts] == model.predict(texts)
