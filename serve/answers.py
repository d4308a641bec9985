"""Batches of articles in, batches of their topics out: the columns of the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from serve.article import TOPIC_SEPARATOR, find_column
from serve.files.columns import as_text

if TYPE_CHECKING:
    from serve.model import Filed, TopicModel

DECIMALS = 4
TEXT = pa.large_string()


@dataclass
class Answers:
    """How tables of certain columns are answered.

    An answer has the columns `id` (the source's, or else the number of the row), `topics` (joined by "|", best first),
    their `probabilities` (likewise) and `note` (see `Filed.notes`); with `keep` those of the source as well; and with
    `all_topics` one for each topic with its probability.
    """

    model: "TopicModel"
    id_column: str | None
    title_column: str | None
    text_column: str
    keep: bool
    all_topics: bool
    names: dict[str, str] = field(default_factory=dict)
    """The names in the answer of the source's columns that have been seen."""

    @classmethod
    def of(
        cls,
        model: "TopicModel",
        columns: Sequence[str],
        name: str,
        title_column: str | None = None,
        text_column: str | None = None,
        keep: bool = False,
        all_topics: bool = False,
    ) -> "Answers":
        """For the table `name` with these columns. Raises InputError when it has no column of texts, or lacks one that
        the user names."""
        id_column = find_column("id", columns, file=name, required=False)
        text_column = find_column("text", columns, text_column, file=name)
        title_column = find_column("title", columns, title_column, file=name, required=False)
        assert text_column is not None
        title_column = None if title_column == text_column else title_column
        answers = cls(model, id_column, title_column, text_column, keep, all_topics)
        answers.see(columns)
        return answers

    @property
    def texts(self) -> list[str]:
        """The columns that have to hold text."""
        return [self.text_column, *([self.title_column] if self.title_column else [])]

    def see(self, columns: Sequence[str]) -> None:
        """Gives the columns of the source that are to be kept their names in the answer.

        One whose name is taken gets "input_" before it; a column of ids that is named `id` is not given twice.
        """
        if not self.keep:
            return
        taken = {"id", "topics", "probabilities", "note", *(self.model.topics if self.all_topics else ())}
        taken.update(self.names.values())
        for column in columns:
            if column in self.names or column == self.id_column == "id":
                continue
            name = column
            while name in taken:
                name = f"input_{name}"
            self.names[column] = name
            taken.add(name)

    def schema(self, source: pa.Schema) -> pa.Schema:
        """The schema of the answer to a table of this schema."""
        there = set(source.names)
        return pa.schema([
            pa.field("id", source.field(self.id_column).type if self.id_column else pa.int64()),
            *(pa.field(name, TEXT) for name in ("topics", "probabilities", "note")),
            *(source.field(column).with_name(name) for column, name in self.names.items() if column in there),
            *(pa.field(topic, pa.float64()) for topic in (self.model.topics if self.all_topics else ())),
        ])  # fmt: skip

    def answer(self, batch: pa.RecordBatch, numbers: NDArray[np.int64]) -> pa.RecordBatch:
        """The answer to n articles, which have these numbers (n,), on one thread; `see` has seen their columns."""
        filed = self.model.file(*(as_text(batch.column(name)) for name in self.texts), n_threads=1)
        topics, probabilities = _topics(filed)
        columns = {
            "id": batch.column(self.id_column) if self.id_column else pa.array(numbers),
            "topics": topics,
            "probabilities": probabilities,
            "note": pa.array(filed.notes, TEXT),
        }
        if self.keep:
            columns |= {self.names[name]: batch.column(name) for name in batch.schema.names if name in self.names}
        if self.all_topics:
            columns |= dict(zip(self.model.topics, np.round(filed.probabilities, DECIMALS).T, strict=True))
        return pa.record_batch(columns)


def _topics(filed: "Filed") -> tuple[pa.Array, pa.Array]:
    """The topics of each article, best first, joined by "|", and their probabilities."""
    rows, columns = np.nonzero(filed.assigned)
    chosen = filed.probabilities[rows, columns]
    order = np.lexsort((-chosen, rows))
    offsets = pa.array(np.searchsorted(rows, np.arange(len(filed.assigned) + 1)))
    separator = pa.scalar(TOPIC_SEPARATOR, TEXT)

    def joined(cells: pa.Array) -> pa.Array:
        return pc.binary_join(pa.LargeListArray.from_arrays(offsets, cells), separator)

    return joined(pa.array(filed.names, TEXT).take(pa.array(columns[order]))), joined(_decimals(chosen[order]))


def _decimals(probabilities: NDArray[np.float64]) -> pa.Array:
    """Probabilities with DECIMALS decimals."""
    scaled = probabilities * 10**DECIMALS
    numerals = _numerals().take(pa.array(np.rint(scaled).astype(np.int64)))
    # Close to a tie the product may be rounded to the other side of it.
    ties = np.abs(scaled % 1 - 0.5) < 1e-6
    if ties.any():
        exact = [f"{p:.{DECIMALS}f}" for p in probabilities[ties].tolist()]
        numerals = pc.replace_with_mask(numerals, pa.array(ties), pa.array(exact, TEXT))
    return numerals


@cache
def _numerals() -> pa.Array:
    """The probabilities that there are with DECIMALS decimals."""
    return pa.array([f"{number / 10**DECIMALS:.{DECIMALS}f}" for number in range(10**DECIMALS + 1)], TEXT)
