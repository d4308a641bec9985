"""What is confused with what, and the mistakes that a model was surest of."""

import numpy as np
import pandas as pd
import pytest

from serve.model import TopicModel
from serve.topics import Topic
from serve.vectorizer import TfidfVectorizer
from train.evaluate import Evaluation, evaluate
from train.mistakes import confusions, worst_mistakes


def test_confusions_name_what_was_given_in_stead_and_what_articles_have() -> None:
    truth = np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 1]], bool)
    assigned = np.array([[0, 1, 0], [0, 1, 0], [0, 0, 0], [0, 1, 1]], bool)
    first, second, third = confusions(Evaluation(["a", "b", "c"], [*"1234"], truth, assigned, assigned * 1.0))
    assert (first.missed, first.instead, first.given_nothing, first.wrong) == (3, [("b", 2)], 1, 0)
    assert (second.missed, second.wrong, second.wrong_on) == (0, 2, [("a", 2)])
    assert (third.missed, third.wrong, third.instead) == (0, 0, [])


def test_a_topic_given_rightly_is_not_given_in_stead() -> None:
    truth, assigned = np.array([[True, True]]), np.array([[False, True]])
    assert confusions(Evaluation(["a", "b"], ["1"], truth, assigned, assigned * 1.0))[0].instead == []


@pytest.fixture
def model() -> TopicModel:
    return TopicModel(
        taxonomy={topic: Topic(topic) for topic in ("olahraga", "politik")},
        vectorizer=TfidfVectorizer(dtype=np.float32).fit(["bola liga presiden menteri"]),
        weights=np.array([[6, 0], [1, -1], [-2, 5], [-1, 4]], np.float32)[[0, 1, 3, 2]],
        bias=np.full(2, -1, np.float32),
        calibration=np.array([[2.0, 1.0], [0.0, 0.0]]),
        thresholds=np.array([0.5, 0.4]),
    )


def test_the_surest_mistakes_come_first_with_their_words(model: TopicModel) -> None:
    articles = pd.DataFrame(
        {
            "id": ["1", "2", "3"],
            "title": ["Bola", "", ""],
            "text": ["Presiden menendang bola.", "Presiden.", "Liga dan bola."],
            "topics": [["politik"], ["olahraga"], ["olahraga"]],
        }
    )
    found = worst_mistakes(evaluate(model, articles), articles, model)
    assert [mistake.distance for mistake in found] == sorted((mistake.distance for mistake in found), reverse=True)
    wrong = {(mistake.article, mistake.topic): mistake for mistake in found}
    missed, given = wrong[1, "olahraga"], wrong[0, "olahraga"]
    assert missed.missed and not given.missed
    assert [word for word, _ in missed.words] == ["presiden"]
    assert missed.words[0][1] < 0
    assert given.words[0][0] == "bola"
    assert all(value > 0 for _, value in given.words)
    assert given.threshold == 0.5
    logit = np.log(given.probability / (1 - given.probability))
    assert given.distance == pytest.approx(logit)
    assert not any(mistake.article == 2 for mistake in found)
    assert len(worst_mistakes(evaluate(model, articles), articles, model, count=1)) == 1


def test_without_articles_or_model_there_are_no_words() -> None:
    truth = np.array([[True, False]])
    (first, _) = worst_mistakes(Evaluation(["a", "b"], ["1"], truth, ~truth, np.array([[0.1, 0.8]])))
    assert (first.topic, first.missed, first.words, first.threshold) == ("a", True, [], None)


def test_single_label_data_have_no_thresholds() -> None:
    truth, assigned = np.array([[True, False]]), np.array([[False, True]])
    found = worst_mistakes(
        Evaluation(["a", "b"], ["1"], truth, assigned, np.array([[0.2, 0.8]]), True, thresholds=np.zeros(2))
    )
    assert [(mistake.topic, mistake.threshold) for mistake in found] == [("a", None), ("b", None)]
    assert found[0].distance == pytest.approx(np.log(4))
