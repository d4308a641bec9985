"""Where a model comes from: the code, packages and processor that made it, and the files that it was made from.

Nothing here tells one run from the next: the same code and data give the same card, byte for byte. Dates are MLflow's.
"""

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from llvmlite.binding import get_host_cpu_name

from serve.paths import ROOT
from serve.topics import Topic

# What decides the figures, and reads the files.
PACKAGES = ("kanal", "llvmlite", "numba", "numpy", "pyarrow", "scikit-learn", "scipy")


def origin() -> dict[str, Any]:
    """What a training runs on, as JSON values: commit (None outside of a checkout), whether files differ from it,
    the versions of Python and packages, system and processor."""
    commit = _git("rev-parse", "HEAD")
    return {
        "commit": commit,
        # As in `git describe --dirty`: files that git does not keep do not count, a model written here among them.
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")) if commit else None,
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "system": f"{platform.system()} {platform.machine()}",
        # Compiled code and BLAS add up in the order that suits a kind of processor.
        "processor": os.environ.get("NUMBA_CPU_NAME") or get_host_cpu_name(),
    }


def source(path: str | Path | None, embedded: Path | None = None, **counts: int) -> dict[str, Any]:
    """A file, folder or data set as a card names it: as it was given, None for what comes with Kanal, and its SHA-256."""
    place = embedded if path is None else path
    return {"path": path and str(path), "sha256": place and sha256_of(place), **counts}


def sha256_of(path: str | Path) -> str | None:
    """The SHA-256, in hex, of a file, or of the names and hashes of a folder's files; None for what is no file, such as
    a data set on a hub."""
    path = Path(path)
    if path.is_dir():
        hashes = [(file.name, sha256_of(file)) for file in sorted(path.iterdir())]
        return hashlib.sha256(json.dumps(hashes).encode()).hexdigest()
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def taxonomy_sha256(taxonomy: Mapping[str, Topic]) -> str:
    """The SHA-256, in hex, of topics with all that is said of them, in their order."""
    return hashlib.sha256(json.dumps([asdict(topic) for topic in taxonomy.values()]).encode()).hexdigest()


def _version(name: str) -> str | None:
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)
    return None


def _git(*arguments: str) -> str | None:
    """What git says of the checkout that this is; None where it is none."""

    def said(command: Sequence[str]) -> str:
        done = subprocess.run(["git", "-C", str(ROOT), *command], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    try:
        # Installed below another repository, the commit would be that one's.
        return said(arguments) if Path(said(["rev-parse", "--show-toplevel"])) == ROOT else None
    except (OSError, subprocess.CalledProcessError):
        return None
