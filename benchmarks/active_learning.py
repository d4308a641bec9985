"""How many labels a queue saves: articles of the embedded corpus labelled in the order that each strategy asks for them.

    python -m benchmarks.active_learning [--plain] [--seeds 3] [--first 200] [--test dev.jsonl] [--plot active_learning.png]

The training part is a crawl whose labels are hidden until an article is chosen; the test part measures. All strategies begin
with the same articles drawn by chance, choose BATCH more, learn anew from all that are labelled, and so on, with the
code of `kanal label queue` and `kanal train`. Training has the embedded background and lexicon, as by default, but the
background's profiles, which is many times as fast; with --plain it has neither. Prints a Markdown table: after how
many labels the mean over the seeds first reaches SHARE of the micro-F1 that all labels give.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.model import TopicModel, compose_all
from serve.topics import load_topics
from train.background import Background
from train.charts import draw
from train.corpus import label_matrix, load_corpus, split_corpus
from train.evaluate import evaluate
from train.experiment import EMBEDDED_CORPUS, load_background
from train.fit import Settings, fit
from train.lexicon import Lexicon, load_lexicon
from workbench.strategy import Strategy
from workbench.worth import choose, worth

SHARE = 0.95
FIRST, BATCH = 200, 50
# Curves are drawn to so many labels at least; what is not as wanted with so many at most is given up.
LEAST, MOST = 700, 2000
RANDOM, MARGIN = "random order", "smallest margin"
ORDERS = (RANDOM, MARGIN, *Strategy)

# (rounds, 3): labels, micro-F1 and macro-F1 of each round; (seeds, rounds, 3).
Curve = NDArray[np.float64]
Curves = NDArray[np.float64]


@dataclass(frozen=True)
class Simulation:
    """The articles of a crawl with labels, the articles to measure on, and what helps training."""

    crawl: pd.DataFrame
    testing: pd.DataFrame
    background: Background | None
    lexicon: Lexicon | None
    first: int
    """How many articles drawn by chance every order begins with."""

    def learn(self, rows: NDArray[np.int64], seed: int) -> tuple[TopicModel, tuple[float, float]]:
        """The model of these articles of the crawl, and its micro-F1 and macro-F1."""
        # Larger pieces of the lexicon make fewer examples: as good by 0.002, and much faster.
        settings = Settings(seed=seed, piece_size=8)
        labelled = self.crawl.iloc[np.sort(rows)].reset_index(drop=True)
        model = fit(labelled, load_topics(), settings, background=self.background, lexicon=self.lexicon)
        figures = evaluate(model, self.testing).figures
        return model, (figures["micro_f1"], figures["macro_f1"])

    def rounds(self, order: str, seed: int) -> Iterator[tuple[float, float, float]]:
        """Labels, micro-F1 and macro-F1, round by round."""
        generator = np.random.default_rng(seed)
        labelled = generator.permutation(len(self.crawl))[: self.first]
        while True:
            model, figures = self.learn(labelled, seed)
            yield (len(labelled), *figures)
            labelled = np.concatenate([labelled, self.next(order, model, labelled, generator)])

    def curves(self, order: str, seeds: int, wanted: float) -> Curves:
        """All rounds of all seeds until the mean is as wanted, and no fewer than for LEAST labels."""
        rounds: list[tuple[tuple[float, float, float], ...]] = []
        for together in zip(*(self.rounds(order, seed) for seed in range(seeds)), strict=True):
            rounds.append(together)
            labels, micro, _ = np.mean(together, axis=0)
            if labels >= MOST or (labels >= LEAST and micro >= wanted):
                break
        return np.array(rounds).swapaxes(0, 1)

    def next(
        self, order: str, model: TopicModel, labelled: NDArray[np.int64], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """The articles that are labelled after these, from what a person and the model know by now."""
        left = np.setdiff1d(np.arange(len(self.crawl)), labelled)
        if order == RANDOM:
            return generator.permutation(left)[:BATCH]
        articles = self.crawl.iloc[left]
        filed = model.file(list(articles["text"]), list(articles["title"]))
        if order == MARGIN:
            return left[np.argsort(filed.confidence, kind="stable")[:BATCH]]
        strategy = Strategy(order)
        counts = label_matrix(self.crawl["topics"].iloc[labelled], model.topics).sum(axis=0)
        words = np.array([len(text.split()) for text in articles["text"]])
        worths = worth(strategy, filed.probabilities, words, counts, model.single_label)
        documents = compose_all(list(articles["text"]), list(articles["title"]), model.title_weight)
        ends, columns, values = model.vectorizer.rows(documents)
        rows = csr_matrix((values, columns, ends), shape=(len(left), len(model.vectorizer.terms_)))
        return left[choose(strategy, BATCH, filed.probabilities, worths, rows, counts)]


def labels_until(curve: Curve, wanted: float) -> float:
    """After how many labels micro-F1 is first as wanted, between two rounds in proportion; NaN where it never is."""
    reached = np.flatnonzero(curve[:, 1] >= wanted)
    if not len(reached):
        return float("nan")
    (before, low, _), (after, high, _) = curve[max(reached[0] - 1, 0)], curve[reached[0]]
    return float(after if high == low else before + (wanted - low) / (high - low) * (after - before))


def until(curve: Curve, wanted: float) -> str:
    labels = labels_until(curve, wanted)
    return f">{curve[-1, 0]:.0f}" if np.isnan(labels) else f"{labels:.0f}"


def chart(curves: Mapping[str, Curve], wanted: float, full: float) -> Figure:
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.add_subplot()
    for order, curve in curves.items():
        axes.plot(curve[:, 0], curve[:, 1], color="black" if order == RANDOM else None, label=order)
    axes.axhline(full, color="grey", linestyle=":", label=f"all labels: {full:.3f}")
    axes.axhline(wanted, color="grey", linestyle="--", label=f"{SHARE:.0%} of it: {wanted:.3f}")
    axes.set(xlabel="labelled articles", ylabel="micro-F1 on the test articles")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plain", action="store_true", help="train without background and lexicon")
    parser.add_argument("--seeds", type=int, default=3, help="how many draws of the first articles")
    parser.add_argument("--orders", nargs="+", choices=ORDERS, default=ORDERS)
    parser.add_argument("--first", type=int, default=FIRST, help="how many articles drawn by chance to begin with")
    parser.add_argument("--test", metavar="FILE", help="labelled articles to measure on, in place of the test part")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="the PNG file to draw the curves to")
    arguments = parser.parse_args()

    begin = time.perf_counter()
    crawl, testing = split_corpus(load_corpus([EMBEDDED_CORPUS]))
    testing = load_corpus([arguments.test]) if arguments.test else testing
    background = load_background(None)
    assert background is not None
    background = replace(background, profiles=background.profiles[:0])
    helped, lexicon = (None, None) if arguments.plain else (background, load_lexicon())
    simulation = Simulation(crawl, testing, helped, lexicon, arguments.first)
    _, (full, full_macro) = simulation.learn(np.arange(len(crawl)), 0)
    wanted = SHARE * full
    print(f"All {len(crawl):,} labels: micro-F1 {full:.3f}, macro-F1 {full_macro:.3f}; wanted {wanted:.3f}\n")
    print("| order | labels | of random's | by seed | F1 with 300, 500, 700 |\n|---|---|---|---|---|")
    shown: dict[str, Curve] = {}
    needed: dict[str, float] = {}
    for order in arguments.orders:
        curves = simulation.curves(order, arguments.seeds, wanted)
        shown[order] = curves.mean(axis=0)
        needed[order] = labels_until(shown[order], wanted)
        by_seed = " ".join(until(curve, wanted) for curve in curves)
        figures = [f"{micro:.3f}" for labels, micro, _ in shown[order] if labels in (300, 500, 700)]
        share = needed[order] / needed.get(RANDOM, float("nan"))
        print(f"| {order} | {needed[order]:.0f} | {share:.0%} | {by_seed} | {' '.join(figures)} |", flush=True)
    print(f"\n{time.perf_counter() - begin:.0f} s")
    if arguments.plot:
        arguments.plot.write_bytes(draw(lambda: chart(shown, wanted, full)))


if __name__ == "__main__":
    main()
