"""A lock from reading a user's file to replacing it, so that of two commands that change it none undoes the other's work."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import local

try:
    import fcntl
except ImportError:
    # Windows has no such locks.
    fcntl = None  # type: ignore[assignment]

_held = local()


@contextmanager
def changing(*files: str | Path) -> Iterator[None]:
    """Keeps other processes and threads, which wait, from changing these files until the block ends.

    What is locked are their folders: a file is replaced by another one, and may not be there yet. A block within a block
    locks what the outer one has not. Nothing is locked where the system or its disk has no locks, nor in a folder that is
    yet to be made.
    """
    there: set[str] = getattr(_held, "folders", set())
    # In one order, so that no two wait for each other.
    folders = sorted({os.path.dirname(os.path.realpath(file)) for file in files} - there)
    with ExitStack() as stack:
        for folder in folders:
            with suppress(OSError):
                stack.enter_context(_locked(folder))
        _held.folders = there.union(folders)
        try:
            yield
        finally:
            _held.folders = there


@contextmanager
def _locked(folder: str) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"Another command is changing a file in {folder}; waiting until it is done.", file=sys.stderr)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
