"""`kanal predict` with rows that cannot be read, and with runs that are interrupted."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import kanal
from cli import prediction
from serve.files import lines
from tests.serve.files.keywords import Keywords, Stopped

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def predict(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `kanal predict` with a model and arguments, and gives its exit status, output and errors."""

    def run(model: Keywords, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(prediction, "load", lambda _: model)
        monkeypatch.setattr(sys, "argv", ["kanal", "predict", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            kanal.main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run


def test_rejected_rows_are_counted(predict: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "a.csv", tmp_path / "b.csv"
    source.write_bytes(b"id,isi\n1,panen\n2,\xff\n3\n4,banjir\n")
    assert predict(Keywords(), source, target) == (
        3,
        f"2 articles filed into {target}\n",
        f"2 rows rejected, see {target}.rejected.jsonl\n",
    )
    rejected = (tmp_path / "b.csv.rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in rejected] == [3, 4]
    status, out, err = predict(Keywords(), source)
    assert status == 3
    assert out.splitlines() == ["id,topics,probabilities,note", "1,panen,0.5000,", "4,banjir,0.5000,"]
    assert err.splitlines() == [*rejected, "2 rows rejected"]


def test_strict_stops_at_the_first(predict: Run, tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_bytes(b"id,isi\n1,panen\n2,\xff\n3\n")
    status, out, err = predict(Keywords(), source, tmp_path / "b.csv", "--strict")
    assert (status, out) == (2, "")
    assert err.startswith(f"Error: {source}, line 3: not UTF-8: byte 0xFF at offset 17 ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_an_interrupted_run_says_how_to_go_on(predict: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "BLOCK_SIZE", 100)
    source, target = tmp_path / "a.csv", tmp_path / "b.csv"
    source.write_text("id,isi\n" + "1,panen\n" * 100)
    status, _, err = predict(Stopped(4), source, target, "--workers", 1)
    assert status == 130
    assert f"Interrupted: the same command with --resume goes on with {target}.\n" in err
    model = Keywords()
    assert predict(model, source, target, "--resume") == (0, f"100 articles filed into {target}\n", "")
    assert 0 < sum(model.batches) < 100
