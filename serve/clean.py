"""A crawled page's text -> the article's text: characters made plain, then what the rules know as leftovers taken out."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from html.entities import html5
from typing import NamedTuple

from serve.leftovers import ANYWHERE, CAPTIONS, DATELINE, ENDS, FIRST_CAPTION, MARKUP, SITE_SUFFIX, Rule, triggers_in


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
    return _clean(text, title, None)


def clean_traced(text: str, title: str = "") -> Cleaned:
    """What `clean` returns, with where each character comes from and what was removed, in the order of the given text."""
    trace = _Trace(list(range(len(text))), [])
    cleaned = _clean(text, title, trace)
    removed = sorted(trace.removed, key=lambda span: (span.start, span.end))
    return Cleaned(cleaned, trace.origins, tuple(removed))


def normalise(text: str) -> str:
    """The text in Unicode NFKC with plain quotes and spaces, entities decoded, no invisible characters."""
    return _normalised(text, None)


def normalise_traced(text: str) -> Cleaned:
    """What `normalise` returns, with where each character comes from; nothing counts as removed."""
    trace = _Trace(list(range(len(text))), [])
    normalised = _normalised(text, trace)
    return Cleaned(normalised, trace.origins, ())


# Edits: the one way in which a text changes, so that the traced functions return the same as the plain ones.


class _Edit(NamedTuple):
    start: int
    end: int
    new: str
    new_from: int  # where in the text the first character of `new` stands


@dataclass
class _Trace:
    origins: list[int]
    removed: list[Removed]


def _edited(text: str, edits: list[_Edit], trace: _Trace | None, kind: str = "") -> str:
    if not edits:
        return text
    pieces: list[str] = []
    at = 0
    for edit in edits:
        pieces += text[at : edit.start], edit.new
        at = edit.end
    pieces.append(text[at:])
    if trace is not None:
        _follow(edits, trace, kind)
    return "".join(pieces)


def _follow(edits: list[_Edit], trace: _Trace, kind: str) -> None:
    old, origins, at = trace.origins, [], 0
    for start, end, new, new_from in edits:
        origins += old[at:start]
        last = max(end - 1, new_from)
        origins += [old[min(new_from + i, last)] for i in range(len(new))]
        at = end
        if kind:
            kept = range(new_from, new_from + len(new)) if new.strip() else range(end, end)
            for first, after in ((start, kept.start), (kept.stop, end)):
                if first < after:
                    trace.removed.append(Removed(old[first], old[after - 1] + 1, kind))
    trace.origins = origins + old[at:]


# Characters

_PLAIN = dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'")
_PLAIN |= dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
_PLAIN |= dict.fromkeys("\x85\u2028\u2029", "\n")
_PLAIN |= dict.fromkeys("\xa0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B))), " ")
_INVISIBLE = re.compile(
    "\r(?=\n)|[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe0e\ufe0f\ufeff]"
)
# UTF-8 that was read as Latin-1: "Ã©" for "é". No language puts these characters in this order.
_MISREAD = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe1-\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}")
_ENTITY = re.compile(r"&(?:(?:amp|#38|#x26);){0,8}(#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,30};)")
# A stretch that composes by itself: the character before it may take an accent, no ASCII character joins the one before.
_NOT_ASCII = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")
_SPACING = (
    ("  ", " ", re.compile("  +")),
    (" \n", "\n", re.compile(" \n")),
    ("\n ", "\n", re.compile("\n ")),
    ("\n\n\n", "\n\n", re.compile("\n\n\n+")),
)


def _normalised(text: str, trace: _Trace | None) -> str:
    if "&" in text:
        text = _rewritten(text, _ENTITY, _decoded, trace)
    if not text.isascii():
        if any(first in text for first in "\xc2\xc3\xd8\xd9\xe2\xf0"):
            text = _rewritten(text, _MISREAD, _reread, trace)
        for odd, plain in _PLAIN.items():
            text = text.replace(odd, plain)
    for odd in "\t\x0b\x0c\x1c\x1d\x1e\x1f":
        text = text.replace(odd, " ")
    # `isprintable` is a quick way to know that there is nothing but letters, punctuation and plain spaces.
    if not text.replace("\n", " ").isprintable():
        text = _rewritten(text, _INVISIBLE, lambda match: "", trace).replace("\r", "\n")
    if not unicodedata.is_normalized("NFKC", text):
        text = _rewritten(text, _NOT_ASCII, lambda match: unicodedata.normalize("NFKC", match[0]), trace)
    return _spaced(text, trace)


def _spaced(text: str, trace: _Trace | None) -> str:
    """The text with single spaces, none of them at an end of a line, and one blank line at most between two lines."""
    for run, single, pattern in _SPACING if "\n" in text else _SPACING[:1]:
        if run in text:
            text = _rewritten(text, pattern, lambda match, single=single: single, trace)  # type: ignore[misc]
    return _stripped(text, trace)


def _stripped(text: str, trace: _Trace | None) -> str:
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    edits = [_Edit(*span, "", span[0]) for span in ((0, start), (max(start, end), len(text))) if span[0] < span[1]]
    return _edited(text, edits, trace)


def _rewritten(text: str, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str], trace: _Trace | None) -> str:
    if trace is None:
        return pattern.sub(new, text)
    return _edited(text, [_Edit(*match.span(), new(match), match.start()) for match in pattern.finditer(text)], trace)


def _reread(match: re.Match[str]) -> str:
    try:
        return match[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return match[0]


def _decoded(match: re.Match[str]) -> str:
    known = match[1].startswith("#") or match[1] in html5
    return unescape("&" + match[1]) if known else match[0]


# What the rules take out

_WORD = re.compile(r"\w+")


def _after_repeated_title(text: str, title: str) -> int:
    """The end of the title at the start of the text, with the site's name after it; 0 where it does not stand there."""
    first = _WORD.search(title)
    if first is None or first[0].lower() not in text[: len(first[0]) + 4].lower():
        return 0
    wanted = _WORD.findall(normalise(title).lower())
    if len(wanted) < 3:
        return 0
    found = list(zip(_WORD.finditer(text, 0, 2 * len(title) + 20), wanted, strict=False))
    if len(found) < len(wanted) or any(match[0].lower() != word for match, word in found):
        return 0
    end = found[-1][0].end()
    while text[end : end + 1] in ("'", '"', "?", "!", ")", "."):
        end += 1
    if text[end : end + 1] in ("\n", ""):
        return end
    if suffix := SITE_SUFFIX.match(text, end):
        return suffix.end()
    # Run into the first sentence, and not a first sentence that says the same: that one is in small letters.
    written = [match[0] for match, _ in found]
    same = written == _WORD.findall(normalise(title)) or all(word.isupper() for word in written if word.isalpha())
    capitals = sum(not word[0].islower() for word in written) > len(written) / 2
    return end if same and capitals and re.match(r"[ .]{0,2}[\"'(]?[A-Z]", text[end : end + 5]) else 0


def _without_preamble(text: str, title: str, trace: _Trace | None) -> str:
    """The text without title, captions and dateline at its start, in whatever order and number they stand there."""
    for _ in range(8):
        ends = {
            "title": _after_repeated_title(text, title),
            "caption": match.end() if (match := FIRST_CAPTION.match(text)) else 0,
            "dateline": match.end() if (match := DATELINE.match(text)) else 0,
        }
        kind = next((kind for kind, end in ends.items() if end), "")
        if not kind or not text[ends[kind] :].strip():
            break
        text = _stripped(_edited(text, [_Edit(0, ends[kind], "", 0)], trace, kind), trace)
    return text


def _clean(text: str, title: str, trace: _Trace | None) -> str:
    text = _normalised(text, trace)
    found = triggers_in(text)
    marked, text = text, _ruled(text, MARKUP, found, trace)
    if text is not marked:
        found = triggers_in(text)
    text = _ruled(text, ANYWHERE, found, trace)
    text = _without_preamble(text, title, trace)
    return _ruled(text, CAPTIONS + ENDS, found, trace)


def _ruled(text: str, rules: tuple[Rule, ...], found: set[str], trace: _Trace | None) -> str:
    """The text after the rules of which a trigger was found; `text` itself where no rule fits."""
    given = text
    for rule in rules:
        if not rule.triggers.isdisjoint(found):
            text = _edited(text, _removals(text, rule), trace, rule.kind)
    return text if text is given else _spaced(text, trace)


def _removals(text: str, rule: Rule) -> list[_Edit]:
    edits: list[_Edit] = []
    at = 0
    for match in rule.pattern.finditer(text, max(0, len(text) - rule.tail) if rule.tail else 0):
        start, end = match.span()
        if start < at:
            continue
        if rule.end is not None:
            end = rule.end(text, end)
        if isinstance(rule.new, int):
            edits.append(_Edit(start, end, match[rule.new], match.start(rule.new)))
        else:
            first, last = text[start - 1 : start] in ("", "\n"), text[end : end + 1] in ("", "\n")
            while first and last and text[end : end + 1] == "\n":  # a line of its own goes with its line break
                end += 1
            edits.append(_Edit(start, end, "" if rule.new == " " and (first or last) else rule.new, start))
        at = end
    return edits
