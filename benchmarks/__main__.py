"""All benchmarks, one after the other, into RESULTS.md and RESULTS.png beside this file.

python -m benchmarks [--quick | --full]
"""

import argparse
import datetime
import functools
import os
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import kanal
from benchmarks import latency, memory, predict, service, start, training, vectorizer
from benchmarks.measure import WORK, Table, cores

RESULTS = Path(__file__).with_name("RESULTS.md")
PACKAGES = (
    "numpy scipy numba scikit-learn pandas pyarrow fasttext-wheel libmultilabel liblinear-multicore vowpalwabbit mlflow "
    "fastapi uvicorn"
)


def main() -> None:
    parser = argparse.ArgumentParser(description="All benchmarks, into RESULTS.md and RESULTS.png")
    parser.add_argument("--quick", action="store_true", help="small and few runs, printed only: does everything work?")
    parser.add_argument(
        "--full", action="store_true", help="ten minutes of overload, training on up to a million articles: hours"
    )
    arguments = parser.parse_args()
    # Models of an earlier version say nothing of this one.
    shutil.rmtree(WORK, ignore_errors=True)
    questions: list[Callable[[bool], list[Table]]] = [
        vectorizer.measure,
        predict.measure,
        latency.measure,
        start.measure,
        memory.measure,
        functools.partial(service.measure, full=arguments.full),
        functools.partial(training.measure, full=arguments.full),
    ]
    tables: list[Table] = []
    for measure in questions:
        tables += measure(arguments.quick)
        print("\n".join(table.markdown() for table in tables), flush=True)
        if not arguments.quick:
            RESULTS.write_text("\n".join([header(), *(table.markdown() for table in tables)]), encoding="utf-8")
            draw(tables, RESULTS.with_suffix(".png"))
    shutil.rmtree(WORK)


def header() -> str:
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES.split())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"# Benchmarks\n\nMeasured on {datetime.date.today()} by `make bench`: {cores()} cores of {processor()}, {memory:.0f} GB, "
        f"{platform.system()}, Python {platform.python_version()}; Kanal {kanal.__version__}, {versions}.\n\n"
        "![The figures drawn](RESULTS.png)\n"
    )


def processor() -> str:
    """Its name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())


def draw(tables: list[Table], path: Path) -> None:
    """A panel for each table: lines where the figures stand for numbers, bars elsewhere."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = 2
    rows = -(-len(tables) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(14, 4.2 * rows), layout="constrained")
    names = list(dict.fromkeys(name for table in tables for name in table.figures))
    colours = {name: plt.get_cmap("tab20")(i % 20) for i, name in enumerate(names)}
    for axis, table in zip(axes.flat, tables, strict=False):
        axis.set_title(table.title)
        if table.against:
            for name, values in table.figures.items():
                axis.plot([float(key) for key in values], values.values(), marker="o", label=name, color=colours[name])
            axis.set(xscale="log", xlabel=table.against, ylabel=table.unit)
            if table.unit == "s":
                axis.set_yscale("log")
            else:
                axis.set_ylim(bottom=0)
        else:
            labels = list(dict.fromkeys(key for values in table.figures.values() for key in values))
            width = 0.8 / len(table.figures)
            for i, (name, values) in enumerate(table.figures.items()):
                places = [labels.index(key) + i * width for key in values]
                bars = axis.bar(places, values.values(), width, label=name, color=colours[name])
                axis.bar_label(bars, fmt="%.3g", fontsize=7)
            axis.set_xticks([j + 0.4 - width / 2 for j in range(len(labels))], labels)
            axis.set_ylabel(table.unit)
        axis.legend(fontsize=7)
    for axis in list(axes.flat)[len(tables) :]:
        axis.remove()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
