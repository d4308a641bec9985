"""What finding a new topic's articles is worth: precision of the candidates, and the F1 that labelling them brings.

    python -m benchmarks.new_topic [--quick]

Topics of the embedded corpus stand for new ones. All that is known of each are the first five entries of its lexicon and
three of its articles, drawn by seed; the rest of the corpus is looked through. The background was counted from the texts
of the corpus' training articles among others, without their labels. Names that are new are in no background: in a second
row for it the vectors of the seed words are taken out.

For the second table half of the training articles stand for a labelled corpus in which nobody has looked for the topic
yet, and the other half for a crawl. Prints Markdown tables.
"""

import argparse
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from serve.model import TITLE_WEIGHT, compose_all
from serve.topics import Topic, load_topics
from train.background import EMBEDDED_BACKGROUND, Background
from train.corpus import load_corpus, split_corpus
from train.evaluate import evaluate
from train.experiment import EMBEDDED_CORPUS, without_profiles
from train.fit import fit
from train.lexicon import TOKEN, load_lexicon
from workbench.candidates import find_candidates
from workbench.new_topic import parted

WORDS, EXAMPLES, CANDIDATES = 5, 3, 50
EVERY_TOPIC, SEEDS = 3, (0, 1)
TAUGHT_TOPICS = 6
REVIEWED = (0, 50, 100, 200)
TAXONOMY, LEXICON = load_topics(), load_lexicon()

# From articles, seed words and examples to the places of the candidates.
Way = Callable[[pd.DataFrame, Sequence[str], pd.DataFrame], list[int]]


def keyword_search(articles: pd.DataFrame, words: Sequence[str], examples: pd.DataFrame) -> list[int]:
    """Those that hold most of the words; of as many, those that hold them most often."""
    patterns = [re.compile(rf"\b{re.escape(word.lower())}\b") for word in words]
    ranks = []
    for i, text in enumerate(compose_all(articles["text"], articles["title"], TITLE_WEIGHT)):
        counts = [len(pattern.findall(text.lower())) for pattern in patterns]
        ranks.append((-sum(map(bool, counts)), -sum(counts), i))
    return [i for _, _, i in sorted(ranks)[:CANDIDATES]]


def kanal(background: Background | None, *, new_names: bool = False) -> Way:
    def way(articles: pd.DataFrame, words: Sequence[str], examples: pd.DataFrame) -> list[int]:
        used = without(background, words) if background and new_names else background
        found = find_candidates(articles, words, examples, CANDIDATES, background=used)
        return [candidate.row for candidate in found.candidates]

    return way


def without(background: Background, words: Sequence[str]) -> Background:
    """The background as if none of the words were known to it by more than its spelling."""
    tokens = {token for word in words for token in TOKEN.findall(word.lower())}
    unknown = np.array([term in tokens for term in background.terms])
    return replace(background, scales=np.where(unknown, np.float32(0), background.scales))


def drawn(articles: pd.DataFrame, topic: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three examples of the topic, and all other articles."""
    has, _ = parted(articles, topic)
    ids = np.random.default_rng(seed).choice(has["id"].to_numpy(object), EXAMPLES, replace=False)
    chosen = articles["id"].isin(ids)
    return articles[chosen].reset_index(drop=True), articles[~chosen].reset_index(drop=True)


def precision(corpus: pd.DataFrame, topics: Sequence[str], background: Background) -> None:
    ways = {
        "keyword search": keyword_search,
        "candidates, no background": kanal(None),
        "candidates": kanal(background),
        "candidates, names new to the background": kanal(background, new_names=True),
    }
    print(f"\nPrecision of the {CANDIDATES} candidates, {len(topics)} topics x {len(SEEDS)} draws of examples\n")
    print("| way | precision | lowest of a topic | without a seed word: precision | seconds |\n|---|---|---|---|---|")
    for name, way in ways.items():
        begin = time.perf_counter()
        hits: dict[str, list[float]] = {}
        wordless: list[bool] = []
        for topic in topics:
            words = LEXICON[topic][:WORDS]
            pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words), re.IGNORECASE)
            for seed in SEEDS:
                examples, articles = drawn(corpus, topic, seed)
                found = articles.iloc[way(articles, words, examples)]
                right = [topic in given for given in found["topics"]]
                hits.setdefault(topic, []).append(float(np.mean(right)))
                texts = found["title"] + "\n" + found["text"]
                wordless += [hit for hit, text in zip(right, texts, strict=True) if not pattern.search(text)]
        seconds = (time.perf_counter() - begin) / len(topics) / len(SEEDS)
        means = [np.mean(values) for values in hits.values()]
        alone = f"{np.mean(wordless):.2f} of {len(wordless)}" if wordless else "-"
        print(f"| {name} | {np.mean(means):.3f} | {min(means):.2f} | {alone} | {seconds:.1f} |", flush=True)


def teaching(corpus: pd.DataFrame, topics: Sequence[str], background: Background) -> None:
    training, testing = split_corpus(corpus)
    half = np.random.default_rng(0).permutation(len(training)) < len(training) // 2
    old, crawl = (training[part].reset_index(drop=True) for part in (half, ~half))
    figures: dict[str, list[float]] = {}
    for topic in topics:
        words, taxonomy = LEXICON[topic][:WORDS], {topic: TAXONOMY[topic]}

        def f1(*parts: pd.DataFrame, topic: str = topic, taxonomy: dict[str, Topic] = taxonomy) -> float:
            model = fit(
                pd.concat(parts, ignore_index=True), taxonomy, background=without_profiles(background),
                lexicon={topic: LEXICON[topic][:WORDS]},
            )  # fmt: skip
            return evaluate(model, testing).per_topic[topic]["f1"]

        examples, rest = drawn(crawl, topic, 0)
        labelled = rest.iloc[kanal(background)(rest, words, examples)]
        known = pd.concat([examples, parted(labelled, topic)[0]])
        found = find_candidates(old, words, known, max(REVIEWED), background=background)
        order = [candidate.row for candidate in found.candidates]
        for reviewed in REVIEWED:
            seen = np.isin(np.arange(len(old)), order[:reviewed])
            looked_at = old.copy()
            looked_at["topics"] = [
                given if was_seen else [other for other in given if other != topic]
                for given, was_seen in zip(old["topics"], seen, strict=True)
            ]
            name = f"{CANDIDATES} of the crawl, {reviewed} of the corpus"
            figures.setdefault(name, []).append(f1(looked_at, examples, labelled))
        figures.setdefault("all of both", []).append(f1(old, crawl))
    print(f"\nF1 of the new topic on the test split, {len(topics)} topics\n\n| labelled | F1 | lowest |\n|---|---|---|")
    for name, values in figures.items():
        print(f"| {name} | {np.mean(values):.3f} | {min(values):.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two topics only: does everything work?")
    arguments = parser.parse_args()
    corpus, background = load_corpus([EMBEDDED_CORPUS]), Background.load(EMBEDDED_BACKGROUND)
    topics = list(TAXONOMY)[::EVERY_TOPIC]
    precision(corpus, topics[:2] if arguments.quick else topics, background)
    teaching(corpus, topics[:: max(1, len(topics) // (2 if arguments.quick else TAUGHT_TOPICS))], background)


if __name__ == "__main__":
    main()
