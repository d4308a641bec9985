import numpy as np
import pytest
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_extraction.text import TfidfVectorizer as ScikitLearnVectorizer

from serve.errors import InputError
from serve.vectorizer import Documents
from train.background import Background
from train.features import learn_features

TEXTS = ["kerja sama pertahanan", "kerja keras petani", "sama saja", "kerja sama"]
SETTINGS = {"ngram_max": 2, "min_df": 1, "max_df": 1.0}


def background() -> Background:
    return Background(
        terms=["alutsista", "kerja", "kerja sama", "pertahanan"],
        documents=np.array([5, 50, 10, 20], np.int32),
        n_documents=100,
        codes=np.array([[127, 0], [0, 127], [0, 0], [64, 0]], np.int8),
        scales=np.array([1 / 127, 1 / 127, 0, 1 / 127], np.float32),
        profiles=csr_matrix(np.array([[0.6, 0.8, 0, 0]], np.float32)),
    )


def test_without_background_terms_and_idf_are_those_of_scikit_learn():
    features = learn_features(Documents.of(TEXTS), **SETTINGS)
    theirs = ScikitLearnVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    x, z = features.rows(Documents.of(TEXTS))
    np.testing.assert_allclose(x.toarray(), theirs.fit_transform(TEXTS).toarray(), atol=1e-6)
    assert features.vectorizer.terms_.names == list(theirs.get_feature_names_out())
    assert z.shape == (4, 0)


def test_a_background_brings_words_and_adds_up_the_frequencies():
    features = learn_features(Documents.of(TEXTS), **SETTINGS, background=background(), phrases={"latihan gabungan"})
    idf = dict(zip(features.vectorizer.terms_.names, features.vectorizer.idf_, strict=True))
    assert idf["alutsista"] == pytest.approx(np.log(105 / 6) + 1)
    assert idf["kerja"] == pytest.approx(np.log(105 / 54) + 1)
    assert idf["kerja sama"] == pytest.approx(np.log(105 / 13) + 1)
    assert idf["latihan gabungan"] == pytest.approx(np.log(105 / 1) + 1)


def test_folded_weights_say_what_both_rows_say():
    features = learn_features(Documents.of(TEXTS), **SETTINGS, background=background(), latent_scale=0.7)
    generator = np.random.default_rng(0)
    sparse = generator.normal(size=(features.vectors.shape[0], 3))
    dense = generator.normal(size=(2, 3))
    x, z = features.rows(Documents.of([*TEXTS, "alutsista pertahanan"]))
    np.testing.assert_allclose(x @ features.folded(sparse, dense), x @ sparse + z @ dense, atol=1e-5)


def test_a_word_that_no_article_holds_gets_the_weight_of_its_neighbours():
    features = learn_features(Documents.of(TEXTS), **SETTINGS, background=background())
    _x, z = features.rows(Documents.of(TEXTS))
    dense = np.linalg.lstsq(z, np.array([[1.0], [-1.0], [-1.0], [0.0]]), rcond=None)[0]
    weights = features.folded(np.zeros((features.vectors.shape[0], 1)), dense)
    names = features.vectorizer.terms_.names
    assert weights[names.index("alutsista"), 0] > 0


def test_profiles_stand_in_the_columns_of_their_terms():
    features = learn_features(Documents.of(TEXTS), **SETTINGS, background=background())
    names = features.vectorizer.terms_.names
    profile = features.profiles.toarray()[0]
    assert {names[i]: pytest.approx(profile[i]) for i in profile.nonzero()[0]} == {"alutsista": 0.6, "kerja": 0.8}


def test_rows_of_all_parts_stand_one_under_the_other():
    features = learn_features(Documents.of(TEXTS), **SETTINGS, background=background())
    parts = [Documents.of(TEXTS), Documents.of([]), Documents.of(["alutsista kerja", "", "petani sama"])]
    x, z = features.rows(*parts, others=[features.profiles])
    expected = vstack([*map(features.vectorizer.transform, parts), features.profiles]).toarray()
    np.testing.assert_array_equal(x.toarray(), expected)
    np.testing.assert_allclose(z, expected @ features.vectors, atol=1e-6)


def test_articles_without_a_word_in_common_are_refused_with_a_sentence():
    with pytest.raises(InputError, match=r"^No word is in 2 or more of the 2 articles"):
        learn_features(Documents.of(["kerja", "sama"]), ngram_max=1, min_df=2, max_df=1.0)
