import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer as ScikitLearnVectorizer
from sklearn.utils.estimator_checks import check_estimator

from serve import characters
from serve.vectorizer import Documents, TfidfVectorizer, Vocabulary, count_terms

ODD_TEXTS = [
    "",
    "   \n",
    "satu",
    "a b c",
    "İstanbul DİYARBAKIR İİ abİ",
    "ΟΔΟΣ ΣΑΣ Σ ΣΣ",
    "ab\U0001f600cd 𝐁𝐨𝐥𝐝 𞤀𞤁 ⅧⅧ ǅabc ẞẞß K K",
    "naïve café Ⱥbc ȺȺȺȺȺȺȺȺȺȺ delapanx delapanxx tujuhxx enambelashurufxx",
    "\ud800x yz\udfff abc",
    "rp1.000.000 covid-19 e-KTP foo_bar __ 日本語 العربية กรุงเทพ",
    "abcdefgh ij abcdefghij abcdefgh",
]
SETTINGS = [
    {},
    {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True},
    {"ngram_range": (2, 3), "max_df": 0.1, "max_features": 3000, "norm": "l1", "smooth_idf": False},
    {"norm": None, "use_idf": False, "min_df": 0.001, "max_df": 500},
]


def assert_same(texts: list[str], parameters: dict, others: list[str] | None = None) -> None:
    theirs = ScikitLearnVectorizer(**parameters)
    ours = TfidfVectorizer(**parameters)
    expected, got = theirs.fit_transform(texts), ours.fit_transform(texts)
    assert ours.vocabulary_ == theirs.vocabulary_
    assert list(ours.get_feature_names_out()) == list(theirs.get_feature_names_out())
    np.testing.assert_allclose(ours.idf_, theirs.idf_, atol=1e-12) if ours.use_idf else None
    for a, b in [(expected, got), (theirs.transform(others or texts), ours.transform(others or texts))]:
        assert a.shape == b.shape
        a.sort_indices()
        np.testing.assert_array_equal(a.indptr, b.indptr)
        np.testing.assert_array_equal(a.indices, b.indices)
        np.testing.assert_allclose(a.data, b.data, atol=1e-6)


@pytest.mark.parametrize("parameters", SETTINGS)
def test_equals_scikit_learn_on_the_corpus(corpus_texts, parameters):
    half = len(corpus_texts) // 2
    assert_same(corpus_texts[:half] + ODD_TEXTS, parameters, corpus_texts[half:] + ODD_TEXTS)


@pytest.mark.parametrize("parameters", SETTINGS)
def test_equals_scikit_learn_on_real_articles(gold, parameters):
    assert_same([f"{article['title']}\n{article['text']}" for article in gold], parameters)


@given(
    st.lists(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("ab İΣß \ud800")), max_size=40), min_size=1)
)
@settings(max_examples=200, deadline=None)
def test_equals_scikit_learn_on_any_text(texts):
    # Between a Greek sigma and a Turkish dotted İ in one word, Python's lower case looks further than ours.
    texts = [text if "Σ" not in text else text.replace("İ", "") for text in texts]
    try:
        ScikitLearnVectorizer(ngram_range=(1, 2)).fit(texts)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error)[:16]):
            TfidfVectorizer(ngram_range=(1, 2)).fit(texts)
    else:
        assert_same(texts, {"ngram_range": (1, 2)})


def test_fold_table_holds_every_word_character():
    beyond = "".join(map(chr, range(characters.FOLD_SIZE, sys.maxunicode + 1)))
    assert not any(character.isalnum() for character in beyond)
    longer = [character for character in map(chr, range(sys.maxunicode + 1)) if len(character.lower()) != 1]
    assert longer == [chr(characters.DOTTED_I)]


def test_many_texts_are_the_same_documents_as_few():
    texts = [*ODD_TEXTS, None, "ΟΔΟΣ", "tiga"] * 200
    many, few = Documents.of(texts), [Documents.of([text]) for text in texts]
    assert [many.text(i) for i in range(len(texts))] == [one.text(0) for one in few]
    plain = [text for text in texts if not text or text.isprintable()]
    documents = Documents.of(plain, pages=True)
    assert [documents.text(i) for i in range(len(plain))] == [text or "" for text in plain]


def test_empty_none_and_huge_documents_give_a_row():
    vectorizer = TfidfVectorizer().fit(["satu dua tiga"])
    huge = "dua " * 1_250_000 + "x" * 100_000
    matrix = vectorizer.transform(["", None, huge, "\ud800\udfff", "tiga"])
    assert matrix.shape == (5, 3)
    assert matrix.getnnz(axis=1).tolist() == [0, 0, 1, 0, 1]


def test_arrow_arrays_are_taken_as_they_are():
    texts = ["satu dua", None, "ΟΔΟΣ", "tiga empat dua", "lima"]
    expected = TfidfVectorizer().fit_transform(texts)
    for array in (
        pa.array(texts),
        pa.array(texts, pa.large_string()),
        pa.chunked_array([texts[:2], texts[2:]]),
        pa.array(["lain", *texts, "lain"]).slice(1, 5),
    ):
        got = TfidfVectorizer().fit_transform(array)
        np.testing.assert_array_equal(got.toarray(), expected.toarray())


def test_threads_change_nothing(corpus_texts):
    one, many = (
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, n_jobs=n).fit_transform(corpus_texts * 2) for n in (1, 3)
    )
    assert (one.indices == many.indices).all()
    assert (one.data == many.data).all()


def test_a_series_of_pandas_is_a_column_of_arrow():
    texts = ["satu dua", None, "ΟΔΟΣ", "tiga empat dua"]
    for series in (pd.Series(texts), pd.Series(texts, dtype=object), pd.Series(texts, dtype="string")):
        assert list(Documents.of(series)) == ["satu dua", "", "οδος", "tiga empat dua"]


def test_documents_together_are_the_parts_in_their_order():
    parts = [Documents.of(["satu", ""]), Documents.of([]), Documents.of(pa.array(["x", "dua", "tiga"]).slice(1))]
    together = Documents.together(iter(parts))
    assert list(together) == ["satu", "", "dua", "tiga"]
    assert together.offsets.tolist() == [0, 4, 4, 7, 11]
    assert len(Documents.together([])) == 0


def test_counting_keeps_the_common_terms_where_there_are_too_many(monkeypatch):
    texts = [f"umum {' '.join(f'nama{i}x{j}' for j in range(300))} {'sering' * (i % 2)}" for i in range(400)]
    everything = count_terms(Documents.of(texts), (1, 1))
    monkeypatch.setattr("serve.vectorizer.MAX_TERMS", 1000)
    one, three = (count_terms(Documents.of(texts), (1, 1), n_threads=n) for n in (1, 3))
    assert (one.spelt, one.documents.tolist()) == (three.spelt, three.documents.tolist())
    assert len(everything) == 400 * 300 + 2
    assert len(one) < 40_000
    counts = dict(zip(one.spelt.split(b"\0"), one.documents.tolist(), strict=False))
    assert counts[b"umum"] == 400
    assert counts[b"sering"] == 200
    assert one.occurrences[one.documents == 400].tolist() == [400]


def test_bytes_that_are_no_utf8_end_a_word():
    # Arrow's binary columns may hold anything.
    array = pa.array([b"satu\xffdua", b"tiga\xe2\x82", b"\xf0\x9f", b"empat\xc3"], pa.binary())
    documents = Documents(
        np.frombuffer(array.buffers()[2], np.uint8), np.frombuffer(array.buffers()[1], np.int32).astype(np.int64)
    )
    assert count_terms(documents, (1, 1)).spelt == b"dua\0empat\0satu\0tiga\0"


def test_a_term_is_not_taken_for_one_that_goes_on():
    # Terms are spelt in words of eight bytes: the end of a token must show.
    terms = ["abcdefgh", "abcdefgh ij", "abcdefghij", "abcdefghij kl", "ij"]
    vocabulary = Vocabulary.of(terms)
    vectorizer = TfidfVectorizer.of_vocabulary(vocabulary, np.ones(5), ngram_range=(1, 2), norm=None)
    assert vectorizer.transform(terms).toarray().tolist() == [
        [1, 0, 0, 0, 0], [1, 1, 0, 0, 1], [0, 0, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 1],
    ]  # fmt: skip


def test_a_vocabulary_with_a_term_twice_is_refused():
    with pytest.raises(ValueError, match="'dua' is in the vocabulary twice"):
        Vocabulary.of(["satu", "dua", "dua"])
    with pytest.raises(ValueError, match="no end"):
        Vocabulary.of_bytes(b"satu\0dua")


def test_occurrences_tell_where_terms_stand():
    vectorizer = TfidfVectorizer(ngram_range=(1, 2)).fit(["kerja sama militer"])
    text = "Ékerja KERJA  sama, İ militer kerja"
    found = [
        (vectorizer.terms_.names[term], [text[a:b] for a, b in spans]) for term, spans in vectorizer.occurrences(text)
    ]
    assert found == [
        ("kerja", ["KERJA"]), ("kerja sama", ["KERJA", "sama"]), ("sama", ["sama"]),
        ("sama militer", ["sama", "militer"]), ("militer", ["militer"]), ("kerja", ["kerja"]),
    ]  # fmt: skip


def test_is_an_estimator_of_scikit_learn():
    # What of its checks applies to an estimator of strings.
    with pytest.warns(SkipTestWarning):
        check_estimator(TfidfVectorizer())
    vectorizer = clone(TfidfVectorizer(ngram_range=(1, 2)))
    assert vectorizer.ngram_range == (1, 2)
    assert repr(vectorizer) == "TfidfVectorizer(ngram_range=(1, 2))"
    with pytest.raises(NotFittedError):
        vectorizer.transform(["satu"])
    with pytest.raises(ValueError, match="Invalid parameter 'alpha'"):
        vectorizer.set_params(alpha=1)


@pytest.mark.parametrize(
    ("parameters", "texts", "message"),
    [
        ({"ngram_range": (2, 1)}, ["satu dua"], "ngram_range"),
        ({"norm": "l3"}, ["satu dua"], "norm='l3'"),
        ({"min_df": 3, "max_df": 1}, ["satu dua"], "max_df corresponds"),
        ({"min_df": 2}, ["satu", "dua"], "After pruning"),
        ({}, ["a b"], "empty vocabulary"),
        ({}, "satu dua", "string object"),
    ],
)
def test_wrong_use_is_said_as_scikit_learn_says_it(parameters, texts, message):
    with pytest.raises(ValueError, match=message):
        TfidfVectorizer(**parameters).fit(texts)
