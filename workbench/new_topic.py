"""Where a new topic's articles are sought, and its candidates as what a person decides on: tasks to label, or corrections."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from serve.article import find_column
from serve.errors import InputError
from serve.files.formats import open_reader
from serve.labelling.store import LabelStore, Task
from serve.model import TopicModel
from train.experiment import Columns
from workbench.audit import title_of
from workbench.candidates import Candidate
from workbench.copies import read_articles
from workbench.corpus_file import content_id
from workbench.dates import day_of
from workbench.decisions import SuggestedTopics, read_decisions


def gather(
    topic: str,
    crawl: Sequence[Path],
    data: Sequence[str],
    *,
    examples: Path | None = None,
    skip: Sequence[Path] = (),
    columns: Columns = Columns(),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The articles to look through, those of a crawl or those of a labelled corpus that lack the topic; and examples of the
    topic, those of the corpus among them. Articles that were decided on in the files `skip` are left out. Those of a crawl
    have the ids that tasks have.

    Raises InputError where neither or both are named, and where no article is left.
    """
    if bool(crawl) == bool(data):
        raise InputError("Name the files of a crawl, or those of a labelled corpus with --data.")
    known = [read_examples(examples, topic, columns)] if examples else []
    if data:
        has, articles = parted(columns.load(data), topic)
        known.append(has)
    else:
        articles = read_articles(crawl, columns.title, columns.text)
        articles["id"] = [
            content_id({"title": title, "text": text})
            for title, text in zip(articles["title"], articles["text"], strict=True)
        ]
    articles = articles[~articles["id"].isin(decided_on(skip))].reset_index(drop=True)
    if not len(articles):
        raise InputError("No article is left to look through; name more of them.")
    return articles, pd.concat([articles.iloc[:0], *known], ignore_index=True)


def read_examples(file: Path, topic: str, columns: Columns = Columns()) -> pd.DataFrame:
    """The articles of a file (columns title and text), of a labelled one those that have the topic.

    Raises InputError where none of them does.
    """
    with open_reader(file) as reader:
        labelled = find_column("topics", reader.columns, columns.label, file=reader.name, required=False)
    if labelled is None:
        return read_articles([file], columns.title, columns.text)
    examples, _ = parted(columns.load([file]), topic)
    if not len(examples):
        raise InputError(
            f"{file}, column '{labelled}': no article has the topic '{topic}'; leave the column out, or label some."
        )
    return examples


def parted(corpus: pd.DataFrame, topic: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The articles of a corpus that have the topic, and the others."""
    has = corpus["topics"].map(lambda topics: topic in topics).astype(bool)
    return corpus[has].reset_index(drop=True), corpus[~has].reset_index(drop=True)


def decided_on(files: Iterable[Path]) -> set[str]:
    """The ids of the articles that somebody decided on, in label stores (.db) and in files for `kanal data correct` (.csv)."""
    ids: set[str] = set()
    for file in files:
        if file.suffix == ".db":
            with LabelStore(file) as store:
                ids |= {labelled.task.id for labelled in store.labelled()}
        else:
            ids |= {row.id for row in read_decisions(file) if row.decision}
    return ids


def as_tasks(candidates: Sequence[Candidate], articles: pd.DataFrame, model: TopicModel | None) -> Iterator[Task]:
    """The candidates as tasks, whose suggestions are the topics that a model finds.

    The new topic is never suggested: who labels is to decide on it, not to agree.
    """
    rows = [articles.iloc[candidate.row] for candidate in candidates]
    filed = model.file([row["text"] for row in rows], [row["title"] for row in rows]) if model else None
    for i, (row, candidate) in enumerate(zip(rows, candidates, strict=True)):
        fields = {name: row[name] for name in ("id", "title", "text", "outlet")}
        day, suggested = day_of(row["date"]), tuple(filed.topics(i)) if filed else ()
        yield Task(**fields, date=day.isoformat() if day else "", suggested=suggested, reason=candidate.reason)


def as_suggestions(candidates: Sequence[Candidate], corpus: pd.DataFrame, topic: str) -> Iterator[SuggestedTopics]:
    """The candidates as suggestions to give them the topic beside those that they have."""
    for candidate in candidates:
        row = corpus.iloc[candidate.row]
        given = tuple(row["topics"])
        place = (row["id"], row["file"], int(row["line"]), title_of(row))
        yield SuggestedTopics(*place, given, (*given, topic), f"{candidate.likeness:.2f}")
