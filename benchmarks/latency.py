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


def measure(quick: bool) -> list[Table]:
    table = articles(5_000).to_pylist()
    texts = [f"{row['title']}\n{row['text']}" for row in table if abs(len(row["text"].split()) - WORDS) < WORDS / 10]
    loaded: dict[str, Contender] = {
        KanalWhole.name: KanalWhole.load(trained(KanalWhole.name)),
        FastText.name: FastText.load(trained(FastText.name)),
        ScikitLearnOneMatrix.name: ScikitLearnOneMatrix.load(trained(ScikitLearn.name)),
        ScikitLearn.name: ScikitLearn.load(trained(ScikitLearn.name)),
    }
    calls = 100 if quick else CALLS
    taken: dict[str, list[float]] = {name: [] for name in loaded}
    for number, text in enumerate(islice(cycle(texts), calls + 50)):
        for name, model in loaded.items():
            begin = time.perf_counter()
            model.predict([text])
            if number >= 50:
                taken[name].append((time.perf_counter() - begin) * 1e3)
    rows, figures = [], {}
    kanal = np.array(taken[KanalWhole.name])
    for name, times in taken.items():
        p50, p99 = np.percentile(times, [50, 99])
        rows.append([name, f"{p50:.2f}", f"{p99:.2f}", f"{np.median(np.array(times) / kanal):.1f}"])
        figures[name] = {"p50": float(p50), "p99": float(p99)}
    note = (
        f"{calls} articles of about {WORDS} words one by one, the contenders in turn on each, after 50 calls that do not "
        "count; milliseconds. Kanal cleans the article and tells its language."
    )
    return [Table("One article", note, ["", "p50 ms", "p99 ms", "times Kanal's (median)"], rows, "ms", figures)]


if __name__ == "__main__":
    show(measure, "One article")
