"""Trainings that MLflow could not be told of: kept whole on this machine until they are uploaded."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from serve.atomic import Kind, atomic_folder
from serve.errors import InputError, KanalError
from serve.model import TopicModel
from serve.paths import MLRUNS
from serve.registry import local_database
from train.corpus import FIELDS, load_corpus
from train.evaluate import Evaluation, evaluate
from train.tracking import Tracked, track

# What a kept training's folder holds.
MODEL, REPORT, TEST, RUN = "model", "report", "test.jsonl", "run.json"


@dataclass(frozen=True)
class Training:
    """A finished training, with all that is logged of it."""

    model: TopicModel
    evaluation: Evaluation
    testing: pd.DataFrame
    """The articles of `evaluation`, on which a champion is compared."""
    settings: Mapping[str, object]
    data: Mapping[str, object]
    """Fingerprint and counts of the articles."""
    report: Path
    """The report's folder."""
    promote: bool = True
    """Whether the model may become champion."""

    def track(self) -> Tracked:
        """Logs, registers and promotes the model, as `train.tracking.track` does."""
        return track(
            self.model,
            self.evaluation,
            settings=self.settings,
            data=self.data,
            report_folder=self.report,
            compare=lambda other: evaluate(other, self.testing),
            promote=self.promote,
        )


@dataclass(frozen=True)
class Unsent:
    """A training that was kept, since MLflow failed."""

    folder: Path
    reason: str
    """What MLflow failed with, a sentence."""


def track_or_keep(training: Training) -> Tracked | Unsent:
    """What became of a training: tracked, or kept in `unsent/MODEL-VERSION` beside MLflow's database where MLflow fails.

    Raises KanalError when it cannot be kept either.
    """
    try:
        return training.track()
    except KanalError as error:
        reason = f"{str(error).rstrip('.')}."
    except OSError as error:
        reason = f"{error.filename or 'the disk'}: {error.strerror or error}."
    folder = _unsent() / training.model.version
    try:
        _keep(training, folder)
    except OSError as error:
        raise KanalError(
            f"{reason} Nor can the training be kept in {folder} ({error.strerror}); "
            "train again when one of the two can be written."
        ) from None
    return Unsent(folder, reason)


def upload(folder: Path) -> Tracked:
    """Logs, registers and promotes a training that was kept, and removes its folder once that is done.

    Raises InputError when the folder holds none, KanalError when MLflow fails; then the folder stays as it is.
    """
    if not (folder / RUN).is_file():
        raise InputError(f"{folder}: holds no training that waits to be uploaded; they are in {_unsent()}.")
    model = TopicModel.load(folder / MODEL)
    testing = load_corpus([folder / TEST])
    run = json.loads((folder / RUN).read_text(encoding="utf-8"))
    training = Training(
        model,
        evaluate(model, testing),
        testing,
        run["settings"],
        run["data"],
        folder / REPORT,
        run.get("promote", True),
    )
    tracked = training.track()
    shutil.rmtree(folder)
    return tracked


def _unsent() -> Path:
    database = local_database()
    return (database.parent if database else MLRUNS) / "unsent"


def _keep(training: Training, folder: Path) -> None:
    run = {
        "settings": training.settings,
        "data": training.data,
        "metrics": training.evaluation.metrics,
        "promote": training.promote,
    }
    with atomic_folder(folder, Kind("a training", (RUN, MODEL, REPORT, TEST))) as target:
        training.model.save(target / MODEL)
        shutil.copytree(training.report, target / REPORT)
        rows = training.testing[list(FIELDS)].to_dict("records")
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (target / TEST).write_text("".join(lines), encoding="utf-8")
        (target / RUN).write_text(json.dumps(run, indent=1) + "\n", encoding="utf-8")
