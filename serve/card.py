"""A model's card for a person to read."""

from collections.abc import Iterator
from typing import Any

from serve.counts import counted
from serve.model import TopicModel


def card_lines(model: TopicModel) -> Iterator[str]:
    """What is said of a model, a line a fact; what its card does not say is left out."""
    card = model.card
    made_by, sources = card.get("origin", {}), card.get("sources", {})
    kind = "one an article" if model.single_label else "several an article, or none"
    yield _line("model", model.version)
    yield _line("topics", f"{len(model.topics)}, {kind}; {len(model.vectorizer.terms_):,} terms")
    if "taxonomy_sha256" in sources:
        yield _line("taxonomy", f"sha256 {sources['taxonomy_sha256']}")
    if made_by:
        dirty = " with changes that it does not hold" if made_by["dirty"] else ""
        yield _line("commit", f"{made_by['commit'] or 'unknown: made outside of a checkout'}{dirty}")
        packages = ", ".join(f"{name} {version}" for name, version in made_by["packages"].items())
        yield _line("packages", f"Python {made_by['python']}, {packages}")
        yield _line("machine", f"{made_by['system']}, {made_by['processor']}")
    for name in ("data", "test", "crawl"):
        for file in sources.get(name, ()):
            yield _line(name, _file(file))
    for name in ("background", "lexicon"):
        if name in sources:
            yield _line(name, _file(sources[name]) if sources[name] else "none")
    if "columns" in sources:
        columns = {name: value or "found by name" for name, value in sources["columns"].items()}
        yield _line("columns", _settings(columns))
    if "data" in card:
        yield _line("articles", _settings(card["data"]))
    if "settings" in card:
        yield _line("settings", _settings(card["settings"]))
    figures = {name: value for name, value in card.get("metrics", {}).items() if isinstance(value, int | float)}
    if figures:
        yield _line("figures", _settings({name: f"{value:.4g}" for name, value in figures.items()}))


def _line(name: str, value: str) -> str:
    return f"{name:<12}{value}"


def _file(file: dict[str, Any]) -> str:
    count = f", {counted(file['articles'], 'article')}" if "articles" in file else ""
    return f"{file['path'] or 'embedded'}{count}, sha256 {file['sha256'] or 'unknown: no file'}"


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
