"""The model between two models."""

from dataclasses import replace

import numpy as np
import pytest

from serve.topics import Topic
from train.blend import blend


def test_log_odds_are_the_mean(embedded_model, corpus_texts):
    k = len(embedded_model.topics)
    other = replace(
        embedded_model,
        weights=embedded_model.weights * np.float32(0.5),
        calibration=np.stack([np.linspace(1, 3, k), np.linspace(-1, 1, k)]),
        thresholds=np.full(k, 0.2),
    )
    blended, texts = blend(embedded_model, other), corpus_texts[:20]
    log_odds = [np.log(p / (1 - p)) for p in (m.predict_proba(texts) for m in (embedded_model, other, blended))]
    np.testing.assert_allclose(log_odds[2], (log_odds[0] + log_odds[1]) / 2, atol=1e-3)
    np.testing.assert_allclose(blended.thresholds, (embedded_model.thresholds + 0.2) / 2)


def test_models_of_other_topics_are_refused(embedded_model):
    taxonomy = {f"{name}_2": Topic(f"{name}_2") for name in embedded_model.topics}
    with pytest.raises(ValueError, match="same topics and terms"):
        blend(embedded_model, replace(embedded_model, taxonomy=taxonomy))
