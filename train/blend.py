"""Two models of the same terms and topics -> the one between them."""

from dataclasses import replace

import numpy as np

from serve.model import TopicModel


def blend(first: TopicModel, second: TopicModel) -> TopicModel:
    """The model whose log-odds are the mean of theirs, with the mean of their thresholds; the card is the second's.

    Where the second was trained further than the first, that keeps most of what it gained and loses less of what the
    first could do (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"). Raises ValueError for models of
    different terms or topics.
    """
    if first.topics != second.topics or first.vectorizer.terms_.spelt != second.vectorizer.terms_.spelt:
        raise ValueError("only models of the same topics and terms can be blended")
    logits = [
        (model.weights * model.calibration[0], model.bias * model.calibration[0] + model.calibration[1])
        for model in (first, second)
    ]
    (first_weights, first_bias), (second_weights, second_bias) = logits
    k = len(second.topics)
    return replace(
        second,
        weights=np.ascontiguousarray((first_weights + second_weights) / 2, np.float32),
        bias=((first_bias + second_bias) / 2).astype(np.float32),
        calibration=np.stack([np.ones(k), np.zeros(k)]),
        thresholds=(first.thresholds + second.thresholds) / 2,
        uncertain_below=(first.uncertain_below + second.uncertain_below) / 2,
    )
