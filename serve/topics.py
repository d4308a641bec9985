"""The taxonomy: the topics that an article can be filed under, with their names, codes and definitions."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from serve.errors import InputError
from serve.paths import DATA

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


def load_topics(path: str | Path | None = None) -> dict[str, Topic]:
    """The topics of a TOML file by id, in its order; the embedded taxonomy when no path is given.

    Raises InputError when the file is missing, is no TOML, or has a field of another name or type.
    """
    path = Path(path) if path is not None else EMBEDDED_TOPICS
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such taxonomy file; name a TOML file with one [topic_id] table a topic."
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
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
        text = name in TEXT_FIELDS and isinstance(value, str)
        codes = name in CODE_FIELDS and isinstance(value, list) and all(isinstance(code, str) for code in value)
        if not (text or codes):
            raise InputError(
                f"{path}: [{topic}] has '{name}' = {value!r}; "
                f"expected text in {', '.join(TEXT_FIELDS)} or a list of codes in {', '.join(CODE_FIELDS)}."
            )
