"""Processes to be killed: `kanal` commands and functions, forked where all they import is there already.

An import changes nothing on a disk, so a kill in the midst of it tells nothing; without it a run takes seconds less.
"""

import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 300.0


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit status, minus the signal's number where it was killed, and what it printed."""

    status: int
    output: str
    seconds: float

    @property
    def killed(self) -> bool:
        return self.status == -signal.SIGKILL

    @property
    def sentence(self) -> bool:
        """Whether it failed as a user should see it: with exit status 1 or 2 and a sentence, not a traceback."""
        return self.status in (1, 2) and "Error: " in self.output and "Traceback" not in self.output


class Process:
    """A forked process that calls a function; its output goes to a file."""

    def __init__(self, function: Callable[[], object], log: Path) -> None:
        self.log, self.began = log, time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            _be(function, log)
        self.handle = os.pidfd_open(self.pid)

    def alive(self) -> bool:
        return not select.select([self.handle], [], [], 0)[0]

    def kill(self) -> None:
        signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def end(self, after: float | None = None) -> Ended:
        """Waits for its end; it is killed when it has not ended `after` so many seconds since it began."""
        left = PATIENCE if after is None else max(0.0, after - (time.monotonic() - self.began))
        over = select.select([self.handle], [], [], left)[0]
        if not over:
            self.kill()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.handle)
        output = self.log.read_text(errors="replace") if self.log.exists() else ""
        if after is None and not over:
            raise AssertionError(f"did not end in {PATIENCE} seconds:\n{output}")
        return Ended(os.waitstatus_to_exitcode(status), output, time.monotonic() - self.began)


def kanal(*arguments: object) -> Callable[[], None]:
    """What calls the command line with arguments."""

    def call() -> None:
        from kanal import main

        sys.argv = ["kanal", *map(str, arguments)]
        main()

    return call


def run(function: Callable[[], object], folder: Path, after: float | None = None) -> Ended:
    """How a process that calls `function` ends; killed `after` so many seconds. Its output goes to a file in `folder`."""
    return Process(function, folder / "output").end(after)


def moments(seconds: float, kills: int, seed: int) -> Iterator[float]:
    """Moments without end, to kill something that takes so many seconds: uniform, and the same for the same seed.

    Of each `kills` in a row, one falls in each of so many equal parts of the time.
    """
    random_moments = random.Random(seed)
    while True:
        parts = [(i + random_moments.random()) / kills * seconds for i in range(kills)]
        random_moments.shuffle(parts)
        yield from parts


@contextmanager
def ended_at_last(process: Process) -> Iterator[Process]:
    """Kills a process at the end of the block where it still runs."""
    try:
        yield process
    finally:
        if process.alive():
            process.kill()
        process.end()


def _be(function: Callable[[], object], log: Path) -> None:
    """Calls the function in this new process, and ends it."""
    status = 1
    try:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(out, 1)
        os.dup2(out, 2)
        for name in ("stdout", "stderr"):
            setattr(sys, name, os.fdopen(os.dup(out), "w", buffering=1))
        function()
        status = 0
    except SystemExit as error:
        status = int(error.code or 0)
    except BaseException:
        traceback.print_exc()
        status = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
