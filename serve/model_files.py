"""The files of a model: a card, a vocabulary and weights, read as what a stranger may have written.

The hashes in the card tell of accidents, not of attacks: who alters a file can alter its hash as well. So all that
predictions later rely on without looking is checked here, before anything is made of it: the kernels check no bounds.
"""

import codecs
import hashlib
import json
import math
import os
from dataclasses import dataclass
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve import kernels
from serve.atomic import Kind
from serve.errors import ModelError
from serve.regular import open_regular, read_regular
from serve.topics import Topic, topics_of_json
from serve.vectorizer import MAX_TERMS, NORMS

FORMAT = 1
CARD, VOCABULARY, WEIGHTS = "model.json", "vocabulary.txt", "weights.safetensors"
MODEL = Kind("a model", (CARD, VOCABULARY, WEIGHTS))
CARD_KEYS = {"format", "topics", "vectorizer", "title_weight", "single_label", "uncertain_below", "card", "sha256"}
LARGEST_CARD = 1 << 23
LARGEST_VOCABULARY = 1 << 29
LARGEST_WEIGHTS = 1 << 32
LARGEST_HEADER = 1 << 16
# No training comes near; beyond, a sum of weights might be no number any more, or an article's room beyond measure.
LARGEST_FIGURE = 1e9
LONGEST_NGRAM = 10
LARGEST_TITLE_WEIGHT = 100
# So many bytes, or figures, are looked at together.
BLOCK = 1 << 20
SPACE, NEWLINE = 32, 10
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}


@dataclass(frozen=True)
class CardSettings:
    """What a card says that decides predictions."""

    taxonomy: dict[str, Topic]
    vectorizer: dict[str, Any]
    """ngram_range, sublinear_tf, norm."""
    title_weight: int
    single_label: bool
    uncertain_below: float


def read_card(folder: Path) -> dict[str, Any]:
    """The card of the model in a folder. Raises ModelError when it is missing, altered, of a newer format or no card."""
    try:
        content = read_regular(folder / CARD, LARGEST_CARD, links=False, error=ModelError)
        card = _json(content)
        form, hashes = card["format"], card["sha256"]
        if type(form) is not int:
            raise TypeError("its format is no number")
        if form != FORMAT:
            raise ModelError(
                f"{folder}: a model of format {form}, this Kanal reads format {FORMAT}; upgrade Kanal or retrain."
            )
        if set(hashes) != {CARD, VOCABULARY, WEIGHTS} or not all(isinstance(value, str) for value in hashes.values()):
            raise ValueError("it has to hold the sha256 of the model's three files")
        expected = card_hash(card)
        # What cannot be written as UTF-8 could neither be shown nor saved again.
        json.dumps(card, ensure_ascii=False).encode()
    except FileNotFoundError:
        raise ModelError(f"{folder}: holds no {CARD}; this is no model folder, or an unfinished copy of one.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{folder / CARD}: not a model's card ({error!r}); take a whole copy of the model.") from None
    if hashes[CARD] != expected:
        raise ModelError(
            f"{folder / CARD}: was altered after training (sha256 differs); take a whole copy of the model."
        )
    return card


def card_hash(card: dict[str, Any]) -> str:
    """The hash of a card without its own."""
    hashes = {name: digest for name, digest in card["sha256"].items() if name != CARD}
    return hashlib.sha256(json.dumps({**card, "sha256": hashes}, sort_keys=True).encode()).hexdigest()


def settings_of(card: dict[str, Any]) -> CardSettings:
    """What a card says that decides predictions. Raises ValueError for what no training writes."""
    _expect(set(card) == CARD_KEYS, f"{CARD} has to hold {', '.join(sorted(CARD_KEYS))} and nothing else")
    _expect(isinstance(card["card"], dict), "'card' is no object")
    taxonomy = topics_of_json(card["topics"])
    single_label, title_weight, uncertain_below = (
        card[name] for name in ("single_label", "title_weight", "uncertain_below")
    )
    _expect(isinstance(single_label, bool), "'single_label' is neither true nor false")
    _expect(len(taxonomy) > single_label, "there are too few topics to choose from")
    _expect(
        type(title_weight) is int and 0 <= title_weight <= LARGEST_TITLE_WEIGHT,
        f"'title_weight' is no number from 0 to {LARGEST_TITLE_WEIGHT}",
    )
    _expect(
        type(uncertain_below) in (int, float) and uncertain_below >= 0 and math.isfinite(uncertain_below),
        "'uncertain_below' is no number from 0 on",
    )
    vectorizer = card["vectorizer"]
    _expect(
        isinstance(vectorizer, dict) and set(vectorizer) == {"ngram_range", "sublinear_tf", "norm"},
        "'vectorizer' has to hold ngram_range, norm and sublinear_tf and nothing else",
    )
    ngram_range, sublinear_tf, norm = (vectorizer[name] for name in ("ngram_range", "sublinear_tf", "norm"))
    _expect(
        isinstance(ngram_range, list)
        and list(map(type, ngram_range)) == [int, int]
        and 1 <= ngram_range[0] <= ngram_range[1] <= LONGEST_NGRAM,
        f"'ngram_range' is not two numbers from 1 to {LONGEST_NGRAM}, the smaller one first",
    )
    _expect(isinstance(sublinear_tf, bool), "'sublinear_tf' is neither true nor false")
    _expect(norm is None or (isinstance(norm, str) and norm in NORMS), "'norm' is none that there is")
    return CardSettings(
        taxonomy,
        {"ngram_range": tuple(ngram_range), "sublinear_tf": sublinear_tf, "norm": norm},
        title_weight,
        single_label,
        float(uncertain_below),
    )


def read_vocabulary(folder: Path, hashes: dict[str, str]) -> bytes:
    """The terms in UTF-8, a zero byte behind each. Raises ModelError where the file is not the one of the card, and
    ValueError where it holds anything else than words of the tokeniser, with one space between, that a table can hold."""
    data = _mapped(folder, VOCABULARY, LARGEST_VOCABULARY)
    _check_hash(folder, VOCABULARY, data, hashes)
    _check_terms(data)
    return bytes(data).replace(b"\n", b"\0")


def read_arrays(folder: Path, hashes: dict[str, str], v: int, k: int) -> dict[str, NDArray[Any]]:
    """The arrays of a model of v terms and k topics, in their file, mapped into memory. Raises ModelError and ValueError."""
    data = _mapped(folder, WEIGHTS, LARGEST_WEIGHTS)
    # A file that says it is larger than it can be is not worth hashing.
    arrays = _arrays_in(data, _shapes(v, k))
    _check_hash(folder, WEIGHTS, data, hashes)
    for name, array in arrays.items():
        lowest, highest = (0.0, 1.0) if name == "thresholds" else (-LARGEST_FIGURE, LARGEST_FIGURE)
        flat = array.reshape(-1)
        for start in range(0, len(flat), BLOCK):
            part = flat[start : start + BLOCK]
            # Not so for a figure that is none (NaN), either.
            if not (part.min() >= lowest and part.max() <= highest):
                raise ValueError(f"{WEIGHTS}: '{name}' holds figures that are not from {lowest:g} to {highest:g}")
    return arrays


def _shapes(v: int, k: int) -> dict[str, tuple[tuple[int, ...], str]]:
    return {
        "weights": ((v, k), "F32"), "bias": ((k,), "F32"), "calibration": ((2, k), "F64"),
        "thresholds": ((k,), "F64"), "idf": ((v,), "F64"),
    }  # fmt: skip


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _json(content: bytes) -> dict[str, Any]:
    """An object of JSON. Raises ValueError, TypeError or RecursionError for anything else, and for a key that comes twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        _expect(len(found) == len(pairs), "a key comes twice in an object")
        return found

    value = json.loads(content.decode(), object_pairs_hook=once)
    if not isinstance(value, dict):
        raise TypeError("no object")
    return value


def _mapped(folder: Path, name: str, largest: int) -> bytes | mmap:
    """A file's bytes, mapped; empty bytes where it is empty."""
    try:
        with open_regular(folder / name, largest, links=False, error=ModelError) as file:
            # A mapping has a size; what is hashed is what is used, whatever becomes of the file's name.
            return mmap(file.fileno(), 0, access=ACCESS_READ) if os.fstat(file.fileno()).st_size else b""
    except FileNotFoundError:
        raise ModelError(f"{folder / name}: missing; take a whole copy of the model.") from None
    except OSError as error:
        raise ModelError(f"{folder / name}: cannot be read ({error.strerror}); make room for it in memory.") from None


def _check_hash(folder: Path, name: str, data: bytes | mmap, hashes: dict[str, str]) -> None:
    if hashlib.sha256(data).hexdigest() != hashes[name]:
        raise ModelError(f"{folder / name}: truncated or altered (sha256 differs); take a whole copy of the model.")


def _check_terms(data: bytes | mmap) -> None:
    fold = kernels.table("fold")
    allowed = np.append(fold != 0, False)
    allowed[[SPACE, NEWLINE]] = True
    decoder = codecs.getincrementaldecoder("utf-8")()
    terms, before = 0, True
    for start in range(0, len(data), BLOCK):
        raw = data[start : start + BLOCK]
        text = decoder.decode(raw, start + BLOCK >= len(data))
        codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        _expect(
            bool(allowed[np.minimum(codes, len(fold))].all()), f"{VOCABULARY}: a term has characters that no word has"
        )
        between = np.concatenate([[before], (codes == SPACE) | (codes == NEWLINE)])
        _expect(
            not bool((between[1:] & between[:-1]).any()), f"{VOCABULARY}: a term is empty, or has more than a space"
        )
        before = bool(between[-1])
        terms += int((codes == NEWLINE).sum())
        _expect(terms <= MAX_TERMS, f"{VOCABULARY}: has more than {MAX_TERMS:,} terms")
    _expect(not data or data[-1] == NEWLINE, f"{VOCABULARY}: the last term has no end")


def _arrays_in(data: bytes | mmap, shapes: dict[str, tuple[tuple[int, ...], str]]) -> dict[str, NDArray[Any]]:
    """The arrays of a file of safetensors, without copying them: a header's length (u64), the header in JSON, the data.

    Raises ValueError, KeyError, TypeError or RecursionError for a file that is not as that format says, or that does not
    hold arrays of these shapes and no others.
    """
    length = int.from_bytes(data[:8], "little")
    _expect(len(data) >= 8 and length <= min(len(data) - 8, LARGEST_HEADER), f"{WEIGHTS}: has no header")
    start = 8 + length
    header = _json(data[8:start])
    _expect(set(header) == set(shapes), f"{WEIGHTS}: has to hold {', '.join(shapes)} and nothing else")
    arrays: dict[str, NDArray[Any]] = {}
    places = [(0, 0), (len(data) - start, len(data) - start)]
    for name, (shape, kind) in shapes.items():
        entry = header[name]
        dtype = DTYPES[kind]
        if entry["shape"] != list(shape) or entry["dtype"] != kind:
            raise ValueError(
                f"{WEIGHTS}: '{name}' is {entry['dtype']!r} {entry['shape']!r}, expected finite {kind} {list(shape)}"
            )
        first, end = entry["data_offsets"]
        size = math.prod(shape) * dtype.itemsize
        if type(first) is not int or end != first + size or not 0 <= first <= end <= len(data) - start:
            raise ValueError(f"{WEIGHTS}: truncated or altered ('{name}' lies outside of the file)")
        if (start + first) % dtype.itemsize:
            raise ValueError(f"{WEIGHTS}: '{name}' does not lie where its numbers can")
        places.append((first, end))
        arrays[name] = np.frombuffer(data, dtype, math.prod(shape), start + first).reshape(shape)
    # One behind the other, from the first byte to the last.
    _expect(
        all(end == first for (_, end), (first, _) in pairwise(sorted(places))),
        f"{WEIGHTS}: has more than its header says",
    )
    return arrays
