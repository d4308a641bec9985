"""Which articles of an unlabelled crawl are worth a person's time, and where they wait for that person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.article import EMPTY, NOT_INDONESIAN, NOTE_SEPARATOR
from serve.errors import InputError
from serve.labelling.store import LabelStore, Task
from serve.model import TopicModel, compose_all
from serve.topics import Topic
from train.corpus import topic_counts
from train.duplicates import near_duplicates
from workbench.corpus_file import content_id
from workbench.crawl import article_tables
from workbench.dates import day_of
from workbench.label_studio import write_label_studio
from workbench.strategy import Strategy
from workbench.worth import choose, label_variance, worth

STORE, STUDIO = ".db", ".json"
# So many of the articles most worth a label are held, which bounds the memory; copies among them are told apart.
HELD = 5000
# A task shows at least so many topics with their probabilities.
SUGGESTED = 5
# Articles whose note begins like this teach nothing.
UNFIT = (EMPTY, NOT_INDONESIAN)


@dataclass(frozen=True)
class Queue:
    """The articles to label, the first choice first, and how many were left out and why."""

    tasks: list[Task]
    read: int
    unfit: int
    """Empty ones, and those in another language."""
    known: int
    """Of those that were looked at more closely: labelled already, or a copy of one that is."""
    copies: int
    """Of these: copies of one that is worth as much or more."""


@dataclass(frozen=True)
class _Held:
    """Articles that may be chosen: m of them."""

    articles: pa.Table
    probabilities: NDArray[np.float64]
    """(m, k)."""
    worths: NDArray[np.float64]
    """(m,), descending."""

    def with_others(self, other: "_Held", size: int) -> "_Held":
        """The `size` most worth of both, each article once."""
        articles = pa.concat_tables([self.articles, other.articles])
        probabilities = np.vstack([self.probabilities, other.probabilities])
        worths = np.concatenate([self.worths, other.worths])
        order = np.argsort(-worths, kind="stable")
        ids = articles["id"].to_pylist()
        first = list({ids[i]: i for i in reversed(order.tolist())}.values())[::-1][:size]
        return _Held(articles.take(first), probabilities[first], worths[first])

    def part(self, rows: NDArray[np.int64]) -> "_Held":
        return _Held(self.articles.take(rows), self.probabilities[rows], self.worths[rows])


def make_queue(
    model: TopicModel,
    files: Sequence[str | Path],
    n: int,
    strategy: Strategy,
    *,
    labelled: pd.DataFrame | None = None,
    waiting: Iterable[Task] = (),
    title_column: str | None = None,
    text_column: str | None = None,
) -> Queue:
    """The n articles of a crawl of any size whose labels a model would learn most from.

    Left out are those that are empty or in another language, those of `labelled` (a corpus) and of `waiting` and their
    near-duplicates; of near-duplicates in the crawl one is chosen. Raises InputError for files that cannot be read, and
    for rare topics without a corpus that tells which are rare.
    """
    if strategy is Strategy.rare_topic and labelled is None:
        raise InputError("--strategy rare-topic needs to know which topics are rare: name your corpus with --skip.")
    counted = topic_counts(labelled) if labelled is not None else {}
    counts = np.array([counted.get(topic, 0) for topic in model.topics], np.int64)
    known = _known(labelled, waiting)
    # All that are known may be in the crawl, and more worth a label than those that are not.
    size = max(HELD, 20 * n) + len(known)
    held, read, unfit = None, 0, 0
    for table in article_tables(files, title_column, text_column):
        fit, found = _found(model, table, strategy, counts)
        read, unfit = read + len(table), unfit + len(table) - fit
        held = found if held is None else held.with_others(found, size)
    if held is None:
        raise InputError(f"{', '.join(map(str, files))}: no articles; name a file that has some.")
    groups = np.array(near_duplicates(pd.concat([known, held.articles.select(["title", "text"]).to_pandas()])))
    taken, own = set(groups[: len(known)].tolist()), groups[len(known) :]
    new = np.array([group not in taken for group in own], bool)
    _, first = np.unique(own, return_index=True)
    kept = np.sort(first[new[first]])
    candidates = held.part(kept)
    texts, titles = (candidates.articles[name].combine_chunks() for name in ("text", "title"))
    documents = compose_all(texts, titles, model.title_weight)
    ends, columns, values = model.vectorizer.rows(documents)
    rows = csr_matrix((values, columns, ends), shape=(len(kept), len(model.vectorizer.terms_)))
    chosen = candidates.part(choose(strategy, n, candidates.probabilities, candidates.worths, rows, counts))
    return Queue(
        _tasks(model, chosen, strategy, counts), read, unfit, known=int((~new).sum()), copies=int(new.sum()) - len(kept)
    )


def _known(labelled: pd.DataFrame | None, waiting: Iterable[Task]) -> pd.DataFrame:
    """Title and text of the articles that are not to be chosen."""
    tasks = pd.DataFrame([(task.title, task.text) for task in waiting], columns=["title", "text"], dtype=object)
    return tasks if labelled is None else pd.concat([labelled[["title", "text"]], tasks])


def _found(model: TopicModel, table: pa.Table, strategy: Strategy, counts: NDArray[np.int64]) -> tuple[int, _Held]:
    """How many articles of a part of the crawl are fit to be labelled, and these."""
    texts, titles = (table[name].combine_chunks() for name in ("text", "title"))
    filed = model.file(texts, titles)
    fit = np.flatnonzero(
        [not any(part.startswith(UNFIT) for part in note.split(NOTE_SEPARATOR)) for note in filed.notes]
    )
    words = pc.count_substring_regex(texts, r"\S+").to_numpy(zero_copy_only=False)[fit]
    worths = worth(strategy, filed.probabilities[fit], words, counts, model.single_label)
    order = np.argsort(-worths, kind="stable")
    articles = table.take(fit[order])
    ids = map(content_id, articles.select(["title", "text"]).to_pylist())
    articles = articles.set_column(0, "id", pa.array(ids, pa.large_string()))
    return len(fit), _Held(articles, filed.probabilities[fit[order]], worths[order])


def _tasks(model: TopicModel, chosen: _Held, strategy: Strategy, counts: NDArray[np.int64]) -> list[Task]:
    tasks = []
    for article, probabilities in zip(chosen.articles.to_pylist(), chosen.probabilities, strict=True):
        likeliest = np.argsort(-probabilities, kind="stable")
        shown = likeliest[: max(SUGGESTED, int((probabilities >= model.thresholds).sum()))]
        day = day_of(article["date"])
        tasks.append(
            Task(
                article["id"],
                article["title"],
                article["text"],
                day.isoformat() if day else "",
                article["outlet"],
                tuple((model.topics[j], round(float(probabilities[j]), 4)) for j in shown),
                _reason(model, probabilities, strategy, counts),
            )
        )
    return tasks


def _reason(
    model: TopicModel, probabilities: NDArray[np.float64], strategy: Strategy, counts: NDArray[np.int64]
) -> str:
    """Why an article was chosen, in words: the topics that count most for it."""
    if strategy is Strategy.rare_topic:
        j = int((label_variance(probabilities) / (counts + 1)).argmax())
        return f"rare topic: {model.topics[j]} {probabilities[j]:.2f}, {counts[j]} labelled"
    closest = np.argsort(np.abs(probabilities - 0.5), kind="stable")[:2]
    return "uncertain: " + ", ".join(f"{model.topics[j]} {probabilities[j]:.2f}" for j in closest)


def write_tasks(tasks: Iterable[Task], out: Path, topics: Sequence[Topic], model_version: str = "") -> int:
    """Puts tasks into a label store (a name that ends in .db; it is made, or those it lacks are added) with the topics to
    choose from, or into a file of tasks for Label Studio (.json). Returns how many were written, or were new to the store."""
    refuse_other_kinds(out)
    if out.suffix == STUDIO:
        return write_label_studio(out, tasks, topics, model_version)
    with LabelStore(out, create=True) as store:
        # Topics that were added to the store's stay.
        store.offer({topic.id: topic for topic in (*store.topics(), *topics)}.values())
        return store.add(tasks)


def refuse_other_kinds(file: Path) -> None:
    """Raises InputError for a name that is neither a label store's nor that of a file of Label Studio."""
    if file.suffix not in (STORE, STUDIO):
        raise InputError(f"{file}: the name must end in {STORE} (a label store) or {STUDIO} (for Label Studio).")
