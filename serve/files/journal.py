"""The file that a run writes, the rows that it rejects, and the journal from which an interrupted run goes on.

Until a run is done its output is in OUT.partial, and what it rejects in OUT.rejected.jsonl.partial. OUT.journal says of
which run in its first line, and then, a line each time, how far source and output had come when all of that was safely
on the disk. Whatever ends a run, OUT itself is there only when it is whole.
"""

import errno
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol, Self

from serve.atomic import behind_links, sync
from serve.errors import InputError, KanalError
from serve.files.encoders import Encoder
from serve.files.parts import START, Position
from serve.regular import read_regular

SECONDS_BETWEEN_CHECKPOINTS = 2
# A journal of months.
LARGEST = 1 << 28
# On the disk, or in what this user may take of it.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

Run = dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """How far a run has come."""

    position: Position = START
    """Where in the source it goes on."""
    rows: int = 0
    """Rows written."""
    rejected: int = 0
    columns: Sequence[str] = ()
    """The source's columns that have been seen, in the order in which they turned up."""
    size: int = 0
    """Bytes of OUT.partial."""
    rejected_size: int = 0
    """Bytes of OUT.rejected.jsonl.partial."""
    whole: bool = False
    """Whether all is written, and only has to be put in its place."""

    @classmethod
    def of_json(cls, line: bytes) -> Self:
        """From a line of a journal. Raises ValueError or TypeError for what `asdict` does not write."""
        entry = json.loads(line)
        reached = cls(**{**entry, "position": Position(**entry["position"])})
        numbers = (
            *asdict(reached.position).values(),
            reached.rows,
            reached.rejected,
            reached.size,
            reached.rejected_size,
        )
        if not all(type(number) is int and 0 <= number < 1 << 63 for number in numbers):
            raise ValueError("a number of bytes or rows is none")
        if not isinstance(reached.columns, list) or not all(isinstance(name, str) for name in reached.columns):
            raise TypeError("the columns are no names")
        if not isinstance(reached.whole, bool):
            raise TypeError("'whole' is neither true nor false")
        return reached


class Output(Protocol):
    """Where the answers and the rejected rows of a run go."""

    reached: Checkpoint
    """How far the run had come when it was taken up; when it is `whole`, nothing is left to be written."""

    def write(self, answers: bytes, rejected: str, reached: Checkpoint | None) -> None:
        """Adds to both; `reached` tells, but for the sizes, how far the run has come, where it can be taken up there."""


@contextmanager
def open_output(
    target: str | Path | None, encoded: Encoder, run: Run | None = None, resume: bool = False
) -> Iterator[Output]:
    """The output to a file, which is there when the block has ended, or to standard output for None.

    `run` is what has to be the same for an interrupted run to be taken up with `resume`; None where none can be. Raises
    InputError when the file cannot be written at all, or the interrupted run was another one; KanalError when there is
    no room, or writing fails later. An InputError in the block leaves nothing to resume.
    """
    if target is None:
        yield _Streams(encoded)
        return
    file = _File(Path(target), encoded, run)
    with ExitStack() as lock:
        try:
            file.target.parent.mkdir(parents=True, exist_ok=True)
            lock.enter_context(_alone(file.partial, encoded.name))
            file.open(resume)
        except OSError as error:
            if not file.reached.size:
                file.remove()
            if error.errno in NO_ROOM:
                raise KanalError(
                    f"{target}: cannot be written ({error.strerror}); make room and begin again."
                ) from None
            raise InputError(f"{target}: cannot be written ({error.strerror}); choose another place.") from None
        try:
            yield file
            file.finish()
        except InputError:
            file.remove()
            raise
        except _WriteError as error:
            file.leave()
            remedy = "make room and go on with --resume" if run else "make room and begin again"
            raise KanalError(f"{target}: cannot be written ({error.strerror}); {remedy}.") from None
        except BaseException:
            file.leave()
            raise


@contextmanager
def _alone(partial: Path, name: str) -> Iterator[None]:
    """Keeps other runs from writing a file, where the system has locks. Raises InputError when one is at it."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    while True:
        with open(partial, "ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    f"{name}: is being written by another run; wait until it is done, or choose another place."
                ) from None
            except OSError:
                pass  # a file system without locks
            # Another run may have put it in its place between the two.
            if partial.exists() and os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                yield
                return


def rejected_file(target: str | Path) -> Path:
    """Where the rows that are rejected in writing `target` go."""
    return Path(f"{behind_links(target)}.rejected.jsonl")


def journal_file(target: str | Path) -> Path:
    """The journal of the run that writes `target`; it is there while the run is not done."""
    return Path(f"{behind_links(target)}.journal")


class _WriteError(OSError):
    """The disk is full, or gone."""


class _Streams:
    def __init__(self, encoded: Encoder) -> None:
        self.reached = Checkpoint()
        self.write(encoded.header, "", None)

    def write(self, answers: bytes, rejected: str, reached: Checkpoint | None) -> None:
        sys.stdout.buffer.write(answers)
        sys.stdout.buffer.flush()
        if rejected:
            print(rejected, end="", file=sys.stderr)


class _File:
    def __init__(self, target: Path, encoded: Encoder, run: Run | None) -> None:
        self.encoded, self.run = encoded, run
        self.target = behind_links(target)
        self.rejected = rejected_file(self.target)
        self.partial, self.rejected_partial = Path(f"{self.target}.partial"), Path(f"{self.rejected}.partial")
        self.journal = journal_file(self.target)
        # What is whole has been moved already when there is none; the lock makes an empty one.
        self.moved = not self.partial.exists()
        self.reached = self.latest = Checkpoint()
        self.time = time.monotonic()
        self.files: list[_Appended] = []

    def open(self, resume: bool) -> None:
        """Opens the files, at the last checkpoint of an interrupted run where `resume` wants it and there is one."""
        entries = self._take_up() if resume else 0
        self.latest = self.reached
        if self.reached.whole:
            return
        if not entries:
            self.journal.unlink(missing_ok=True)
        self.answers = self._append(self.partial, self.reached.size)
        self.rejects = self._append(self.rejected_partial, self.reached.rejected_size)
        if not self.reached.size:
            self.answers.write(self.encoded.header)
        if self.run:
            self.entries = self._append(self.journal, entries)
            if not entries:
                self.entries.write(json.dumps(self.run).encode() + b"\n")

    def write(self, answers: bytes, rejected: str, reached: Checkpoint | None) -> None:
        self.answers.write(answers)
        self.rejects.write(rejected.encode())
        if reached:
            self.latest = replace(reached, size=self.answers.size, rejected_size=self.rejects.size)
            if time.monotonic() - self.time >= SECONDS_BETWEEN_CHECKPOINTS:
                self._record(self.latest)

    def finish(self) -> None:
        """Puts the files in their places. What was done of it before an interruption is not done again."""
        if not self.reached.whole:
            self._record(replace(self.latest, whole=True))
            self._close()
        try:
            if self.latest.rejected:
                if self.rejected_partial.exists():
                    self.rejected_partial.replace(self.rejected)
            else:
                self.rejected_partial.unlink(missing_ok=True)
                self.rejected.unlink(missing_ok=True)
            if not (self.reached.whole and self.moved):
                self.encoded.place(self.partial, self.target)
            self.partial.unlink(missing_ok=True)
            sync(self.target.parent)
            self.journal.unlink(missing_ok=True)
        except OSError as error:
            raise _WriteError(error.errno, error.strerror) from None

    def leave(self) -> None:
        """Leaves what an interrupted run can go on from."""
        if not self.run:
            self.remove()
            return
        if self.files:
            with suppress(_WriteError):
                self._record(self.latest)
        self._close()

    def remove(self) -> None:
        self._close()
        for path in (self.partial, self.rejected_partial, self.journal):
            with suppress(OSError):
                path.unlink()

    def _append(self, path: Path, size: int) -> "_Appended":
        self.files.append(_Appended(path, size))
        return self.files[-1]

    def _close(self) -> None:
        for file in self.files:
            file.close()
        self.files = []

    def _record(self, checkpoint: Checkpoint) -> None:
        self.answers.sync()
        self.rejects.sync()
        if self.run:
            self.entries.write(json.dumps(asdict(checkpoint)).encode() + b"\n")
            self.entries.sync()
        self.time = time.monotonic()

    def _take_up(self) -> int:
        """Finds what has been reached, and returns the size of the journal up to there; 0 where nothing is to resume."""
        # The last line may have been cut off with the run.
        lines = read_regular(self.journal, LARGEST).splitlines(keepends=True) if self.journal.exists() else []
        entries = [line for line in lines if line.endswith(b"\n")]
        if not entries or not self.run:
            return 0
        try:
            before = dict(json.loads(entries[0]))
            reached = Checkpoint.of_json(entries[-1]) if len(entries) > 1 else Checkpoint()
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise InputError(
                f"{self.journal}: not the journal of a run ({error}); run it without --resume to begin again."
            ) from None
        for what, value in self.run.items():
            if before.get(what) != value:
                raise InputError(
                    f"{self.encoded.name}: cannot be resumed, for {what} changed since the run was interrupted; "
                    "run it without --resume to begin again."
                )
        for path, size in ((self.partial, reached.size), (self.rejected_partial, reached.rejected_size)):
            if not reached.whole and size > (path.stat().st_size if path.exists() else 0):
                raise InputError(
                    f"{path}: is not as the interrupted run left it; run it without --resume to begin again."
                )
        self.reached = reached
        return sum(map(len, entries))


class _Appended:
    """A file that is cut to `size` bytes and then written on from there; `size` counts what is written as a whole."""

    def __init__(self, path: Path, size: int) -> None:
        self.file = open(path, "r+b" if size else "wb", buffering=0)  # noqa: SIM115
        self.size = size

    def write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            # An error or an interruption may have cut short what was written last.
            self.file.truncate(self.size)
            self.file.seek(self.size)
            while left:
                left = left[self.file.write(left) :]
        except OSError as error:
            raise _WriteError(error.errno, error.strerror) from None
        self.size += len(data)

    def sync(self) -> None:
        try:
            self.file.truncate(self.size)
            os.fsync(self.file.fileno())
        except OSError as error:
            raise _WriteError(error.errno, error.strerror) from None

    def close(self) -> None:
        self.file.close()
