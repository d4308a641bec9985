"""Fuzzes each target for a while, runs the kernels with their bounds checked, and measures that work grows linearly.

    python -m tests.fuzz [--seconds 60] [--size 2500000] [--only NAME ...]

Prints the rows of the table in docs/reliability.md. Exits with status 1 where anything was found; an input that was
found stays under tests/fuzz/cases/.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from serve.paths import ROOT

# Numba compiles the kernels anew in the process that checks their bounds.
COMPILING = 900


def main() -> int:
    options = _options()
    if options.child == "atheris":
        from tests.fuzz.engine import by_atheris

        by_atheris(lambda: _target(options.only[0]), options.seconds, options.corpus)
    if options.child == "hypothesis":
        from tests.fuzz.engine import by_hypothesis

        inputs = by_hypothesis(_target(options.only[0]), options.seconds)
        (options.corpus.parent / f"{options.only[0]}.count").write_text(str(inputs))
    if options.child == "checked":
        _checked(options)
    if options.child:
        return 0
    from tests.fuzz.growth import PARTS
    from tests.fuzz.targets import TARGETS

    known = [*TARGETS, *PARTS]
    unknown = [name for name in options.only if name not in known]
    if unknown:
        print(f"there is no '{unknown[0]}'; there are {', '.join(known)}", file=sys.stderr)
        return 2
    wanted = options.only or known
    targets = [name for name in wanted if name in TARGETS]
    parts = [name for name in wanted if name in PARTS]
    print("| what was tried | how often | what happened |\n|---|---|---|", flush=True)
    held = True
    with tempfile.TemporaryDirectory(prefix="kanal-fuzz-") as folder:
        fuzzed = (Path(folder), targets, options.seconds)
        for row in chain(_fuzzed(*fuzzed), _bounds(*fuzzed), _growth(parts, options.size)):
            print(f"| {' | '.join(row[:3])} |", flush=True)
            held &= row[3]
    return 0 if held else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for each target (default: %(default)s)")
    parser.add_argument(
        "--only", nargs="*", default=[], help="these alone of the targets, and of what has to be linear"
    )
    parser.add_argument(
        "--size", type=int, default=2_500_000, help="bytes, and four times as many, whose times are compared"
    )
    parser.add_argument("--child", choices=["atheris", "hypothesis", "checked"], help=argparse.SUPPRESS)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _target(name: str):  # type: ignore[no-untyped-def]
    from tests.fuzz.targets import TARGETS

    return TARGETS[name]


def _run(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True)


Row = tuple[str, str, str, bool]


def _row(what: str, often: str, done: "subprocess.CompletedProcess[str]") -> Row:
    if done.returncode == 0:
        return what, often, "nothing found", True
    print(done.stderr[-6000:], file=sys.stderr)
    found = [line for line in done.stderr.splitlines() if "FoundError" in line]
    return what, often, found[-1].strip() if found else f"ended with status {done.returncode}", False


def _fuzzed(folder: Path, wanted: list[str], seconds: float) -> Iterator[Row]:
    engine = "atheris" if importlib.util.find_spec("atheris") else "hypothesis"
    for name in wanted:
        corpus = folder / name
        corpus.mkdir()
        done = _run("--child", engine, "--only", name, "--seconds", str(seconds), "--corpus", str(corpus))
        count = folder / f"{name}.count"
        inputs = int(count.read_text()) if count.exists() else 0
        print(f"{name}: {inputs:,} inputs, {len(list(corpus.iterdir()))} kept by {engine}", file=sys.stderr)
        yield _row(f"`{name}`: {_target(name).what}", f"{inputs:,} inputs ({engine})", done)


def _bounds(folder: Path, wanted: list[str], seconds: float) -> Iterator[Row]:
    wanted = [name for name in wanted if _target(name).kernels]
    if not wanted:
        return
    arguments = ["--child", "checked", "--seconds", str(seconds), "--corpus", str(folder), "--only", *wanted]
    done = _run(*arguments, NUMBA_BOUNDSCHECK="1")
    yield _row(
        f"the kernels with every index checked and no room to spare, on what was kept and mutations of it ({', '.join(wanted)})",
        f"{done.stdout.strip() or 0} inputs",
        done,
    )


def _checked(options: argparse.Namespace) -> None:
    """Runs targets with bounds checked and workspaces of the exact size; prints the number of inputs."""
    from serve import workspace
    from serve.native import CHECKED
    from tests.fuzz.engine import by_mutation

    assert CHECKED
    workspace.KEPT_SIZE = -1
    inputs = 0
    for name in options.only:
        corpus = [file.read_bytes() for file in sorted((options.corpus / name).glob("*"))]
        inputs += by_mutation(_target(name), options.seconds, corpus)
    print(f"{inputs:,}")


def _growth(wanted: list[str], size: int) -> Iterator[Row]:
    from tests.fuzz import growth

    for part in map(growth.PARTS.__getitem__, wanted):
        found = []
        for work in part():
            found.append(growth.measure(work, size))
            if not found[-1].linear:
                print(f"{work.name}: {found[-1].seconds:.2f} s, {found[-1].ratio:.1f} times as long", file=sys.stderr)
        worst = max(found, key=lambda measured: measured.ratio)
        slowest = max(found, key=lambda measured: measured.seconds)
        told = Counter(measured.linear for measured in found)
        happened = (
            f"all linear; at most {worst.ratio:.1f} times as long for 4 times as much; slowest {slowest.seconds:.1f} s ({slowest.work.name})"
            if not told[False]
            else f"{told[False]} not linear, the worst {worst.ratio:.1f} times as long ({worst.work.name})"
        )
        yield (
            (part.__doc__ or "").strip().rstrip(".").replace("|", "\\|"),
            f"{len(found)} inputs of {size / 1e6:g} and {growth.FACTOR * size / 1e6:g} MB",
            happened.replace("|", "\\|"),
            not told[False],
        )


if __name__ == "__main__":
    sys.exit(main())
