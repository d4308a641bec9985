"""Label Studio's files: its labelling configuration, tasks with our suggestions, and the labels that it exports."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from serve.atomic import atomic_file
from serve.labelling.store import Task
from serve.topics import Topic

# What the configuration calls the topics and the text; results of tasks and exports refer to these names.
CONTROL, OBJECT = "topics", "text"
# A suggestion of at least this probability is ticked when the task opens.
TICKED = 0.5
KEYS = "1234567890qwertyuiopasdfghjklzxcvbnm"


def labelling_config(topics: Sequence[Topic]) -> str:
    """The XML of Label Studio's labelling interface: title and text of an article, and its topics to tick, each with a key,
    its name, and its definition for who points at it. A result holds the topics' ids."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Header", value="$title")
    ElementTree.SubElement(view, "Text", name=OBJECT, value="$text")
    choices = ElementTree.SubElement(view, "Choices", name=CONTROL, toName=OBJECT, choice="multiple", showInline="true")
    for topic, key in zip(topics, _keys(), strict=False):
        hint = ": ".join(filter(None, (topic.name_en, topic.about)))
        attributes = {
            "value": topic.name_id or topic.name_en or topic.id,
            "alias": topic.id,
            "hotkey": key,
            "hint": hint,
        }
        ElementTree.SubElement(choices, "Choice", {name: value for name, value in attributes.items() if value})
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def _keys() -> Iterable[str]:
    yield from KEYS
    yield from (f"shift+{key}" for key in KEYS)
    while True:
        yield ""


def task_json(task: Task, topics: Sequence[Topic], model_version: str = "") -> dict[str, Any]:
    """A task as Label Studio imports it. The suggestions that are topics of the configuration, and likely, are ticked."""
    known = {topic.id for topic in topics}
    suggested = [(topic, p) for topic, p in task.suggested if topic in known and p >= TICKED]
    result = {
        "from_name": CONTROL,
        "to_name": OBJECT,
        "type": "choices",
        "value": {"choices": [topic for topic, _ in suggested]},
    }
    prediction = {
        "model_version": model_version or "kanal",
        "score": min((p for _, p in suggested), default=0.0),
        "result": [result] if suggested else [],
    }
    return {
        # Not "id", which an export in JSON-MIN gives another meaning.
        "data": {
            "article_id": task.id, "date": task.date, "outlet": task.outlet, "title": task.title, "text": task.text,
            "reason": task.reason,
        },
        "predictions": [prediction] if task.suggested else [],
    }  # fmt: skip


def write_label_studio(path: Path, tasks: Iterable[Task], topics: Sequence[Topic], model_version: str = "") -> int:
    """Writes tasks for Label Studio to a file of JSON, whole or not at all; returns how many."""
    rows = [task_json(task, topics, model_version) for task in tasks]
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return len(rows)
