"""The compiled kernels of `serve.native`, and the tables they take, ready within milliseconds.

They are compiled when they are first needed (half a minute) and kept as object code in the user's cache, or beside this
package where that cannot be written; a later process loads them with LLVM alone, without Numba. What is kept is run, so it is
not read from where anybody but the user and root could have written it. They let go of Python's lock while they run.
NUMBA_BOUNDSCHECK=1 runs them as functions of Numba that check every index.
"""

import ctypes
import hashlib
import logging
import os
import stat
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve.atomic import atomic_file
from serve.errors import InputError
from serve.native import CHECKED
from serve.regular import read_regular

_HERE = Path(__file__).parent
# What the kernels and tables are made of.
_SOURCES = ("native", "characters.py", "language.py", "leftovers.py", "patterns.py", "rules.py")
_DTYPES = {name: np.dtype(name) for name in ("u1", "u4", "u8", "i4", "i8", "f4", "f8")}
_DIGEST_SIZE = 32
# Some forty times what they are.
_LARGEST = 1 << 27

logger = logging.getLogger("kanal.kernels")


class Kernel:
    """A compiled function; called with arrays and numbers as its source says. TypeError for any others."""

    def __init__(self, name: str, types: list[str], address: int) -> None:
        self.name = name
        self.types = types
        self.dtypes = [_DTYPES[kind[:2]] if kind.endswith("[:]") else None for kind in types]
        signature: list[Any] = []
        for dtype in self.dtypes:
            signature += [ctypes.c_int64] if dtype is None else [ctypes.c_void_p, ctypes.c_int64]
        self.function = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *signature)(address)

    def __call__(self, *arguments: Any) -> int:
        return self.run(self.prepare(arguments))

    def prepare(self, arguments: tuple[Any, ...], first: int = 0) -> list[Any]:
        """The arguments from the one numbered `first` on as the machine takes them; the arrays must outlive their use."""
        given: list[Any] = []
        for argument, dtype in zip(arguments, self.dtypes[first : first + len(arguments)], strict=True):
            if dtype is None:
                given.append(argument)
            elif argument.dtype != dtype or not argument.flags.c_contiguous:
                raise TypeError(f"{self.name}: expected a contiguous array of {dtype}, found {argument.dtype}")
            else:
                given.append(argument.__array_interface__["data"][0])
                given.append(argument.size)
        return given

    @staticmethod
    def prepare_bytes(data: bytes) -> list[Any]:
        """The same for an array of bytes."""
        return [data, len(data)]

    def run(self, prepared: list[Any]) -> int:
        """Calls the function with what `prepare` returned."""
        result, error = ctypes.c_int64(), ctypes.c_void_p()
        self.function(ctypes.addressof(result), ctypes.addressof(error), *prepared)
        return result.value


class CheckedKernel:
    """The same by way of Numba, every index checked: IndexError for one that is out of bounds."""

    def __init__(self, function: Callable[..., int]) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> int:
        return self.run(self.prepare(arguments))

    def prepare(self, arguments: tuple[Any, ...], first: int = 0) -> list[Any]:
        return [argument.ravel() if isinstance(argument, np.ndarray) else argument for argument in arguments]

    @staticmethod
    def prepare_bytes(data: bytes) -> list[Any]:
        return [np.frombuffer(data, np.uint8)]

    def run(self, prepared: list[Any]) -> int:
        return int(self.function(*prepared))


class _Loaded:
    """All kernels, and all tables, by name."""

    def __init__(self) -> None:
        content = _content()
        self.tables = {name[6:]: array for name, array in content.items() if name.startswith("table:")}
        self.kernels: dict[str, Any] = {}
        if CHECKED:
            from serve.native.compiler import KERNELS

            _import_all()
            self.kernels = {name: CheckedKernel(function) for name, function in KERNELS.items()}
            return
        import llvmlite.binding as llvm

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        machine = llvm.Target.from_default_triple().create_target_machine(jit=True, codemodel="jitdefault")
        # Whoever drops the engine drops the code.
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
        found = []
        for key, code in content.items():
            if key.startswith("kernel:"):
                _, name, symbol, kinds = key.split(":", 3)
                self.engine.add_object_file(llvm.ObjectFileRef.from_data(code.tobytes()))
                found.append((name, symbol, kinds.split(",")))
        self.engine.finalize_object()
        for name, symbol, types in found:
            self.kernels[name] = Kernel(name, types, self.engine.get_function_address(symbol))


_LOADING = Lock()


def _loaded() -> _Loaded:
    # Two threads that both load would each get an engine, and the one that is dropped takes its code with it.
    with _LOADING:
        return _load_once()


@cache
def _load_once() -> _Loaded:
    return _Loaded()


def table(name: str) -> NDArray[Any]:
    """One of the tables of `serve.characters` and `serve.rules`."""
    return _loaded().tables[name]


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    try:
        return _loaded().kernels[name]
    except KeyError:
        raise AttributeError(f"there is no kernel '{name}'") from None


def _content() -> dict[str, NDArray[Any]]:
    """Object code and tables, from where they are kept or made anew."""
    from safetensors.numpy import save

    files = places()
    for file in files:
        if kept := read_kept(file):
            return kept
    content = {**_compiled(), **_tables()}
    data = save(content)
    refused = None
    for file in files:
        try:
            _make_private(file.parent)
            with atomic_file(file) as part:
                part.write_bytes(hashlib.sha256(data).digest() + data)
            # Whatever the user lets others do to files of theirs.
            file.chmod(0o644)
            others = others_can_write(file)
            if others is None:
                return content
            refused = refused or others
            file.unlink()
        except OSError:
            continue
    if refused:
        logger.warning(
            "%s: others than you can write there, so the compiled kernels are not kept, and every process will compile them; "
            "take that right away (chmod go-w), or name another folder with XDG_CACHE_HOME.",
            refused,
        )
    return content


def read_kept(file: Path) -> dict[str, NDArray[Any]] | None:
    """What is kept in a file; None where it is missing or not whole, or others could have written it."""
    from safetensors.numpy import load

    try:
        if others_can_write(file):
            return None
        content = read_regular(file, _LARGEST, links=False)
    except (OSError, InputError):
        return None
    digest, data = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
    return dict(load(data)) if hashlib.sha256(data).digest() == digest else None


def others_can_write(file: Path) -> Path | None:
    """The file, or the folder above it, that somebody else than this user and root can write to or replace; None where
    there is none (or the system does not tell, as Windows). Raises OSError when there is no such file."""
    if not hasattr(os, "getuid"):
        return None
    # Where the system's root has another number (in a container), it is the owner of the topmost folder.
    trusted = (0, os.getuid(), os.stat("/").st_uid)
    place = file.parent.resolve() / file.name
    for path in (place, *place.parents):
        found = path.lstat()
        loose = found.st_mode & stat.S_IWOTH or (
            # A user's own group has the user's number, and nobody else in it.
            found.st_mode & stat.S_IWGRP and found.st_gid != found.st_uid
        )
        # In a folder such as /tmp all may make files, but replace their own alone.
        sticky = path != place and path != place.parent and found.st_mode & stat.S_ISVTX
        if found.st_uid not in trusted or (loose and not sticky):
            return path
    return None


def _make_private(folder: Path) -> None:
    """Makes a folder that others cannot write to, or the user's own into one."""
    folder.mkdir(parents=True, exist_ok=True)
    found = folder.stat()
    if hasattr(os, "getuid") and found.st_uid == os.getuid() and found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        folder.chmod(stat.S_IMODE(found.st_mode) & ~(stat.S_IWGRP | stat.S_IWOTH))


def places() -> list[Path]:
    """The files in which kernels and tables may be kept, the preferred one first; others for whatever they depend on."""
    name = f"kernels-{_fingerprint()}.bin"
    named = os.environ.get("XDG_CACHE_HOME", "")
    # One that is not absolute would be another one in each folder, and whoever made that one could fill it.
    cache = Path(named) if os.path.isabs(named) else Path.home() / ".cache"
    return [cache / "kanal" / name, _HERE / "__pycache__" / name]


def _fingerprint() -> str:
    """Of all that object code and tables depend on."""
    from importlib.metadata import version

    import llvmlite.binding as llvm

    digest = hashlib.sha256()
    for source in _SOURCES:
        place = _HERE / source
        for file in sorted(place.glob("*.py")) if place.is_dir() else [place]:
            digest.update(file.read_bytes())
    facts = [
        sys.version,
        version("numba"),
        version("llvmlite"),
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        str(CHECKED),
    ]
    digest.update(" ".join([*facts, llvm.get_host_cpu_features().flatten()]).encode())
    return digest.hexdigest()[:16]


def _import_all() -> None:
    import serve.native.filing
    import serve.native.records
    import serve.native.terms
    import serve.native.tfidf
    import serve.native.tokens  # noqa: F401


def _compiled() -> dict[str, NDArray[Any]]:
    from serve.native.compiler import KERNELS, object_code, parameters

    _import_all()
    content: dict[str, NDArray[Any]] = {}
    for name, function in KERNELS.items():
        symbol, code = object_code(function)
        content[f"kernel:{name}:{symbol}:{','.join(parameters(function))}"] = np.frombuffer(code, np.uint8)
    return content


def _tables() -> dict[str, NDArray[Any]]:
    from serve.characters import case_table, fold_table, plain_tables
    from serve.rules import rule_tables

    plain, several = plain_tables()
    tables: dict[str, NDArray[Any]] = {
        "fold": fold_table(),
        "plain": plain,
        "several": several,
        "cases": case_table(),
        **rule_tables(),
    }
    return {f"table:{name}": array for name, array in tables.items()}
