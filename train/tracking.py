"""Experiments in MLflow: a training is logged as a run, its model registered, and made champion when it is not worse."""

import math
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import serve
from serve.atomic import Kind, atomic_folder
from serve.errors import InputError, KanalError, ModelError
from serve.model import TopicModel
from serve.paths import MLRUNS
from serve.registry import (
    CHALLENGER,
    CHAMPION,
    MODEL_FOLDER,
    NAME,
    NO_MODEL,
    find_model,
    local_database,
    mlflow_client,
    quiet_mlflow,
    tracking_uri,
)
from train.compare import micro_f1_difference
from train.evaluate import Evaluation
from train.origin import origin

if TYPE_CHECKING:
    from mlflow import MlflowClient

# Which files there are beside MLmodel is for the release of MLflow to say.
MLFLOW_FOLDER = Kind(
    "a model of MLflow", ("MLmodel", "*.yaml", "*.txt", "*.json", "*.py", "*.pkl", "artifacts", "code")
)
# A new model is refused when it does worse than the champion in at least this share of the resamples of the test
# articles: a difference that chance explains easily does not stop a newer model.
REFUSAL_SHARE = 0.9


@dataclass(frozen=True)
class Tracked:
    """What became of a training: its run, the version that its model got, and whether that is now the champion."""

    run_id: str
    version: int
    promoted: bool
    reason: str
    """One sentence on why it was promoted or not."""
    previous: int | None
    """The champion before; None for the first version."""


@dataclass(frozen=True)
class Version:
    """One version in the registry; its figures are None when it was not registered by `track`."""

    number: int
    aliases: list[str]
    created: datetime
    run_id: str | None
    micro_f1: float | None
    macro_f1: float | None


def track(
    model: TopicModel,
    evaluation: Evaluation,
    *,
    settings: Mapping[str, object],
    data: Mapping[str, object],
    report_folder: Path | None,
    compare: Callable[[TopicModel], Evaluation],
    promote: bool = True,
) -> Tracked:
    """Log a training and its model, and make the model champion unless it is worse than the present one, or is not to be
    promoted.

    `settings` and `data` (fingerprint, counts) are flat and logged as parameters, those of `data` with `data.` before
    their name. `compare` evaluates another model on the test articles of `evaluation`. Raises KanalError when MLflow
    fails. Changing the alias is the last step and a single write: whenever it stops before, the champion is the old one.
    """
    with mlflow_client() as client:
        run_id, model_id = _logged(client, model, evaluation, settings, data, report_folder)
        previous = _aliases(client).get(CHAMPION)
        version = _registered(client, run_id, model_id, evaluation)
    while True:
        promoted, reason = _verdict(model, evaluation, version, previous, compare)
        if promoted and not promote:
            promoted = False
            compared = "There is no champion to compare with" if previous is None else reason.rstrip(".")
            reason = f"{compared}; it stays challenger, as asked, and `kanal promote {version}` makes it champion."
        with mlflow_client() as client:
            present = _aliases(client)
            if present.get(CHAMPION) != previous:
                # Another training, or somebody, promoted one meanwhile: that is the one to compare with.
                previous = present.get(CHAMPION)
                continue
            client.update_model_version(NAME, str(version), description=reason)
            client.set_registered_model_alias(NAME, CHAMPION if promoted else CHALLENGER, str(version))
            if promoted and CHALLENGER in present:
                # It lost to a champion that is no longer there.
                client.delete_registered_model_alias(NAME, CHALLENGER)
        return Tracked(run_id, version, promoted, reason, previous)


def log_figures(
    experiment: str, settings: Mapping[str, object], figures: Mapping[str, float], report_folder: Path
) -> str:
    """Log figures that belong to no training, with the report on them, as a run of an experiment of their own; returns
    the run's id. A figure's name may have a section of MLflow's page before a slash. Raises KanalError when MLflow fails.
    """
    with mlflow_client() as client:
        import mlflow

        with mlflow.start_run(experiment_id=_experiment(client, experiment), tags=_origin_tags()) as run:
            named = {"/".join(map(_allowed, name.split("/", 1))): value for name, value in figures.items()}
            _log({_allowed(name): value for name, value in settings.items()}, named, report_folder)
    return str(run.info.run_id)


def list_versions() -> list[Version]:
    """All registered versions, newest first; empty when nothing was trained yet."""
    if _nothing_yet():
        return []
    with mlflow_client() as client:
        aliases = _aliases(client)
        versions = [
            Version(
                number=int(found.version),
                aliases=sorted(alias for alias, number in aliases.items() if number == int(found.version)),
                created=datetime.fromtimestamp(found.creation_timestamp / 1000, UTC),
                run_id=found.run_id or None,
                micro_f1=_figure(found.tags, "micro_f1"),
                macro_f1=_figure(found.tags, "macro_f1"),
            )
            for found in _pages(lambda token: client.search_model_versions(f"name = '{NAME}'", page_token=token))
        ]
    return sorted(versions, key=lambda found: -found.number)


def promote(version: int) -> None:
    """Make a version champion, whatever its figures. Raises InputError when there is no such version."""
    there = [found.number for found in list_versions()]
    if not there:
        raise InputError(NO_MODEL)
    if version not in there:
        raise InputError(f"No version {version} of the model; there are {', '.join(map(str, sorted(there)))}.")
    with mlflow_client() as client:
        client.set_registered_model_alias(NAME, CHAMPION, str(version))
        if _aliases(client).get(CHALLENGER) == version:
            client.delete_registered_model_alias(NAME, CHALLENGER)


def pyfunc_save(model: TopicModel, folder: str | Path) -> None:
    """Save the model as a folder that `mlflow.pyfunc.load_model` and `mlflow models serve` read, without this checkout."""
    with quiet_mlflow(), tempfile.TemporaryDirectory() as temporary, atomic_folder(folder, MLFLOW_FOLDER) as target:
        import mlflow

        mlflow.pyfunc.save_model(target, **_pyfunc(model, Path(temporary)))


def _logged(
    client: "MlflowClient",
    model: TopicModel,
    evaluation: Evaluation,
    settings: Mapping[str, object],
    data: Mapping[str, object],
    report_folder: Path | None,
) -> tuple[str, str]:
    """The ids of a finished run that holds all there is to know about a training, and of the model in it."""
    import mlflow

    params = {_allowed(name): value for name, value in settings.items()}
    params |= {_allowed(f"data.{name}"): value for name, value in data.items()}
    with (
        mlflow.start_run(experiment_id=_experiment(client), tags=_origin_tags()) as run,
        tempfile.TemporaryDirectory() as temporary,
    ):
        _log(params, _metrics(evaluation), report_folder)
        info = mlflow.pyfunc.log_model(name=NAME, **_pyfunc(model, Path(temporary)))
    return run.info.run_id, info.model_id


def _log(params: Mapping[str, object], metrics: Mapping[str, float], report_folder: Path | None) -> None:
    """Into the run that is going on."""
    import mlflow

    mlflow.log_params(dict(params))
    mlflow.log_metrics(dict(metrics))
    if report_folder is not None:
        mlflow.log_artifacts(str(report_folder), "report")


def _pyfunc(model: TopicModel, temporary: Path) -> dict[str, Any]:
    """What MLflow's `log_model` and `save_model` are given; the model itself is saved into `temporary` for them."""
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    folder = temporary / MODEL_FOLDER.name
    model.save(folder)
    return {
        "python_model": str(Path(__file__).with_name("pyfunc_model.py")),
        "artifacts": {MODEL_FOLDER.name: str(folder)},
        "code_paths": [str(Path(serve.__file__).parent)],
        "signature": ModelSignature(
            inputs=Schema([ColSpec("string", "title", required=False), ColSpec("string", "text")]),
            outputs=Schema([ColSpec("string", name) for name in ("topics", "probabilities", "note")]),
        ),
        "input_example": pd.DataFrame(
            {
                "title": ["Presiden Tiba di Hanoi untuk Kunjungan Kenegaraan"],
                "text": [
                    "Presiden disambut upacara militer di Hanoi pada hari pertama kunjungan kenegaraannya ke Vietnam."
                ],
            }
        ),
        # Named here because MLflow would otherwise load the model in a second process to see what it imports.
        "pip_requirements": [
            f"{name}=={metadata.version(name)}" for name in ("numpy", "pyarrow", "numba", "safetensors")
        ],
    }


def _experiment(client: "MlflowClient", name: str = NAME) -> str:
    """The id of an experiment, made when it is not there; all trainings are runs of the one that is named as the model."""
    database = local_database()
    # A server knows where it keeps artifacts; for a database on this machine they lie beside it.
    location = (
        None
        if tracking_uri().startswith(("http", "databricks"))
        else str((database.parent if database else MLRUNS) / "artifacts")
    )
    found = client.get_experiment_by_name(name)
    if found is not None and location is not None and found.artifact_location != location:
        # The checkout was moved. MLflow stores absolute paths and would go on writing to the old place.
        name = f"{name} in {location}"
        found = client.get_experiment_by_name(name)
    if found is None:
        return client.create_experiment(name, artifact_location=location)
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _registered(client: "MlflowClient", run_id: str, model_id: str, evaluation: Evaluation) -> int:
    """The number of the new version."""
    import mlflow

    try:
        client.create_registered_model(NAME)
    except mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    figures = _metrics(evaluation)
    tags: dict[str, str] = {name: f"{figures[name]:.6f}" for name in ("micro_f1", "macro_f1") if name in figures}
    return int(client.create_model_version(NAME, f"models:/{model_id}", run_id, tags=tags, model_id=model_id).version)


def _verdict(
    model: TopicModel,
    evaluation: Evaluation,
    version: int,
    previous: int | None,
    compare: Callable[[TopicModel], Evaluation],
) -> tuple[bool, str]:
    """Whether the new version becomes champion, and a sentence that says why."""
    if previous is None:
        return True, "It is the first champion."
    override = f"it stays challenger, and `kanal promote {version}` makes it champion"
    try:
        champion = TopicModel.load(find_model(f"models:/{NAME}/{previous}"))
    except ModelError as error:
        return True, f"Champion {previous} can no longer be loaded ({error})"
    except KanalError as error:
        return False, f"Champion {previous} could not be fetched to compare with ({error}); {override}."
    if set(champion.topics) != set(model.topics):
        return False, f"Champion {previous} files other topics, so the two cannot be compared; {override}."
    old = compare(champion)
    found = micro_f1_difference(old, evaluation)
    figures = (
        f"champion {previous} on the same {len(evaluation.ids)} test articles: micro-F1 {found.after:.3f} against "
        f"{found.before:.3f}, 95% interval of the difference [{found.low:+.3f}, {found.high:+.3f}]"
    )
    if found.worse >= REFUSAL_SHARE:
        return False, f"Worse than {figures}; {override}."
    return True, f"Not worse than {figures}."


def _aliases(client: "MlflowClient") -> dict[str, int]:
    """The versions that aliases stand for; empty when nothing is registered yet."""
    import mlflow

    try:
        return {alias: int(number) for alias, number in client.get_registered_model(NAME).aliases.items()}
    except mlflow.MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def _metrics(evaluation: Evaluation) -> dict[str, float]:
    """Figures by the names that MLflow shows them under; those that are no number (macro-F1 of no topic) are left out."""
    figures: dict[str, float] = {}
    for name, value in evaluation.metrics.items():
        if isinstance(value, int | float):
            figures[name] = value
    for name, (low, high) in evaluation.metrics["intervals"].items():  # type: ignore[attr-defined]
        if low is not None:
            figures[f"{name}_low"], figures[f"{name}_high"] = low, high
    names: set[str] = set()
    for j, (topic, row) in enumerate(evaluation.per_topic.items()):
        name = _allowed(topic)
        # Two topics that differ only in what MLflow does not allow keep apart by their place.
        name = f"{name} {j}" if name in names else name
        names.add(name)
        # MLflow's page makes a section of what stands before the slash: all topics' F1 side by side.
        figures |= {f"{figure}/{name}": value for figure, value in row.items()}
    return {name: float(value) for name, value in figures.items() if math.isfinite(value)}


def _allowed(name: str) -> str:
    """The name with what MLflow does not take in the name of a metric or parameter replaced; `..` would be a folder."""
    return re.sub(r"[^\w.\- ]|^\.+", "_", name)[:200]


def _origin_tags() -> dict[str, str]:
    """Tags that say which code a run was made with, as far as that is known."""
    made_by = origin()
    tags = {"kanal.version": made_by["packages"].get("kanal"), "mlflow.source.git.commit": made_by["commit"]}
    return {name: value for name, value in tags.items() if value}


def _nothing_yet() -> bool:
    """Whether there is no database yet, which MLflow would make only to find nothing in it."""
    database = local_database()
    return database is not None and not database.exists()


def _figure(tags: Mapping[str, str], name: str) -> float | None:
    return float(tags[name]) if name in tags else None


def _pages(search: Callable[[str | None], Any]) -> Iterable[Any]:
    token = None
    while True:
        page = search(token)
        yield from page
        token = page.token
        if not token:
            return
