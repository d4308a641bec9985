"""The model in use: loaded once, and replaced by a newer champion while requests go on."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from serve.errors import KanalError
from serve.model import TopicModel
from serve.registry import CHAMPION_URI, find_model, version_uri

# What a model is tried with.
ARTICLE = "Presiden tiba di Jakarta."
# Between the steps of loading a model while another one answers, which share one lock of Python's.
PAUSE = 0.1

logger = logging.getLogger("kanal.champion")


@dataclass(frozen=True)
class Serving:
    """A model that requests are answered with; a request takes the reference once."""

    model: TopicModel
    uri: str | None
    """Its address in the registry, such as "models:/kanal/3"; None for a folder."""

    @cached_property
    def version(self) -> str:
        """The model's version, kept, as it takes milliseconds to hash."""
        return self.model.version


@dataclass(frozen=True)
class _Place:
    """Where a model lies, and its files' names, sizes and times of change, which tell when it is another one."""

    uri: str | None
    folder: Path
    files: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, model: str | None) -> "_Place":
        uri = version_uri(model)
        folder = find_model(uri or model)
        stats = [(file.name, file.lstat()) for file in sorted(folder.iterdir())] if folder.is_dir() else []
        return cls(uri, folder, tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats))

    def __str__(self) -> str:
        return self.uri or str(self.folder)

    def load(self, pause: float = 0) -> Serving:
        """The model, tried: what is made at first use is made. Rests `pause` seconds between steps, for requests' sake."""
        model = TopicModel.load(self.folder)
        serving = Serving(model, self.uri)
        for step in (
            lambda: model.file([ARTICLE]),
            lambda: model.vectorizer.terms_.indices,
            lambda: model.explain(ARTICLE),
            lambda: serving.version,
        ):
            time.sleep(pause)
            step()
        return serving


class Champion:
    """Holds the model in use.

    An alias of the registry (the champion's when `model` is None) is looked up every `seconds`. When it names another
    version, or the version's files have changed, that model is loaded beside the one in use, tried, and takes its place.
    Where it cannot be loaded the one in use stays. A folder or a fixed version is loaded once.
    """

    def __init__(self, model: str | None, seconds: float) -> None:
        self.model = model or CHAMPION_URI
        self.seconds = seconds
        self.problem: str | None = None
        """Why the newest version is not in use, a sentence for everybody; the log has the details. None when it is."""
        self.on_change: Callable[[Serving], None] = lambda serving: None
        """Called, in the watching thread, with a model that has just taken the place of another."""
        self.on_failure: Callable[[], None] = lambda: None
        """Called, in the watching thread, when there is a new problem."""
        self._serving: Serving | None = None
        self._place: _Place | None = None
        self._refused: _Place | None = None
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def serving(self) -> Serving:
        """The model in use. RuntimeError before `load` or `start`."""
        if self._serving is None:
            raise RuntimeError("no model is loaded yet")
        return self._serving

    @property
    def ready(self) -> bool:
        """Whether a model is loaded, and the service not about to stop."""
        return self._serving is not None and not self._stopping.is_set()

    def load(self) -> None:
        """Loads the model where that was not done before. Raises InputError or KanalError as `kanal.load` does."""
        if self._serving is None:
            self._place = _Place.of(self.model)
            self._serving = self._place.load()

    def start(self) -> None:
        """Loads the model as `load` does, and watches the registry when the model is an alias there."""
        self.load()
        if self._thread is None and self.model.startswith("models:") and "@" in self.model:
            self._thread = threading.Thread(target=self._watch, name="champion", daemon=True)
            self._thread.start()

    def retire(self) -> None:
        """Not `ready` any more, and no other model is put in use; the one that is stays, for requests in flight."""
        self._stopping.set()

    def stop(self) -> None:
        """`retire`, and waits for the watching to end."""
        self.retire()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(self.seconds):
            self._look()

    def _look(self) -> None:
        """Puts the version that the alias names in use when it is another one."""
        # Whatever is wrong with registry or model, the watching and the model in use go on.
        try:
            place = _Place.of(self.model)
        except Exception as error:
            self._refused = None
            self._report(f"The registry does not say which version {self.model} is; {self._place} stays in use.", error)
            return
        if place == self._place:
            self._refused = self.problem = None
            return
        if place == self._refused:
            return
        try:
            serving = place.load(PAUSE)
        except Exception as error:
            self._refused = place
            self._report(f"{place} could not be loaded; {self._place} stays in use.", error)
            return
        self._serving, self._place, self._refused, self.problem = serving, place, None, None
        logger.info("In use: model %s, %s", serving.version, place)
        self.on_change(serving)

    def _report(self, problem: str, error: Exception) -> None:
        if problem == self.problem:
            return
        self.problem = problem
        logger.error("%s %s", problem, error, exc_info=None if isinstance(error, KanalError) else error)
        self.on_failure()
