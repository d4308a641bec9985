"""What several tests need: real articles for measuring where they are at hand, and a model trained once."""

import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

import kanal
from serve.model import TopicModel
from serve.paths import ROOT

GOLD = ROOT.parent / "shared" / "gold"


@pytest.fixture(scope="session")
def gold() -> list[dict[str, object]]:
    """The real articles for measuring; tests that want them are skipped where they are not."""
    if not GOLD.is_dir():
        pytest.skip("no real articles for measuring here")
    return [json.loads(line) for file in sorted(GOLD.glob("*.jsonl")) for line in file.open(encoding="utf-8")]


@pytest.fixture(scope="session")
def corpus_texts() -> list[str]:
    """Title and text of the embedded corpus' articles."""
    with (ROOT / "data" / "corpus" / "articles.jsonl").open(encoding="utf-8") as lines:
        return [f"{article['title']}\n{article['text']}" for article in map(json.loads, lines)]


@pytest.fixture(scope="session")
def embedded_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of the embedded corpus, trained as `make train` does, in a folder; once for all processes that test."""
    from train.experiment import run_experiment

    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "embedded"
    with (shared / "embedded.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            run_experiment(out=folder, tracked=False)
    return folder


@pytest.fixture(scope="session")
def embedded_model(embedded_model_folder: Path) -> TopicModel:
    """The model of the embedded corpus, as loaded from its folder."""
    return TopicModel.load(embedded_model_folder)


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs `kanal` with arguments and gives its exit status, output and errors."""

    def run_kanal(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["kanal", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            kanal.main()
        captured = capsys.readouterr()
        return int(stopped.value.code or 0), captured.out, captured.err

    return run_kanal
