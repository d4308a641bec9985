"""How fast text becomes a TF-IDF matrix: Kanal's vectoriser against scikit-learn's, side by side on one core.

Run by `make bench`; prints a Markdown table.
"""

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer as ScikitLearnVectorizer

from serve.paths import DATA
from serve.vectorizer import TfidfVectorizer

RUNS = 7
SETTINGS = {"words": (1, 1), "words and pairs": (1, 2)}


def seconds(work: Callable[[list[str]], object], texts: list[str]) -> float:
    begin = time.perf_counter()
    work(texts)
    return time.perf_counter() - begin


def main() -> None:
    with (DATA / "corpus" / "articles.jsonl").open(encoding="utf-8") as lines:
        texts = [f"{article['title']}\n{article['text']}" for article in map(json.loads, lines)]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts)} articles, {megabytes:.1f} MB, one core, medians of {RUNS} runs in turn\n")
    print("| terms | step | scikit-learn MB/s | Kanal MB/s | ratio (min-max) | largest difference |")
    print("|---|---|---|---|---|---|")
    for name, ngram_range in SETTINGS.items():
        theirs = ScikitLearnVectorizer(ngram_range=ngram_range, min_df=2, sublinear_tf=True)
        ours = TfidfVectorizer(ngram_range=ngram_range, min_df=2, sublinear_tf=True, n_jobs=1)
        expected, got = theirs.fit_transform(texts), ours.fit_transform(texts)
        difference = f"{np.abs((expected - got).data).max(initial=0):.0e}"
        for step in ("transform", "fit_transform"):
            works = [getattr(vectorizer, step) for vectorizer in (theirs, ours)]
            times = [[seconds(work, texts) for work in works] for _ in range(RUNS)]
            slow, fast = (megabytes / statistics.median(column) for column in zip(*times, strict=True))
            ratios = sorted(a / b for a, b in times)
            print(
                f"| {name} | {step} | {slow:.1f} | {fast:.1f} | {statistics.median(ratios):.1f} "
                f"({ratios[0]:.1f}-{ratios[-1]:.1f}) | {difference} |"
            )


if __name__ == "__main__":
    main()
