"""Finding a model without MLflow, in a database that has the tables of MLflow which matter."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from serve import registry
from serve.errors import InputError
from serve.paths import MLRUNS, ROOT
from serve.registry import find_model, registered_version, version_uri

# The tables as MLflow 3.17 makes them, without columns that are not read; tests of train.tracking use the real ones.
TABLES = """
CREATE TABLE registered_model_aliases (alias TEXT, version INTEGER, name TEXT, workspace TEXT DEFAULT 'default');
CREATE TABLE model_versions (
    name TEXT, version INTEGER, current_stage TEXT DEFAULT 'None', storage_location TEXT, workspace TEXT DEFAULT 'default'
);
"""


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "mlruns" / "mlflow.db"
    path.parent.mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{path}")
    execute(path, TABLES)
    return path


def execute(database: Path, script: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(script)


def add_version(database: Path, version: int, location: str | Path, **columns: str) -> None:
    columns = {"name": "kanal", "version": str(version), "storage_location": str(location), **columns}
    values = ", ".join(f"'{value}'" for value in columns.values())
    execute(database, f"INSERT INTO model_versions ({', '.join(columns)}) VALUES ({values})")


def set_alias(database: Path, alias: str, version: int) -> None:
    execute(
        database, f"INSERT INTO registered_model_aliases (alias, version, name) VALUES ('{alias}', {version}, 'kanal')"
    )


def test_the_champion_and_versions_are_found(database: Path) -> None:
    add_version(database, 1, "/models/m-1/artifacts")
    add_version(database, 2, "file:///models/m%202/artifacts")
    set_alias(database, "champion", 2)
    set_alias(database, "challenger", 1)
    first, second = Path("/models/m-1/artifacts/artifacts/model"), Path("/models/m 2/artifacts/artifacts/model")
    assert find_model() == second
    assert find_model("models:/kanal@champion") == second
    assert find_model("models:/kanal@challenger") == first
    assert find_model("models:/kanal/1") == first


def test_a_database_that_was_moved_with_its_artifacts_is_used_where_it_is(database: Path) -> None:
    add_version(database, 1, "/no/such/place/artifacts/models/m-1/artifacts")
    here = database.parent / "artifacts" / "models" / "m-1" / "artifacts"
    here.mkdir(parents=True)
    assert find_model("models:/kanal/1") == here / "artifacts" / "model"


@pytest.mark.parametrize("name", ["1", "01", "models:/kanal/1", "models:/kanal@champion"])
def test_a_version_is_named_in_any_way(database: Path, name: str) -> None:
    add_version(database, 1, "/models/m-1/artifacts")
    set_alias(database, "champion", 1)
    assert find_model(name) == find_model("models:/kanal/1")
    assert version_uri(name) == "models:/kanal/1"
    assert registered_version(name) == 1


def test_a_folder_goes_before_a_version_of_its_name(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1").mkdir()
    assert find_model("1") == Path("1")
    assert version_uri("1") is None
    assert registered_version("1") == 1
    for name in ("model", "models:/other/1"):
        with pytest.raises(InputError, match=f"^{name}: no version of kanal; write its number"):
            registered_version(name)


def test_a_path_is_taken_as_it_is(tmp_path: Path) -> None:
    assert find_model(str(tmp_path / "model")) == tmp_path / "model"


def test_in_a_folder_that_mlflow_saved_the_model_lies_further_down(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").touch()
    assert find_model(str(tmp_path)) == tmp_path / "artifacts" / "model"


def test_without_a_database_the_user_is_told_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    with pytest.raises(InputError, match="No trained model yet: run `make train`"):
        find_model()
    assert not list(tmp_path.iterdir())


def test_without_a_champion_the_user_is_told_to_train(database: Path) -> None:
    with pytest.raises(InputError, match="No trained model yet"):
        find_model()


def test_an_unknown_version_or_alias_is_named(database: Path) -> None:
    add_version(database, 1, "/models/m-1/artifacts", current_stage="Deleted_Internal")
    with pytest.raises(InputError, match="models:/kanal/1: no such version"):
        find_model("models:/kanal/1")
    with pytest.raises(InputError, match="models:/kanal@best: no such alias"):
        find_model("models:/kanal@best")


@pytest.mark.parametrize("uri", ["models:/kanal", "models:/", "models:/kanal/three", "models:/kanal@a/b"])
def test_an_address_that_cannot_be_read_is_named(uri: str) -> None:
    with pytest.raises(InputError, match="not the address of a model"):
        find_model(uri)


def test_what_cannot_be_read_here_is_left_to_mlflow(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fetched(uri: str, name: str, alias: str | None, version: int) -> Path:
        asked.append((name, alias, version))
        return Path("fetched")

    monkeypatch.setattr(registry, "_fetched", fetched)
    add_version(database, 1, "s3://bucket/m-1/artifacts")
    assert find_model("models:/kanal/1") == Path("fetched")
    execute(database, "ALTER TABLE model_versions RENAME COLUMN storage_location TO place")
    assert find_model("models:/kanal/1") == Path("fetched")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example")
    assert find_model() == Path("fetched")
    assert asked == [("kanal", None, 1), ("kanal", None, 1), ("kanal", "champion", 0)]


def test_the_address_of_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert registry.tracking_uri() == f"sqlite:///{MLRUNS / 'mlflow.db'}"
    assert registry.local_database() == MLRUNS / "mlflow.db"
    monkeypatch.chdir(tmp_path)
    for uri, path in {
        "sqlite:///mlflow.db": tmp_path / "mlflow.db",
        "sqlite:////data/mlflow.db?timeout=60": Path("/data/mlflow.db"),
        "sqlite://": None,
        "http://localhost:5000": None,
        "postgresql://host/mlflow": None,
    }.items():
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert registry.local_database() == path


def test_the_champion_is_found_without_mlflow(database: Path) -> None:
    add_version(database, 1, "/models/m-1/artifacts")
    set_alias(database, "champion", 1)
    script = (
        "import sys; from serve.registry import find_model; print(find_model()); assert 'mlflow' not in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "/models/m-1/artifacts/artifacts/model"


def test_mlflow_leaves_the_environment_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.delenv("MLFLOW_REGISTRY_URI", raising=False)
    for before in (address, None):
        if before is None:
            monkeypatch.delenv("MLFLOW_TRACKING_URI")
        else:
            monkeypatch.setenv("MLFLOW_TRACKING_URI", before)
        with registry.quiet_mlflow():
            pass
        assert os.environ.get("MLFLOW_TRACKING_URI") == before
        assert "MLFLOW_REGISTRY_URI" not in os.environ
