"""Trainings on parts of a corpus."""

import numpy as np
import pandas as pd

from serve.model import TopicModel
from serve.topics import Topic
from train.fit import Settings, fit
from train.learning_curve import learning_curve

WORDS = {
    "bola": "gol wasit penalti kiper liga striker stadion pelatih",
    "uang": "rupiah saham inflasi bank obligasi kurs investor bunga",
    "cuaca": "hujan angin badai mendung kemarau suhu awan petir",
}


def corpus(n: int, topics: list[list[str]], seed: int = 0) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        given = topics[i % len(topics)]
        words = " ".join(WORDS[topic] for topic in given).split() + "dan yang di ke dari pada untuk".split()
        text = " ".join(generator.choice(words, 12))
        rows.append({"id": str(i), "title": "", "text": text, "topics": given, "split": "train" if i % 5 else "test"})
    return pd.DataFrame(rows)


def test_each_part_is_inside_the_next_and_all_are_measured_on_the_same_articles() -> None:
    articles = corpus(150, [["bola"], ["uang"], ["cuaca"], ["bola", "uang"], [], ["bola"], ["cuaca"]])
    seen: list[set[str]] = []

    def recorded(part: pd.DataFrame, taxonomy: dict[str, Topic], settings: Settings) -> TopicModel:
        seen.append(set(part["id"]))
        return fit(part, taxonomy, settings)

    taxonomy = {topic: Topic(topic) for topic in WORDS}
    points = learning_curve(articles, taxonomy, Settings(), [80, 60, 10_000, 500], fit=recorded)
    assert [point.articles for point in points] == [60, 80, 120]
    assert [len(part) for part in seen] == [60, 80, 120]
    assert seen[0] < seen[1] < seen[2]
    assert all(point.evaluation.ids == points[0].evaluation.ids for point in points)
    assert not seen[2] & set(points[0].evaluation.ids)
    assert points[-1].evaluation.figures["micro_f1"] > 0.8


def test_a_topic_that_is_too_rare_yet_counts_as_missed() -> None:
    training = corpus(60, [["bola"], ["uang"]])
    testing = corpus(30, [["bola"], ["uang"], ["cuaca"]], seed=1)
    taxonomy = {topic: Topic(topic) for topic in ("cuaca", "bola", "uang")}
    (point,) = learning_curve(training, taxonomy, Settings(), [60], testing=testing)
    assert point.evaluation.topics == ["cuaca", "bola", "uang"]
    assert point.evaluation.per_topic["cuaca"] == {
        "precision": 0, "recall": 0, "f1": 0, "positives": 10, "average_precision": 1 / 3,
    }  # fmt: skip
    assert point.evaluation.per_topic["bola"]["recall"] == 1
