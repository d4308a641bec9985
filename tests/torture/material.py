"""What is trained, filed and labelled while processes are killed: small, made up, and the same every time."""

import os
import random
from dataclasses import dataclass
from pathlib import Path

from serve.model import TopicModel
from tests.torture.processes import kanal, run

TOPICS = ("ekonomi", "olahraga", "politik")


@dataclass(frozen=True)
class Place:
    """A folder to work in, with articles, a registry of its own, and what was found to be lost."""

    folder: Path
    losses: list[str]

    @classmethod
    def make(cls, folder: Path) -> "Place":
        folder.mkdir(parents=True)
        write_articles(folder / "articles.csv", 120)
        place = cls(folder, [])
        place.registry.mkdir()
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{place.database}"
        return place

    @property
    def articles(self) -> Path:
        return self.folder / "articles.csv"

    @property
    def registry(self) -> Path:
        return self.folder / "mlruns"

    @property
    def database(self) -> Path:
        return self.registry / "mlflow.db"

    def expect(self, right: object, otherwise: str) -> None:
        """Notes a loss where something is not as it has to be."""
        if not right:
            self.losses.append(otherwise)

    def train(self, *options: object, seed: int = 0) -> list[object]:
        """The arguments of a small training."""
        return ["train", "--data", self.articles, "--background", "none", "--lexicon", "none", "--seed", seed, *options]

    def ran(self, *arguments: object) -> str:
        """What a command says that has to work."""
        ended = run(kanal(*arguments), self.folder)
        self.expect(ended.status == 0, f"kanal {' '.join(map(str, arguments))}: {ended.status}, {ended.output[-500:]}")
        return ended.output

    def leftovers(self, folder: Path | None = None) -> list[Path]:
        return [path for path in (folder or self.folder).iterdir() if path.name.endswith((".part", ".old"))]


def write_articles(path: Path, n: int) -> None:
    """A CSV of n articles of three topics, each with words of its own."""
    rng = random.Random(n)
    with path.open("w") as out:
        out.write("id,title,text,topics\n")
        for i in range(n):
            topic = TOPICS[i % len(TOPICS)]
            words = [f"{topic}{rng.randrange(150)}" for _ in range(60)]
            out.write(f"{i},{' '.join(words[:4])},{' '.join(words)}.,{topic}\n")


def whole_models(folder: Path) -> dict[str, str]:
    """The versions of all models below a folder that can be loaded, by path."""
    found = {}
    for card in folder.rglob("model.json"):
        try:
            found[str(card.parent)] = TopicModel.load(card.parent).version
        except Exception as error:
            found[str(card.parent)] = f"{type(error).__name__}: {error}"
    return found


def registered(database: Path) -> tuple[int | None, list[int]]:
    """The champion and all versions, as the registry's file has them."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True)) as db:
        champions = db.execute("SELECT version FROM registered_model_aliases WHERE alias = 'champion'").fetchall()
        versions = db.execute("SELECT version FROM model_versions").fetchall()
    assert len(champions) <= 1
    return (champions[0][0] if champions else None), sorted(version for (version,) in versions)


def imported() -> None:
    """Imports all that the commands do, before anything is forked."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    # Loaded when it is asked for, from where a user who owns nothing may not read.
    "".encode("utf-32-le")
    import importlib

    from serve.registry import quiet_mlflow

    with quiet_mlflow():
        for name in (
            "kanal", "cli.app", "train.experiment", "train.unsent", "train.charts", "serve.batch", "serve.files.parquet",
            "mlflow.pyfunc", "mlflow.models", "mlflow.store.tracking.sqlalchemy_store",
            "mlflow.store.model_registry.sqlalchemy_store", "matplotlib.pyplot", "sklearn.model_selection", "datasets",
        ):  # fmt: skip
            importlib.import_module(name)
