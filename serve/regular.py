"""Opening files that others may have made: a pipe, a device or a folder is refused, and so is more than there can be."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from serve.errors import InputError

# A pipe that nobody writes to would be waited for without these; not all systems have them.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
# Of a taxonomy or a lexicon.
LARGEST_TOML = 1 << 23


def open_regular(
    path: str | Path, largest: int, *, links: bool = True, error: type[InputError] = InputError
) -> BinaryIO:
    """A file of at most `largest` bytes, opened for reading; with `links` also the one that a symbolic link leads to.

    Raises FileNotFoundError where there is none, and `error`, with a sentence, for anything else than such a file.
    """
    try:
        handle = os.open(path, _FLAGS if links else _FLAGS | _NO_LINK)
    except FileNotFoundError:
        raise
    except OSError as problem:
        if problem.errno == errno.ELOOP:
            raise error(
                f"{path}: is a symbolic link; put the file itself there (`cp -rL` copies what links lead to)."
            ) from None
        raise error(f"{path}: cannot be opened ({problem.strerror}); check who may read it.") from None
    file = os.fdopen(handle, "rb") if stat.S_ISREG(os.fstat(handle).st_mode) else None
    if file is None:
        os.close(handle)
        raise error(f"{path}: is a folder, a pipe or a device; put a file there.")
    size = os.fstat(handle).st_size
    if size > largest:
        file.close()
        raise error(f"{path}: has {size:,} bytes, and none of its kind has more than {largest:,}; check what it is.")
    return file


def read_regular(path: str | Path, largest: int, *, links: bool = True, error: type[InputError] = InputError) -> bytes:
    """All that is in such a file, as `open_regular` opens it."""
    with open_regular(path, largest, links=links, error=error) as file:
        # It may have grown since it was opened.
        return file.read(largest)
