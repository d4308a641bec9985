"""What the background brings where every article has one label and labels are few: a learning curve.

    python -m benchmarks.few_labels [--test dev.jsonl] [--plot curve.png]

The articles of the corpus that have exactly one topic stand for somebody's own labelled CSV; no lexicon helps. They are
measured on those of the test split, and on those of another labelled file where one is given. Plain scikit-learn sees
the same text as it came. Every way learns all topics, however few articles they have. Prints Markdown tables.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from serve.model import TopicModel
from serve.topics import load_topics
from train.background import Background
from train.charts import draw, learning_curves
from train.corpus import label_matrix, load_corpus, split_corpus
from train.evaluate import Evaluation, evaluate
from train.experiment import EMBEDDED_CORPUS, load_background
from train.fit import Settings, fit
from train.learning_curve import Point, learning_curve
from train.tune import tune

FEW = (100, 250, 500, 1000)
SEEDS = (0, 1, 2)
TOPICS = load_topics()

# From training articles, settings and test articles to how these are filed.
Way = Callable[[pd.DataFrame, Settings, pd.DataFrame], Evaluation]


def single_label(corpus: pd.DataFrame) -> pd.DataFrame:
    """The articles that have exactly one topic."""
    return corpus[corpus["topics"].map(len) == 1].reset_index(drop=True)


def scikit_learn(training: pd.DataFrame, settings: Settings, testing: pd.DataFrame) -> Evaluation:
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    model = make_pipeline(vectorizer, LinearSVC(random_state=settings.seed))
    model.fit(training["title"] + "\n" + training["text"], training["topics"].str[0])
    names = list(TOPICS)
    found = label_matrix([[topic] for topic in model.predict(testing["title"] + "\n" + testing["text"])], names)
    truth = label_matrix(testing["topics"], names)
    return Evaluation(names, list(testing["id"]), truth, found, found.astype(float), single_label=True)


def kanal(background: Background | None) -> Way:
    def way(training: pd.DataFrame, settings: Settings, testing: pd.DataFrame) -> Evaluation:
        return evaluate(fit(training, TOPICS, settings, background=background), testing)

    return way


def curve(way: Way, training: pd.DataFrame, testing: pd.DataFrame) -> list[Point]:
    """A point for each size in FEW, the draws of all seeds together, and one for all articles."""

    def drawn(sizes: Sequence[int], seed: int) -> list[Point]:
        return learning_curve(training, sizes, lambda part: way(part, Settings(seed=seed), testing), seed)

    few = [drawn(FEW, seed) for seed in SEEDS]
    return [_together(points) for points in zip(*few, strict=True)] + drawn([len(training)], 0)


def _together(points: Sequence[Point]) -> Point:
    """The decisions of trainings on as many articles as one evaluation, whose accuracy is the mean of theirs."""
    parts = [point.evaluation for point in points]
    whole = Evaluation(
        parts[0].topics,
        [article for part in parts for article in part.ids],
        np.vstack([part.truth for part in parts]),
        np.vstack([part.assigned for part in parts]),
        np.vstack([part.probabilities for part in parts]),
        single_label=True,
    )
    return Point(points[0].articles, whole)


def _of(name: str, point: Point, source: dict[str, str]) -> Point:
    """The point on the articles of one source alone."""
    return Point(point.articles, point.evaluation.part(np.array([source[i] == name for i in point.evaluation.ids])))


def _shown(evaluation: Evaluation) -> str:
    """Accuracy, and macro-F1 over all topics that the articles have."""
    f1 = [row["f1"] for row in evaluation.per_topic.values() if row["positives"]]
    return f"{evaluation.figures['subset_accuracy']:.3f} / {np.mean(f1):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", metavar="FILE", help="labelled articles to measure on as well")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="the PNG file to draw the first table's curves to")
    arguments = parser.parse_args()

    training, testing = map(single_label, split_corpus(load_corpus([EMBEDDED_CORPUS])))
    sets = {"the corpus' own test split": testing}
    if arguments.test:
        sets[Path(arguments.test).name] = single_label(load_corpus([arguments.test]))
    source = {article: name for name, articles in sets.items() for article in articles["id"]}
    testing = pd.concat(sets.values(), ignore_index=True)
    background = load_background(None)
    ways = {"scikit-learn": scikit_learn, "Kanal, no background": kanal(None), "Kanal": kanal(background)}
    curves = {name: curve(way, training, testing) for name, way in ways.items()}

    def learn(settings: Settings) -> TopicModel:
        return fit(training, TOPICS, settings, background=background)

    begin = time.perf_counter()
    learn(Settings())
    once = time.perf_counter() - begin
    settings, tried = tune(learn, Settings())
    seconds = time.perf_counter() - begin - once
    tuned = Point(len(training), evaluate(learn(settings), testing))

    for name, articles in sets.items():
        print(
            f"\n{name}: {len(articles)} articles of {articles['topics'].str[0].nunique()} topics; accuracy / macro-F1\n"
        )
        print("| training articles | " + " | ".join(ways) + " |\n|" + "---|" * (1 + len(ways)))
        for row in zip(*curves.values(), strict=True):
            cells = [_shown(_of(name, point, source).evaluation) for point in row]
            print(f"| {row[0].articles:,} | " + " | ".join(cells) + " |")
        print(f"\nTuned on all: {_shown(_of(name, tuned, source).evaluation)}")
    print(f"\nOne training {once:.1f} s; {len(tried)} trials of tuning {seconds:.1f} s more: {settings}")
    if arguments.plot:
        first = next(iter(sets))
        shown = {way: [_of(first, point, source) for point in points] for way, points in curves.items()}
        arguments.plot.write_bytes(draw(lambda: learning_curves(shown)))


if __name__ == "__main__":
    main()
