"""What training takes, time and memory, by the number of articles, and how right the model is on others.

python -m benchmarks.training [--quick | --full]

--full goes on to a million articles: hours, and more memory than many machines have.
"""

import argparse
import functools
from pathlib import Path
from statistics import median

from benchmarks.articles import write_parquet
from benchmarks.contenders import (
    FastText,
    Kanal,
    KanalLinear,
    KanalWhole,
    LibMultiLabel,
    ScikitLearn,
    VowpalWabbit,
    slug,
)  # fmt: skip
from benchmarks.fitting import Fitted, corpus, fitted
from benchmarks.measure import WORK, Table, in_turn, spread

# So many articles, so often: what takes long is measured less often.
RUNS = {1_000: 5, 10_000: 3, 100_000: 1}
MILLION = 1_000_000
TEST = 5_000
CONTENDERS = (Kanal, KanalLinear, ScikitLearn, LibMultiLabel, FastText, VowpalWabbit)
# Who learns from so many articles or more.
PATIENT = {100_000: (Kanal, KanalLinear, ScikitLearn), MILLION: (Kanal, KanalLinear)}


def made_up(n: int, seed: int) -> Path:
    path = WORK / f"made-up-{n}-{seed}.parquet"
    write_parquet(path, n, seed)
    return path


def measure(quick: bool, full: bool = False) -> list[Table]:
    sizes = {200: 1, 1_000: 1} if quick else {**RUNS, **({MILLION: 1} if full else {})}
    test = made_up(500 if quick else TEST, seed=1)
    rows = []
    figures: dict[str, dict[str, float]] = {contender.name: {} for contender in CONTENDERS}
    for n, runs in sizes.items():
        train = made_up(n, seed=0)
        names = [contender.name for contender in PATIENT.get(n, CONTENDERS)]
        for name, took in _fitted(names, train, test, runs).items():
            figures[name][str(n)] = median(one.seconds for one in took)
            rows.append([f"{n:,}", name, *_cells(took)])
    note = (
        "Articles of about 300 words, 38 topics; medians of "
        + ", ".join(f"{runs} runs at {n:,}" for n, runs in sizes.items())
        + " in turn (least-most); memory is the process' peak, and in it the articles loaded before training begins: for Kanal "
        "as Arrow's columns, for the others as Python's strings. Kanal cleans the articles, and trains each topic whole and "
        "without as many of four folds as calibration and thresholds need. F1 is "
        f"micro-averaged over {500 if quick else TEST:,} further articles, with Kanal's thresholds, "
        "and 0 or a half elsewhere; made-up articles are easier or harder than real ones, so it only shows that nothing is wrong."
    )
    head = ["articles", "", "seconds", "memory MB", "of it articles MB", "F1", "F1 at the best threshold"]
    made = Table("Training by number of articles", note, head, rows, "s", figures, "articles")

    names = [KanalWhole.name, *figures]
    results = _fitted(names, *corpus(), 1 if quick else 3)
    note = (
        "The corpus: its training articles, F1 on its test articles; medians of runs in turn (least-most). Only Kanal seeks "
        "thresholds; the last column gives each contender one for all topics, the best for these very test articles."
    )
    head = ["", "seconds", "memory MB", "of it articles MB", "F1", "F1 at the best threshold"]
    rows = [[name, *_cells(took)] for name, took in results.items()]
    scores = {
        name: {"F1": took[0].f1, "at the best threshold": took[0].best_f1 or 0.0} for name, took in results.items()
    }
    return [made, Table("Training on the corpus", note, head, rows, "micro-F1", scores)]


def _fitted(names: list[str], train: Path, test: Path, runs: int) -> dict[str, list[Fitted]]:
    works = {name: functools.partial(fitted, name, train, test, WORK / "training" / slug(name)) for name in names}
    return in_turn(works, runs, warm=False)


def _cells(took: list[Fitted]) -> list[str]:
    return [
        spread([one.seconds for one in took], ".1f"),
        spread([one.megabytes for one in took], ".0f"),
        f"{took[0].articles:.0f}",
        spread([one.f1 for one in took], ".3f"),
        "" if took[0].best_f1 is None else f"{took[0].best_f1:.3f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Training by number of articles")
    parser.add_argument("--quick", action="store_true", help="small and few runs: to see that everything works")
    parser.add_argument("--full", action="store_true", help="up to a million articles")
    for table in measure(**vars(parser.parse_args())):
        print(table.markdown())


if __name__ == "__main__":
    main()
