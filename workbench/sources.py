"""The public sets of Indonesian news that Kanal knows of: what they hold, under which licence, and how they become ours."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from serve.errors import InputError
from serve.paths import DATA
from workbench.intake import Labels, folded

KNOWN_SOURCES = DATA / "sources.toml"


@dataclass(frozen=True)
class Source:
    """One set; the fields are those of `data/sources.toml`, which tells what they mean."""

    name: str
    hub: str = ""
    config: str = ""
    revision: str = ""
    files: str = ""
    about: str = ""
    licence: str = "read its card"
    size: str = ""
    obtain: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    labels: Labels | None = None
    labelled: bool = True
    """False: a column of labels, should it have one, is not used."""
    date_format: str = ""
    unverified: tuple[str, ...] = ()

    def mapped(self) -> dict[str, tuple[str, ...]]:
        """The sections that have topics of ours, with those."""
        return {section: tuple(topics) for section, topics in (self.labels or {}).items() if topics}

    def sections(self) -> str:
        """How many of its sections have topics of ours."""
        return f"{len(self.mapped())} of {len(self.labels)} sections" if self.labels else "unlabelled"

    def place(self) -> str:
        """Where on the Hugging Face hub it is fetched from."""
        return "by hand" if self.obtain else " ".join(filter(None, (self.hub, self.config, self.revision)))

    def description(self) -> str:
        """Lines for a person who is about to use the set: what it is, its licence, and what becomes of its sections."""
        facts = {
            "licence": self.licence,
            "size": self.size,
            "from": self.place(),
        }
        if self.labels:
            kept = ", ".join(f"{section} -> {' '.join(topics)}" for section, topics in self.mapped().items())
            facts["sections"] = kept
            facts["left out"] = ", ".join(section for section, topics in self.labels.items() if not topics)
        lines = [f"{name:<12}{value}" for name, value in facts.items() if value]
        lines += [f"{'unverified':<12}{sentence}" for sentence in self.unverified]
        return "\n  ".join([f"{self.name}: {self.about}", *lines])


@cache
def known_sources() -> dict[str, Source]:
    """The sets of `data/sources.toml` by name, in its order."""
    tables = tomllib.loads(KNOWN_SOURCES.read_text(encoding="utf-8"))
    return {name: _source(name, table) for name, table in tables.items()}


def _source(name: str, table: dict[str, Any]) -> Source:
    labels = folded(table["labels"]) if "labels" in table else None
    unverified = tuple(table.get("unverified", ()))
    return Source(name, **{**table, "labels": labels, "labelled": labels is not None, "unverified": unverified})


def find_source(name: str, columns: Mapping[str, str], labels: Labels | None) -> tuple[Source, Path | None]:
    """The set of this name, and its place where the name is that of a local file or folder.

    The name is one of `known_sources`, a path, or a name on the Hugging Face hub. `columns` and `labels`, where given, go
    before what is known of the set. Raises InputError for a name that is none of these.
    """
    known = known_sources().get(name)
    path = None
    if known is None and Path(name).exists():
        path = Path(name)
        known = Source(path.name.split(".")[0], about="local files", licence="")
    elif known is None and name.count("/") == 1:
        known = Source(name, hub=name, about="a set that Kanal does not know")
    elif known is None:
        close = get_close_matches(name, known_sources(), n=1)
        remedy = f"did you mean '{close[0]}'?" if close else "`kanal data sources` lists those that Kanal knows;"
        raise InputError(f"{name}: no such set; {remedy} a name on the hub has its owner before a slash.")
    others = {theirs: ours for theirs, ours in known.columns.items() if ours not in columns.values()}
    if labels is not None or "topics" in columns.values():
        known = replace(known, labels=known.labels if labels is None else labels, labelled=True)
    return replace(known, columns={**others, **columns}), path
