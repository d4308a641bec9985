"""Files and folders that appear whole: what a reader sees meanwhile, and what killed writers leave behind."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from serve import atomic
from serve.atomic import Kind, atomic_file, atomic_folder, new_file
from serve.errors import InputError
from serve.paths import ROOT

KIND = Kind("a model", ("a", "b", "*.png"))
KILLED = """
import os, signal, sys
from functools import partial
from serve.atomic import Kind, atomic_file, atomic_folder
atomic_folder = partial(atomic_folder, kind=Kind("a model", ("a", "b")))
with {0}(sys.argv[1]) as part:
    ({1}).write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def write_folder(path: Path, text: str) -> None:
    with atomic_folder(path, KIND) as part:
        (part / "a").write_text(text)
        (part / "b").write_text(text)


def write_file(path: Path, text: str) -> None:
    with atomic_file(path) as part:
        part.write_text(text)


@pytest.mark.parametrize(
    ("write", "name", "within"), [(write_folder, "atomic_folder", 'part / "a"'), (write_file, "atomic_file", "part")]
)
def test_what_a_killed_writer_left_goes_with_the_next(
    tmp_path: Path, write: Callable[[Path, str], None], name: str, within: str
) -> None:
    target = tmp_path / "model"
    write(target, "old")
    script = KILLED.format(name, within)
    subprocess.run([sys.executable, "-c", script, str(target)], cwd=ROOT, check=False)
    assert len(list(tmp_path.glob(".model.*.part"))) == 1
    other = tmp_path / ".model2.x.part"
    other.touch()
    write(target, "new")
    assert {path.name for path in tmp_path.iterdir()} == {"model", other.name}
    assert (target / "a" if target.is_dir() else target).read_text() == "new"


@pytest.mark.parametrize("make", [atomic_file, partial(atomic_folder, kind=KIND)])
def test_a_writer_at_work_is_left_alone(tmp_path: Path, make: Callable[[Path], AbstractContextManager[Path]]) -> None:
    target = tmp_path / "model"
    with make(target) as first:
        with make(target) as second:
            assert first.exists() and second.exists() and first != second
        assert first.exists()
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_replaces_none_and_leaves_nothing_beside(tmp_path: Path) -> None:
    for text in ("first", "second"):
        with new_file(tmp_path / "database") as part:
            part.write_text(text)
            part.with_name("journal").touch()
    assert (tmp_path / "database").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["database"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux exchanges two names in one step")
def test_a_folder_that_is_replaced_is_never_away(tmp_path: Path) -> None:
    target = tmp_path / "model"
    write_folder(target, "0")
    stopped, away = threading.Event(), []

    def watch() -> None:
        while not stopped.is_set():
            try:
                # A folder that was opened stays the one it was.
                handle = os.open(target, os.O_RDONLY)
            except FileNotFoundError as error:
                away.append(error)
            else:
                os.close(handle)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        for i in range(100):
            write_folder(target, str(i))
    finally:
        stopped.set()
        watching.join()
    assert away == []


def test_where_names_cannot_be_exchanged_it_is_moved_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_exchange", lambda one, other: False)
    for text in ("old", "new"):
        write_folder(tmp_path / "model", text)
    assert (tmp_path / "model" / "a").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("held", [["thesis.docx"], ["a", "thesis.docx"], ["a", "c/d"], ["holiday.png"], [".hidden"]])
def test_a_folder_of_another_kind_is_left_alone(tmp_path: Path, held: list[str]) -> None:
    for name in held:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=r"mine: holds '.*', which is no part of a model; name a new folder"):
        write_folder(tmp_path / "mine", "new")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_and_the_current_folder_are_no_place_for_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "corpus.csv").write_text("mine")
    with pytest.raises(InputError, match=r"corpus.csv: is a file; name a folder for a model"):
        write_folder(tmp_path / "corpus.csv", "new")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is the folder that you are in"):
        write_folder(Path("."), "new")
    assert [path.name for path in tmp_path.iterdir()] == ["corpus.csv"]


def test_one_of_its_kind_or_an_empty_one_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    write_folder(tmp_path / "model", "old")
    (tmp_path / "model" / "chart.png").touch()
    write_folder(tmp_path / "model", "new")
    assert {path.name: path.read_text() for path in (tmp_path / "model").iterdir()} == {"a": "new", "b": "new"}


def test_a_file_behind_a_link_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file, link = tmp_path / "real" / "corpus.jsonl", tmp_path / "corpus.jsonl"
    file.write_text("old")
    file.chmod(0o600)
    link.symlink_to("real/corpus.jsonl")
    write_file(link, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777, link.is_symlink()) == ("new", 0o600, True)
    write_file(tmp_path / "new", "new")
    mask = os.umask(0o022)
    os.umask(mask)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_link_is_replaced_and_not_what_it_names(tmp_path: Path) -> None:
    write_folder(tmp_path / "first", "old")
    (tmp_path / "model").symlink_to("first")
    write_folder(tmp_path / "model", "new")
    assert (tmp_path / "first" / "a").read_text() == "old"
    assert (tmp_path / "model" / "a").read_text() == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"first", "model"}
