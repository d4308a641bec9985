"""The rules of `serve.leftovers` as tables that the cleaning kernel takes."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from serve import leftovers
from serve.patterns import compile_patterns, longest

STAGES = (leftovers.MARKUP, leftovers.ANYWHERE, leftovers.CAPTIONS + leftovers.ENDS)
RULES = [rule for stage in STAGES for rule in stage]
# Where the rules of each stage end.
MARKUP_END, ANYWHERE_END, RULES_END = (int(end) for end in np.cumsum([len(stage) for stage in STAGES]))
_PREAMBLE = ("title", "dateline", "caption")
KINDS = sorted({rule.kind for rule in RULES}.union(_PREAMBLE))
PREAMBLE_KINDS = tuple(KINDS.index(kind) for kind in _PREAMBLE)

# Patterns beside those of the rules, and behind them, in the order in which the kernel names them.
_OTHERS = (
    leftovers.DATELINE,
    leftovers.FIRST_CAPTION,
    leftovers.SITE_SUFFIX,
    leftovers.QUOTED_TITLE,
    leftovers.NEXT_LEFTOVER,
    leftovers.GLUED,
    leftovers.SENTENCE_END,
    leftovers.SMALL_WORD,
    leftovers.SENTENCE_START,
    leftovers.NEW_SENTENCE,
)
FURTHER = range(RULES_END, RULES_END + len(_OTHERS))

# Rules are told by the bits of a number.
MAX_RULES = 64

# A rule's row: what stands in place (below, or the number of a group), where the removal ends, the tail, the kind, and how
# many characters at most a match may have up to the end of the trigger in it.
RULE_WIDTH = 5
NEW_NOTHING, NEW_SPACE, NEW_PARAGRAPH = 0, -1, -2
_NEW = {"": NEW_NOTHING, " ": NEW_SPACE, "\n\n": NEW_PARAGRAPH}
TITLE_LIMIT = leftovers.TITLE_LIMIT
# Characters that triggers are made of have a class of their own; all others have class 0.
CLASSES = 128


def rule_tables() -> dict[str, NDArray[np.generic]]:
    """All tables by name; for what they hold see where they are made."""
    programs = compile_patterns([rule.pattern for rule in RULES] + list(_OTHERS))
    rows = [
        [
            _NEW[rule.new] if isinstance(rule.new, str) else rule.new,
            rule.end,
            rule.tail,
            KINDS.index(rule.kind),
            longest(rule.pattern),
        ]
        for rule in RULES
    ]
    classes, states, outputs = _automaton([sorted(rule.triggers) for rule in RULES])
    return {
        "program": programs.program,
        "sets": programs.sets,
        "ranges": programs.ranges,
        "patterns": programs.patterns,
        "rules": np.array(rows, np.int32).ravel(),
        "trigger_begins": (states[classes] != 0).astype(np.uint8),
        "trigger_classes": classes,
        "trigger_states": states,
        "trigger_rules": outputs,
    }


def _automaton(triggers: Sequence[Sequence[str]]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint64]]:
    """What finds all triggers in one pass over a text (Aho & Corasick 1975, "Efficient string matching").

    classes (CLASSES + 1,): of each character, and of others; states (s * c,): the next of s states by c classes; outputs (s,): the
    rules, as bits, whose triggers end in a state.
    """
    letters = sorted({letter for words in triggers for word in words for letter in word})
    number = {letter: place for place, letter in enumerate(letters, 1)}
    children: list[dict[int, int]] = [{}]
    found = [0]
    for rule, words in enumerate(triggers):
        for word in words:
            state = 0
            for letter in word:
                if number[letter] not in children[state]:
                    children[state][number[letter]] = len(children)
                    children.append({})
                    found.append(0)
                state = children[state][number[letter]]
            found[state] |= 1 << rule
    width = len(letters) + 1
    states = np.zeros((len(children), width), np.int32)
    links = [0] * len(children)
    waiting = deque([0])
    while waiting:
        state = waiting.popleft()
        states[state] = states[links[state]] if state else 0
        found[state] |= found[links[state]]
        for step, child in children[state].items():
            links[child] = int(states[links[state], step]) if state else 0
            states[state, step] = child
            waiting.append(child)
    classes = np.zeros(CLASSES + 1, np.int32)
    for letter, place in number.items():
        classes[ord(letter)] = place
    return classes, states.ravel(), np.array(found, np.uint64)
