"""How long a fresh process takes until it has loaded a model and filed a first article, and how large models are on disk.

python -m benchmarks.start [--quick]
"""

import functools
import sys
from pathlib import Path
from statistics import median

from benchmarks.contenders import (
    Contender,
    FastText,
    KanalWhole,
    LibMultiLabel,
    ScikitLearn,
    VowpalWabbit,
)  # fmt: skip
from benchmarks.fitting import trained
from benchmarks.measure import Run, Table, in_turn, run, show, spread

RUNS = 7
ARTICLE = "Presiden tiba di Pyongyang untuk kunjungan kenegaraan"
CONTENDERS: tuple[type[Contender], ...] = (
    KanalWhole, FastText, VowpalWabbit, ScikitLearn, LibMultiLabel,
)  # fmt: skip


def script(contender: type[Contender], folder: Path) -> str:
    """What somebody would write to file one article."""
    path = str(contender.files(folder))
    if issubclass(contender, KanalWhole):
        return f"import kanal; kanal.load({path!r}).predict({ARTICLE!r})"
    if issubclass(contender, ScikitLearn):
        return f"import joblib; joblib.load({path!r}).predict([{ARTICLE!r}])"
    name = contender.__name__
    return (
        f"from pathlib import Path; from benchmarks.contenders import {name}; "
        f"{name}.load(Path({str(folder)!r})).predict([{ARTICLE!r}])"
    )


def measure(quick: bool) -> list[Table]:
    runs = 2 if quick else RUNS

    def start(code: str) -> Run:
        return run([sys.executable, "-c", code])

    scripts = {"`import kanal`": "import kanal"}
    scripts |= {contender.name: script(contender, trained(contender.name)) for contender in CONTENDERS}
    taken = in_turn({name: functools.partial(start, code) for name, code in scripts.items()}, runs)
    rows = [
        [name, spread([one.seconds for one in took]), spread([one.megabytes for one in took], ".0f")]
        for name, took in taken.items()
    ]
    note = (
        f"Whole processes, medians of {runs} in turn (least-most), after one that does not count: kernels are compiled."
    )
    figures = {name: {"seconds": median(one.seconds for one in took)} for name, took in taken.items()}
    first = Table("Cold start: load a model, file one article", note, ["", "seconds", "memory MB"], rows, "s", figures)

    sizes = {contender.name: megabytes(contender.files(trained(contender.name))) for contender in CONTENDERS}
    note = "Models of the corpus, 38 topics, as each saves them, not compressed."
    second = Table(
        "Model on disk", note, ["", "MB"], [[name, f"{size:.1f}"] for name, size in sizes.items()], "MB",
        {name: {"MB": size} for name, size in sizes.items()},
    )  # fmt: skip
    return [first, second]


def megabytes(path: Path) -> float:
    """Of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


if __name__ == "__main__":
    show(measure, "Cold start")
