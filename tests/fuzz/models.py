"""Small models with one thing wrong in each, and all hashes right: each is refused with a sentence, or works.

`python -m tests.fuzz.models` tries all there are and prints a row for each kind; NUMBA_BOUNDSCHECK=1 has the kernels
check every index meanwhile. The suite tries a sample.
"""

import copy
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from serve.errors import ModelError
from serve.model import TopicModel
from serve.model_files import CARD, VOCABULARY, WEIGHTS, card_hash
from serve.paths import ROOT
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer

SENTENCES = [
    "bola masuk gawang lawan",
    "presiden tiba di istana",
    "pertahanan dan kerja sama pertahanan",
    "café ÉTUDE ½",
]
ARTICLES = ["Presiden menendang bola pertama. " * 40, "", "bola", "Café étude presiden " * 300, "Ωμέγα 東京 bola masuk"]
TITLES = ["Presiden Tiba di Istana", "", "bola masuk gawang", "x" * 700, "½ ΟΔΟΣ İstana"]

Change = tuple[str, Callable[[Path], None]]
"""What is changed, and what changes it in a folder."""

GONE = object()
LONG = "a" * 100_000
VALUES: list[Any] = [
    GONE, None, True, False, 0, 1, -1, -7, 3, 101, 2**31, -(2**31), 2**63, 2**64 - 1, -(2**63), 2**80, 10**4000, 0.5, -0.5, 1e300, -1e300,
    float("nan"), float("inf"), "", "x", "1", "a|b", "\0", "\x1b[31m", "\ud800", "../../etc/passwd", "/etc/passwd", LONG, [], [1], [1, 1],
    [0, 1], [2, 1], [1, 10**6], [-1, 2], [1.0, 2.0], [True, True], [[1, 2]], ["x"], [None], {}, {"x": 1}, {"": None},
]  # fmt: skip


def small_model() -> TopicModel:
    """Of two topics, and of words and pairs beyond ASCII as well."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True).fit(SENTENCES)
    v = len(vectorizer.terms_)
    return TopicModel(
        taxonomy={name: Topic(name, name_id=name, iptc=("medtop:20000065",)) for name in ("olahraga", "politik")},
        vectorizer=vectorizer,
        weights=np.linspace(-1, 1, 2 * v, dtype=np.float32).reshape(v, 2),
        bias=np.full(2, -1, np.float32),
        calibration=np.array([[1.0, 1.0], [0.0, 0.0]]),
        thresholds=np.full(2, 0.5),
        card={"settings": {"seed": 0}},
    )


def write_card(folder: Path, card: Any) -> None:
    """Writes a card with the right hashes, where there is a place for them."""
    if isinstance(card, dict) and isinstance(card.get("sha256"), dict):
        for name in (VOCABULARY, WEIGHTS):
            if name in card["sha256"]:
                card["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        card["sha256"][CARD] = card_hash(card)
    (folder / CARD).write_text(json.dumps(card))


def write_file(folder: Path, name: str, content: bytes) -> None:
    """Writes vocabulary or weights, and their hash into the card."""
    (folder / name).write_bytes(content)
    write_card(folder, json.loads((folder / CARD).read_text()))


def set_field(value: Any, path: list[Any], new: Any) -> Any:
    """A copy of a JSON value with another value, or none (GONE), at a path."""
    if not path:
        return {} if new is GONE else new
    changed = copy.deepcopy(value)
    place = changed
    for step in path[:-1]:
        place = place[step]
    if new is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = new
    return changed


def fields(value: Any, path: list[Any] | None = None) -> Iterator[list[Any]]:
    """The paths to all that is in a JSON value, itself first."""
    path = path or []
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from fields(value[key], [*path, key])


def deep(value: Any, levels: int) -> Any:
    for _ in range(levels):
        value = [value]
    return value


def card_changes(folder: Path) -> Iterator[Change]:
    """Each field of the card with each of VALUES, nested, and twice."""
    card = json.loads((folder / CARD).read_text())
    for path in fields(card):
        for new in [*VALUES, deep(1, 90)]:
            yield (
                f"{CARD} {path} {_told(new)}",
                lambda folder, path=path, new=new: write_card(folder, set_field(card, path, new)),
            )  # type: ignore[misc]
    for name in card:
        text = json.dumps(card)
        twice = text[:-1] + f", {json.dumps(name)}: {json.dumps(card[name])}" + "}"
        yield f"{CARD} {name} twice", lambda folder, twice=twice: (folder / CARD).write_text(twice) and None  # type: ignore[misc]


def header_changes(folder: Path) -> Iterator[Change]:
    """The same of the header of the weights."""
    content = (folder / WEIGHTS).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    for path in fields(header):
        for new in [*VALUES, [0, 8], [-8, 8], [1, 9], "F16", "I64", deep(1, 90)]:
            spelt = json.dumps(set_field(header, path, new)).encode()
            spelt += b" " * (-len(spelt) % 8)
            changed = len(spelt).to_bytes(8, "little") + spelt + content[start:]
            yield f"{WEIGHTS} {path} {_told(new)}", lambda folder, changed=changed: write_file(folder, WEIGHTS, changed)  # type: ignore[misc]
    for length in (0, 1, len(content), 2**31, 2**60, 2**63, 2**64 - 1):
        changed = length.to_bytes(8, "little") + content[8:]
        yield f"{WEIGHTS} header of {length}", lambda folder, changed=changed: write_file(folder, WEIGHTS, changed)  # type: ignore[misc]


def bit_changes(folder: Path) -> Iterator[Change]:
    """Each bit of each file the other way."""
    for name in (CARD, VOCABULARY, WEIGHTS):
        content = (folder / name).read_bytes()
        for bit in range(8 * len(content)):
            changed = bytearray(content)
            changed[bit // 8] ^= 1 << bit % 8
            yield f"{name} bit {bit}", lambda folder, name=name, changed=bytes(changed): _write(folder, name, changed)  # type: ignore[misc]


def length_changes(folder: Path) -> Iterator[Change]:
    """Each file cut at each byte, and longer by some."""
    for name in (CARD, VOCABULARY, WEIGHTS):
        content = (folder / name).read_bytes()
        for changed in [
            *(content[:length] for length in range(len(content))),
            *(content + more for more in (b"\0", b"\n", b"a\n", b"\0" * 8)),
        ]:
            yield f"{name} of {len(changed)}", lambda folder, name=name, changed=changed: _write(folder, name, changed)  # type: ignore[misc]


def figure_changes(folder: Path) -> Iterator[Change]:
    """Each figure of the weights out of range."""
    content = (folder / WEIGHTS).read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    for name, entry in json.loads(content[8:start]).items():
        dtype = np.dtype({"F32": "<f4", "F64": "<f8"}[entry["dtype"]])
        first, end = (start + offset for offset in entry["data_offsets"])
        for place in range(first, end, dtype.itemsize):
            for figure in (np.nan, np.inf, -np.inf, -1.0, 2.0, 1e9, -1e9, 1e10, 1e38, 5e-324):
                changed = content[:place] + np.array(figure, dtype).tobytes() + content[place + dtype.itemsize :]
                yield f"{name} {figure}", lambda folder, changed=changed: write_file(folder, WEIGHTS, changed)  # type: ignore[misc]


KINDS: dict[str, Callable[[Path], Iterator[Change]]] = {
    "a field of the card": card_changes,
    "a field of the weights' header": header_changes,
    "a figure of the weights": figure_changes,
    "a bit": bit_changes,
    "a length": length_changes,
}


def _write(folder: Path, name: str, content: bytes) -> None:
    if name != CARD:
        write_file(folder, name, content)
        return
    (folder / CARD).write_bytes(content)
    try:
        card = json.loads(content)
        card["sha256"][CARD] = card_hash(card)
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    (folder / CARD).write_text(json.dumps(card))


def _told(value: Any) -> str:
    return (
        "gone"
        if value is GONE
        else repr(value)[:40]
        if not isinstance(value, int)
        else f"{value:.3g}"
        if abs(value) < 1e300
        else "huge"
    )


def outcome(folder: Path) -> str:
    """What the sentence says with which the model in a folder is refused; "" where it works. Raises what must not be."""
    try:
        model = TopicModel.load(folder)
    except ModelError as error:
        return str(error)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        filed = model.file(ARTICLES, TITLES)
        assert np.isfinite(filed.scores).all() and (filed.probabilities >= 0).all() and (filed.probabilities <= 1).all()
        assert len(model.predict(ARTICLES)) == len(ARTICLES)
        model.predict(ARTICLES[0], TITLES[0])
        model.explain(ARTICLES[0], TITLES[0])
        assert len(model.version) == 12
    return ""


def try_all(changes: Iterator[Change], original: Path, folder: Path) -> Counter[str]:
    """How many of the changed models were refused and worked. Raises AssertionError, with what was changed, for others."""
    files = {name: (original / name).read_bytes() for name in (CARD, VOCABULARY, WEIGHTS)}
    counts: Counter[str] = Counter()
    for what, change in changes:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        change(folder)
        try:
            counts["refused" if outcome(folder) else "works"] += 1
        except Exception as error:
            raise AssertionError(f"{what}: {error!r}") from error
    return counts


def sample(changes: Iterator[Change], share: float) -> Iterator[Change]:
    """Some of them, the same each time."""
    chance = random.Random(0)
    return (change for change in changes if chance.random() < share)


LARGE = 10_000_000
LOAD = """
import sys, time
from serve.kernels import table
from serve.model import TopicModel
from tests.fuzz.models import peak_kilobytes
table("fold")
before, began = peak_kilobytes(), time.process_time()
TopicModel.load(sys.argv[1])
more = (peak_kilobytes() - before) / 2**20
print(f"loaded: {time.process_time() - began:.1f} s of processor time, {more:.2f} GiB more, its files included")
"""


def peak_kilobytes() -> int:
    """The most memory that this process ever had at a time, of Linux; what getrusage tells may be its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1])


def load_large(folder: Path) -> str:
    """What it takes to load a model of ten million terms that fits its weights."""
    v, k = LARGE, 2
    with (folder / VOCABULARY).open("wb") as file:
        for start in range(0, v, 100_000):
            file.write(b"".join(b"a%06x\n" % i for i in range(start, start + 100_000)))
    arrays = {
        "weights": np.zeros((v, k), np.float32), "bias": np.zeros(k, np.float32), "calibration": np.ones((2, k)),
        "thresholds": np.full(k, 0.5), "idf": np.ones(v),
    }  # fmt: skip
    write_file(folder, WEIGHTS, save(arrays))
    command = [sys.executable, "-c", LOAD, str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Tries all changes and prints the rows of docs/reliability.md."""
    with tempfile.TemporaryDirectory() as temporary:
        original, folder = Path(temporary, "original"), Path(temporary, "changed")
        small_model().save(original)
        folder.mkdir()
        assert not outcome(original)
        for kind, changes in KINDS.items():
            counts = try_all(changes(original), original, folder)
            print(
                f"| {kind} changed, hashes made right | {counts.total():,} | {counts['refused']:,} refused, "
                f"{counts['works']:,} work, no crash | `python -m tests.fuzz.models` |",
                flush=True,
            )
        print(f"| a vocabulary of {LARGE:,} terms | 1 | {load_large(original)} | `python -m tests.fuzz.models` |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
