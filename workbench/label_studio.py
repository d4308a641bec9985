"""Label Studio's files: its labelling configuration, tasks with our suggestions, and the labels that it exports."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from serve.atomic import atomic_file
from serve.errors import InputError
from serve.labelling.store import Labelled, Task
from serve.topics import Topic

# What the configuration calls the topics and the text; results of tasks and exports refer to these names.
CONTROL, OBJECT = "topics", "text"
# A suggestion of at least this probability is ticked when the task opens.
TICKED = 0.5
KEYS = "1234567890qwertyuiopasdfghjklzxcvbnm"
# A long article scrolls, so that the topics stay in sight.
ARTICLE_STYLE = "max-height: 50vh; overflow-y: auto"


def labelling_config(topics: Sequence[Topic]) -> str:
    """The XML of Label Studio's labelling interface: title and text of an article, and its topics to tick, each with a key,
    its Indonesian name, and for who points at it its English name and definition. A result holds the topics' ids."""
    view = ElementTree.Element("View")
    article = ElementTree.SubElement(view, "View", style=ARTICLE_STYLE)
    ElementTree.SubElement(article, "Header", value="$title")
    ElementTree.SubElement(article, "Text", name=OBJECT, value="$text")
    choices = ElementTree.SubElement(view, "Choices", name=CONTROL, toName=OBJECT, choice="multiple", showInline="true")
    # Of more topics than there are keys the last ones have none.
    keys = [*KEYS, *(f"shift+{key}" for key in KEYS)]
    for i, topic in enumerate(topics):
        attributes = {
            "value": topic.name_id or topic.name_en or topic.id,
            "alias": topic.id,
            "hotkey": keys[i] if i < len(keys) else "",
            "hint": ": ".join(filter(None, (topic.name_en, topic.about))),
        }
        ElementTree.SubElement(choices, "Choice", {name: value for name, value in attributes.items() if value})
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def task_json(task: Task, topics: Sequence[Topic], model_version: str = "") -> dict[str, Any]:
    """A task as Label Studio imports it. Suggestions that are likely, and topics of the configuration, are ticked; the score
    by which Label Studio can sort is the probability of the least likely one of them."""
    known = {topic.id for topic in topics}
    ticked = {topic: p for topic, p in task.suggested if topic in known and p >= TICKED}
    choices = {"from_name": CONTROL, "to_name": OBJECT, "type": "choices", "value": {"choices": list(ticked)}}
    prediction = {
        "model_version": model_version,
        "score": min(ticked.values(), default=0.0),
        "result": [choices] if ticked else [],
    }
    data = {
        # Not "id", which means the task's number in an export of the kind JSON-MIN.
        "article_id": task.id,
        "date": task.date,
        "outlet": task.outlet,
        "title": task.title,
        "text": task.text,
        "reason": task.reason,
    }
    return {"data": data, "predictions": [prediction] if task.suggested else []}


def write_label_studio(path: Path, tasks: Iterable[Task], topics: Sequence[Topic], model_version: str = "") -> int:
    """Writes tasks for Label Studio to a file of JSON, whole or not at all; returns how many."""
    rows = [task_json(task, topics, model_version) for task in tasks]
    with atomic_file(path) as temporary:
        temporary.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return len(rows)


def read_export(path: str | Path) -> Iterator[Labelled]:
    """Every annotation of an export of the kinds JSON and JSON-MIN.

    Annotations that were cancelled (skipped) are left out. Where some of a task are marked as ground truth (JSON alone
    tells), these speak for it. Raises InputError for a file that is no such export, or not of `labelling_config`.
    """
    try:
        tasks = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; name what Label Studio exported.") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not JSON ({error}); export from Label Studio as JSON or JSON-MIN.") from None
    if not isinstance(tasks, list):
        raise InputError(f"{path}: expected a list of tasks; export from Label Studio as JSON or JSON-MIN.")
    for number, task in enumerate(tasks, 1):
        try:
            yield from _annotations(task)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(
                f"{path}, task {number}: not as `kanal label queue` and `kanal label config` make it ({error!r}); "
                "export a project with these as JSON or JSON-MIN."
            ) from None


def _annotations(task: Mapping[str, Any]) -> Iterator[Labelled]:
    if "annotations" not in task:
        # JSON-MIN: a task has a row for each annotation, or one of nulls. One topic stands alone, and none is not there.
        if task["annotation_id"] is not None:
            given = task.get(CONTROL, [])
            topics = [given] if isinstance(given, str) else given["choices"] if given else []
            yield Labelled(_article(task), tuple(topics), str(task["annotator"]), task["created_at"])
        return
    annotations = [annotation for annotation in task["annotations"] if not annotation.get("was_cancelled")]
    trusted = [annotation for annotation in annotations if annotation.get("ground_truth")]
    for annotation in trusted or annotations:
        who = annotation["completed_by"]
        topics = [
            topic
            for result in annotation["result"]
            if result["from_name"] == CONTROL
            for topic in result["value"]["choices"]
        ]
        annotator = who["email"] if isinstance(who, dict) else who
        yield Labelled(_article(task["data"]), tuple(topics), str(annotator), annotation["created_at"])


def _article(data: Mapping[str, Any]) -> Task:
    return Task(
        data["article_id"], data["title"], data["text"], data.get("date", ""), data.get("outlet", ""),
        reason=data.get("reason", ""),
    )  # fmt: skip
