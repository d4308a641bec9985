"""The headlines that stand for a topic: of articles that surely have it, close to what most of them are about."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from serve.vectorizer import TfidfVectorizer

SHOWN = 3
# Headlines whose cosine is as high tell the same story.
SAME_STORY = 0.5
# One of an outlet that has none yet is taken before others, unless it stands for the topic less than half as well.
OTHER_OUTLET = 0.5


@dataclass(frozen=True)
class Headline:
    """An article that stands for a topic."""

    title: str
    outlet: str
    link: str
    probability: float
    similar: int
    """How many other articles of the topic have a headline like it."""


def headlines(articles: pd.DataFrame) -> dict[str, list[Headline]]:
    """For each topic of a frame as `load_filed` gives it, up to SHOWN headlines, the best first.

    A headline stands for the topic as well as its TF-IDF row is close to the centre of all of the topic's (the cosine;
    Radev, Jing, Stys & Tam 2004, "Centroid-based summarization of multiple documents"), times the topic's probability.
    A story is shown once, and outlets take turns.
    """
    titled = articles[articles["title"] != ""].reset_index(drop=True)
    lengths = titled["topics"].map(len).to_numpy(np.int64)
    members = pd.DataFrame({
        "row": np.repeat(np.arange(len(titled)), lengths),
        "topic": [topic for topics in titled["topics"] for topic in topics],
        "probability": np.array([value for values in titled["probabilities"] for value in values], np.float64),
    })  # fmt: skip
    vectors = _vectors(titled["title"].to_list())
    return {
        str(topic): _of_topic(titled, part["row"].to_numpy(), part["probability"].to_numpy(), vectors)
        for topic, part in members.groupby("topic")
    }


def _vectors(titles: list[str]) -> csr_matrix:
    try:
        return TfidfVectorizer(dtype=np.float32).fit_transform(titles)
    except ValueError:  # not one word in any
        return csr_matrix(np.zeros((len(titles), 1), np.float32))


def _of_topic(
    articles: pd.DataFrame, rows: NDArray[np.int64], probabilities: NDArray[np.float64], vectors: csr_matrix
) -> list[Headline]:
    """Those of the m articles in `rows` that stand for a topic, which they have with these probabilities (m,)."""
    own = vectors[rows]
    centre = np.asarray(own.mean(axis=0)).ravel()
    scores = probabilities * (own @ centre / max(float(np.linalg.norm(centre)), 1e-9))
    outlets, titles = articles["outlet"].to_numpy()[rows], articles["title"].to_numpy()[rows]
    told = np.zeros(len(rows), bool)
    chosen: list[Headline] = []
    while len(chosen) < SHOWN and not told.all():
        standing = np.where(told, -1.0, scores)
        new = np.where(np.isin(outlets, [headline.outlet for headline in chosen]), -1.0, standing)
        best = int(np.argmax(new if new.max() >= OTHER_OUTLET * standing.max() else standing))
        # A headline without a word that counts is still like itself.
        alike = (np.asarray((own @ own[[best]].T).todense()).ravel() >= SAME_STORY) | (titles == titles[best])
        similar = int(alike.sum()) - 1
        told |= alike
        article = articles.iloc[rows[best]]
        chosen.append(
            Headline(article["title"], article["outlet"], article["link"], probabilities[best].item(), similar)
        )
    return chosen
