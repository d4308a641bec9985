"""Label Studio's files, in the layouts that Label Studio 1.23 takes and writes."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from serve.errors import InputError
from serve.labelling.store import Task
from serve.topics import Topic, load_topics
from workbench.label_import import decide, import_labels
from workbench.label_studio import labelling_config, read_export, task_json, write_label_studio

ARTICLE = {
    "article_id": "a1",
    "date": "2026-02-03",
    "outlet": "Warta Uji",
    "title": "Laga ditunda",
    "text": "Hujan deras.\n\nPenonton pulang.",
    "reason": "uncertain: football 0.52",
}


def annotation(
    topics: list[str], who: Any = 1, at: str = "2026-02-04T01:00:00.000000Z", **others: Any
) -> dict[str, Any]:
    choices = {"from_name": "topics", "to_name": "text", "type": "choices", "value": {"choices": topics}, "id": "x1"}
    return {
        "id": 7,
        "completed_by": who,
        "result": [choices] if topics else [],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": at,
        "updated_at": at,
        **others,
    }


def exported(*annotations: dict[str, Any], article: str = "a1") -> dict[str, Any]:
    """A task in an export of the kind JSON."""
    data = {**ARTICLE, "article_id": article}
    return {"id": 1, "annotations": list(annotations), "drafts": [], "predictions": [1], "data": data, "project": 1}


def export(tmp_path: Path, *tasks: dict[str, Any]) -> Path:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(tasks), encoding="utf-8")
    return file


def decided(tmp_path: Path, *tasks: dict[str, Any]) -> dict[str, tuple[str, ...] | None]:
    return {decision.task.id: decision.topics for decision in decide(read_export(export(tmp_path, *tasks)))}


def test_the_configuration_has_each_topic_with_a_key_of_its_own_and_its_definition() -> None:
    topics = list(load_topics().values())
    view = ElementTree.fromstring(labelling_config(topics))
    choices = view.findall(".//Choice")
    assert [choice.get("alias") for choice in choices] == [topic.id for topic in topics]
    assert len({choice.get("hotkey") for choice in choices}) == len(topics)
    football = next(choice for choice in choices if choice.get("alias") == "football")
    assert football.get("value") == "Sepak bola"
    assert (football.get("hint") or "").startswith("Football: ")
    control, text = view.find(".//Choices"), view.find(".//Text")
    assert control is not None and text is not None
    assert (control.get("choice"), control.get("toName")) == ("multiple", text.get("name"))


def test_hostile_names_stay_inside_their_attributes() -> None:
    topic = Topic("x", name_id='"/><Script>&', name_en="<b>")
    (choice,) = ElementTree.fromstring(labelling_config([topic])).findall(".//Choice")
    assert (choice.get("value"), choice.get("hint")) == ('"/><Script>&', "<b>")


def test_of_a_hundred_topics_the_last_have_no_key() -> None:
    choices = ElementTree.fromstring(labelling_config([Topic(f"t{i}") for i in range(100)])).findall(".//Choice")
    keys = [choice.get("hotkey") for choice in choices]
    assert keys[0] == "1" and keys[-1] is None
    given = [key for key in keys if key]
    assert len(set(given)) == len(given)


def test_likely_topics_of_the_configuration_are_ticked() -> None:
    task = Task("a", "Judul", "Teks", suggested=(("football", 0.9), ("gone", 0.8), ("sports", 0.6), ("crime", 0.2)))
    made = task_json(task, [Topic("sports"), Topic("football"), Topic("crime")], "v1")
    (prediction,) = made["predictions"]
    (result,) = prediction["result"]
    assert result["value"] == {"choices": ["football", "sports"]}
    assert (prediction["model_version"], prediction["score"]) == ("v1", 0.6)


def test_without_a_likely_topic_nothing_is_ticked() -> None:
    made = task_json(Task("a", "Judul", "Teks", suggested=(("football", 0.3),)), [Topic("football")])
    assert made["predictions"][0]["result"] == []
    assert task_json(Task("a", "Judul", "Teks"), [Topic("football")])["predictions"] == []


def test_what_is_written_comes_back_with_the_article_as_it_was(tmp_path: Path) -> None:
    task = Task(
        "a1", "Judul <b>", "Satu.\n\nDua \u2028 “tiga”.", "2026-02-03", "Warta Uji", (("football", 0.9),), "uncertain"
    )
    file = tmp_path / "tasks.json"
    assert write_label_studio(file, [task], [Topic("football")]) == 1
    (made,) = json.loads(file.read_text(encoding="utf-8"))
    (label,) = read_export(export(tmp_path, {**made, "annotations": [annotation(["football"])]}))
    assert (label.task.id, label.task.title, label.task.text) == ("a1", "Judul <b>", "Satu.\n\nDua \u2028 “tiga”.")
    assert (label.task.date, label.task.outlet, label.topics) == ("2026-02-03", "Warta Uji", ("football",))


def test_cancelled_annotations_and_tasks_without_any_are_left_out(tmp_path: Path) -> None:
    tasks = [
        exported(annotation([], was_cancelled=True), article="skipped"),
        exported(article="waiting"),
        exported(annotation([]), article="none"),
    ]
    assert decided(tmp_path, *tasks) == {"none": ()}


def test_of_one_annotator_the_later_annotation_counts(tmp_path: Path) -> None:
    later = annotation(["sports"], at="2026-02-05T01:00:00Z")
    assert decided(tmp_path, exported(later, annotation(["football"]))) == {"a1": ("sports",)}


def test_a_topic_counts_that_more_than_half_of_the_annotators_gave(tmp_path: Path) -> None:
    tasks = [
        exported(annotation(["football", "crime"], 1), annotation(["football"], 2), article="two"),
        exported(
            annotation(["crime"], 1), annotation(["crime", "court"], 2), annotation(["court"], 3), article="three"
        ),
        exported(annotation([], 1), annotation([], 2), annotation(["crime"], 3), article="none"),
        exported(annotation(["crime"], 1), annotation(["court"], 2), article="split"),
        exported(annotation(["crime"], 1), annotation([], 2), article="one or none"),
    ]
    assert decided(tmp_path, *tasks) == {
        "two": ("football",),
        "three": ("crime", "court"),
        "none": (),
        "split": None,
        "one or none": None,
    }


def test_an_annotation_marked_as_ground_truth_decides(tmp_path: Path) -> None:
    task = exported(annotation(["crime"], 1), annotation(["crime"], 2), annotation(["court"], 3, ground_truth=True))
    assert decided(tmp_path, task) == {"a1": ("court",)}


def test_annotators_may_be_told_by_their_address(tmp_path: Path) -> None:
    who = [{"id": 1, "email": "sari@example.org"}, {"id": 2, "email": "budi@example.org"}]
    labels = read_export(export(tmp_path, exported(*(annotation(["crime"], one) for one in who))))
    assert [label.annotator for label in labels] == ["sari@example.org", "budi@example.org"]


def test_json_min_is_read_too(tmp_path: Path) -> None:
    def row(article: str, number: int | None, who: int | None, **topics: Any) -> dict[str, Any]:
        at = number and f"2026-02-04T01:00:0{number}Z"
        facts = {"annotator": who, "annotation_id": number, "created_at": at, "updated_at": at, "lead_time": 1.5}
        return {**ARTICLE, "article_id": article, "id": 99, **topics, **facts}

    tasks = [
        row("one", 1, 1, topics="crime"),
        row("two", 2, 1, topics={"choices": ["crime", "court"]}),
        row("none", 3, 1),
        row("again", 5, 1, topics="court"),
        row("again", 4, 1, topics="crime"),
        row("waiting", None, None),
    ]
    assert decided(tmp_path, *tasks) == {"one": ("crime",), "two": ("crime", "court"), "none": (), "again": ("court",)}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ('{"a": 1}', "a list of tasks"),
        ('[{"text": "x"}]', "task 1"),
        ('[{"annotations": [{"result": 3}], "data": {}}]', "task 1"),
        (
            '[{"annotations": [{"completed_by": 1, "result": [], "created_at": ""}], "data": {"text": "x"}}]',
            "article_id",
        ),
        ("[3]", "task 1"),
    ],
)
def test_another_file_is_refused_in_a_sentence(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    with pytest.raises(InputError, match=said):
        list(read_export(file))


def test_a_missing_export_and_one_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        import_labels(tmp_path / "missing.json", tmp_path / "corpus.jsonl")
    with pytest.raises(InputError, match=r"must end in \.db"):
        import_labels(tmp_path / "export.csv", tmp_path / "corpus.jsonl")
