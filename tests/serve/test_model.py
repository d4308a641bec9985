import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from mmap import mmap

import numpy as np
import pandas as pd
import pytest

from serve.errors import InputError, ModelError
from serve.model import TopicModel, compose, compose_all, mostly_unknown
from serve.model_files import CARD, VOCABULARY, WEIGHTS
from serve.paths import ROOT
from serve.vectorizer import Documents

TITLE = "Dua Presiden Teken Perjanjian Pertahanan"
TEXT = """JAKARTA, KABARKITA.COM - Presiden menyambut tamunya di Istana Merdeka dalam kunjungan kenegaraan.

BACA JUGA: Harga Beras Naik Jelang Lebaran

Keduanya meneken perjanjian kerja sama pertahanan yang mencakup latihan militer bersama. (abc/def)"""
ENGLISH = "The two presidents signed a defence agreement that had been in the making for more than three years."
UNKNOWN = "Wexlot brimfa dulyx kroptan vesk molfin trazzo quibbel hant flimsor gruxo plendig zorbat."


def test_what_is_saved_is_what_is_loaded(embedded_model, tmp_path):
    embedded_model.save(tmp_path / "model")
    again = TopicModel.load(tmp_path / "model")
    assert again.version == embedded_model.version
    assert again.card == embedded_model.card
    assert again.taxonomy == embedded_model.taxonomy
    np.testing.assert_array_equal(again.decision_function([TEXT]), embedded_model.decision_function([TEXT]))
    again.save(tmp_path / "again")
    for name in (CARD, VOCABULARY, WEIGHTS):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "model" / name).read_bytes()


def test_one_text_and_many(embedded_model):
    one = embedded_model.predict(TEXT, TITLE)
    assert "security_pact" in one
    assert embedded_model.predict([TEXT, "", None], [TITLE, None, ""]) == [one, [], []]
    probabilities = embedded_model.predict_proba([TEXT], [TITLE])
    assert probabilities.shape == (1, len(embedded_model.topics))
    filed = embedded_model.file([TEXT], [TITLE])
    assert [topic for topic, _ in filed.topics(0)] == one
    assert sorted((p for _, p in filed.topics(0)), reverse=True) == [p for _, p in filed.topics(0)]


MISSING = [None, float("nan"), pd.NA, pd.NaT, np.float32("nan")]


@pytest.mark.parametrize("missing", MISSING, ids=repr)
def test_what_is_missing_is_no_text_and_no_title(embedded_model, missing):
    text = "Timnas menang lewat gol penalti"
    alone = embedded_model.predict(text)
    assert embedded_model.predict([text, missing]) == [alone, []]
    assert embedded_model.predict([missing]) == [[]]
    assert embedded_model.predict([text], [missing]) == [alone]
    assert embedded_model.predict([text, text], [missing, "Gol"])[0] == alone
    assert embedded_model.predict(text, missing) == alone
    assert embedded_model.predict([text] * 3000 + [missing])[-2:] == [alone, []]
    assert embedded_model.predict(pd.Series([text, missing], [7, 9], object)) == [alone, []]
    assert embedded_model.file([text], pd.Series([missing], [9])).names == embedded_model.topics


@pytest.mark.parametrize("wrong", [5, 0, 1.5, False, [], ["a"]], ids=repr)
def test_what_is_no_text_is_named_with_its_place(embedded_model, wrong):
    found = re.escape(f"expected a string, or None where there is none, found {type(wrong).__name__}.")
    for texts, place in (([wrong], 0), (["a", wrong], 1), (["a"] * 3000 + [wrong], 3000), (iter(["a", wrong]), 1)):
        with pytest.raises(TypeError, match=rf"^texts\[{place}\]: {found}$"):
            embedded_model.predict(texts)
    for titles in ([wrong], wrong):
        with pytest.raises(TypeError, match=rf"^titles\[0\]: {found}$"):
            embedded_model.predict("a" if titles is wrong else ["a"], titles)


def test_a_table_is_no_column_of_texts(embedded_model):
    for table in (pd.DataFrame({"isi": ["a"]}), np.array([["a"]])):
        with pytest.raises(ValueError, match=r"^texts: expected one column, found a table"):
            embedded_model.predict(table)


def test_figures_of_one_text_are_a_row(embedded_model):
    text, title = "Timnas menang lewat gol penalti", "Timnas"
    for figures in (embedded_model.predict_proba, embedded_model.decision_function):
        assert figures(text, title).tolist() == figures([text], [title])[0].tolist()
        assert figures(text).shape == (len(embedded_model.topics),)


def test_a_model_is_shown_on_one_line(embedded_model):
    n = len(embedded_model.vectorizer.terms_.names)
    assert repr(embedded_model) == (
        f"<TopicModel {embedded_model.version}: {len(embedded_model.topics)} topics, {n} terms>"
    )


def test_scores_are_the_rows_times_the_weights(embedded_model, corpus_texts):
    rows = embedded_model.vectorizer.transform(corpus_texts[:200])
    from serve.vectorizer import Documents

    scores = embedded_model.scores(Documents.of(corpus_texts[:200]))
    np.testing.assert_allclose(scores, rows @ embedded_model.weights + embedded_model.bias, atol=1e-5)


def test_an_explanation_adds_up_and_points_at_the_words(embedded_model):
    explanation = embedded_model.explain(TEXT, TITLE)
    assert [topic.topic for topic in explanation.topics] == embedded_model.predict(TEXT, TITLE)
    given = {"title": TITLE, "text": TEXT}
    for topic in explanation.topics:
        assert topic.score == pytest.approx(topic.bias + sum(c.value for c in topic.contributions), abs=1e-5)
        assert topic.assigned
        for contribution in topic.contributions:
            words = contribution.term.split(" ")
            for span in contribution.spans:
                assert given[span.field][span.start : span.end].lower() in words
    (pact,) = (topic for topic in explanation.topics if topic.topic == "security_pact")
    terms = {contribution.term: contribution for contribution in pact.contributions}
    assert terms["pertahanan"].value > 0
    assert {span.field for span in terms["pertahanan"].spans} == {"title", "text"}
    assert "beras" not in terms
    assert any("BACA JUGA" in TEXT[removed.start : removed.end] for removed in explanation.removed)


def test_an_explanation_of_the_strongest_words(embedded_model):
    whole, part = embedded_model.explain(TEXT, TITLE), embedded_model.explain(TEXT, TITLE, words=3)
    for topic, short in zip(whole.topics, part.topics, strict=True):
        assert len(topic.contributions) == whole.terms == part.terms > 3
        assert short == replace(topic, contributions=topic.contributions[:3])


def test_explains_a_topic_that_was_not_assigned(embedded_model):
    (football,) = embedded_model.explain(TEXT, TITLE, ["football"]).topics
    assert football.topic == "football"
    assert not football.assigned
    (likeliest,) = embedded_model.explain("").topics
    assert not likeliest.assigned
    assert likeliest.contributions == ()


def test_explains_without_a_title_and_names_the_nearest_topics(embedded_model):
    text = "Timnas menang lewat gol penalti"
    assert embedded_model.explain(text, None) == embedded_model.explain(text)
    with pytest.raises(InputError, match=r"^'bola' is none of the model's topics; nearest: football"):
        embedded_model.explain(text, topics=["bola"])
    with pytest.raises(InputError, match=r"^'zzzz' is none of the model's topics; they are \w+, "):
        embedded_model.explain(text, topics=["zzzz"])


def test_spans_survive_odd_characters(embedded_model):
    title = "“Kunjungan\u200b kenegaraan” ½ &amp; ﬁnal"
    text = "İstana\xa0Merdeka &ndash; kunjungan\u00ad kenegaraan ΟΔΟΣ presiden"
    explanation = embedded_model.explain(text, title, ["state_visit"])
    found = {
        contribution.term: {
            (span.field, {"title": title, "text": text}[span.field][span.start : span.end])
            for span in contribution.spans
        }
        for contribution in explanation.topics[0].contributions
    }
    assert ("title", "Kunjungan") in found["kunjungan"]
    assert ("text", "presiden") in found["presiden"]
    assert {field for field, _ in found["kenegaraan"]} == {"title", "text"}


def test_what_an_answer_is_worth_is_noted(embedded_model):
    model = replace(embedded_model, uncertain_below=0.0)
    filed = model.file([TEXT, "", None, "(!)", ENGLISH, UNKNOWN], [TITLE, *[None] * 5])
    assert filed.notes == ["", "empty", "empty", "empty", "not Indonesian: English", "mostly unknown words"]
    assert model.explain(ENGLISH).note == "not Indonesian: English"
    sceptic = replace(model, uncertain_below=1e6)
    assert sceptic.version != model.version
    notes = sceptic.file([TEXT, "", ENGLISH + UNKNOWN * 3]).notes
    assert notes == ["uncertain", "empty", "uncertain; not Indonesian: English; mostly unknown words"]


def test_what_cannot_be_read_has_no_topic(embedded_model):
    eager = embedded_model.with_thresholds(np.full(len(embedded_model.topics), 1e-9))
    texts = [TEXT, ENGLISH, "", UNKNOWN]
    assert [bool(topics) for topics in eager.predict(texts)] == [True, True, False, False]
    assert not eager.explain(UNKNOWN).topics[0].assigned
    assert all(len(topics) == 1 for topics in replace(eager, single_label=True).predict(texts))


def test_confidence_is_the_smallest_distance_to_a_decision(embedded_model):
    texts = [TEXT, "Timnas menang lewat gol penalti", ""]
    model = embedded_model.with_thresholds(np.linspace(0, 1, len(embedded_model.topics)))
    filed = model.file(texts)
    with np.errstate(divide="ignore"):
        distances = np.abs(
            np.log(filed.probabilities / (1 - filed.probabilities)) - np.log(model.thresholds / (1 - model.thresholds))
        )
    np.testing.assert_allclose(filed.confidence, distances.min(axis=1), rtol=1e-6)
    single = replace(model, single_label=True)
    filed = single.file(texts)
    ordered = np.sort(np.log(filed.probabilities), axis=1)
    np.testing.assert_allclose(filed.confidence, ordered[:, -1] - ordered[:, -2], rtol=1e-6)


def test_few_words_have_to_be_all_unknown():
    words, known = np.array([0, 3, 4, 5, 8, 100, 100]), np.array([0, 0, 0, 0, 2, 39, 40])
    assert mostly_unknown(words, known).tolist() == [False, False, False, True, False, True, False]


def test_known_words_are_counted_as_words(embedded_model):
    from serve.vectorizer import Documents

    texts = ["Presiden presiden wexlot, kunjungan kenegaraan", "", "x", "brimfa"]
    _, words, known = embedded_model._scored(Documents.of(texts))
    assert words.tolist() == [5, 0, 0, 1]
    assert known.tolist() == [4, 0, 0, 0]


@pytest.fixture
def copy(embedded_model_folder, tmp_path):
    return shutil.copytree(embedded_model_folder, tmp_path / "copy")


@pytest.mark.parametrize("name", [CARD, VOCABULARY, WEIGHTS])
@pytest.mark.parametrize("damage", ["missing", "truncated", "altered"])
def test_a_damaged_model_is_refused_with_a_sentence(copy, name, damage):
    file = copy / name
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    else:
        middle = content.index(b"0", len(content) // 2)
        file.write_bytes(content[:middle] + b"1" + content[middle + 1 :])
    with pytest.raises(ModelError, match=str(copy)):
        TopicModel.load(copy)


def test_a_newer_format_is_refused(copy):
    card = json.loads((copy / CARD).read_text())
    (copy / CARD).write_text(json.dumps({**card, "format": 99}))
    with pytest.raises(ModelError, match=r"format 99.*upgrade Kanal or retrain"):
        TopicModel.load(copy)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no such model folder"):
        TopicModel.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"holds no model\.json"):
        TopicModel.load(tmp_path)


def test_weights_that_do_not_fit_are_refused(embedded_model, tmp_path):
    for wrong in (
        replace(embedded_model, weights=embedded_model.weights[:-1]),
        replace(embedded_model, bias=embedded_model.bias * np.float32("nan")),
        replace(embedded_model, thresholds=embedded_model.thresholds.astype(np.float32)),
    ):
        wrong.save(tmp_path / "model")
        with pytest.raises(ModelError, match=r"not a usable model.*(expected finite|holds figures)"):
            TopicModel.load(tmp_path / "model")


def test_all_articles_are_composed_as_one_is(corpus_texts):
    texts = [
        *corpus_texts[:50],
        "",
        "&amp; Caf\u0065\u0301 \u00c3\u00a9 &hellip;",
        "ΟΔΟΣ",
        "\ud800 setengah",
        "BACA JUGA: Lain",
    ]
    titles = ["Judul: ½ kg", "", "\u200b", "ΟΔΟΣ &eacute;", *["Judul"] * (len(texts) - 4)]
    expected = Documents.of([compose(title, text, 2) for title, text in zip(titles, texts, strict=True)])
    for many in (compose_all(texts, titles, 2), compose_all(pd.Series(texts[:53]), pd.Series(titles[:53]), 2)):
        assert list(many) == list(expected)[: len(many)]
    assert list(compose_all([None, "halo"], None, 2)) == ["", "halo"]


def test_the_weights_stay_in_their_file_which_may_be_replaced_meanwhile(copy):
    model = TopicModel.load(copy)
    base = model.weights
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base.obj if isinstance(base, memoryview) else base, mmap)
    version, probabilities = model.version, model.predict_proba([TEXT], [TITLE])
    replace(model, weights=model.weights * 0).save(copy)
    assert TopicModel.load(copy).version != version
    shutil.rmtree(copy)
    assert model.version == version
    np.testing.assert_array_equal(model.predict_proba([TEXT], [TITLE]), probabilities)


def test_importing_is_light():
    heavy = "sklearn pandas mlflow datasets scipy.sparse matplotlib joblib torch".split()
    for module in ("kanal", "serve.model", "serve.batch"):
        code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
        out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert out.stdout.strip() == "[]"


def test_prediction_loads_nothing_heavy(embedded_model_folder):
    code = (
        "import sys, kanal; model = kanal.load(sys.argv[1]); model.predict('Presiden tiba'); model.explain('Presiden tiba');"
        "print([m for m in 'sklearn pandas mlflow datasets scipy.sparse matplotlib'.split() if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(embedded_model_folder)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip() == "[]"
