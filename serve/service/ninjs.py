"""Answers as IPTC ninjs 2.0 (News in JSON), for systems that take articles with their subjects in it."""

import uuid
from typing import Any

from pydantic_core import to_json

from serve.model import Filed
from serve.service.schemas import Article
from serve.service.wording import Wording

NINJS = "application/vnd.iptc.ninjs+json"
STANDARD = {"name": "ninjs", "version": "2.0", "schema": "http://www.iptc.org/std/ninjs/ninjs-schema_2.0.json"}
MEDIA_TOPICS = "http://cv.iptc.org/newscodes/mediatopic/"


def ninjs(wording: Wording, articles: list[Article], filed: Filed) -> bytes:
    """A JSON array of one item an article, with the topics assigned, likeliest first, as its subjects."""
    # Item by item, as what makes JSON does not let go of the interpreter.
    return b"[%b]" % b",".join(to_json(_item(wording, article, filed, i)) for i, article in enumerate(articles))


def _item(wording: Wording, article: Article, filed: Filed, i: int) -> dict[str, Any]:
    title, text = article.title or "", article.text
    item: dict[str, Any] = {
        # The same article has the same address each time.
        "uri": uuid.uuid5(uuid.NAMESPACE_URL, f"{title}\n\n{text}").urn,
        "type": "text",
        "representationtype": "full",
        "standard": STANDARD,
        "bodies": [{"contenttype": "text/plain", "value": text}],
        "subjects": [subject for topic in wording.filed(filed, i, False) for subject in _subjects(topic)],
    }
    if title:
        item["headlines"] = [{"value": title}]
    if article.id is not None:
        item["altids"] = [{"role": "id", "value": article.id}]
    if filed.notes[i]:
        item["ednote"] = filed.notes[i]
    return item


def _subjects(topic: dict[str, Any]) -> list[dict[str, str]]:
    """A topic as subjects, one a code of IPTC's; without one it has but a name. The standard has no place for a probability."""
    named = {"name": topic["name_id"] or topic["id"], "literal": topic["id"]}
    return [{**named, "uri": MEDIA_TOPICS + code.removeprefix("medtop:")} for code in topic["iptc"]] or [named]
