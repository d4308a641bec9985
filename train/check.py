"""Whether a corpus is fit to train on: what is wrong with it, line by line, and what it holds, as a table."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from statistics import median

import pandas as pd

from serve.counts import counted
from serve.errors import InputError
from serve.topics import Topic
from train.corpus import SPLITS, articles_of, place, topic_counts
from train.duplicates import near_duplicates

# A topic with fewer training articles than this cannot be learnt and measured; training names it and stops.
MIN_ARTICLES = 5
NO_TOPIC = "(no topic)"
# So many labels, or topics, are named in a sentence.
SHOWN_LABELS = 10


@dataclass(frozen=True)
class Report:
    """What a check found. Errors are sentences that name the file and the line, warnings name the topic."""

    errors: list[str]
    warnings: list[str]
    counts: pd.DataFrame
    """Articles by topic (rows, the most frequent first, then those without one) and split (columns, and "all")."""
    summary: dict[str, str]

    def table(self) -> str:
        """The summary and the counts as lines of text, for a terminal."""
        width = max(len(name) for name in [*self.summary, *self.counts.index, "topic"]) + 2
        lines = [f"{name:<{width}}{value}" for name, value in self.summary.items()]
        lines += ["", f"{'topic':<{width}}" + "".join(f"{name:>10}" for name in self.counts.columns)]
        for topic, row in zip(self.counts.index, self.counts.to_numpy(), strict=True):
            lines.append(f"{topic:<{width}}" + "".join(f"{count:>10,}" for count in row))
        return "\n".join(lines)


def check_corpus(frame: pd.DataFrame, topics: Collection[str] | None = None) -> Report:
    """What is wrong with a corpus that `load_corpus` has read, and what it holds.

    `topics` are the ids that labels may have; any when None.
    """
    groups = near_duplicates(frame)
    texts = _folded(frame)
    counts = _counts(frame, topics or ())
    errors = [
        *_field_errors(frame),
        *_label_errors(frame, topics),
        *_repeats(frame, list(frame["id"]), "the id '{value}' is that of {first} too; give each article its own."),
        *_repeats(frame, texts, "the same title and text as {first}; delete one of the two."),
        *_leaks(frame, texts, groups),
    ]
    in_training = counts["all"] - counts["test"]
    warnings = [
        f"topic '{topic}': {counted(count, 'article')} to train on; write more, it takes {MIN_ARTICLES} or more."
        for topic, count in in_training.items()
        if count < MIN_ARTICLES and topic != NO_TOPIC
    ]
    return Report(errors, warnings, counts, _summary(frame, groups))


def unknown_labels(
    frame: pd.DataFrame, taxonomy: Mapping[str, Topic], file: object, models: str = "the model"
) -> str | None:
    """A sentence on the labels of a file of test articles that are no topics of `models`, with how many articles have each;
    None where there are none. Raises InputError where there are no others, so that nothing could be measured."""
    counts = topic_counts(frame)
    unknown = {label: count for label, count in counts.most_common() if label not in taxonomy}
    if not unknown:
        return None
    shown = ", ".join(f"{label} ({count:,})" for label, count in list(unknown.items())[:SHOWN_LABELS])
    left = len(unknown) - SHOWN_LABELS
    labels = f"{shown} and {left:,} more" if left > 0 else shown
    if len(unknown) < len(counts):
        return f"{file}: labels that are no topics of {models}: {labels}; they count for nothing, also not as missed."
    names = {name.lower(): topic.id for topic in taxonomy.values() for name in (topic.name_en, topic.name_id, topic.id)}
    likely = ((label, get_close_matches(label.lower(), names, n=1)) for label in unknown)
    meant = ", ".join(f"'{names[close[0]]}' for '{label}'" for label, close in likely if close)
    left = len(taxonomy) - SHOWN_LABELS
    topics = ", ".join(list(taxonomy)[:SHOWN_LABELS]) + (f" and {left:,} more" if left > 0 else "")
    raise InputError(
        f"{file}: none of its labels is a topic of {models}: {labels}; there are {topics}. "
        + (f"Did you mean {meant}? " if meant else "")
        + "`kanal data import FILE --labels TOML` translates labels."
    )


def _field_errors(frame: pd.DataFrame) -> Iterator[str]:
    for row in articles_of(frame):
        where = place(row)
        if row.date and not _is_iso_date(row.date):
            yield f"{where}: the date is '{row.date}'; write it as YYYY-MM-DD or leave it empty."
        if row.split not in SPLITS:
            yield f"{where}: the split is '{row.split}'; write train or test, or leave it empty."


def _label_errors(frame: pd.DataFrame, topics: Collection[str] | None) -> Iterator[str]:
    if topics is None:
        return
    for row in articles_of(frame):
        for topic in row.topics:
            if topic not in topics:
                close = get_close_matches(topic, topics, n=1)
                remedy = f"did you mean '{close[0]}'?" if close else "`kanal topics` lists those there are."
                yield f"{place(row)}: unknown topic '{topic}'; {remedy}"


def _repeats(frame: pd.DataFrame, values: Sequence[str], sentence: str) -> Iterator[str]:
    """A sentence for each article whose value an earlier one has."""
    firsts: dict[str, str] = {}
    for row, value in zip(articles_of(frame), values, strict=True):
        first = firsts.setdefault(value, place(row))
        if first != place(row):
            yield f"{place(row)}: {sentence.format(value=value, first=first)}"


def _leaks(frame: pd.DataFrame, texts: Sequence[str], groups: Sequence[int]) -> Iterator[str]:
    """A sentence for each test article that is in part, not wholly, one of the training articles."""
    rows = list(zip(articles_of(frame), texts, groups, strict=True))
    trained = {group: place(row) for row, _, group in reversed(rows) if row.split == "train"}
    trained_texts = {text for row, text, _ in rows if row.split == "train"}
    for row, text, group in rows:
        if row.split == "test" and group in trained and text not in trained_texts:
            yield f"{place(row)}: shares most of its text with {trained[group]}, of the other split; put both in one."


def _folded(frame: pd.DataFrame) -> list[str]:
    """Title and text of each article, without regard to case and spacing."""
    return [" ".join(f"{article.title} {article.text}".casefold().split()) for article in articles_of(frame)]


def _counts(frame: pd.DataFrame, topics: Collection[str]) -> pd.DataFrame:
    pairs = frame[["split", "topics"]].explode("topics")
    counts = pd.crosstab(pairs["topics"].fillna(NO_TOPIC), pairs["split"])
    known = dict.fromkeys([*topics, *(topic for topic in counts.index if topic != NO_TOPIC), NO_TOPIC])
    counts = counts.reindex(index=list(known), fill_value=0)
    everything = counts.sum(axis=1)
    shown = ["train", "test"] + [""] * ("" in counts.columns)
    counts = counts.reindex(columns=shown, fill_value=0).rename(columns={"": "no split"}).assign(all=everything)
    # Stable, and the articles without a topic last.
    order = sorted(known, key=lambda topic: (topic == NO_TOPIC, -everything[topic]))
    return counts.loc[order]


def _summary(frame: pd.DataFrame, groups: list[int]) -> dict[str, str]:
    splits = ", ".join(f"{(frame['split'] == split).sum():,} {split or 'without a split'}" for split in SPLITS)
    words = [len(text.split()) for text in frame["text"]]
    labels = sorted(Counter(len(topics) for topics in frame["topics"]).items())
    return {
        "articles": f"{len(frame):,} ({splits})",
        "words an article": f"{min(words):,} to {max(words):,}, median {median(words):,.0f}",
        "topics an article": ", ".join(f"{number}: {count:,}" for number, count in labels),
        "near-duplicates": f"{len(groups) - len(set(groups)):,}",
    }


def _is_iso_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
