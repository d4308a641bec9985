"""The columns of an answer, against the plain way to write them."""

from typing import Any, cast

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.answers import Answers
from tests.serve.files.keywords import Filed

TOPICS = ["banjir", "panen", "kereta"]

# Ties of four decimals, and what is next to them.
ties = st.builds(
    lambda n, step: float(np.nextafter((n + 0.5) / 10_000, step)), st.integers(0, 9999), st.sampled_from([0, 0.5, 1])
)
probabilities = st.floats(0, 1) | ties | st.sampled_from([0.00125, 0.5, 1.0, 0.99995])


class Given:
    """A model that gives the probabilities that it was given."""

    topics = TOPICS

    def __init__(self, rows: list[list[float]]) -> None:
        self.rows = rows

    def file(self, texts: pa.Array, *, n_threads: int) -> Filed:
        return Filed(TOPICS, np.array(self.rows).reshape(-1, len(TOPICS)), [""] * len(texts))


@settings(deadline=None)
@given(rows=st.lists(st.lists(probabilities, min_size=3, max_size=3), max_size=5))
def test_topics_best_first_with_four_decimals(rows: list[list[float]]) -> None:
    answers = Answers.of(cast("Any", Given(rows)), ["isi"], "a.csv")
    batch = pa.record_batch({"isi": pa.array(["a"] * len(rows), pa.large_string())})
    answer = answers.answer(batch, np.arange(1, len(rows) + 1))
    best = [sorted(((p, i) for i, p in enumerate(row) if p >= 0.5), key=lambda pair: -pair[0]) for row in rows]
    assert answer.column("id").to_pylist() == list(range(1, len(rows) + 1))
    assert answer.column("topics").to_pylist() == ["|".join(TOPICS[i] for _, i in row) for row in best]
    assert answer.column("probabilities").to_pylist() == ["|".join(f"{p:.4f}" for p, _ in row) for row in best]
