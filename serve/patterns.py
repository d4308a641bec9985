"""Regular expressions -> programs for the matcher of `serve.native.patterns`, which means by them what Python's `re` means.

Patterns are multiline (`^` and `$` at line breaks). Sets tell \\w in full, \\d and \\s among the first 256 characters only.
Groups are counted to three; what has no program raises ValueError.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Python's own parser of patterns: not public, the same since 3.11, and held to `re` by tests.
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import numpy as np
from numpy.typing import NDArray

(
    MATCH, CHARACTER, SET, SPLIT, JUMP, SAVE, RUN, LAZY, BACK_REFERENCE, ATOMIC, CLOSE, LOOK_AHEAD, NOT_AHEAD, LOOK_BEHIND,
    NOT_BEHIND, ANCHOR_START, ANCHOR_END, ANCHOR_LINE_START, ANCHOR_LINE_END, BOUNDARY,
) = range(20)  # fmt: skip
MAX_GROUPS = 4
# In place of a set: any character may follow.
ANYTHING = -1
# A set: whether it holds each of the characters below 256, whether it is negated, whether it has \w, its ranges from and to.
SET_WIDTH = 260
# A pattern: where its program begins, and whether a match may begin with each of the characters below OTHER, or with others.
OTHER = 128
PATTERN_WIDTH = 2 + OTHER
# Of the matcher's stack a frame takes four words; no pattern of `serve.leftovers` comes near so many frames.
FRAME = 4
STACK = FRAME * 8192
GROUPS = 2 * MAX_GROUPS

_ANCHORS = {
    sre.AT_BEGINNING: ANCHOR_LINE_START,
    sre.AT_END: ANCHOR_LINE_END,
    sre.AT_BEGINNING_STRING: ANCHOR_START,
    sre.AT_END_STRING: ANCHOR_END,
    sre.AT_BOUNDARY: BOUNDARY,
}
_CATEGORIES = {
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
}
_LONGEST = 1 << 30


@dataclass(frozen=True)
class Programs:
    """p patterns as the matcher takes them."""

    program: NDArray[np.int32]
    sets: NDArray[np.int32]
    ranges: NDArray[np.int32]
    patterns: NDArray[np.int32]
    """(PATTERN_WIDTH p,)."""


def compile_patterns(patterns: Sequence[str]) -> Programs:
    """The programs of the patterns, by their place in the sequence."""
    compiler = _Compiler()
    rows = []
    for pattern in patterns:
        start = len(compiler.program)
        parsed = parser.parse(pattern, re.MULTILINE)
        compiler.sequence(parsed, parsed.state.flags)
        compiler.program.append(MATCH)
        rows.append([start, *compiler.first(start).astype(int)])
    compiler.look_before_splitting()
    return Programs(
        np.array(compiler.program, np.int32),
        np.array(compiler.sets, np.int32),
        np.array(compiler.ranges or [0, 0], np.int32),
        np.array(rows, np.int32).ravel(),
    )


def longest(pattern: str) -> int:
    """The most characters that a match of the pattern can have."""
    return int(parser.parse(pattern, re.MULTILINE).getwidth()[1])


class _Compiler:
    def __init__(self) -> None:
        self.program: list[int] = []
        self.sets: list[int] = []
        self.ranges: list[int] = []
        self.places: dict[tuple[int, ...], int] = {}
        self.splits: list[int] = []

    def sequence(self, items: Any, flags: int) -> None:
        for op, value in items:
            self.item(op, value, flags)

    def item(self, op: Any, value: Any, flags: int) -> None:
        program = self.program
        if op is sre.AT:
            program.append(_ANCHORS[value])
        elif op is sre.LITERAL and not self._cased(value, flags):
            program += [CHARACTER, value]
        elif op in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            program += [SET, self.set_of(op, value, flags)]
        elif op is sre.SUBPATTERN:
            group, added, removed, inner = value
            if group is None:
                self.sequence(inner, (flags | added) & ~removed)
            else:
                if group >= MAX_GROUPS:
                    raise ValueError("a pattern has at most three groups")
                program += [SAVE, 2 * group]
                self.sequence(inner, (flags | added) & ~removed)
                program += [SAVE, 2 * group + 1]
        elif op is sre.BRANCH:
            self.branch(value[1], flags)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            self.repeat(value, flags, lazy=op is sre.MIN_REPEAT)
        elif op is sre.POSSESSIVE_REPEAT:
            self.around([ATOMIC, 0], lambda: self.repeat(value, flags, lazy=False))
        elif op is sre.ATOMIC_GROUP:
            self.around([ATOMIC, 0], lambda: self.sequence(value, flags))
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            direction, inner = value
            positive = op is sre.ASSERT
            if direction > 0:
                head = [LOOK_AHEAD if positive else NOT_AHEAD, 0]
            else:
                head = [LOOK_BEHIND if positive else NOT_BEHIND, 0, inner.getwidth()[0]]
            self.around(head, lambda: self.sequence(inner, flags))
        elif op is sre.GROUPREF:
            program += [BACK_REFERENCE, 2 * value]
        else:
            raise ValueError(f"no program for {op}")

    def around(self, head: list[int], inner: Any) -> None:
        """What is matched by itself: head, with the place behind it in its second word, then what `inner` adds."""
        start = len(self.program)
        self.program += head
        inner()
        self.program.append(CLOSE)
        self.program[start + 1] = len(self.program)

    def branch(self, branches: Sequence[Any], flags: int) -> None:
        program = self.program
        jumps = []
        for place, branch in enumerate(branches):
            split = len(program)
            if place < len(branches) - 1:
                self.splits.append(split)
                program += [SPLIT, split + 4, 0, ANYTHING]
            self.sequence(branch, flags)
            if place < len(branches) - 1:
                jumps.append(len(program) + 1)
                program += [JUMP, 0]
                program[split + 2] = len(program)
        for jump in jumps:
            program[jump] = len(program)

    def repeat(self, value: tuple[int, Any, Any], flags: int, *, lazy: bool) -> None:
        low, high, inner = value
        program = self.program
        high = _LONGEST if high is sre.MAXREPEAT else int(high)
        if len(inner) == 1 and inner[0][0] in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN):
            program += [LAZY if lazy else RUN, self.set_of(inner[0][0], inner[0][1], flags), low, high]
            return
        if high == _LONGEST:
            raise ValueError("only a single character repeats without a limit")
        for _ in range(low):
            self.sequence(inner, flags)
        ends = []
        for _ in range(high - low):
            # The place behind all repeats is not known yet.
            place = len(program)
            program += [SPLIT, 0, place + 4, ANYTHING] if lazy else [SPLIT, place + 4, 0, ANYTHING]
            self.splits.append(place)
            ends.append(place + (1 if lazy else 2))
            self.sequence(inner, flags)
        for place in ends:
            program[place] = len(program)

    @staticmethod
    def _cased(code: int, flags: int) -> bool:
        return bool(flags & re.IGNORECASE) and chr(code).lower() != chr(code).upper()

    def set_of(self, op: Any, value: Any, flags: int) -> int:
        """The number of the set of characters that one item of a pattern stands for."""
        negated, word = False, False
        ranges: list[tuple[int, int]] = []
        small = np.zeros(256, bool)
        if op is sre.IN:
            items = value
        elif op is sre.ANY:
            items = [(sre.NEGATE, None), (sre.LITERAL, ord("\n"))]
        else:
            items = [(sre.NEGATE, None)] * (op is sre.NOT_LITERAL) + [(sre.LITERAL, value)]
        for kind, what in items:
            if kind is sre.NEGATE:
                negated = True
            elif kind is sre.CATEGORY:
                pattern = re.compile(_CATEGORIES[what])
                small |= [pattern.match(chr(code)) is not None for code in range(256)]
                if what is sre.CATEGORY_WORD:
                    word = True
                elif what not in (sre.CATEGORY_DIGIT, sre.CATEGORY_SPACE):
                    if what is sre.CATEGORY_NOT_WORD:
                        raise ValueError(r"no program for \W in a set")
                    ranges.append((256, 0x10FFFF))
            else:
                first, last = (what, what) if kind is sre.LITERAL else what
                small[first : last + 1] = True
                if flags & re.IGNORECASE:
                    for code in range(first, min(last, 255) + 1):
                        for other in (chr(code).lower(), chr(code).upper()):
                            if len(other) == 1 and ord(other) < 256:
                                small[ord(other)] = True
                if last >= 256:
                    ranges.append((max(first, 256), last))
        inside = (small != negated).astype(int).tolist()
        return self._place(inside, negated, word, ranges)

    def _place(self, inside: list[int], negated: bool, word: bool, ranges: list[tuple[int, int]]) -> int:
        key = (*inside, int(negated), int(word), *(edge for pair in ranges for edge in pair))
        if key not in self.places:
            self.places[key] = len(self.sets) // SET_WIDTH
            start = len(self.ranges) // 2
            self.ranges += [edge for pair in ranges for edge in pair]
            self.sets += [*inside, int(negated), int(word), start, len(self.ranges) // 2]
        return self.places[key]

    def look_before_splitting(self) -> None:
        """Has the matcher go the second way at once where the next character rules the first way out."""
        for split in self.splits:
            possible = self.first(self.program[split + 1])
            if not possible.all():
                others = [int(possible[OTHER])] * (256 - OTHER)
                self.program[split + 3] = self._place(
                    [*possible[:OTHER].astype(int).tolist(), *others], bool(others[0]), False, []
                )

    def first(self, start: int) -> NDArray[np.bool_]:
        """Whether a match may begin with each of the characters below OTHER, and whether with others."""
        possible = np.zeros(OTHER + 1, bool)
        waiting, seen = [start], set()
        while waiting:
            pc = waiting.pop()
            if pc in seen:
                continue
            seen.add(pc)
            op = self.program[pc]
            if op == CHARACTER:
                possible[min(self.program[pc + 1], OTHER)] = True
            elif op in (SET, RUN, LAZY):
                row = self.program[pc + 1] * SET_WIDTH
                possible[:OTHER] |= np.array(self.sets[row : row + OTHER], bool)
                possible[OTHER] = True
                if op != SET and self.program[pc + 2] == 0:
                    waiting.append(pc + 4)
            elif op == SPLIT:
                waiting += self.program[pc + 1 : pc + 3]
            elif op == JUMP:
                waiting.append(self.program[pc + 1])
            elif op in (SAVE, ATOMIC):
                waiting.append(pc + 2)
            elif op == LOOK_AHEAD:
                possible |= self.first(pc + 2) & self.first(self.program[pc + 1])
            elif op in (NOT_AHEAD, LOOK_BEHIND, NOT_BEHIND):
                waiting.append(self.program[pc + 1])
            elif op in (MATCH, CLOSE, BACK_REFERENCE):
                possible[:] = True
            else:  # anchors
                waiting.append(pc + 1)
        return possible
