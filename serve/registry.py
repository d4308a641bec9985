"""Where trained models are kept: MLflow's database, and in it the folder of the champion or of a named version."""

import logging
import os
import re
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from serve.atomic import atomic_folder, new_file
from serve.errors import InputError, KanalError, ModelError
from serve.paths import MLRUNS

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "kanal"
CHAMPION = "champion"
CHALLENGER = "challenger"
CHAMPION_URI = f"models:/{NAME}@{CHAMPION}"
MODEL_FOLDER = Path("artifacts", "model")
"""Where a saved TopicModel lies inside of MLflow's model."""

NO_MODEL = "No trained model yet: run `make train` (or `kanal train`) first."
OR_A_FOLDER = "Or name the folder of one."


def address_of(model: str | None = None) -> str:
    """The address or the folder that a user names: "3" is version 3 unless a folder has that name, None the champion."""
    if model and model.isdecimal() and not Path(model).is_dir():
        return f"models:/{NAME}/{int(model)}"
    return model or CHAMPION_URI


def find_model(uri: str | None = None) -> Path:
    """The folder of a saved TopicModel: of the champion, of a version such as `3`, `models:/kanal/3` or
    `models:/kanal@champion`, or of a path.

    A model in a local SQLite database is found without importing MLflow, which takes seconds; one on a server is
    downloaded once, to `mlruns/cache`. Raises InputError when there is no such version, KanalError when MLflow fails.
    """
    uri = address_of(uri)
    if not uri.startswith("models:"):
        # A folder that `kanal export --format mlflow` wrote holds the model further down.
        return _model_in(Path(uri)) if Path(uri, "MLmodel").is_file() else Path(uri)
    name, alias, version = _parts(uri)
    database = local_database()
    if database is None:
        return _fetched(uri, name, alias, version)
    if not database.exists():
        raise InputError(f"{NO_MODEL} {OR_A_FOLDER}")
    try:
        location = _stored(database, name, alias, version)
    except sqlite3.Error:
        # Another release of MLflow may lay out its tables in another way; it knows how to read its own.
        return _fetched(uri, name, alias, version)
    if location is None:
        raise _unknown(uri, alias)
    if urlsplit(location).scheme not in ("", "file"):
        return _fetched(uri, name, alias, version)
    return _model_in(_local(location, database))


def _model_in(folder: Path) -> Path:
    """Our own model in a folder of MLflow's, beside code that MLflow would run. Raises ModelError where it is elsewhere."""
    found = folder / MODEL_FOLDER
    if not found.resolve().is_relative_to(folder.resolve()):
        raise ModelError(f"{found}: a symbolic link leads out of {folder}; take a whole copy of the model.")
    return found


def version_uri(uri: str | None = None) -> str | None:
    """The address of the very version that an alias names now, such as "models:/kanal/3"; None for a path.

    Raises InputError when there is no such alias, KanalError when MLflow fails; a version's address is returned as it is.
    """
    uri = address_of(uri)
    if not uri.startswith("models:"):
        return None
    name, alias, version = _parts(uri)
    if alias is None:
        return f"models:/{name}/{version}"
    database = local_database()
    if database is not None and not database.exists():
        raise InputError(NO_MODEL)
    try:
        named = _aliased(database, name, alias) if database is not None else _asked_alias(uri, name, alias)
    except sqlite3.Error:
        named = _asked_alias(uri, name, alias)
    if named is None:
        raise _unknown(uri, alias)
    return f"models:/{name}/{named}"


def _parts(uri: str) -> tuple[str, str | None, int]:
    """Name, alias and version (0 where there is an alias) of models:/name@alias or models:/name/version."""
    parts = re.fullmatch(r"models:/([^/@]+)(?:@([\w-]+)|/(\d+))", uri)
    if parts is None:
        raise InputError(f"{uri}: not the address of a model; write 3, models:/{NAME}/3, {CHAMPION_URI} or a folder.")
    return parts[1], parts[2], int(parts[3] or 0)


def registered_version(model: str) -> int:
    """The number of the version that a user names: by it, by its address or by an alias.

    Raises InputError for a folder, for another model's version, and when there is no such alias.
    """
    uri = f"models:/{NAME}/{model}" if model.isdecimal() else version_uri(model)
    name, _, version = _parts(uri) if uri else ("", None, 0)
    if name != NAME:
        raise InputError(f"{model}: no version of {NAME}; write its number, as `kanal models` lists it.")
    return version


def tracking_uri() -> str:
    """MLflow's address: MLFLOW_TRACKING_URI, otherwise a SQLite database in `mlruns/`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{MLRUNS / 'mlflow.db'}"


def local_database() -> Path | None:
    """The SQLite file that MLflow's address names; None when it is a server or another kind of database."""
    uri = tracking_uri()
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    return Path(path).absolute() if uri.startswith("sqlite:///") and path else None


@contextmanager
def mlflow_client() -> Iterator["MlflowClient"]:
    """MLflow's client for `tracking_uri()`, which makes a local database that is not there, inside of `quiet_mlflow`."""
    with quiet_mlflow():
        import mlflow

        database = local_database()
        if database is not None and not database.exists():
            _make(database)
        if database is not None and not os.access(database, os.R_OK):
            # MLflow would try for minutes.
            raise InputError(f"{database}: cannot be read (permission denied); let this user read it.")
        yield mlflow.MlflowClient()


@contextmanager
def quiet_mlflow() -> Iterator[None]:
    """Inside of the block MLflow uses `tracking_uri()` and prints nothing, and its errors become KanalError."""
    # Set before the import, which reads them: no usage reports to others, no links or bars on the terminal; and a server
    # that is not there is reported after seconds, one that does not answer after a minute or two, where MLflow would try
    # for four minutes and for a quarter of an hour.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import mlflow
            from sqlalchemy.exc import SQLAlchemyError
        except ModuleNotFoundError:
            raise InputError(f"MLflow is needed for {tracking_uri()}: run `pip install mlflow`.") from None
        for name in ("mlflow", "alembic"):
            # What it logs of an error, with a traceback, is in the KanalError.
            logging.getLogger(name).setLevel(logging.CRITICAL)
        address = tracking_uri()
        before = {name: os.environ.get(name) for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")}
        mlflow.set_tracking_uri(address)
        mlflow.set_registry_uri(address)
        try:
            yield
        except (mlflow.MlflowException, SQLAlchemyError) as error:
            raise KanalError(f"MLflow failed: {str(error).splitlines()[0]}") from error
        finally:
            # MLflow writes the address to the environment, where it would pass for the user's choice.
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _make(database: Path) -> None:
    """A new database of MLflow's, whole or not at all; one that another process has made meanwhile stays.

    MLflow makes it in fifty steps, and does not go on with one that was left half made, or that two make at once.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with new_file(database) as part:
        SqlAlchemyStore(f"sqlite:///{part}", str(database.parent / "artifacts")).engine.dispose()  # type: ignore[no-untyped-call]


def _stored(database: Path, name: str, alias: str | None, version: int) -> str | None:
    """Where MLflow keeps the files of a version, read from its own tables; None when there is no such version."""
    if alias is not None:
        named = _aliased(database, name, alias)
        if named is None:
            return None
        version = named
    query = (
        "SELECT storage_location FROM model_versions "
        "WHERE workspace = 'default' AND name = ? AND version = ? AND current_stage != 'Deleted_Internal'"
    )
    row = _first(database, query, name, version)
    return None if row is None else str(row[0])


def _aliased(database: Path, name: str, alias: str) -> int | None:
    """The version that an alias names, read from MLflow's own tables; None when there is no such alias."""
    query = "SELECT version FROM registered_model_aliases WHERE workspace = 'default' AND name = ? AND alias = ?"
    row = _first(database, query, name, alias)
    return None if row is None else int(row[0])


def _first(database: Path, query: str, *values: str | int) -> tuple[Any, ...] | None:
    """The first row that a query of a database, which is only read, finds."""
    address = f"file:{quote(str(database))}?mode="
    try:
        with closing(sqlite3.connect(address + "ro", uri=True)) as connection:
            return connection.execute(query, values).fetchone()
    except sqlite3.OperationalError:
        # Whoever reads after a writer that was killed has to take back first what that had half written.
        with closing(sqlite3.connect(address + "rw", uri=True)) as connection:
            return connection.execute(query, values).fetchone()


def _local(location: str, database: Path) -> Path:
    """The folder that a stored location names, also after the checkout was moved: MLflow stores absolute paths."""
    path = Path(unquote(urlsplit(location).path)) if location.startswith("file:") else Path(location)
    # .../artifacts/models/<model id>/artifacts: the last three parts lie beside the database wherever it is.
    moved = database.parent / "artifacts" / Path(*path.parts[-3:])
    return path if path.is_dir() or not moved.is_dir() else moved


def _fetched(uri: str, name: str, alias: str | None, version: int) -> Path:
    """The model's folder by way of MLflow; a download is kept, as a version's files never change."""
    from serve.model_files import MODEL

    with mlflow_client() as client:
        import mlflow

        found = _asked(client, uri, name, alias, version)
        # The time of creation tells version 1 of one server from version 1 of another.
        cached = MLRUNS / "cache" / f"{name}-{found.version}-{found.creation_timestamp}"
        if not cached.is_dir():
            with atomic_folder(cached, MODEL) as folder:
                # Not the code that lies beside them.
                for file in MODEL.names:
                    place = f"{name}/{found.version}/{(MODEL_FOLDER / file).as_posix()}"
                    mlflow.artifacts.download_artifacts(f"models:/{place}", dst_path=str(folder))
    return _model_in(cached)


def _asked_alias(uri: str, name: str, alias: str) -> int:
    with mlflow_client() as client:
        return int(_asked(client, uri, name, alias, 0).version)


def _asked(client: "MlflowClient", uri: str, name: str, alias: str | None, version: int) -> Any:
    """What MLflow says of a version, which an alias may name."""
    import mlflow

    try:
        return client.get_model_version_by_alias(name, alias) if alias else client.get_model_version(name, str(version))
    except mlflow.MlflowException as error:
        # MLflow calls an alias that is not there an invalid value.
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise _unknown(uri, alias) from None
        raise


def _unknown(uri: str, alias: str | None) -> InputError:
    if uri == f"models:/{NAME}@{CHAMPION}":
        return InputError(f"{NO_MODEL} {OR_A_FOLDER}")
    return InputError(f"{uri}: no such {'alias' if alias else 'version'}; `kanal models` lists those that are there.")
