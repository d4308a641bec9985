"""What fuzzing has found stays put right, and a small share of fuzzing finds nothing."""

import random
from pathlib import Path

import pytest

from tests.fuzz.engine import attempt, cases, mutated, replay
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

INPUTS = 20
# Take long to get ready; tests/serve/test_patterns.py and test_vectorizer.py hold the same.
ELSEWHERE = {"matcher", "vectorizer"}
KEPT = [(target, case) for target in TARGETS.values() for case in cases(target)]


@pytest.mark.parametrize(("target", "case"), KEPT, ids=[f"{target.name}-{case.stem}" for target, case in KEPT])
def test_a_found_input_is_no_fault_any_more(target: Target, case: Path) -> None:
    replay(target, case)


@pytest.mark.parametrize("target", [TARGETS[name] for name in TARGETS if name not in ELSEWHERE], ids=lambda t: t.name)
def test_random_inputs(target: Target) -> None:
    chance = random.Random(target.name)
    for _ in range(INPUTS):
        attempt(target, chance.randbytes(chance.randint(0, 120)))


def test_what_fails_is_found_shrunk_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def check(given: dict[str, list[int]]) -> None:
        assert 7 not in given["bytes"]

    monkeypatch.setattr("tests.fuzz.engine.CASES", tmp_path)
    target = Target("seven", "no seven", lambda data: {"bytes": list(data)}, check)
    with pytest.raises(AssertionError, match=str(tmp_path)):
        attempt(target, bytes(range(100)))
    (case,) = cases(target)
    assert case.read_text() == '{\n "bytes": [\n  7\n ]\n}\n'
    with pytest.raises(AssertionError):
        replay(target, case)


def test_mutations_are_the_same_again() -> None:
    corpus = [b"presiden", b"tiba"]
    first, second = ([mutated(corpus, random.Random(seed)) for seed in range(50)] for _ in range(2))
    assert first == second
    assert len(set(first)) > 25
