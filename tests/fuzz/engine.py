"""The engines that invent inputs: atheris, which looks at what code an input reaches, or Hypothesis where it is not installed."""

import hashlib
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fuzz.target import Target

CASES = Path(__file__).parent / "cases"
LONGEST = 400
# Packages whose branches guide atheris.
WATCHED = ("serve",)
SHRINKING_SECONDS = 20.0


class FoundError(AssertionError):
    """An input for which a target does not hold; `case` is the file that keeps it."""

    def __init__(self, case: Path, error: BaseException) -> None:
        super().__init__(f"{case}: {type(error).__name__}: {error}")
        self.case = case


def cases(target: Target) -> list[Path]:
    """What was found for a target at any time."""
    return sorted((CASES / target.name).glob("*.json"))


def replay(target: Target, case: Path) -> None:
    target.check(json.loads(case.read_text(encoding="utf-8")))


def attempt(target: Target, data: bytes) -> None:
    """Tries the input that the bytes stand for. Raises FoundError where the target does not hold, the input shrunk and kept."""
    given = target.draw(data)
    try:
        target.check(given)
    except Exception as error:
        given = target.draw(_shrunk(target, data))
        raise FoundError(_keep(target, given), error) from error


def _fails(target: Target, data: bytes) -> bool:
    try:
        target.check(target.draw(data))
    except Exception:
        return True
    return False


def _shrunk(target: Target, data: bytes) -> bytes:
    """Less of the bytes for which the target does not hold either."""
    end = time.monotonic() + SHRINKING_SECONDS
    size = len(data) // 2
    while size and time.monotonic() < end:
        at = 0
        while at < len(data) and time.monotonic() < end:
            less = data[:at] + data[at + size :]
            if _fails(target, less):
                data = less
            else:
                at += size
        size //= 2
    return data


def _keep(target: Target, given: Any) -> Path:
    text = json.dumps(given, indent=1) + "\n"
    case = CASES / target.name / f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    case.parent.mkdir(parents=True, exist_ok=True)
    case.write_text(text, encoding="utf-8")
    return case


def by_atheris(target: Callable[[], Target], seconds: float, corpus: Path) -> None:
    """Runs atheris, which does not come back: the process ends with status 0, or another where an input was found.

    Inputs that reached something new are left in `corpus`. `target` imports what is watched.
    """
    import atheris

    with atheris.instrument_imports(include=list(WATCHED)):
        found = target()
    inputs = 0

    def one(data: bytes) -> None:
        nonlocal inputs
        inputs += 1
        attempt(found, data)
        # What the parent reads when it is over.
        if inputs % 64 == 0 or inputs < 64:
            (corpus.parent / f"{found.name}.count").write_text(str(inputs))

    options = [
        f"-max_total_time={int(seconds)}",
        f"-max_len={LONGEST}",
        "-timeout=60",
        "-rss_limit_mb=6000",
        "-verbosity=0",
    ]
    atheris.Setup(
        [sys.argv[0], *options, "-print_final_stats=0", f"-artifact_prefix={corpus.parent}/", str(corpus)], one
    )
    atheris.Fuzz()


def by_hypothesis(target: Target, seconds: float, seed: int = 0) -> int:
    """Runs Hypothesis until the time is over, and returns the number of inputs."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    end = time.monotonic() + seconds
    inputs = 0

    def one(data: bytes) -> None:
        nonlocal inputs
        if time.monotonic() < end:
            inputs += 1
            attempt(target, data)

    round_ = 0
    while time.monotonic() < end:
        round_ += 1
        limits = settings(
            max_examples=500,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        seeded(seed + round_)(limits(given(st.binary(max_size=LONGEST))(one)))()
    return inputs


def mutated(corpus: list[bytes], chance: random.Random) -> bytes:
    """Bytes made of those of a corpus: cut, joined, repeated, altered."""
    data = bytearray(chance.choice(corpus)) if corpus else bytearray()
    for _ in range(chance.randint(0, 4)):
        at = chance.randint(0, len(data))
        kind = chance.randrange(4)
        if kind == 0:
            data[at:at] = chance.randbytes(chance.randint(1, 6))
        elif kind == 1:
            del data[at : at + chance.randint(1, 9)]
        elif kind == 2 and corpus:
            data[at:] = chance.choice(corpus)[-chance.randint(1, 40) :]
        elif data:
            data[at % len(data)] = chance.randrange(256)
    return bytes(data[:LONGEST])


def by_mutation(target: Target, seconds: float, corpus: list[bytes], seed: int = 0) -> int:
    """Tries a corpus, then mutations of it until the time is over; returns the number of inputs."""
    end = time.monotonic() + seconds
    chance = random.Random(seed)
    for data in corpus:
        attempt(target, data)
    inputs = len(corpus)
    while time.monotonic() < end:
        attempt(
            target, mutated(corpus, chance) if chance.random() < 0.9 else chance.randbytes(chance.randint(0, LONGEST))
        )
        inputs += 1
    return inputs
