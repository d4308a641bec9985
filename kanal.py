"""Kanal files Indonesian news under its topics: the public names; `cli/` is its command line.

>>> import kanal
>>> model = kanal.load()
>>> model.predict("Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka ...")
['state_visit']
"""

import gc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serve.errors import InputError, KanalError

if TYPE_CHECKING:
    from serve.model import TopicModel as TopicModel

__version__ = "0.1.0"
__all__ = ["InputError", "KanalError", "TopicModel", "load"]


def load(model: str | int | Path | None = None) -> "TopicModel":
    """The champion, or the model in a folder, of a version's number, or under an MLflow URI such as "models:/kanal/3".

    Raises InputError when there is none, or when its files are not as they were when it was saved.
    """
    # The imports make many objects and hardly any garbage: looking for it takes a tenth of the time of a cold start.
    collecting = gc.isenabled()
    gc.disable()
    try:
        from serve.model import TopicModel
        from serve.registry import find_model

        return TopicModel.load(find_model(str(model) if model is not None else None))
    finally:
        if collecting:
            gc.enable()


def __getattr__(name: str) -> Any:
    if name == "TopicModel":
        from serve.model import TopicModel

        return TopicModel
    raise AttributeError(f"module 'kanal' has no attribute {name!r}")


def main() -> None:
    """The `kanal` command."""
    from cli.app import run

    run()


if __name__ == "__main__":
    main()
