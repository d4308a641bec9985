"""Which unlabelled articles teach a model most: their worth, and the choice of a batch, from what the model says of them."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from workbench.strategy import Strategy

# An article of more words is worth no more: a person would not read on.
READ_WORDS = 400
# Diverse articles are sought among so many times the wanted number of uncertain ones.
SPREAD = 10

Figures = NDArray[np.float64]


def entropy(probabilities: Figures, single_label: bool) -> Figures:
    """(n,): how uncertain the topics of each article are, in nats, from probabilities (n, k): the sum of the entropies of
    its k decisions, or for a single-label model the entropy of its one."""
    p = np.clip(probabilities, 1e-12, 1 - 1e-12)
    bits = -p * np.log(p)
    if not single_label:
        bits -= (1 - p) * np.log1p(-p)
    return np.asarray(bits.sum(axis=1))


def label_variance(probabilities: Figures) -> Figures:
    """(n, k): the variance of what a person will say. A topic's sure articles would only repeat what is known of it."""
    return probabilities * (1 - probabilities)


def worth(
    strategy: Strategy,
    probabilities: Figures,
    words: NDArray[np.int64],
    labelled: NDArray[np.int64],
    single_label: bool,
) -> Figures:
    """(n,): how much each of n articles by itself is worth a label; only the order counts.

    words (n,): how many each has; an article says the more, the more words it has. labelled (k,): how many labelled
    articles there are of each topic.
    """
    if strategy is Strategy.rare_topic:
        return label_variance(probabilities) @ (1 / (labelled + 1))
    return entropy(probabilities, single_label) * np.minimum(words, READ_WORDS)


def choose(
    strategy: Strategy, n: int, probabilities: Figures, worths: Figures, rows: csr_matrix, labelled: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The places of n of the articles (all when there are fewer), the first choice first, from their worths and TF-IDF rows
    of length 1."""
    n = min(n, len(worths))
    order = np.argsort(-worths, kind="stable")
    if strategy is Strategy.diverse:
        order = order[: SPREAD * n]
        return order[_spread(rows[order], worths[order], n)]
    if strategy is Strategy.rare_topic:
        return _likely(probabilities, labelled, n)
    return order[:n]


def _spread(rows: csr_matrix, worths: Figures, n: int) -> NDArray[np.int64]:
    """Drawn one after the other with a probability proportional to an article's worth times its squared distance from the
    closest of those drawn (k-means++: Arthur & Vassilvitskii 2007), the first being the first."""
    generator = np.random.default_rng(0)
    chosen: list[int] = []
    far = np.full(len(worths), np.inf)
    following = 0
    for _ in range(n):
        chosen.append(following)
        cosine = np.asarray((rows @ rows[following].T).todense()).ravel()
        far = np.minimum(far, np.maximum(2 - 2 * cosine, 0))
        far[chosen] = 0
        chances = worths * far
        if not chances.any():
            break
        following = int(generator.choice(len(worths), p=chances / chances.sum()))
    return np.array(chosen, np.int64)


def _likely(probabilities: Figures, labelled: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """One after the other the article that most fills up what is rare; each is counted as its probabilities expect."""
    counts = labelled + 1.0
    undecided = label_variance(probabilities)
    chosen: list[int] = []
    free = np.ones(len(probabilities), bool)
    for _ in range(n):
        best = int(np.where(free, undecided @ (1 / counts), -np.inf).argmax())
        chosen.append(best)
        free[best] = False
        counts = counts + probabilities[best]
    return np.array(chosen, np.int64)
