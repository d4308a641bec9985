"""Runs that are cut short: nothing under the final name, and the same bytes as without it when they are resumed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pytest

from serve.batch import Outcome, predict_file
from serve.errors import InputError
from serve.files import journal, lines
from serve.files.journal import journal_file, rejected_file
from serve.paths import ROOT
from tests.serve.files.keywords import Filed, Keywords, Stopped, keywords

if TYPE_CHECKING:
    from serve.model import TopicModel

ROWS = 200
TARGETS = ["b.csv", "b.jsonl", "b.csv.gz", "b.jsonl.zst", "b.parquet"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A CSV of several blocks with rows that cannot be read."""
    rows = [f'{row},"panen {row},\n{"padi, kereta " * (row % 9)}"\n' for row in range(ROWS)]
    for broken, row in ((150, '8,"panen\n'), (20, "1,2,3\n"), (3, "\n,banjir,\n")):
        rows.insert(broken, row)
    path = tmp_path / "a.csv"
    path.write_text("id,isi\n" + "".join(rows))
    return path


def run(source: Path, target: Path, write: int = 0, limit: int = 0) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.serve.files.interrupted", str(source), str(target), str(write), str(limit)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def uninterrupted(source: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bytes, bytes]:
    """What the target and the file of rejected rows hold where nothing happens."""
    monkeypatch.setattr(lines, "BLOCK_SIZE", 1000)
    target = source.parent / "whole" / name
    assert predict_file(keywords(), source, target, keep=True) == Outcome(ROWS, 3)
    return target.read_bytes(), rejected_file(target).read_bytes()


@pytest.mark.parametrize("name", TARGETS)
def test_a_killed_run_goes_on(source: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = uninterrupted(source, name, monkeypatch)
    target = source.parent / name
    for write in (1, 16, 11):
        killed = run(source, target, write)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert not target.exists()
        assert not rejected_file(target).exists()
    rows, rejected, filed = map(int, run(source, target).stdout.split())
    assert (rows, rejected) == (ROWS, 3)
    assert 0 < filed < ROWS / 2
    assert (target.read_bytes(), rejected_file(target).read_bytes()) == expected
    assert {path.name for path in source.parent.iterdir()} == {"a.csv", "whole", name, rejected_file(name).name}


@pytest.mark.parametrize("name", ["b.csv.gz", "b.parquet"])
def test_a_full_disk(source: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = uninterrupted(source, name, monkeypatch)
    target = source.parent / name
    for limit in (1000, len(expected[0]) // 2):
        full = run(source, target, limit=limit)
        assert full.returncode == 1
        said = f"{target}: cannot be written (File too large); make room and go on with --resume."
        assert full.stderr.splitlines() == [said]
        assert not target.exists()
        assert not rejected_file(target).exists()
    assert run(source, target).stdout.startswith(f"{ROWS} 3 ")
    assert (target.read_bytes(), rejected_file(target).read_bytes()) == expected


@pytest.mark.parametrize("name", ["b.csv", "b.parquet"])
def test_a_run_that_was_stopped_before_the_files_were_in_place(
    source: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = uninterrupted(source, name, monkeypatch)
    target = source.parent / name
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(journal, "sync", interrupt)
        predict_file(keywords(), source, target, keep=True)
    assert journal_file(target).exists()
    model = Keywords()
    assert predict_file(cast("TopicModel", model), source, target, keep=True, resume=True) == Outcome(ROWS, 3)
    assert model.batches == []
    assert (target.read_bytes(), rejected_file(target).read_bytes()) == expected
    assert {path.name for path in source.parent.iterdir()} == {"a.csv", "whole", name, rejected_file(name).name}


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".jsonl", ".jsonl.zst", ".parquet"])
def test_every_kind_of_source_is_taken_up_where_it_was_left(
    source: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 1000)
    monkeypatch.setattr(journal, "SECONDS_BETWEEN_CHECKPOINTS", 0)
    given = source.parent / f"c{ending}"
    predict_file(keywords(), source, given, keep=True)
    whole, target = source.parent / "d.jsonl", source.parent / "e.jsonl"
    predict_file(keywords(), given, whole, keep=True)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            predict_file(cast("TopicModel", Stopped(4)), given, target, keep=True, resume=True, workers=1)
    model = Keywords()
    predict_file(cast("TopicModel", model), given, target, keep=True, resume=True)
    assert target.read_bytes() == whole.read_bytes()
    assert 0 < sum(model.batches) < ROWS


@pytest.fixture
def stopped(source: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The target of a run that was interrupted."""
    monkeypatch.setattr(lines, "BLOCK_SIZE", 1000)
    target = source.parent / "b.csv"
    with pytest.raises(KeyboardInterrupt):
        predict_file(cast("TopicModel", Stopped(5)), source, target, workers=1)
    return target


def test_another_run_is_not_resumed(source: Path, stopped: Path) -> None:
    left = {path: path.read_bytes() for path in source.parent.iterdir()}
    with pytest.raises(
        InputError, match=r"b\.csv: cannot be resumed, for the options changed since .*; run it without"
    ):
        predict_file(keywords(), source, stopped, resume=True, all_topics=True)
    other = Keywords()
    other.version = "2"
    with pytest.raises(InputError, match="for the model changed since"):
        predict_file(cast("TopicModel", other), source, stopped, resume=True)
    assert {path: path.read_bytes() for path in source.parent.iterdir()} == left
    source.write_text(source.read_text() + "1,panen\n")
    with pytest.raises(InputError, match="for the source changed since"):
        predict_file(keywords(), source, stopped, resume=True)
    assert predict_file(keywords(), source, stopped) == Outcome(ROWS + 1, 3)


def test_a_partial_file_that_was_touched_is_not_resumed(source: Path, stopped: Path) -> None:
    Path(f"{stopped}.partial").write_text("id")
    with pytest.raises(InputError, match=r"b\.csv\.partial: is not as the interrupted run left it; run it without"):
        predict_file(keywords(), source, stopped, resume=True)


def test_where_there_is_nothing_to_resume_it_just_runs(source: Path) -> None:
    assert predict_file(keywords(), source, source.parent / "b.csv", resume=True) == Outcome(ROWS, 3)


@pytest.mark.parametrize(("given", "target"), [("-", "b.csv"), ("a.csv", "-"), ("a.csv", None)])
def test_streams_are_not_resumed(given: str, target: str | None) -> None:
    with pytest.raises(InputError, match="--resume needs a file to read and a file to write"):
        predict_file(keywords(), given, target, resume=True)


def test_rejected_rows_of_an_earlier_run_do_not_stay(source: Path) -> None:
    target = source.parent / "b.csv"
    predict_file(keywords(), source, target)
    assert [json.loads(line)["line"] for line in rejected_file(target).read_text().splitlines()] == [9, 44, 305]
    source.write_text("id,isi\n1,panen\n")
    predict_file(keywords(), source, target)
    assert {path.name for path in source.parent.iterdir()} == {"a.csv", "b.csv"}


def test_what_was_put_in_its_place_before_it_was_locked_is_not_what_is_locked(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    partial, locked = source.parent / "b.csv.partial", []

    def lock(file: int, how: int) -> None:
        locked.append(how)
        if len(locked) == 1:
            partial.replace(source.parent / "b.csv")

    monkeypatch.setattr(fcntl, "flock", lock)
    with journal._alone(partial, "b.csv"):
        assert partial.exists()
    assert len(locked) == 2


def test_two_runs_do_not_write_one_file(source: Path) -> None:
    target = source.parent / "b.csv"

    class Second(Keywords):
        """Begins another run in the midst of the first."""

        def file(self, texts: pa.Array, titles: pa.Array | None = None, *, n_threads: int) -> Filed:
            for resume in (False, True):
                with pytest.raises(InputError, match=r"b\.csv: is being written by another run; wait until"):
                    predict_file(keywords(), source, target, resume=resume)
            return super().file(texts, titles, n_threads=n_threads)

    pytest.importorskip("fcntl")
    assert predict_file(cast("TopicModel", Second()), source, target) == Outcome(ROWS, 3)
    assert predict_file(keywords(), source, target) == Outcome(ROWS, 3)
    assert {path.name for path in source.parent.iterdir()} == {"a.csv", "b.csv", rejected_file(target).name}
