"""Trainings on parts of a corpus."""

import numpy as np
import pandas as pd

from serve.topics import Topic
from train.evaluate import Evaluation, evaluate
from train.fit import Settings, fit
from train.learning_curve import learning_curve

WORDS = {
    "bola": "gol wasit penalti kiper liga striker stadion pelatih",
    "uang": "rupiah saham inflasi bank obligasi kurs investor bunga",
    "cuaca": "hujan angin badai mendung kemarau suhu awan petir",
}
TAXONOMY = {topic: Topic(topic) for topic in WORDS}


def corpus(n: int, topics: list[list[str]], seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        given = topics[i % len(topics)]
        words = " ".join(WORDS[topic] for topic in given).split() + "dan yang di ke dari pada untuk".split()
        text = " ".join(generator.choice(words, 12))
        rows.append({"id": f"{seed}-{i}", "title": "", "text": text, "topics": given})
    return pd.DataFrame(rows)


def test_each_part_is_inside_the_next_and_all_are_measured_on_the_same_articles() -> None:
    kinds = [["bola"], ["uang"], ["cuaca"], ["bola", "uang"], [], ["bola"], ["cuaca"]]
    training, testing = corpus(120, kinds), corpus(30, kinds, seed=1)
    seen: list[set[str]] = []

    def measure(part: pd.DataFrame) -> Evaluation:
        seen.append(set(part["id"]))
        return evaluate(fit(part, TAXONOMY, Settings()), testing)

    points = learning_curve(training, [80, 60, 10_000, 500], measure)
    assert [point.articles for point in points] == [60, 80, 120]
    assert [len(part) for part in seen] == [60, 80, 120]
    assert seen[0] < seen[1] < seen[2]
    assert all(point.evaluation.ids == list(testing["id"]) for point in points)
    assert points[-1].evaluation.figures["micro_f1"] > 0.8


def test_a_seed_draws_its_own_parts_and_the_same_at_every_call() -> None:
    training, testing = corpus(40, [["bola"], ["uang"]]), corpus(10, [["bola"], ["uang"]], seed=1)
    model = fit(training, TAXONOMY, Settings())

    def drawn(seed: int) -> list[str]:
        seen: list[str] = []

        def measure(part: pd.DataFrame) -> Evaluation:
            seen.extend(part["id"])
            return evaluate(model, testing)

        learning_curve(training, [20], measure, seed)
        return seen

    assert drawn(0) == drawn(0) != drawn(1)


def test_a_topic_without_training_articles_counts_as_missed() -> None:
    training, testing = corpus(60, [["bola"], ["uang"]]), corpus(30, [["bola"], ["uang"], ["cuaca"]], seed=1)
    (point,) = learning_curve(training, [60], lambda part: evaluate(fit(part, TAXONOMY, Settings()), testing))
    assert point.evaluation.per_topic["cuaca"]["recall"] == 0
    assert point.evaluation.per_topic["cuaca"]["positives"] == 10
    assert point.evaluation.per_topic["bola"]["recall"] == 1
