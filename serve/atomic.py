"""Files and folders that appear whole or not at all: written beside their place, synced, then renamed."""

import ctypes
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from serve.errors import InputError

try:
    import fcntl
except ImportError:
    # Windows has no such locks.
    fcntl = None  # type: ignore[assignment]

# Of Linux's renameat2(2).
AT_FDCWD, RENAME_EXCHANGE = -100, 2


@dataclass(frozen=True)
class Kind:
    """What a folder that is written whole holds."""

    what: str
    """As in "a model"."""
    names: tuple[str, ...]
    """Of its files and folders, as `fnmatch` has patterns; the first is always there."""

    def refuse_other(self, folder: str | Path) -> None:
        """Raises InputError where anything stands at `folder` but an empty folder or one of this kind: it would be lost
        to the one that takes its place. A link is none of it: what it names stays."""
        folder = Path(folder)
        if folder.is_symlink() or not folder.exists():
            return
        if not folder.is_dir():
            raise InputError(f"{folder}: is a file; name a folder for {self.what}.")
        if folder.samefile(os.curdir):
            raise InputError(f"{folder}: is the folder that you are in; name another one for {self.what}.")
        found = sorted(path.name for path in folder.iterdir())
        others = [name for name in found if not any(fnmatchcase(name, known) for known in self.names)]
        if others or (found and not any(fnmatchcase(name, self.names[0]) for name in found)):
            raise InputError(
                f"{folder}: holds '{(others or found)[0]}', which is no part of {self.what}; name a new folder."
            )


def behind_links(path: str | Path) -> Path:
    """The file that a link names, which is what is to be replaced; any other path as it is."""
    return Path(os.path.realpath(path) if os.path.islink(path) else path)


@contextmanager
def atomic_file(path: str | Path) -> Iterator[Path]:
    """A temporary path in `path`'s folder; renamed to `path` when the block ends, removed when it raises.

    A file that was there keeps its permissions, and a link stays one.
    """
    path = behind_links(path)
    with _beside(path, _new_file) as temporary:
        yield temporary
        sync(temporary)
        # mkstemp makes private files; a new one should be as readable as any file of this user.
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        temporary.replace(path)
        sync(path.parent)


@contextmanager
def new_file(path: str | Path) -> Iterator[Path]:
    """A path in a temporary folder beside `path`, where its writer may make other files, which are removed at the end.

    It becomes `path` when the block ends without an error, unless there is a file by then, which stays as it is.
    """
    path = Path(path)
    with _beside(path, tempfile.mkdtemp) as folder:
        temporary = folder / path.name
        yield temporary
        sync(temporary)
        with suppress(FileExistsError):
            os.link(temporary, path)
        sync(path.parent)


@contextmanager
def atomic_folder(path: str | Path, kind: Kind) -> Iterator[Path]:
    """A temporary folder beside `path`; it takes the place of `path` when the block ends, and is removed when it raises.

    Where the system can exchange two names (Linux), a folder that stood there is there until the new one is. Elsewhere
    it is moved aside first and removed last, so one of the two is always whole. Raises InputError for a place where
    something else stands than a folder of this kind.
    """
    path = Path(path)
    kind.refuse_other(path)
    with _beside(path, tempfile.mkdtemp) as temporary:
        yield temporary
        for file in temporary.rglob("*"):
            sync(file)
        temporary.chmod(0o777 & ~_umask())
        try:
            temporary.rename(path)
        except OSError:
            if not path.exists():
                raise
            if not _exchange(temporary, path):
                old = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
                path.replace(old / path.name)
                temporary.rename(path)
                shutil.rmtree(old)
        sync(path.parent)


@contextmanager
def _beside(path: Path, make: Callable[..., str]) -> Iterator[Path]:
    """What `make` makes in `path`'s folder; removed at the end where it is still there.

    It is locked as long as this process lives, so that one which a killed process left behind is known by having no
    lock; such leftovers of earlier runs are removed first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix, suffix = f".{path.name}.", ".part"
    for left in list(path.parent.iterdir()):
        if left.name.startswith(prefix) and left.name.endswith(suffix):
            with _locked(left, wait=False) as alone:
                if alone:
                    _remove(left)
    while True:
        temporary = Path(make(prefix=prefix, suffix=suffix, dir=path.parent))
        with _locked(temporary, wait=True):
            # Another process may have taken it for a leftover before it was locked.
            if not temporary.exists():
                continue
            try:
                yield temporary
            finally:
                _remove(temporary)
            return


@contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Whether this process has the lock of a file or folder, until the block ends; never where there are no locks."""
    if fcntl is None:
        yield False
        return
    with ExitStack() as stack:
        alone = False
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            alone = True
        yield alone


def _new_file(*, prefix: str, suffix: str, dir: Path) -> str:
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=dir)
    os.close(handle)
    return name


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _exchange(one: Path, other: Path) -> bool:
    """Gives two files or folders each other's name, in one step; False where the system or its disk cannot."""
    try:
        rename = ctypes.CDLL(None).renameat2
    except (AttributeError, OSError, TypeError):
        return False
    return rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sync(path: Path) -> None:
    """Waits until a file or folder is safely on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
