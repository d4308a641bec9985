import numpy as np
import pandas as pd
import pytest

from serve.errors import InputError
from serve.topics import Topic, load_topics
from train.evaluate import evaluate
from train.fit import Settings, choose_taxonomy, cross_fit, fit, have_one_topic, without_dropped
from train.linear import fit_all

WORDS = {
    "bola": "gol wasit penalti kiper liga striker stadion pelatih",
    "uang": "rupiah saham inflasi bank obligasi kurs investor bunga",
    "cuaca": "hujan angin badai mendung kemarau suhu awan petir",
}


def corpus(n: int, topics_of, seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        topics = topics_of(i)
        words = " ".join(WORDS[topic] for topic in topics).split() + "dan yang di ke dari pada untuk dengan".split()
        rows.append({"id": str(i), "title": "", "text": " ".join(generator.choice(words, 12)), "topics": topics})
    return pd.DataFrame(rows)


def one_topic(i: int) -> list[str]:
    return [list(WORDS)[i % 3]]


def taxonomy() -> dict[str, Topic]:
    return {name: Topic(name) for name in WORDS}


def test_single_label_data_makes_a_model_that_answers_with_one():
    model = fit(corpus(90, one_topic), taxonomy())
    assert model.single_label
    unseen = corpus(60, one_topic, seed=1)
    filed = model.file([*unseen["text"], "kata asing belaka", ""])
    assert (filed.assigned.sum(axis=1) == 1).all()
    np.testing.assert_allclose(filed.probabilities.sum(axis=1), 1)
    assert evaluate(model, unseen).metrics["accuracy"] > 0.9


def test_several_topics_one_or_none():
    def topics_of(i: int) -> list[str]:
        return [[], ["bola"], ["uang"], ["bola", "uang"], ["cuaca"]][i % 5]

    model = fit(corpus(250, topics_of), taxonomy())
    assert not model.single_label
    figures = evaluate(model, corpus(100, topics_of, seed=1)).metrics
    assert figures["micro_f1"] > 0.9
    assert "accuracy" not in figures


def test_the_same_data_make_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        fit(corpus(90, one_topic), taxonomy()).save(tmp_path / name)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_a_seed_changes_the_folds_only():
    models = [fit(corpus(90, one_topic), taxonomy(), Settings(seed=seed)) for seed in (0, 1)]
    assert (models[0].weights == models[1].weights).all()
    assert (models[0].calibration != models[1].calibration).any()


def test_a_copy_does_not_tell_what_its_original_is():
    generator = np.random.default_rng(0)
    words = [f"kata{number}" for number in range(400)]
    rows = [
        {"title": "", "text": " ".join(generator.choice(words, 40)), "topics": [list(WORDS)[generator.integers(3)]]}
        for _ in range(60)
    ]
    articles = pd.DataFrame([*rows, *({**row, "text": f"{row['text']} tamat"} for row in rows)])
    model = fit(articles.assign(id=range(120)), taxonomy())
    # Topics drawn by lot cannot be guessed, but where the same article has been learnt.
    assert model.card["out_of_fold_micro_f1"] < 0.6


def test_of_many_articles_few_folds_are_enough(monkeypatch):
    learnt = []
    monkeypatch.setattr(
        "train.fit.fit_all", lambda x, parts, **rest: learnt.append(len(parts)) or fit_all(x, parts, **rest)
    )
    articles, whole = corpus(240, one_topic), []
    # Each of the four folds holds 60 articles out, about 20 of each topic.
    for articles_wanted, positives_wanted in ((20_000, 1), (60, 1), (60, 30), (90, 1), (1, 100)):
        monkeypatch.setattr("train.fit.ENOUGH_ARTICLES", articles_wanted)
        monkeypatch.setattr("train.fit.ENOUGH_POSITIVES", positives_wanted)
        whole.append(fit(articles, taxonomy()))
    assert learnt == [5, 2, 3, 3, 5]
    for model in whole:
        assert (model.weights == whole[0].weights).all()
        assert model.calibration[0, 0] == pytest.approx(whole[0].calibration[0, 0], rel=0.5)


def test_topics_with_too_few_articles_are_named():
    few = corpus(90, lambda i: ["cuaca"] if i < 4 else one_topic(i)[:1] if i % 3 != 2 else ["bola"])
    with pytest.raises(InputError, match=r"fewer than 5 training articles: cuaca \(4\).*--drop-rare"):
        choose_taxonomy(few, None)
    assert list(choose_taxonomy(few, None, drop_rare=True)) == ["bola", "uang"]


def test_articles_of_dropped_topics_alone_are_left_out():
    articles = corpus(6, lambda i: [["bola"], ["uang"], ["cuaca"], [], ["bola", "cuaca"], ["cuaca"]][i])
    assert not have_one_topic(articles)
    assert have_one_topic(articles[:3])
    assert list(without_dropped(articles, {"bola": Topic("bola")})["id"]) == ["0", "3", "4"]


def test_labels_that_the_taxonomy_knows_get_its_names():
    frame = corpus(20, lambda i: [["bola"], ["uang"]][i % 2])
    frame["topics"] = [["football"] if topics == ["bola"] else ["dompet"] for topics in frame["topics"]]
    chosen = choose_taxonomy(frame, None)
    assert chosen == {"dompet": Topic("dompet"), "football": load_topics()["football"]}


def test_one_topic_is_no_taxonomy():
    with pytest.raises(InputError, match="a model needs two"):
        choose_taxonomy(corpus(20, lambda i: ["bola"]), None)


def two_or_one(i: int) -> list[str]:
    return [["bola"], ["uang"], ["bola", "uang"], ["cuaca"]][i % 4]


def test_a_fold_knows_nothing_of_the_topics_held_out():
    articles = corpus(80, two_or_one)
    fitted = cross_fit(articles, taxonomy(), every_fold=True)
    held_out, _ = fitted.folds[0]
    articles["topics"] = [["cuaca"] if i in held_out else topics for i, topics in enumerate(articles["topics"])]
    others = cross_fit(articles, taxonomy(), every_fold=True)
    for i, ((_, before), (_, after)) in enumerate(zip(fitted.fold_models(), others.fold_models(), strict=True)):
        assert (before.weights == after.weights).all() == (i == 0)


def test_every_article_gets_probabilities_of_the_model_that_had_not_seen_it(monkeypatch):
    # Two folds would be enough for a calibration.
    monkeypatch.setattr("train.fit.ENOUGH_ARTICLES", 40)
    monkeypatch.setattr("train.fit.ENOUGH_POSITIVES", 1)
    articles = corpus(80, two_or_one)
    fitted = cross_fit(articles, taxonomy(), every_fold=True)
    found = fitted.probabilities()
    assert found.shape == (80, 3)
    assert sorted(i for rows, _ in fitted.folds for i in rows) == list(range(80))
    for rows, model in fitted.fold_models():
        np.testing.assert_allclose(found[rows], model.predict_proba(articles["text"].iloc[rows].tolist()), atol=1e-5)
    assert len(cross_fit(articles, taxonomy()).folds) == 2


def test_the_model_of_all_articles_is_that_of_fit(tmp_path):
    articles = corpus(80, two_or_one)
    fit(articles, taxonomy()).save(tmp_path / "fit")
    cross_fit(articles, taxonomy(), every_fold=True).model.save(tmp_path / "cross_fit")
    for file in (tmp_path / "fit").iterdir():
        assert file.read_bytes() == (tmp_path / "cross_fit" / file.name).read_bytes()
