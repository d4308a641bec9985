"""Which articles of an unlabelled crawl are worth a person's time, and where they wait for that person."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from serve.errors import InputError
from serve.labelling.store import LabelStore, Task
from serve.topics import Topic
from workbench.label_studio import write_label_studio


def write_tasks(tasks: Iterable[Task], out: Path, topics: Sequence[Topic], model_version: str = "") -> int:
    """Puts tasks into a label store (a name that ends in .db; it is made, or those it lacks are added), or into a file of
    tasks for Label Studio (.json). Returns how many were written, or were new to the store."""
    if out.suffix == ".db":
        with LabelStore(out, create=True) as store:
            return store.add(tasks)
    if out.suffix == ".json":
        return write_label_studio(out, tasks, topics, model_version)
    raise InputError(f"{out}: the name must end in .db (a label store) or .json (tasks for Label Studio).")
