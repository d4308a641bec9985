"""A crawled page's text -> the article's text: characters made plain, then what the rules know as leftovers taken out.

The kernels do both; what needs more of Unicode than a table (accents to be composed, entities, misread UTF-8) is put right
here first.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve import kernels
from serve.characters import INVISIBLE, REPLACED
from serve.rules import KINDS
from serve.workspace import Workspaces


@dataclass(frozen=True)
class Removed:
    """A span of the given text that was taken out, and what it was taken for."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Cleaned:
    """The article's text; `origins[i]` is the index in the given text of the character that `text[i]` comes from."""

    text: str
    origins: list[int]
    removed: tuple[Removed, ...]


def clean(text: str, title: str = "") -> str:
    """The article's own text, in plain characters, its paragraphs apart; `title` is looked for at its start."""
    return _cleaned(text, title, traced=False).text


def clean_traced(text: str, title: str = "") -> Cleaned:
    """What `clean` returns, with where each character comes from and what was removed, in the order of the given text."""
    return _cleaned(text, title, traced=True)


def normalise(text: str) -> str:
    """The text in Unicode NFKC with plain quotes and spaces, entities decoded, no invisible characters."""
    return _normalised(text, traced=False).text


def normalise_traced(text: str) -> Cleaned:
    """What `normalise` returns, with where each character comes from; nothing counts as removed."""
    return _normalised(text, traced=True)


_WORKSPACES = {traced: Workspaces(traced=traced) for traced in (False, True)}
_CLEANING_TABLES = (
    "plain", "several", "cases", "rules", "trigger_begins", "trigger_classes", "trigger_states", "trigger_rules", "program", "sets", "ranges",
    "patterns", "fold",
)  # fmt: skip


def cleaning_tables() -> list[NDArray[Any]]:
    """The tables that the kernels which clean take, in their order."""
    return [kernels.table(name) for name in _CLEANING_TABLES]


def _cleaned(text: str, title: str, *, traced: bool) -> Cleaned:
    origins: list[int] | None = None
    for judged in (False, True):
        if judged:
            text, origins = _judged(text, traced=traced)
            title, _ = _judged(title, traced=False)
        given, given_title = _bytes(text), _bytes(title)
        space = _WORKSPACES[traced].of_size(len(given) + len(given_title))
        space.count[0] = 0
        n = kernels.clean_document(
            given, given_title, judged, *cleaning_tables(), space.stack, space.groups, space.hits, space.low, space.text,
            space.spare, space.title, space.kept, traced, space.origins, space.spare_origins, space.removed, space.count,
        )  # fmt: skip
        if n >= 0:
            break
    if not traced:
        return Cleaned(_string(space.text[:n]), [], ())
    removed = space.removed[: 3 * int(space.count[0])].reshape(-1, 3).tolist()
    back = origins if origins is not None else range(len(text))
    spans = [Removed(back[start], back[end - 1] + 1, KINDS[kind]) for start, end, kind in removed]
    return Cleaned(
        _string(space.text[:n]),
        [back[origin] for origin in space.origins[:n].tolist()],
        tuple(sorted(spans, key=lambda span: (span.start, span.end))),
    )


def _normalised(text: str, *, traced: bool) -> Cleaned:
    origins: list[int] | None = None
    for judged in (False, True):
        if judged:
            text, origins = _judged(text, traced=traced)
        given = _bytes(text)
        space = _WORKSPACES[traced].of_size(len(given))
        n = kernels.plain_document(given, judged, *cleaning_tables()[:2], space.low, space.text, traced, space.origins)
        if n >= 0:
            break
    back = origins if origins is not None else range(len(text))
    return Cleaned(_string(space.text[:n]), [back[o] for o in space.origins[:n].tolist()] if traced else [], ())


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)


def _string(characters: NDArray[np.int32]) -> str:
    return characters.tobytes().decode("utf-32-le", "surrogatepass")


# What a table of characters cannot tell, put right in Python: such texts are few.

# UTF-8 that was read as Latin-1: "Ã©" for "é". No language puts these characters in this order.
_MISREAD = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}")
_ENTITY = re.compile(r"&(?:(?:amp|#38|#x26);){0,8}(#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,30};)")
_REPLACED = re.compile(f"[{''.join(REPLACED)}]")
_INVISIBLE = re.compile(INVISIBLE)
# A stretch that composes by itself: the character before it may take an accent, no ASCII character joins the one before.
_NOT_ASCII = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")
# A character has so many marks at most, as in Unicode's stream-safe format (UAX 15): they are sorted in quadratic time.
MOST_MARKS = 30


def _judged(text: str, *, traced: bool) -> tuple[str, list[int] | None]:
    """The text with entities decoded, misread bytes read again, and in NFKC; and where each character comes from."""
    origins = list(range(len(text))) if traced else None
    steps: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
        (_ENTITY, _decoded),
        (_MISREAD, _reread),
        (_REPLACED, lambda match: REPLACED[match[0]]),
        (_INVISIBLE, lambda match: ""),
        (_NOT_ASCII, lambda match: _composed(match[0])),
    )
    for pattern, new in steps:
        if origins is None:
            text = pattern.sub(new, text)
            continue
        pieces: list[str] = []
        places: list[int] = []
        at = 0
        for match in pattern.finditer(text):
            piece = new(match)
            pieces += text[at : match.start()], piece
            places += origins[at : match.start()]
            places += [origins[min(match.start() + i, match.end() - 1)] for i in range(len(piece))]
            at = match.end()
        text, origins = "".join([*pieces, text[at:]]), places + origins[at:]
    return text, origins


def _composed(piece: str) -> str:
    """The piece in NFKC, without what a character has of marks beyond MOST_MARKS."""
    if len(piece) > MOST_MARKS:
        kept, marks = [], 0
        for character in piece:
            is_mark = unicodedata.combining(unicodedata.normalize("NFKD", character)[0])
            marks = marks + 1 if is_mark else 0
            if marks <= MOST_MARKS:
                kept.append(character)
        piece = "".join(kept)
    return unicodedata.normalize("NFKC", piece)


def _reread(match: re.Match[str]) -> str:
    try:
        return match[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def _decoded(match: re.Match[str]) -> str:
    known = match[1].startswith("#") or match[1] in html5
    return unescape("&" + match[1]) if known else match[0]
