"""How fast text becomes a TF-IDF matrix: Kanal's vectoriser against scikit-learn's, and `wc -w`, which only counts words.

python -m benchmarks.vectorizer [--quick]
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

import numpy as np
from joblib import Parallel, delayed
from sklearn.feature_extraction.text import TfidfVectorizer as ScikitLearnVectorizer

from benchmarks.measure import Table, cores, in_turn, on_cores, show, spread, timed
from serve.paths import DATA
from serve.vectorizer import TfidfVectorizer

RUNS = 7
SETTINGS = {"words": (1, 1), "words and pairs": (1, 2)}
KANAL, SCIKIT_LEARN, WC = "Kanal", "scikit-learn", "`LC_ALL=C wc -w`"


def wc(files: list[Path]) -> None:
    """Counts the words of all files, each in a process of its own."""
    environment = {**os.environ, "LC_ALL": "C"}
    counting = [subprocess.Popen(["wc", "-w", file], env=environment, stdout=subprocess.DEVNULL) for file in files]
    for process in counting:
        process.wait()


def transform_parts(processes: Parallel, vectorizer: ScikitLearnVectorizer, parts: list[list[str]]) -> None:
    processes(delayed(vectorizer.transform)(part) for part in parts)


def measure(quick: bool) -> list[Table]:
    with (DATA / "corpus" / "articles.jsonl").open(encoding="utf-8") as lines:
        texts = [f"{article['title']}\n{article['text']}" for article in map(json.loads, lines)]
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    runs = 2 if quick else RUNS
    rows, difference = [], 0.0
    figures: dict[str, dict[str, float]] = {KANAL: {}, SCIKIT_LEARN: {}, WC: {}}
    for terms, ngram_range in SETTINGS.items():
        theirs = ScikitLearnVectorizer(ngram_range=ngram_range, min_df=2, sublinear_tf=True)
        ours = TfidfVectorizer(ngram_range=ngram_range, min_df=2, sublinear_tf=True)
        difference = max(difference, np.abs((theirs.fit_transform(texts) - ours.fit_transform(texts)).data).max())
        for n in sorted({1, cores()}):
            cuts = pairwise(np.linspace(0, len(texts), n + 1, dtype=int).tolist())
            parts = [texts[a:b] for a, b in cuts]
            with tempfile.TemporaryDirectory() as folder, on_cores(n), Parallel(n) as processes:
                files = [Path(folder) / str(i) for i in range(n)]
                for file, part in zip(files, parts, strict=True):
                    file.write_text("\n".join(part), encoding="utf-8")
                in_parts = partial(transform_parts, processes, theirs, parts)
                works: dict[str, dict[str, Callable[[], object]]] = {
                    "transform": {
                        KANAL: partial(ours.transform, texts),
                        SCIKIT_LEARN: in_parts if n > 1 else partial(theirs.transform, texts),
                        WC: partial(wc, files),
                    },
                    "fit_transform": {
                        KANAL: partial(ours.fit_transform, texts),
                        SCIKIT_LEARN: partial(theirs.fit_transform, texts),
                    },
                }
                for step, contenders in works.items():
                    times = in_turn({name: timed(work) for name, work in contenders.items()}, runs)
                    speeds = {name: [megabytes / seconds for seconds in taken] for name, taken in times.items()}
                    ratios = [a / b for a, b in zip(speeds[KANAL], speeds[SCIKIT_LEARN], strict=True)]
                    cells = [spread(speeds[name], ".1f") if name in speeds else "" for name in figures]
                    rows.append([terms, step, str(n), *cells, spread(ratios, ".1f")])
                    if step == "transform":
                        for name, speed in speeds.items():
                            figures[name][f"{terms}, {n} core{'s' * (n > 1)}"] = median(speed)
    note = (
        f"The corpus: {len(texts)} articles, {megabytes:.1f} MB; MB/s, medians of {runs} runs in turn (least-most). Both "
        f"vectorisers return the same matrix (largest difference {difference:.0e}). scikit-learn's has one thread: on more "
        "cores `transform` gets a part of the articles in a process for each (made beforehand), `fit_transform` cannot be "
        "divided. `wc` has a file for each core."
    )
    head = ["terms", "step", "cores", KANAL, SCIKIT_LEARN, WC, "Kanal / scikit-learn"]
    return [Table("Text to TF-IDF matrix", note, head, rows, "MB/s", figures)]


if __name__ == "__main__":
    show(measure, "Text to TF-IDF matrix")
