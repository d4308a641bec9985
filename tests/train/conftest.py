"""A database of MLflow's for the tests that track."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from serve.paths import ROOT


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A database as MLflow makes it, which takes seconds, and what was printed meanwhile."""
    path = tmp_path_factory.mktemp("database") / "mlflow.db"
    script = "from serve.registry import mlflow_client\nwith mlflow_client() as client: client.search_experiments()"
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{path}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    return path, done.stdout + done.stderr


@pytest.fixture
def mlruns(new_database: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database of its own, which MLflow is pointed at."""
    folder = tmp_path / "mlruns"
    folder.mkdir()
    shutil.copy(new_database[0], folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    return folder
