"""The figures against scikit-learn's, their intervals, and how sure a model is of an article."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score

from serve.model import TopicModel
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer
from train.evaluate import Evaluation, evaluate, micro_f1_resampled


def evaluation(n: int = 200, k: int = 5, seed: int = 0) -> Evaluation:
    generator = np.random.default_rng(seed)
    truth = generator.random((n, k)) < 0.3
    probabilities = np.clip(truth * 0.4 + generator.random((n, k)) * 0.6, 0, 1)
    thresholds = np.linspace(0.4, 0.6, k)
    topics = [f"topik {j}" for j in range(k)]
    ids = [str(i) for i in range(n)]
    return Evaluation(topics, ids, truth, probabilities >= thresholds, probabilities, thresholds=thresholds)


def test_figures_are_those_of_scikit_learn() -> None:
    found = evaluation()
    pair = found.truth, found.assigned
    assert found.metrics["micro_f1"] == pytest.approx(f1_score(*pair, average="micro"))
    assert found.metrics["macro_f1"] == pytest.approx(f1_score(*pair, average="macro"))
    assert found.metrics["precision"] == pytest.approx(precision_score(*pair, average="micro"))
    assert found.metrics["recall"] == pytest.approx(recall_score(*pair, average="micro"))
    assert found.metrics["subset_accuracy"] == pytest.approx((found.truth == found.assigned).all(axis=1).mean())
    for j, row in enumerate(found.per_topic.values()):
        assert row == {
            "precision": pytest.approx(precision_score(found.truth[:, j], found.assigned[:, j])),
            "recall": pytest.approx(recall_score(found.truth[:, j], found.assigned[:, j])),
            "f1": pytest.approx(f1_score(found.truth[:, j], found.assigned[:, j])),
            "positives": found.truth[:, j].sum(),
            "average_precision": pytest.approx(average_precision_score(found.truth[:, j], found.probabilities[:, j])),
        }


def test_intervals_hold_the_figures_and_are_the_same_twice() -> None:
    one, two = evaluation().metrics, evaluation().metrics
    assert one == two
    for name, (low, high) in one["intervals"].items():
        assert low < one[name] < high
    small, large = (evaluation(n).metrics["intervals"]["micro_f1"] for n in (50, 800))
    assert large[1] - large[0] < small[1] - small[0]


def test_resampled_figures_of_the_same_articles_can_be_compared() -> None:
    found = evaluation()
    perfect = Evaluation(found.topics, found.ids, found.truth, found.truth, found.probabilities)
    assert (micro_f1_resampled(perfect) == 1).all()
    np.testing.assert_allclose(
        np.percentile(micro_f1_resampled(found), [2.5, 97.5]), found.metrics["intervals"]["micro_f1"]
    )


def test_macro_f1_leaves_out_topics_with_few_articles() -> None:
    truth = np.zeros((20, 2), bool)
    truth[:10, 0], truth[:4, 1] = True, True
    assigned = truth.copy()
    assigned[:, 1] = False
    assert Evaluation(["a", "b"], [*"abcdefghijklmnopqrst"], truth, assigned, truth * 1.0).metrics["macro_f1"] == 1


def test_the_interval_of_macro_f1_is_of_the_same_topics_as_macro_f1() -> None:
    # Of 40 articles ten have a topic that is always found; one topic has five, and one four, neither ever found.
    truth = np.zeros((40, 3), bool)
    truth[:10, 0], truth[10:15, 1], truth[15:19, 2] = True, True, True
    found = Evaluation(["a", "b", "c"], [str(i) for i in range(40)], truth, truth & [True, False, False], truth * 1.0)
    assert found.metrics["macro_f1"] == 0.5
    # (1 + 0) / 2 in each resample, however many articles of the topics are in it.
    assert found.metrics["intervals"]["macro_f1"] == [0.5, 0.5]


def test_the_interval_of_no_macro_f1_is_none_where_resamples_would_have_one() -> None:
    truth = np.zeros((9, 2), bool)
    truth[:4, 0], truth[4:8, 1] = True, True
    found = Evaluation(["a", "b"], [*"abcdefghi"], truth, truth, truth * 1.0)
    assert found.metrics["macro_f1"] is None
    assert found.metrics["intervals"]["macro_f1"] == [None, None]


@pytest.mark.parametrize("n", [0, 4])
def test_where_no_topic_counts_macro_f1_is_none_and_the_figures_are_json(n: int) -> None:
    nothing = np.zeros((n, 2), bool)
    found = Evaluation(["a", "b"], [*"abcd"[:n]], nothing, nothing, np.zeros((n, 2)))
    assert found.metrics["macro_f1"] is None
    assert found.metrics["intervals"]["macro_f1"] == [None, None]
    assert "average_precision" not in found.per_topic["a"]
    assert "NaN" not in json.dumps(found.metrics)
    assert "macro" not in found.table()


def test_single_label_data_have_an_accuracy() -> None:
    truth, assigned = np.eye(3, dtype=bool), np.eye(3, dtype=bool)[[0, 1, 1]]
    probabilities = np.array([[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3]])
    found = Evaluation(["a", "b", "c"], ["1", "2", "3"], truth, assigned, probabilities, single_label=True)
    assert found.metrics["accuracy"] == found.metrics["subset_accuracy"] == pytest.approx(2 / 3)
    # As far as the likeliest topic is from the next one.
    np.testing.assert_allclose(found.confidence, np.log([0.7 / 0.2, 0.5 / 0.3, 0.6 / 0.3]))
    assert ((found.margins > 0) == assigned).all()


def test_an_article_is_as_sure_as_its_least_sure_topic() -> None:
    probabilities = np.array([[0.9, 0.5], [0.21, 0.99], [0.0, 1.0]])
    thresholds = np.array([0.5, 0.2])
    found = Evaluation(["a", "b"], ["1", "2", "3"], probabilities > 1, probabilities >= thresholds, probabilities,
                       thresholds=thresholds)  # fmt: skip
    # logit(0.5) - logit(0.2) = log 4; logit(0.5) - logit(0.21) = log(79 / 21).
    np.testing.assert_allclose(found.confidence[:2], np.log([4, 79 / 21]))
    assert np.isfinite(found.confidence[2])
    assert ((found.margins >= 0) == found.assigned).all()
    assert found.surest(2 / 3).ids == ["3", "1"]


def test_precision_at_coverage_leaves_out_the_least_certain() -> None:
    truth = np.array([[True]] * 9 + [[False]])
    probabilities = np.array([[0.9]] * 9 + [[0.51]])
    found = Evaluation(["a"], [str(i) for i in range(10)], truth, probabilities >= 0.5, probabilities)
    assert found.metrics["precision"] == pytest.approx(0.9)
    assert found.metrics["precision_at_90_coverage"] == found.precision_at_coverage(0.9) == 1
    assert found.precision_at_coverage(1) == pytest.approx(0.9)
    assert found.metrics["calibration_error"] == pytest.approx(0.9 * 0.1 + 0.1 * 0.51)


def test_part_keeps_what_belongs_together() -> None:
    found = evaluation()
    rows = found.truth[:, 0]
    part = found.part(rows)
    assert part.ids == [name for name, kept in zip(found.ids, rows, strict=True) if kept]
    assert part.truth[:, 0].all()
    assert part.figures["recall"] == pytest.approx(recall_score(part.truth, part.assigned, average="micro"))


def test_a_model_is_measured_with_its_thresholds_and_unknown_labels_count_for_nothing() -> None:
    model = TopicModel(
        taxonomy={topic: Topic(topic) for topic in ("olahraga", "politik")},
        vectorizer=TfidfVectorizer(dtype=np.float32).fit(["bola presiden"]),
        weights=np.array([[4, 0], [0, 5]], np.float32),
        bias=np.full(2, -1, np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
        thresholds=np.array([0.5, 0.6]),
    )
    articles = pd.DataFrame(
        {"id": ["1", "2"], "title": ["", "Presiden"], "text": ["Bola masuk.", "Ia tiba."],
         "topics": [["olahraga", "cuaca"], ["politik"]]}
    )  # fmt: skip
    found = evaluate(model, articles)
    assert found.metrics["micro_f1"] == 1
    assert found.thresholds is model.thresholds
    assert "micro-F1" in found.table() and "precision at 90% coverage" in found.table()
