"""How long one article takes in a warm process: 400 words in, topics out.

python -m benchmarks.latency [--quick]
"""

import time
from itertools import cycle, islice

import numpy as np

from benchmarks.articles import articles
from benchmarks.contenders import Contender, FastText, KanalWhole, ScikitLearn, ScikitLearnOneMatrix
from benchmarks.fitting import trained
from benchmarks.measure import Table, show

CALLS = 2_000
WORDS = 400
# A contender finds the caches as it has left them for so many calls.
BLOCK = 50


def measure(quick: bool) -> list[Table]:
    table = articles(5_000).to_pylist()
    texts = [f"{row['title']}\n{row['text']}" for row in table if abs(len(row["text"].split()) - WORDS) < WORDS / 10]
    loaded: dict[str, Contender] = {
        KanalWhole.name: KanalWhole.load(trained(KanalWhole.name)),
        FastText.name: FastText.load(trained(FastText.name)),
        ScikitLearnOneMatrix.name: ScikitLearnOneMatrix.load(trained(ScikitLearn.name)),
        ScikitLearn.name: ScikitLearn.load(trained(ScikitLearn.name)),
    }
    calls = 2 * BLOCK if quick else CALLS
    taken: dict[str, list[float]] = {name: [] for name in loaded}
    for number in range(-1, calls // BLOCK):
        for name, model in loaded.items():
            for text in islice(cycle(texts), max(number, 0) * BLOCK, (max(number, 0) + 1) * BLOCK):
                begin = time.perf_counter()
                model.predict_one(text)
                if number >= 0:
                    taken[name].append((time.perf_counter() - begin) * 1e3)
    rows, figures = [], {}
    kanal = np.array(taken[KanalWhole.name])
    for name, times in taken.items():
        p50, p99 = np.percentile(times, [50, 99])
        rows.append([name, f"{p50:.2f}", f"{p99:.2f}", f"{np.median(np.array(times) / kanal):.1f}"])
        figures[name] = {"p50": float(p50), "p99": float(p99)}
    note = (
        f"{calls} articles of about {WORDS} words one by one, the contenders in turn on {BLOCK} each, after {BLOCK} calls "
        "that do not count; milliseconds. Kanal cleans the article."
    )
    return [Table("One article", note, ["", "p50 ms", "p99 ms", "times Kanal's (median)"], rows, "ms", figures)]


if __name__ == "__main__":
    show(measure, "One article")
