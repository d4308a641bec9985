"""Is a model what its card says? It is trained again from what the card names, and the two are compared."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serve.errors import InputError
from serve.model import TopicModel
from train.corpus import fingerprint
from train.experiment import NONE, Columns, Ingredients, Material, read_material, train_model
from train.fit import Settings
from train.origin import origin

ARRAYS = ("weights", "bias", "calibration", "thresholds")
_FILE = {"path": str | None, "sha256": str | None}
# What a card has to hold: the types of its values, of a list's items; several forms in a tuple.
_FORM: dict[str, Any] = {
    "settings": {name: float | int if isinstance(value, float) else type(value) for name, value in asdict(Settings()).items()},
    "sources": {
        **{key: [_FILE] for key in ("data", "test", "crawl")},
        **dict.fromkeys(("background", "lexicon"), (None, _FILE)),
        "columns": dict.fromkeys(asdict(Columns()), str | None),
    },
    "origin": {"commit": str | None, "dirty": bool | None, "packages": dict},
    "data": {"fingerprint": str},
}  # fmt: skip


@dataclass(frozen=True)
class Verification:
    """What came out of training a model again."""

    again: TopicModel
    remarks: list[str]
    """What is not as it was at the first training, a sentence each: other code or packages explain another model."""
    differences: list[str]
    """How the two models differ, a sentence each; none where they are the same, byte for byte."""


def verify(model: TopicModel, data: Sequence[str | Path] = ()) -> Verification:
    """Trains a model again from what its card names, or from `data`, and compares all that decides a prediction.

    Raises InputError where the card does not say enough, where a file is not there, or holds something else than then.
    """
    card = model.card
    settings, sources = (card.get(name, {}) for name in ("settings", "sources"))
    misfit = _misfit(card, _FORM) or next(
        (f"settings.{name}" for name in settings if name not in _FORM["settings"]), None
    )
    if misfit:
        raise InputError(
            f"The model's card does not say what it was trained from as this Kanal would ({misfit}); only what "
            "`kanal train` and `kanal adapt` of such a release wrote can be verified."
        )
    settings = Settings(**settings)
    material = _material(sources, data)
    remarks = _changed(card["origin"], origin())
    found = read_material(material, settings, [file["path"] for file in sources["crawl"]])
    # Labels that the taxonomy lacks are those that --drop-rare dropped: all others were errors.
    found = found.without_dropped(model.taxonomy)
    _refuse_others(found, model.card)
    again, _ = train_model(found, model.taxonomy, settings)
    return Verification(again, remarks, differences(model, again, found.testing))


def differences(model: TopicModel, again: TopicModel, articles: pd.DataFrame) -> list[str]:
    """How two models differ, a sentence each, and what of their decisions on articles; none where they do not."""
    if model.version == again.version:
        return []
    said = []
    ours, theirs = set(model.vectorizer.terms_.names), set(again.vectorizer.terms_.names)
    if ours != theirs:
        said.append(f"vocabulary: {len(ours - theirs):,} terms only in the model, {len(theirs - ours):,} only now")
    pairs = [(name, getattr(model, name), getattr(again, name)) for name in ARRAYS]
    pairs.append(("idf", model.vectorizer.idf_, again.vectorizer.idf_))
    said += filter(None, (_numbers(*pair) for pair in pairs))
    for name in ("single_label", "uncertain_below", "title_weight", "topics"):
        before, now = getattr(model, name), getattr(again, name)
        if before != now:
            said.append(f"{name}: {before} then, {now} now")
    if model.topics == again.topics:
        texts, titles = list(articles["text"]), list(articles["title"])
        before, now = (one.file(texts, titles).assigned for one in (model, again))
        changed = int((before != now).any(axis=1).sum())
        said.append(f"decisions: other topics for {changed:,} of {len(articles):,} test articles")
    return said


def _numbers(name: str, before: NDArray[Any], now: NDArray[Any]) -> str:
    """How two arrays differ in their bits, "" where they do not."""
    if before.shape != now.shape:
        return f"{name}: {before.shape} then, {now.shape} now"
    bits = f"u{before.itemsize}"
    n = int((np.ascontiguousarray(before).view(bits) != np.ascontiguousarray(now).view(bits)).sum())
    most = float(np.abs(before.astype(np.float64) - now).max(initial=0))
    return f"{name}: {n:,} of {before.size:,} numbers differ, by {most:.2g} at most" if n else ""


def _misfit(value: Any, form: Any, name: str = "") -> str | None:
    """The name of the first part of a card that has not its form; None where there is none."""
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return name or "card"
        parts = ((value.get(key, ...), inner, f"{name}.{key}".strip(".")) for key, inner in form.items())
    elif isinstance(form, list):
        if not isinstance(value, list):
            return name
        parts = ((item, form[0], f"{name}[{i}]") for i, item in enumerate(value))
    elif isinstance(form, tuple):
        misfits = [_misfit(value, inner, name) for inner in form]
        return None if None in misfits else misfits[-1]
    else:
        return None if form is value or (form is not None and isinstance(value, form)) else name
    return next(filter(None, (_misfit(*part) for part in parts)), None)


def _material(sources: dict[str, Any], data: Sequence[str | Path]) -> Material:
    """The files that a card names, those of `data` in place of its data. Raises InputError where one is not there."""
    background, lexicon = (sources[name] for name in ("background", "lexicon"))
    given = [] if data else sources["data"]
    for file in (*given, *sources["test"], *sources["crawl"], *filter(None, (background, lexicon))):
        # A data set of a hub has no hash: it was no file then.
        if file["path"] is not None and file["sha256"] is not None and not Path(file["path"]).exists():
            remedy = "run this in the folder of the training" + (", or name it with --data." if file in given else ".")
            raise InputError(f"{file['path']}: the model was trained with it, and it is not there; {remedy}")
    return Material(
        data=data or [file["path"] for file in given if file["path"] is not None],
        test=next((file["path"] for file in sources["test"]), None),
        columns=Columns(**sources["columns"]),
        background=background["path"] if background else NONE,
        lexicon=lexicon["path"] if lexicon else NONE,
    )


def _refuse_others(found: Ingredients, card: dict[str, Any]) -> None:
    """Raises InputError where the files do not hold what they held at the first training."""
    then, now = card["sources"], found.sources
    for kind in ("test", "crawl", "background", "lexicon"):
        if _hashes(then[kind]) != _hashes(now[kind]):
            place = then[kind] and _files(then[kind])[0]["path"]
            raise InputError(
                f"{place or f'The embedded {kind}'}: not what the model was trained with (sha256 differs); take the "
                f"one of then{_of_commit(card)}."
            )
    # The same articles may come in another file, compressed or as JSONL.
    before, articles = card["data"]["fingerprint"], fingerprint(found.training)
    known = _hashes(now["data"])
    if (None in known or known != _hashes(then["data"])) and before != articles:
        names = ", ".join(file["path"] or "The embedded corpus" for file in now["data"])
        raise InputError(
            f"{names}: not the data that the model was trained on (fingerprint {articles[:12]}, then {before[:12]}); "
            f"name that with --data{_of_commit(card)}."
        )


def _files(named: Any) -> list[dict[str, Any]]:
    return named if isinstance(named, list) else [named] if named else []


def _hashes(named: Any) -> list[str | None]:
    return [file["sha256"] for file in _files(named)]


def _of_commit(card: dict[str, Any]) -> str:
    commit = card["origin"]["commit"]
    return f", or check out commit {commit[:12]}" if commit else ""


def _changed(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What of a training's origin is another now, a sentence each."""
    before, after = ({**made_by, **made_by["packages"]} for made_by in (then, now))
    said = [
        f"{name}: {before.get(name) or 'unknown'} then, {after.get(name) or 'unknown'} now"
        for name in before | after
        if name not in ("dirty", "packages") and before.get(name) != after.get(name)
    ]
    for name, made_by in (("when the model was made", before), ("now", after)):
        if made_by["dirty"]:
            said.append(f"dirty: the code {name} is not that of its commit")
    return said
