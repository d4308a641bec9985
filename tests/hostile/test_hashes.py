"""Words that were made to share a place in the hash table take no longer than others: the hash has a secret."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from serve import vectorizer
from serve.paths import ROOT
from serve.vectorizer import TfidfVectorizer, Vocabulary

# The secret of another process, that somebody has found out.
KNOWN = np.array([0xCBF29CE484222325, 0xD6E8FEB86659FD93], np.uint64)
HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)


def folded_product(left: NDArray[np.uint64], right: np.uint64) -> NDArray[np.uint64]:
    """As `serve.native.compiler` has it, from products of half numbers."""
    a, b, c, d = left >> HALF, left & LOW, right >> HALF, right & LOW
    middle = a * d + (b * d >> HALF)
    other = b * c + (middle & LOW)
    return (a * c + (middle >> HALF) + (other >> HALF)) ^ (left * right)


def words_of_one_place(n: int, bits: int, seeds: NDArray[np.uint64]) -> list[str]:
    """n words of seven letters with the same lowest bits of their hash."""
    letters = np.random.default_rng(0).integers(97, 123, (3 * n << bits, 8), np.uint8)
    letters[:, 7] = 0
    hashes = folded_product(letters.view("<u8")[:, 0] ^ seeds[0], seeds[1])
    chosen = np.unique(letters[hashes % np.uint64(1 << bits) == 0], axis=0)[:n]
    assert len(chosen) == n
    return [bytes(word[:7]).decode() for word in chosen]


def longest_run(words: list[str]) -> int:
    """The most slots that may have to be looked at for a word; the last is followed by the first."""
    slots = Vocabulary.of(words).slots[::2]
    free = np.flatnonzero(slots == 0)
    return int(np.diff(free, prepend=free[-1] - len(slots)).max())


def test_words_that_meet_under_one_secret_do_not_under_another(monkeypatch: pytest.MonkeyPatch) -> None:
    words = words_of_one_place(1000, 11, KNOWN)
    # Of half the slots that are taken at most, hardly ever more than 100 beside each other are by chance (Knuth 1998, "The art of
    # computer programming" 3, 6.4, on linear probing).
    assert longest_run(words) < 256
    monkeypatch.setattr(vectorizer, "SEEDS", KNOWN)
    assert longest_run(words) > 900


def test_each_process_has_a_secret_of_its_own() -> None:
    code = "from serve.vectorizer import SEEDS; print(SEEDS.tolist())"
    runs = [subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True) for _ in range(2)]
    assert len({run.stdout for run in runs} | {f"{vectorizer.SEEDS.tolist()}\n", ""}) == 4
    assert vectorizer.SEEDS[1] % 2 == 1


def test_no_result_depends_on_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"kata{i % 7} presiden tiba {i} di istana kepresidenan kata{i} é{i}" for i in range(200)]
    fitted = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
    matrix = fitted.fit_transform(texts)
    kept = pickle.dumps(fitted)
    monkeypatch.setattr(vectorizer, "SEEDS", KNOWN)
    anew = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
    read = pickle.loads(kept)
    for other in (anew.fit_transform(texts), read.transform(texts)):
        assert (other.indptr.tolist(), other.indices.tolist()) == (matrix.indptr.tolist(), matrix.indices.tolist())
        assert other.data.tobytes() == matrix.data.tobytes()
    assert anew.terms_.spelt == fitted.terms_.spelt == read.terms_.spelt
