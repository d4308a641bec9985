"""How far long work is: a bar on a terminal, lines in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SECONDS_BETWEEN_LINES = 10


@contextmanager
def progress(
    name: str, fraction: Callable[[int], float | None], before: int = 0, done: str = "filed"
) -> Iterator[Callable[[int], None]]:
    """A function that takes the number of rows done, of which `before` were done at the start.

    `fraction` gives the share of the whole that a number of rows is, where it is known; `done` is what was done to them.
    """
    begin = time.monotonic()
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        text = TextColumn("{task.completed:,} articles, {task.fields[rate]:,.0f} a second,")
        columns = (BarColumn(), text, TimeRemainingColumn(), TextColumn("left"))
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None, completed=before, rate=0)

            def move(rows: int) -> None:
                share = fraction(rows)
                rate = (rows - before) / max(time.monotonic() - begin, 1e-9)
                bar.update(task, completed=rows, total=rows / share if share else None, rate=rate)

            yield move
    else:
        latest = begin

        def line(rows: int) -> None:
            nonlocal latest
            if time.monotonic() - latest >= SECONDS_BETWEEN_LINES:
                latest = time.monotonic()
                share = fraction(rows)
                of_all = f" ({share:.0%})" if share else ""
                print(f"{name}: {rows:,} rows {done}{of_all}", file=sys.stderr)

        yield line
