"""How often `kanal monitor` cries wolf, and what it finds: resamples of the corpus, as they are and with drifts planted.

    python -m benchmarks.drift [--quick]

A model learns from a third of the corpus' articles, which are not used again. The others are parted in halves anew for
each resample: one is the reference, from the other a crawl is drawn, left as it is or changed as a row of the table says,
and compared. A figure of the table is the share of the resamples in which anything is called.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.articles import SYLLABLES
from benchmarks.measure import Table, show
from serve.language import language_tokens
from serve.model import TopicModel
from serve.topics import load_topics
from train.corpus import articles_of, load_corpus
from train.experiment import EMBEDDED_CORPUS, load_background
from train.fit import Settings, fit
from train.lexicon import load_lexicon
from workbench.corpus_file import write_articles
from workbench.crawl_figures import CrawlFigures, read_crawl_figures
from workbench.drift import compare

SIZES = (200, 500, 1000)
# Of the crawl as it is, and of each that is changed.
RESAMPLES = {True: 200, False: 40}
# A topic that is rarer is hardly in a small crawl.
LEAST_SHARE = 0.02

# Changes n articles of a pool (a frame), which are drawn anew: returns them as the crawl.
Plant = Callable[[pd.DataFrame, int, np.random.Generator], pd.DataFrame]


def drawn(pool: pd.DataFrame, n: int, random: np.random.Generator) -> pd.DataFrame:
    """n articles of the pool, none twice."""
    return pool.sample(n, random_state=random).reset_index(drop=True)


def made_up(text: str, share: float, random: np.random.Generator) -> str:
    """The text with this share of its words replaced by words that no language has."""
    words = text.split(" ")
    for i in np.flatnonzero(random.random(len(words)) < share):
        words[i] = "".join(random.choice(SYLLABLES, 3)) + "x"
    return " ".join(words)


def with_words(share: float, of_articles: str, pool: pd.DataFrame, n: int, random: np.random.Generator) -> pd.DataFrame:
    """Made-up words in all articles, or in those of the outlet that has most."""
    crawl = drawn(pool, n, random)
    outlet = pool["outlet"].mode()[0]
    changed = crawl["outlet"] == outlet if of_articles == "one outlet" else np.ones(n, bool)
    crawl.loc[changed, "text"] = [made_up(text, share, random) for text in crawl.loc[changed, "text"]]
    return crawl


def more_of_a_topic(times: float, pool: pd.DataFrame, n: int, random: np.random.Generator) -> pd.DataFrame:
    """A topic, drawn at random, has so many times its share of the crawl."""
    shares = {topic: pool["topics"].map(lambda topics, topic=topic: topic in topics) for topic in load_topics()}
    topic = random.choice([topic for topic, has in shares.items() if has.mean() >= LEAST_SHARE])
    has = shares[topic].to_numpy()
    wanted = round(times * has.mean() * n)
    # Of a rare topic there may be fewer articles than that: some come twice.
    more = pool[has].sample(wanted, replace=True, random_state=random)
    return pd.concat([more, drawn(pool[~has], n - wanted, random)], ignore_index=True)


def in_malay(share: float, pool: pd.DataFrame, n: int, random: np.random.Generator) -> pd.DataFrame:
    """This share of the articles are of Malay words in no order."""
    crawl = drawn(pool, n, random)
    shared, _, malay, _ = language_tokens()
    texts = [" ".join(random.choice([*shared, *malay, *malay], 150)) for _ in range(round(share * n))]
    crawl.loc[: len(texts) - 1, "text"] = texts
    return crawl


def teasers(pool: pd.DataFrame, n: int, random: np.random.Generator) -> pd.DataFrame:
    """Only the first paragraph of each article."""
    crawl = drawn(pool, n, random)
    crawl["text"] = crawl["text"].str.split("\n\n").str[0]
    return crawl


PLANTS: dict[str, Plant] = {
    "nothing (false alarms)": drawn,
    "one topic three times as frequent": partial(more_of_a_topic, 3),
    "one topic twice as frequent": partial(more_of_a_topic, 2),
    "15% made-up words in all texts": partial(with_words, 0.15, "all"),
    "3% made-up words in all texts": partial(with_words, 0.03, "all"),
    "15% made-up words in one outlet of twelve": partial(with_words, 0.15, "one outlet"),
    "a tenth of the articles in Malay": partial(in_malay, 0.1),
    "first paragraphs only": teasers,
}


def figures(articles: pd.DataFrame, model: TopicModel) -> CrawlFigures:
    """The articles' figures, by way of a file as a user has it."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "articles.jsonl")
        write_articles(file, (article._asdict() for article in articles_of(articles.drop(columns="split"))))
        return read_crawl_figures(file, model)


def measure(quick: bool) -> list[Table]:
    corpus = load_corpus([EMBEDDED_CORPUS])
    places = np.random.default_rng(0).permutation(len(corpus))
    third = len(corpus) // 3
    background = load_background("none" if quick else None)
    learnt = corpus.iloc[places[:third]].reset_index(drop=True)
    model = fit(learnt, load_topics(), Settings(), background=background, lexicon=load_lexicon())
    rest = corpus.iloc[places[third:]].reset_index(drop=True)
    filed = figures(rest, model)
    rows = []
    for seed, (planted, plant) in enumerate(PLANTS.items()):
        # A row is the same whatever the others are.
        random = np.random.default_rng(seed)
        resamples = 5 if quick else RESAMPLES[plant is drawn]
        called = [0] * len(SIZES)
        for _ in range(resamples):
            halves = random.permutation(len(rest))
            reference = filed.rows(halves[: len(rest) // 2])
            pool = rest.iloc[halves[len(rest) // 2 :]]
            for i, n in enumerate(SIZES):
                crawl = figures(plant(pool, n, random), model)
                called[i] += bool(compare(reference, crawl, model.topics).called)
        rows.append([planted, *(f"{count / resamples:.1%}" for count in called)])
    note = (
        f"The share of resamples ({RESAMPLES[False]}, {RESAMPLES[True]} of the unchanged crawl) in which `kanal monitor` exits "
        f"with 4, by the number of new articles; the reference has {len(rest) // 2}, the model learnt from {len(learnt)} others."
    )
    return [Table("Drift", note, ["planted", *map(str, SIZES)], rows)]


if __name__ == "__main__":
    show(measure, __doc__.splitlines()[0])
