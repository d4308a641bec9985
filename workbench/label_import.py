"""What people said of articles, in a label store or in an export of Label Studio -> labelled articles of a corpus."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from serve.counts import counted
from serve.labelling.store import Labelled, LabelStore, Task
from workbench.corpus_file import append_articles
from workbench.label_studio import read_export
from workbench.queue import STORE, refuse_other_kinds

# Of articles that were labelled unlike so many are told.
SHOWN = 10


@dataclass(frozen=True)
class Decision:
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
    several: int = 0
    """How many have labels of several annotators."""
    unlike: list[Decision] = field(default_factory=list)
    """Those of these who do not all say the same."""

    def table(self) -> str:
        """What is to be told, as lines of text."""
        lines = [f"{counted(self.added, 'article')} added"]
        if self.known:
            lines.append(f"{len(self.known):,} left out: in the corpus already")
        if self.otherwise:
            lines.append(f"{len(self.otherwise):,} left out: in the corpus with other topics ({_few(self.otherwise)})")
        if self.several:
            lines.append(f"{self.several:,} labelled by several people, {len(self.unlike):,} of them not alike")
        for decision in self.unlike[:SHOWN]:
            said = "; ".join(f"{who}: {_listed(topics)}" for who, topics in decision.by_annotator.items())
            taken = "left out" if decision.topics is None else _listed(decision.topics)
            lines.append(f"  {decision.task.id} {decision.task.title[:50]!r}: {said} -> {taken}")
        if len(self.unlike) > SHOWN:
            lines.append(f"  ... and {len(self.unlike) - SHOWN:,} more")
        return "\n".join(lines)


def decide(labels: Iterable[Labelled]) -> list[Decision]:
    """A decision for each article, in the order of their first labels; of an annotator who labelled an article twice the
    later label counts.

    A topic is given that more than half of the annotators gave: of two, both. Where they gave topics but none was given
    by so many, and no half of them said that it has none, the article is left undecided.
    """
    tasks: dict[str, Task] = {}
    given: dict[str, dict[str, tuple[str, ...]]] = {}
    for label in sorted(labels, key=lambda label: label.at):
        tasks.setdefault(label.task.id, label.task)
        given.setdefault(label.task.id, {})[label.annotator] = label.topics
    decisions = []
    for task_id, by_annotator in given.items():
        half = len(by_annotator) / 2
        votes = Counter(topic for topics in by_annotator.values() for topic in topics)
        topics = tuple(topic for topic, count in votes.items() if count > half)
        without = sum(not topics for topics in by_annotator.values())
        decided = bool(topics) or without > half
        decisions.append(Decision(tasks[task_id], topics if decided else None, by_annotator))
    return decisions


def import_labels(source: Path, into: Path) -> Imported:
    """Adds the labelled articles of a label store (.db) or of an export of Label Studio (.json) to a corpus file.

    An article whose id the corpus has stays there as it is. Raises InputError for a source that is neither.
    """
    refuse_other_kinds(source)
    if source.suffix == STORE:
        with LabelStore(source) as store:
            decisions = decide(store.labelled())
    else:
        decisions = decide(read_export(source))
    known = _topics_by_id(into)
    result = Imported(several=sum(len(decision.by_annotator) > 1 for decision in decisions))
    result.unlike = [decision for decision in decisions if decision.unlike]
    added = []
    for decision in decisions:
        task, topics = decision.task, decision.topics
        if topics is None:
            continue
        if task.id not in known:
            added.append({**asdict(task), "topics": topics})
        elif set(topics) == known[task.id]:
            result.known.append(task.id)
        else:
            result.otherwise.append(task.id)
    result.added = append_articles(into, added) if added else 0
    return result


def _topics_by_id(corpus: Path) -> dict[str, set[str]]:
    if not corpus.exists():
        return {}
    with corpus.open(encoding="utf-8") as lines:
        articles = [json.loads(line) for line in lines if line.strip()]
    return {article["id"]: set(article["topics"]) for article in articles}


def _listed(topics: Sequence[str]) -> str:
    return ", ".join(topics) or "none"


def _few(ids: Sequence[str]) -> str:
    return ", ".join(ids[:SHOWN]) + (", ..." if len(ids) > SHOWN else "")
