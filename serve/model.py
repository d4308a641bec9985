"""The topic model: load, predict, explain, save. TF-IDF over words, one linear classifier a topic, all of it data."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias, Union, overload

import numpy as np
from numpy.typing import NDArray

from serve import kernels
from serve.article import EMPTY, NOT_INDONESIAN, NOTE_SEPARATOR, UNCERTAIN, UNKNOWN_WORDS
from serve.atomic import atomic_folder
from serve.clean import Removed, clean, clean_traced, cleaning_tables, normalise, normalise_traced
from serve.errors import ModelError
from serve.filing import PageScorer, PageScores
from serve.language import language_of
from serve.model_files import (
    CARD,
    FORMAT,
    MODEL,
    VOCABULARY,
    WEIGHTS,
    card_hash,
    read_arrays,
    read_card,
    read_vocabulary,
    settings_of,
)
from serve.native import FINE, ODD
from serve.topics import Topic, unknown_topic
from serve.vectorizer import Documents, Growing, TfidfVectorizer, Vocabulary, each_block, encode, map_blocks
from serve.workspace import Workspaces

if TYPE_CHECKING:
    import pyarrow

# n texts, or titles: an array of Arrow, or strings; None counts as empty.
Texts: TypeAlias = Union[Sequence[str | None], "pyarrow.Array"]

# How many times an article's title counts beside its text.
TITLE_WEIGHT = 2


@dataclass(frozen=True)
class Filed:
    """What a model says of n articles."""

    names: list[str]
    """The k topics."""
    scores: NDArray[np.float32]
    """(n, k): the linear scores."""
    probabilities: NDArray[np.float64]
    """(n, k)."""
    assigned: NDArray[np.bool_]
    """(n, k): whether the article is filed under the topic."""
    confidence: NDArray[np.float64]
    """(n,): how far the closest decision about the article was from falling the other way, in log-odds."""
    notes: list[str]
    """n notes: what a reader of the answer should know, "" or, with "; " between, "uncertain", "not Indonesian: English"
    (or what it is in), "mostly unknown words", "empty"."""
    words: NDArray[np.int64]
    """(n,): how many words each article has as the model reads it: cleaned, its title as often as it counts."""
    known: NDArray[np.int64]
    """(n,): how many of them the vocabulary holds; it leaves out the most common ones, which tell no topics apart."""

    def topics(self, i: int) -> list[tuple[str, float]]:
        """The topics of article i with their probabilities, best first."""
        row = self.probabilities[i]
        chosen = np.flatnonzero(self.assigned[i])
        return [(self.names[j], float(row[j])) for j in chosen[np.argsort(-row[chosen], kind="stable")]]


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of the title or the text as it was given."""

    field: str
    start: int
    end: int


@dataclass(frozen=True)
class Contribution:
    """What one word or word pair adds to a topic's score, and where its words stand."""

    term: str
    value: float
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class TopicExplanation:
    """Why an article is, or is not, filed under a topic: score = bias + the sum of all contributions."""

    topic: str
    probability: float
    threshold: float
    assigned: bool
    score: float
    bias: float
    contributions: tuple[Contribution, ...]
    """Strongest first, those that speak against the topic included."""


@dataclass(frozen=True)
class Explanation:
    """The topics of an article, best first, what cleaning took out of its text, and its note as in `Filed`."""

    topics: tuple[TopicExplanation, ...]
    removed: tuple[Removed, ...]
    note: str
    terms: int
    """How many words and word pairs of the article the model knows: each topic has as many contributions."""


@dataclass(frozen=True, repr=False)
class TopicModel:
    """Files an article, title and text, under its topics.

    An article's TF-IDF row x gives the scores s = x W + b, and each score a probability: 1 / (1 + exp(-(A s + B)))
    with A and B a topic (Platt 1999). It is filed under the topics whose probability reaches their threshold; a
    single-label model files it under the topic of the highest score, and its probabilities, softmax(A s + B), add up
    to 1. An article that is empty or mostly of unknown words is filed under no topic, save by a single-label model, whose
    answer is always one topic. One in another language is answered as its words say. The notes of `file` tell of each.
    """

    taxonomy: dict[str, Topic]
    vectorizer: TfidfVectorizer
    weights: NDArray[np.float32]
    """(v, k): W."""
    bias: NDArray[np.float32]
    """(k,): b."""
    calibration: NDArray[np.float64]
    """(2, k): A and B."""
    thresholds: NDArray[np.float64]
    """(k,): probabilities."""
    title_weight: int = TITLE_WEIGHT
    """How many times an article's title counts beside its text."""
    single_label: bool = False
    uncertain_below: float = 0.0
    """An article of less confidence is noted as uncertain."""
    card: dict[str, Any] = field(default_factory=dict)
    """What is said of the model: settings, metrics, fingerprint of the training data; JSON values."""

    @property
    def topics(self) -> list[str]:
        """The k topic ids, in the order of all (n, k) arrays."""
        return list(self.taxonomy)

    @property
    def version(self) -> str:
        """The first twelve digits of the hash of all that decides a prediction."""
        digest = hashlib.sha256(self._settings_json().encode())
        for part in (self.vectorizer.terms_.spelt, *(array.tobytes() for _, array in sorted(self._arrays().items()))):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()[:12]

    def __repr__(self) -> str:
        terms = len(self.vectorizer.terms_)
        return f"<TopicModel {self.version}: {len(self.taxonomy)} topics, {terms} terms>"

    @overload
    def predict(self, texts: str, titles: str | None = None) -> list[str]: ...  # type: ignore[overload-overlap]
    @overload
    def predict(self, texts: Texts, titles: Texts | None = None) -> list[list[str]]: ...
    def predict(self, texts: Any, titles: Any = None) -> Any:
        """The topics of each article, best first: a list for one text, a list of n lists for n texts.

        None, NaN and pandas' NA are no text, or no title. Raises TypeError for other values that are no strings.
        """
        if isinstance(texts, str):
            if titles is None or isinstance(titles, str):
                return self._predict_one(texts, titles or "")
            return self.predict([texts], [titles])[0]
        filed = self.file(texts, titles)
        return [[topic for topic, _ in filed.topics(i)] for i in range(len(filed.assigned))]

    def _predict_one(self, text: str, title: str) -> list[str]:
        found = self._scorer.score_one(text, title)
        if found.states[0] == ODD:
            return self.predict([text], [title])[0]
        if not self.single_label and (found.words[0] == 0 or mostly_unknown(found.words, found.known)[0]):
            return []
        row = self.probabilities(found.scores)
        chosen = np.flatnonzero(self.decide(row, found.scores)[0])
        names = self.topics
        return [names[j] for j in chosen[np.argsort(-row[0, chosen], kind="stable")]]

    def predict_proba(self, texts: str | Texts, titles: str | Texts | None = None) -> NDArray[np.float64]:
        """(n, k): the probability of each topic, in the order of `topics`; (k,) for one text."""
        if isinstance(texts, str):
            return self.predict_proba([texts], [titles])[0]
        return self.probabilities(self.decision_function(texts, titles))

    def decision_function(self, texts: str | Texts, titles: str | Texts | None = None) -> NDArray[np.float32]:
        """(n, k): the linear scores s; (k,) for one text."""
        if isinstance(texts, str):
            return self.decision_function([texts], [titles])[0]
        return self._scored_pages(*_pages(texts, titles))[0].scores

    def file(self, texts: Texts, titles: Texts | None = None, *, n_threads: int | None = None) -> Filed:
        """Probabilities, decisions and notes for n articles, on so many threads (all cores when None)."""
        one, head = _only(texts), _only(titles) if titles is not None else ""
        if one is not None and head is not None:
            found = self._scorer.score_one(one, head)
            if found.states[0] == FINE:
                return self._filed(found.scores.copy(), found.words, found.known, {})
        found, languages = self._scored_pages(*_pages(texts, titles), n_threads)
        return self._filed(found.scores, found.words, found.known, languages)

    @cached_property
    def _scorer(self) -> PageScorer:
        return PageScorer(self.vectorizer, self.weights, self.bias, self.title_weight)

    def _scored_pages(
        self, texts: Documents, titles: Documents | None, n_threads: int | None = None
    ) -> tuple[PageScores, dict[int, str]]:
        """The scores of all pages, and the language of those that may not be in Indonesian."""
        found = self._scorer.score(texts, titles, n_threads)
        looked_at = np.flatnonzero(found.states != FINE)
        if not len(looked_at):
            return found, {}
        documents = [
            compose(titles.text(i) if titles is not None else "", texts.text(i), self.title_weight)
            for i in looked_at.tolist()
        ]
        odd = found.states[looked_at] == ODD
        left = looked_at[odd]
        found.scores[left], found.words[left], found.known[left] = self._scored(
            Documents.of(document for document, is_odd in zip(documents, odd, strict=True) if is_odd)
        )
        return found, dict(zip(looked_at.tolist(), map(language_of, documents), strict=True))

    def _filed(
        self,
        scores: NDArray[np.float32],
        words: NDArray[np.int64],
        known: NDArray[np.int64],
        languages: Mapping[int, str],
    ) -> Filed:
        probabilities, confidence = self.probabilities(scores), self.confidence(scores)
        empty, unknown = words == 0, mostly_unknown(words, known)
        assigned = self.decide(probabilities, scores)
        if not self.single_label:
            assigned[empty | unknown] = False
        uncertain = confidence < self.uncertain_below
        notes = [""] * len(scores)
        for i in {*np.flatnonzero(empty | unknown | uncertain).tolist(), *languages}:
            notes[i] = _note(bool(empty[i]), bool(uncertain[i]), bool(unknown[i]), languages.get(i, ""))
        return Filed(self.topics, scores, probabilities, assigned, confidence, notes, words, known)

    def scores(self, documents: Documents) -> NDArray[np.float32]:
        """(n, k): the linear scores of documents that are cleaned and composed already."""
        return self._scored(documents)[0]

    def _scored(self, documents: Documents) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """The scores (n, k), the number of each document's words (n,), and of those that the vocabulary holds (n,)."""
        vectorizer = self.vectorizer
        scores = np.repeat(self.bias[None, :], len(documents), axis=0)
        words, known = np.zeros(len(documents), np.int64), np.zeros(len(documents), np.int64)

        def score(block: slice) -> None:
            space = vectorizer.workspaces.of_size(documents.longest)
            kernels.score_documents(
                *documents.part(block), kernels.table("fold"), *vectorizer.ngram_range, *vectorizer.terms_.table,
                vectorizer.idf_, vectorizer.sublinear_tf, vectorizer.norm_code, self.weights, len(self.taxonomy),
                scores[block], words[block], known[block], *space.tokens, space.counts, space.touched, space.values,
            )  # fmt: skip

        map_blocks(score, documents.blocks(), vectorizer.n_jobs)
        return scores, words, known

    def probabilities(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n, k): the probabilities that scores (n, k) stand for."""
        return probabilities(scores, self.calibration, self.single_label)

    def decide(self, probabilities: NDArray[np.float64], scores: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(n, k): whether each article is filed under each topic."""
        if not self.single_label:
            return probabilities >= self.thresholds
        return np.arange(len(self.taxonomy)) == scores.argmax(axis=1)[:, None]

    def confidence(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        """(n,): the smallest distance of a topic's log-odds from its threshold's; for a single-label model the distance
        between the two likeliest topics."""
        logits = self._logits(scores)
        if self.single_label:
            second, first = np.partition(logits, -2, axis=1)[:, -2:].T
            return first - second
        return np.abs(logits - self._threshold_logits).min(axis=1)

    @cached_property
    def _threshold_logits(self) -> NDArray[np.float64]:
        """(k,): the thresholds' log-odds."""
        with np.errstate(divide="ignore"):  # nothing is close to a threshold of 0 or 1
            return np.log(self.thresholds) - np.log1p(-self.thresholds)

    def _logits(self, scores: NDArray[np.floating]) -> NDArray[np.float64]:
        return scores * self.calibration[0] + self.calibration[1]

    def explain(
        self,
        text: str,
        title: str | None = None,
        topics: Sequence[str] | None = None,
        *,
        words: int | None = None,
    ) -> Explanation:
        """Why the article is filed as it is: for the topics it is filed under (or the likeliest one where there is none),
        or for `topics`, the exact contribution of every word and word pair, with their places in the given texts; with
        `words` only the so many strongest contributions a topic.

        Raises InputError for a topic that the model does not have.
        """
        title = title or ""
        for topic in topics or ():
            if topic not in self.taxonomy:
                raise unknown_topic(topic, self.taxonomy)
        cleaned = clean_traced(text, title)
        document = _composed(title, cleaned.text, self.title_weight)
        scored = self._scored(Documents.of([document]))
        filed = self._filed(*scored, {0: language_of(document)})
        scores, probabilities, assigned = filed.scores[0], filed.probabilities[0], filed.assigned[0]
        if topics is None:
            chosen = np.flatnonzero(assigned) if assigned.any() else np.array([int(probabilities.argmax())])
        else:
            chosen = np.array([self.topics.index(topic) for topic in topics], np.int64)
        _, columns, row = self.vectorizer.rows(Documents.of([document]))
        spans = self._spans(document, title, cleaned.origins)
        explained = []
        for j in chosen[np.argsort(-probabilities[chosen], kind="stable")]:
            values = row * self.weights[columns, j]
            explained.append(
                TopicExplanation(
                    topic=self.topics[j],
                    probability=float(probabilities[j]),
                    threshold=float(self.thresholds[j]),
                    assigned=bool(assigned[j]),
                    score=float(scores[j]),
                    bias=float(self.bias[j]),
                    contributions=tuple(
                        Contribution(self.vectorizer.terms_.names[columns[t]], float(values[t]), spans[columns[t]])
                        for t in np.argsort(-np.abs(values), kind="stable")[:words]
                    ),
                )
            )
        return Explanation(tuple(explained), cleaned.removed, filed.notes[0], len(columns))

    def _spans(self, document: str, title: str, origins: Sequence[int]) -> dict[int, tuple[Span, ...]]:
        """The places of each term's words in title and text, by the term's column."""
        body = len(document) - len(origins)
        titles = normalise_traced(title).origins
        head = len(titles) + 1

        def place(start: int, end: int) -> Span:
            if start >= body:
                return Span("text", origins[start - body], origins[end - 1 - body] + 1)
            start, last = start % head, (end - 1) % head
            return Span("title", titles[start], titles[last] + 1)

        places: dict[int, dict[Span, None]] = {}
        for term, tokens in self.vectorizer.occurrences(document):
            column = places.setdefault(term, {})
            for start, end in tokens:
                column[place(start, end)] = None
        return {term: tuple(column) for term, column in places.items()}

    def save(self, path: str | Path) -> None:
        """Writes the model to a folder, whole or not at all: card, vocabulary, weights; hashes of all in the card.

        Raises ValueError for settings with which `load` would refuse it, and InputError for a folder that holds anything else.
        """
        from safetensors.numpy import save

        content = {
            VOCABULARY: self.vectorizer.terms_.spelt.replace(b"\0", b"\n"),
            WEIGHTS: save(self._arrays()),
        }
        card = {
            "format": FORMAT,
            **json.loads(self._settings_json()),
            "card": self.card,
            "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in content.items()},
        }
        card["sha256"][CARD] = card_hash(card)
        settings_of(card)
        content[CARD] = (json.dumps(card, indent=1, ensure_ascii=False) + "\n").encode()
        with atomic_folder(path, MODEL) as folder:
            for name, data in content.items():
                (folder / name).write_bytes(data)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The model in a folder that `save` wrote. Reads data only: nothing in the folder is run.

        The weights stay in their file, mapped into memory, which all processes share that load it. The folder may be
        replaced or removed meanwhile (`save` does so by renaming), but its files must not be written over.

        Raises ModelError when a file is missing, truncated, altered or of a newer format, or holds what no training writes.
        """
        folder = Path(path)
        if not os.path.isdir(folder):
            raise ModelError(f"{folder}: no such model folder; train one with `kanal train --out {folder}`.")
        card = read_card(folder)
        try:
            settings = settings_of(card)
            spelt = read_vocabulary(folder, card["sha256"])
            arrays = read_arrays(folder, card["sha256"], spelt.count(b"\0"), len(settings.taxonomy))
            terms = Vocabulary.of_bytes(spelt)
            vectorizer = TfidfVectorizer.of_vocabulary(terms, arrays.pop("idf"), **settings.vectorizer)
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ModelError(f"{folder}: not a usable model ({error}); train it again or take a whole copy.") from None
        except MemoryError:
            raise ModelError(
                f"{folder}: takes more memory than there is; give it more, or take a smaller one."
            ) from None
        return cls(
            taxonomy=settings.taxonomy,
            vectorizer=vectorizer,
            title_weight=settings.title_weight,
            single_label=settings.single_label,
            uncertain_below=settings.uncertain_below,
            card=card["card"],
            **arrays,
        )

    def with_card(self, **facts: Any) -> Self:
        """The same model with more said of it."""
        return replace(self, card={**self.card, **facts})

    def with_thresholds(self, thresholds: NDArray[np.float64]) -> Self:
        """The same model with other thresholds (k,)."""
        return replace(self, thresholds=thresholds)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {
            "weights": self.weights,
            "bias": self.bias,
            "calibration": self.calibration,
            "thresholds": self.thresholds,
            "idf": self.vectorizer.idf_,
        }

    def _settings_json(self) -> str:
        """What decides a prediction beside the arrays and the vocabulary."""
        vectorizer = self.vectorizer
        return json.dumps(
            {
                "topics": [asdict(topic) for topic in self.taxonomy.values()],
                "vectorizer": {
                    "ngram_range": list(vectorizer.ngram_range),
                    "sublinear_tf": vectorizer.sublinear_tf,
                    "norm": vectorizer.norm,
                },
                "title_weight": self.title_weight,
                "single_label": self.single_label,
                "uncertain_below": self.uncertain_below,
            },
            ensure_ascii=False,
        )


def probabilities(
    scores: NDArray[np.floating], calibration: NDArray[np.float64], single_label: bool
) -> NDArray[np.float64]:
    """(n, k): 1 / (1 + exp(-(A s + B))), or softmax(A s + B), of scores s (n, k) with A and B in calibration (2, k)."""
    logits = scores * calibration[0] + calibration[1]
    if not single_label:
        with np.errstate(over="ignore"):  # 1 / infinity is 0, as it should be
            return 1 / (1 + np.exp(-logits))
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def compose(title: str, text: str, title_weight: int) -> str:
    """The document that is vectorised: the title so many times, then the text, cleaned."""
    return _composed(title, clean(text, title), title_weight)


def _composed(title: str, body: str, title_weight: int) -> str:
    return f"{normalise(title)}\n" * title_weight + body if title else body


_composing = Workspaces()


def compose_all(texts: Texts, titles: Texts | None, title_weight: int) -> Documents:
    """The documents of n articles as they came; None counts as empty. The same as `compose` makes, on all cores."""
    pages, heads = _pages(texts, titles)
    longest = pages.longest + (heads.longest if heads is not None else 0)

    def composed(block: slice) -> tuple[bytes, list[int]]:
        space = _composing.of_size(longest)
        # What the kernel takes besides text and title, which are put into its form once.
        prepared = kernels.clean_document.prepare(
            (False, *cleaning_tables(), space.stack, space.groups, space.hits, space.low, space.text, space.spare, space.title,
             space.kept, False, space.origins, space.spare_origins, space.removed, space.count),
            2,
        )  # fmt: skip
        plain = kernels.plain_document.prepare(
            (False, *cleaning_tables()[:2], space.low, space.text, False, space.origins), 1
        )
        documents = []
        for i in range(block.start, block.stop):
            text, title = pages.bytes(i), heads.bytes(i) if heads is not None else pages.buffer[:0]
            m = kernels.plain_document.run(kernels.plain_document.prepare((title,)) + plain) if len(title) else 0
            head = (_encoded(space.text[:m]) + b"\n") * title_weight if m >= 0 and len(title) else b""
            n = kernels.clean_document.run(kernels.clean_document.prepare((text, title)) + prepared)
            if n >= 0 and m >= 0:
                documents.append(head + _encoded(space.text[:n]))
            else:  # more of Unicode than the kernels know
                documents.append(
                    encode(compose(heads.text(i) if heads is not None else "", pages.text(i), title_weight))
                )
        return b"".join(documents), list(map(len, documents))

    buffer = Growing(np.uint8)
    offsets = np.zeros(len(pages) + 1, np.int64)
    blocks = pages.blocks()
    for block, (documents, lengths) in zip(blocks, each_block(composed, blocks, None), strict=True):
        buffer.append(np.frombuffer(documents, np.uint8), pages.share_before(block.stop))
        offsets[1:][block] = lengths
    return Documents(buffer.whole(), np.cumsum(offsets))


def _encoded(characters: NDArray[np.int32]) -> bytes:
    return encode(characters.tobytes().decode("utf-32-le", "surrogatepass"))


def mostly_unknown(words: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,): whether fewer than half of a document's words are known, by more than chance does to a short one: two standard
    deviations of a share of a half, which are sqrt(words) words."""
    return known < words / 2 - np.sqrt(words)


def _note(empty: bool, uncertain: bool, unknown: bool, language: str) -> str:
    if empty:
        return EMPTY
    notes = (
        UNCERTAIN if uncertain else "",
        f"{NOT_INDONESIAN}: {language}" if language not in ("", "Indonesian") else "",
        UNKNOWN_WORDS if unknown else "",
    )
    return NOTE_SEPARATOR.join(filter(None, notes))


def _only(texts: Texts) -> str | None:
    """The string in a list of one, "" where it is None; None for anything else."""
    if not isinstance(texts, list) or len(texts) != 1:
        return None
    return "" if texts[0] is None else texts[0] if isinstance(texts[0], str) else None


def _pages(texts: Texts, titles: Texts | None) -> tuple[Documents, Documents | None]:
    """Pages as the kernels take them. Raises ValueError where there are not as many titles as texts."""
    pages = Documents.of(texts, pages=True, name="texts")
    heads = Documents.of(titles, pages=True, name="titles") if titles is not None else None
    if heads is not None and len(heads) != len(pages):
        raise ValueError(f"{len(pages)} texts and {len(heads)} titles: give a title, or None, for each text")
    return pages, heads
