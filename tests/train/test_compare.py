"""Two models on the same articles: differences with intervals, topics of one only, and the articles that changed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from train.compare import Comparison, micro_f1_difference
from train.evaluate import Evaluation, f1_resampled, micro_f1_resampled

N = 200


def evaluation(topics: list[str], errors: float, seed: int) -> Evaluation:
    """Decisions on the same articles at every call, of which a share is wrong; each topic's truth is its own."""
    truth = np.stack([np.random.default_rng(len(topic)).random(N) < 0.4 for topic in topics], axis=1)
    assigned = truth ^ (np.random.default_rng(seed).random(truth.shape) < errors)
    return Evaluation(topics, [f"a{i}" for i in range(N)], truth, assigned, assigned.astype(float))


def test_topics_are_matched_by_name() -> None:
    before, after = evaluation(["sports", "politik"], 0.3, 1), evaluation(["rail", "politik"], 0.02, 2)
    comparison = Comparison(before, after)
    assert comparison.shared == ["politik"]
    difference = comparison.per_topic["politik"]
    assert difference.before == before.per_topic["politik"]["f1"]
    assert difference.after == after.per_topic["politik"]["f1"]
    assert 0 < difference.low < difference.after - difference.before < difference.high
    assert comparison.overall == difference
    summary = json.loads(json.dumps(comparison.summary()))
    assert list(summary["only_before"]) == ["sports"] and list(summary["only_after"]) == ["rail"]
    table = comparison.table()
    assert "only after" in table and "only before" in table and "articles are filed otherwise" in table


def test_the_same_decisions_differ_by_nothing() -> None:
    one = evaluation(["politik", "rail"], 0.1, 1)
    comparison = Comparison(one, replace(one, topics=["politik", "rail"]))
    assert (comparison.overall.low, comparison.overall.high, comparison.overall.worse) == (0, 0, 0)
    assert comparison.changes == []


def test_changes_name_the_topics_before_and_after() -> None:
    before = evaluation(["politik", "rail"], 0, 1)
    assigned = before.assigned.copy()
    assigned[3] = [not before.assigned[3, 0], before.assigned[3, 1]]
    (change,) = Comparison(before, replace(before, assigned=assigned)).changes
    assert change.id == "a3"
    assert set(change.before) ^ set(change.after) == {"politik"}
    assert set(change.truth) == set(change.before)


def test_topics_in_another_order_are_no_change() -> None:
    before = evaluation(["politik", "rail"], 0.1, 1)
    assert Comparison(before, before.of_topics(["rail", "politik"])).changes == []


def test_resamples_of_one_topic_are_those_of_all() -> None:
    one = evaluation(["politik"], 0.2, 1)
    assert np.allclose(f1_resampled(one)[:, 0], micro_f1_resampled(one))


def test_other_articles_are_refused() -> None:
    one = evaluation(["politik"], 0.2, 1)
    with pytest.raises(ValueError, match="same articles"):
        micro_f1_difference(one, replace(one, ids=one.ids[::-1]))


def test_models_without_a_topic_in_common_are_told_apart() -> None:
    comparison = Comparison(evaluation(["sports"], 0.1, 1), evaluation(["rail"], 0.1, 2))
    assert comparison.summary()["micro_f1"] is None
    assert "0 topics in both" in comparison.table()
