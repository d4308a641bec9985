"""The matcher means what Python's `re` means, on the patterns that cleaning uses and on what they are made of."""

import re

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve import characters, leftovers, rules
from serve.native.patterns import search
from serve.patterns import GROUPS, STACK, compile_patterns

OF_RULES = [rule.pattern for rule in rules.RULES] + [
    leftovers.DATELINE,
    leftovers.FIRST_CAPTION,
    leftovers.QUOTED_TITLE,
    leftovers.NEXT_LEFTOVER,
    leftovers.GLUED,
    leftovers.SENTENCE_END,
    leftovers.NEW_SENTENCE,
]
PLAIN = [
    r"a{2,3}?b",
    r"(?:ab|a)(?:bc|c)?\Z",
    r"(a|ab)(c|bcd)(d?)",
    r"[^a-c\n]{2,}x",
    r"(?i:Foto|é) ?[:/.]",
    r"(?<!ab)c(?=d|$)",
    r"(?<=[A-Z]{2}|\.d)x",
    r"(?>a{0,3})a",
    r"a{0,3}+b",
    r"^(?!a)\w+$",
    r"(['\"])x{1,3}?\1",
    r"\bab\b|\w\d\s",
    r"(?:a(?:b|c){0,2}){2,3}",
]
PIECES = [
    *"abcdxyAB01é“»\n .,:;!?/()[]<>\"'*_-|",
    "Baca juga: ",
    "Foto: ",
    "Halaman 2",
    "ADVERTISEMENT",
    "JAKARTA, ",
    "KOMPAS.com - ",
]


@numba.njit
def _find(program, sets, ranges, patterns, fold, stack, groups, text, at, pattern):
    return search(
        (program, sets, ranges, patterns, fold, stack, groups), text, np.int64(0), len(text), at, len(text), pattern
    )


class Finder:
    def __init__(self, patterns: list[str]) -> None:
        found = compile_patterns(patterns)
        self.groups = np.zeros(GROUPS, np.int64)
        self.arrays = (
            found.program,
            found.sets,
            found.ranges,
            found.patterns,
            characters.fold_table(),
            np.zeros(STACK, np.int64),
            self.groups,
        )

    def spans(self, text: str, pattern: int) -> list[list[int]]:
        """All that is matched, one after the other: the ends of the match, then those of each group."""
        codes = np.array([ord(character) for character in text], np.int32)
        spans, at = [], 0
        while at <= len(text):
            start, end = _find(*self.arrays, codes, at, pattern)
            if start < 0:
                break
            spans.append([start, end, *self.groups[2:].tolist()])
            at = end if end > start else end + 1
        return spans


def expected(text: str, pattern: str) -> list[list[int]]:
    spans = []
    for match in re.compile(pattern, re.MULTILINE).finditer(text):
        # `finditer` also finds what is empty right behind a match; cleaning has no such pattern.
        ends = [end for group in range(1, match.re.groups + 1) for end in match.span(group)]
        spans.append([*match.span(), *ends, *[-1] * (GROUPS - 2 - len(ends))])
    return spans


@pytest.fixture(scope="module")
def finder() -> Finder:
    return Finder(OF_RULES + PLAIN)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join))
def test_matches_what_re_matches(finder, text):
    for number, pattern in enumerate(OF_RULES + PLAIN):
        assert finder.spans(text, number) == expected(text, pattern), pattern


def test_matches_what_re_matches_in_articles(finder, corpus_texts):
    for text in corpus_texts[:150]:
        for number, pattern in enumerate(OF_RULES):
            assert finder.spans(text, number) == expected(text, pattern), pattern


def test_takes_no_longer_than_the_text(finder):
    # Near-matches over and over; a matcher that explodes would not come back.
    for near in (
        "Baca juga: A b ",
        "(foto: ",
        "Aa Bb-Cc ",
        "<p ",
        "Dapatkan berita ",
        "Editor: Aa ",
        "A.a, ",
        "(ab/cd ",
    ):
        for number in range(len(OF_RULES)):
            finder.spans(near * 300, number)


@pytest.mark.parametrize("pattern", [r"(?:ab)*", r"(a)(b)(c)(d)", r"(?(1)a|b)"])
def test_what_has_no_program_is_refused(pattern):
    with pytest.raises((ValueError, re.error)):
        compile_patterns([pattern])
