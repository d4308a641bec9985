"""How the figures grow with the corpus: trainings on parts of it, measured on the same articles."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from train.evaluate import Evaluation


@dataclass(frozen=True)
class Point:
    """What a training on so many articles reaches."""

    articles: int
    evaluation: Evaluation


def learning_curve(
    training: pd.DataFrame, sizes: Sequence[int], measure: Callable[[pd.DataFrame], Evaluation], seed: int = 0
) -> list[Point]:
    """What `measure` finds after it has trained on each part: `sizes` articles of `training`, drawn by `seed`, each part
    inside the next; a size beyond all articles means all."""
    order = np.random.default_rng(seed).permutation(len(training))
    return [
        Point(size, measure(training.iloc[np.sort(order[:size])].reset_index(drop=True)))
        for size in sorted({min(size, len(training)) for size in sizes})
    ]
