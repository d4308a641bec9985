"""What all benchmarks share: runs in turn, runs in a process of their own, tables."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from serve.paths import ROOT

WORK = ROOT / "build" / "benchmarks"
CHILD = Path(__file__).with_name("child.py")

T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """The answer to a question."""

    title: str
    note: str
    """What was measured, on what, how often."""
    head: list[str]
    rows: list[list[str]]
    unit: str = ""
    """Of the figures."""
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """To be drawn: for each series its figures by what they stand for."""
    against: str = ""
    """What the keys of the figures are, where they are numbers: then the figures are drawn as lines, else as bars."""

    def markdown(self) -> str:
        lines = [self.head, ["---"] * len(self.head), *self.rows]
        return "\n".join([f"## {self.title}\n\n{self.note}\n", *(f"| {' | '.join(line)} |" for line in lines), ""])


class Run(NamedTuple):
    """What a process took."""

    seconds: float
    cpu: float
    """Seconds of all cores together."""
    megabytes: float
    """The peak of its memory; of several processes the largest one's."""


def python(module: str, *arguments: str | Path) -> list[str | Path]:
    """The command that runs a module of the benchmarks, or "kanal", in this environment."""
    return [sys.executable, "-m", module, *arguments]


def run(command: Sequence[str | Path]) -> Run:
    """Runs a command to its end. Raises RuntimeError, with its last words, where it fails."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", CHILD, *command], capture_output=True, text=True, check=True, cwd=ROOT
    )
    took = json.loads(done.stdout)
    if took.pop("status"):
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr[-2000:]}")
    return Run(**took)


def in_turn(works: Mapping[str, Callable[[], T]], runs: int, warm: bool = True) -> dict[str, list[T]]:
    """What each work returned in each of the runs, the works one after the other in each run; `warm`: one run before the
    first is not counted."""
    results: dict[str, list[T]] = {name: [] for name in works}
    for number in range(-warm, runs):
        for name, work in works.items():
            result = work()
            if number >= 0:
                results[name].append(result)
    return results


def timed(work: Callable[[], object]) -> Callable[[], float]:
    """The work as one that returns the seconds it took."""

    def seconds() -> float:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return seconds


def spread(values: Sequence[float], form: str = ".2f") -> str:
    """The median, and least and most."""
    median, low, high = (format(value, form) for value in (statistics.median(values), min(values), max(values)))
    return f"{median} ({low}-{high})" if len(values) > 1 else median


def cores() -> int:
    return len(os.sched_getaffinity(0))


@contextmanager
def on_cores(n: int) -> Iterator[None]:
    """Within it, this process and those that it starts have n cores."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:n])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def show(measure: Callable[[bool], list[Table]], description: str) -> None:
    """The command line of a benchmark: prints its tables."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="small and few runs: to see that everything works")
    for table in measure(parser.parse_args().quick):
        print(table.markdown())
