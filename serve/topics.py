"""The taxonomy: the topics that an article can be filed under, with their names, codes and definitions."""

import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from serve.article import TOPIC_SEPARATOR
from serve.errors import InputError
from serve.paths import DATA
from serve.regular import LARGEST_TOML, read_regular

# An article's scores take room for each.
MAX_TOPICS = 10_000

EMBEDDED_TOPICS = DATA / "topics.toml"


@dataclass(frozen=True)
class Topic:
    """One topic; `iptc` and `iab` are the closest codes of IPTC Media Topics and IAB Content Taxonomy 3.1."""

    id: str
    group: str = ""
    name_id: str = ""
    name_en: str = ""
    iptc: tuple[str, ...] = ()
    iab: tuple[str, ...] = ()
    about: str = ""
    not_about: str = ""

    @classmethod
    def of_json(cls, fields: dict[str, Any]) -> Self:
        """From the fields as JSON or TOML carry them, codes as lists."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()
        }
        return cls(**values)


TEXT_FIELDS = ("group", "name_id", "name_en", "about", "not_about")
CODE_FIELDS = ("iptc", "iab")
# What text may be laid out with.
_LINES = str.maketrans("", "", "\n\t")


def topics_of_json(entries: object) -> dict[str, Topic]:
    """The topics in a model's card by id. Raises ValueError for anything that `Topic`'s fields in JSON are not."""
    topics: dict[str, Topic] = {}
    if not isinstance(entries, list):
        raise ValueError("the topics are no list")
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {field.name for field in fields(Topic)}:
            raise ValueError("a topic has other fields than a topic has")
        name = entry["id"]
        others = {field: value for field, value in entry.items() if field != "id"}
        if not isinstance(name, str) or not all(_fits(field, value) for field, value in others.items()):
            raise ValueError(f"topic {len(topics) + 1} has a field of another type")
        if name in topics:
            raise ValueError(f"the topic {name!r} is there twice")
        topics[name] = Topic.of_json(entry)
    if wrong := wrong_topics(topics):
        raise ValueError(wrong)
    return topics


def wrong_topics(topics: dict[str, Topic]) -> str:
    """Why a model cannot have these topics, "" where it can: answers hold their ids, and terminals and files show both
    ids and names."""
    if len(topics) > MAX_TOPICS:
        return f"{len(topics):,} topics are more than the {MAX_TOPICS:,} that a model can have"
    for name, topic in topics.items():
        if not name or TOPIC_SEPARATOR in name:
            return f"the topic {name!r} has no usable id: at least one character, and no {TOPIC_SEPARATOR!r}"
        shown = [*(getattr(topic, field).translate(_LINES) for field in TEXT_FIELDS), *topic.iptc, *topic.iab]
        if any(unicodedata.category(character) in ("Cc", "Cs") for value in (name, *shown) for character in value):
            return f"the topic {name!r} has control characters in its id, names or codes"
    return ""


def unknown_topic(name: str, topics: Mapping[str, Topic]) -> InputError:
    """The error for a topic that is not among `topics`, with those whose ids or names are nearest."""
    from difflib import get_close_matches

    ids = {
        written.casefold(): topic.id
        for topic in topics.values()
        for written in (topic.id, topic.name_id, topic.name_en)
    }
    close = dict.fromkeys(ids[written] for written in get_close_matches(name.casefold(), filter(None, ids), 3, 0.5))
    nearest = f"nearest: {', '.join(close)}" if close else f"they are {', '.join(topics)}"
    return InputError(f"'{name}' is none of the model's topics; {nearest}.")


def load_topics(path: str | Path | None = None) -> dict[str, Topic]:
    """The topics of a TOML file by id, in its order; the embedded taxonomy when no path is given.

    Raises InputError when the file is missing, is no TOML, or has a field of another name or type.
    """
    path = Path(path) if path is not None else EMBEDDED_TOPICS
    try:
        tables = tomllib.loads(read_regular(path, LARGEST_TOML).decode())
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such taxonomy file; name a TOML file with one [topic_id] table a topic."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"{path}: not a TOML file ({error}); mend it there.") from None
    topics = {}
    for key, table in tables.items():
        if not isinstance(table, dict):
            raise InputError(f"{path}: '{key}' is no table; write each topic as [topic_id] with its fields below.")
        _check_fields(table, key, path)
        topics[key] = Topic.of_json({"id": key, **table})
    return topics


def _check_fields(table: dict[str, object], topic: str, path: Path) -> None:
    for name, value in table.items():
        if not _fits(name, value):
            raise InputError(
                f"{path}: [{topic}] has '{name}' = {value!r}; "
                f"expected text in {', '.join(TEXT_FIELDS)} or a list of codes in {', '.join(CODE_FIELDS)}."
            )


def _fits(field: str, value: object) -> bool:
    """Whether a field of a topic, other than its id, can have this value in JSON or TOML."""
    if field in CODE_FIELDS:
        return isinstance(value, list) and all(isinstance(code, str) for code in value)
    return field in TEXT_FIELDS and isinstance(value, str)
