"""What people said of articles, in a label store or in an export of Label Studio -> labelled articles of a corpus."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from serve.counts import counted
from serve.errors import InputError
from serve.labelling.store import Labelled, LabelStore, Task
from serve.topics import load_topics
from workbench.corpus_file import append_articles, content_id, corpus_table
from workbench.file_lock import changing
from workbench.intake import article_columns
from workbench.label_studio import read_export
from workbench.queue import STORE, refuse_other_kinds

# Of articles that were labelled unlike, and of new topics, so many are told.
SHOWN = 10


@dataclass(frozen=True)
class Verdict:
    """What the annotators of an article say together."""

    task: Task
    topics: tuple[str, ...] | None
    """Those that more than half of them gave; None where that leaves none of what they gave, so nobody knows."""
    by_annotator: dict[str, tuple[str, ...]]

    @property
    def unlike(self) -> bool:
        """Whether not all of them gave the same topics."""
        return len({frozenset(topics) for topics in self.by_annotator.values()}) > 1


@dataclass
class Imported:
    """What became of the labelled articles of a source."""

    added: int = 0
    known: list[str] = field(default_factory=list)
    """The ids of those that the corpus held already, with the same topics."""
    otherwise: list[str] = field(default_factory=list)
    """The ids of those that it holds with other topics, which stay."""
    new_topics: list[str] = field(default_factory=list)
    """Those of the added articles that are new to the corpus, not Kanal's, and not offered by the store: own, or misspelt."""
    several: int = 0
    """How many have labels of several annotators."""
    unlike: list[Verdict] = field(default_factory=list)
    """Those of these who do not all say the same."""

    def table(self) -> str:
        """What is to be told, as lines of text."""
        lines = [f"{counted(self.added, 'article')} added"]
        if self.known:
            lines.append(f"{len(self.known):,} left out: in the corpus already")
        if self.otherwise:
            lines.append(f"{len(self.otherwise):,} left out: in the corpus with other topics ({_few(self.otherwise)})")
        if self.new_topics:
            lines.append(f"topics that the corpus did not have, and that are not Kanal's: {_few(self.new_topics)}")
        if self.several:
            lines.append(f"{self.several:,} labelled by several people, {len(self.unlike):,} of them not alike")
        for verdict in self.unlike[:SHOWN]:
            said = "; ".join(f"{who}: {_listed(topics)}" for who, topics in verdict.by_annotator.items())
            taken = "left out" if verdict.topics is None else _listed(verdict.topics)
            lines.append(f"  {verdict.task.id} {verdict.task.title[:50]!r}: {said} -> {taken}")
        if len(self.unlike) > SHOWN:
            lines.append(f"  ... and {len(self.unlike) - SHOWN:,} more")
        return "\n".join(lines)


def decide(labels: Iterable[Labelled]) -> list[Verdict]:
    """A verdict on each article, in the order of their first labels; of an annotator who labelled an article twice the
    later label counts.

    A topic is given that more than half of the annotators gave: of two, both. Where they gave topics but none was given
    by so many, and no half of them said that it has none, the article is left undecided.
    """
    tasks: dict[str, Task] = {}
    given: dict[str, dict[str, tuple[str, ...]]] = {}
    for label in sorted(labels, key=lambda label: label.at):
        tasks.setdefault(label.task.id, label.task)
        given.setdefault(label.task.id, {})[label.annotator] = label.topics
    verdicts = []
    for task_id, by_annotator in given.items():
        half = len(by_annotator) / 2
        votes = Counter(topic for topics in by_annotator.values() for topic in topics)
        topics = tuple(topic for topic, count in votes.items() if count > half)
        without = sum(not topics for topics in by_annotator.values())
        decided = bool(topics) or without > half
        verdicts.append(Verdict(tasks[task_id], topics if decided else None, by_annotator))
    return verdicts


def import_labels(source: Path, into: Path) -> Imported:
    """Adds the labelled articles of a label store (.db) or of an export of Label Studio (.json) to a corpus file.

    An article whose id the corpus has stays there as it is. Raises InputError for a source that is neither, and for a
    corpus that labelled articles cannot be added to.
    """
    refuse_other_kinds(source)
    familiar = set(load_topics())
    if source.suffix == STORE:
        with LabelStore(source) as store:
            verdicts = decide(store.labelled())
            familiar.update(topic.id for topic in store.topics())
    else:
        verdicts = decide(read_export(source))
    result = Imported(several=sum(len(verdict.by_annotator) > 1 for verdict in verdicts))
    result.unlike = [verdict for verdict in verdicts if verdict.unlike]
    with changing(into):
        known = _topics_by_id(into)
        added = []
        for verdict in verdicts:
            task, topics = verdict.task, verdict.topics
            if topics is None:
                continue
            if task.id not in known:
                added.append({**asdict(task), "topics": topics})
            elif set(topics) == known[task.id]:
                result.known.append(task.id)
            else:
                result.otherwise.append(task.id)
        result.added = append_articles(into, added) if added else 0
    familiar.update(*known.values())
    result.new_topics = sorted({topic for article in added for topic in article["topics"]} - familiar)
    return result


def _topics_by_id(corpus: Path) -> dict[str, set[str]]:
    """The topics of the articles of a corpus file by their ids; those without one have the id that tasks made of them
    have."""
    table = corpus_table(corpus)
    if table is None:
        return {}
    if "topics" not in table.columns:
        raise InputError(
            f"{corpus}: its articles have no topics, which among labelled articles would mean that they are about none; "
            "keep labelled and unlabelled articles in files of their own."
        )
    articles = table.articles(article_columns(table, {}))
    return {article["id"] or content_id(article): set(article["topics"]) for article in articles}


def _listed(topics: Sequence[str]) -> str:
    return ", ".join(topics) or "none"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
