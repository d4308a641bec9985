"""Regular expressions -> texts that match them, nearly: for inputs that get deep into a pattern, and for those that explode."""

import random
import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

CATEGORIES = {sre.CATEGORY_WORD: "a", sre.CATEGORY_DIGIT: "1", sre.CATEGORY_SPACE: " ", sre.CATEGORY_NOT_SPACE: "a"}
# What may stand for a negated set or any character.
USUAL = "a A1.,-"


def example(pattern: str, seed: int, most: int) -> str:
    """A text that matches the pattern but for what it looks around for; each repeat has `most` rounds at most."""
    return "".join(_items(parser.parse(pattern, re.MULTILINE), random.Random(seed), most, {}))


def near_matches(pattern: str, examples: int = 3) -> Iterator[str]:
    """Texts without the end of a match: alternatives chosen at random, repeats as long as they may be and short."""
    for seed in range(examples):
        for most in (2, 200):
            whole = example(pattern, seed, most)
            if len(whole) > 1:
                yield whole[:-1]
            if len(whole) > 3:
                yield whole[: len(whole) // 2]


def _items(items: Any, chance: random.Random, most: int, groups: dict[int, str]) -> Iterator[str]:
    for op, value in items:
        if op is sre.LITERAL:
            yield chr(value)
        elif op is sre.NOT_LITERAL or op is sre.ANY:
            yield chance.choice([c for c in USUAL if op is sre.ANY or ord(c) != value])
        elif op is sre.IN:
            yield _of_set(value, chance)
        elif op is sre.BRANCH:
            yield from _items(chance.choice(value[1]), chance, most, groups)
        elif op is sre.SUBPATTERN:
            text = "".join(_items(value[3], chance, most, groups))
            groups[value[0]] = text
            yield text
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            low, high, inner = value
            for _ in range(max(low, min(int(high), most))):
                yield from _items(inner, chance, most, groups)
        elif op is sre.ATOMIC_GROUP:
            yield from _items(value, chance, most, groups)
        elif op is sre.GROUPREF:
            yield groups.get(value, "")


def _of_set(items: Any, chance: random.Random) -> str:
    if items[0][0] is sre.NEGATE:
        inside = re.compile(_negation(items[1:]))
        return next((c for c in chance.sample(USUAL, len(USUAL)) if not inside.match(c)), "~")
    kind, value = chance.choice(items)
    if kind is sre.LITERAL:
        return chr(value)
    if kind is sre.RANGE:
        return chr(chance.randint(*value))
    return CATEGORIES.get(value, "-")


def _negation(items: Any) -> str:
    names = {
        sre.CATEGORY_WORD: r"\w", sre.CATEGORY_NOT_WORD: r"\W", sre.CATEGORY_DIGIT: r"\d", sre.CATEGORY_NOT_DIGIT: r"\D",
        sre.CATEGORY_SPACE: r"\s", sre.CATEGORY_NOT_SPACE: r"\S",
    }  # fmt: skip
    parts = [
        re.escape(chr(value)) if kind is sre.LITERAL
        else f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}" if kind is sre.RANGE
        else names[value]
        for kind, value in items
    ]  # fmt: skip
    return f"[{''.join(parts)}]"
