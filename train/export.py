"""The model in the forms that others expect: a scikit-learn pipeline, an MLflow folder. Both run code when loaded."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from serve.atomic import Kind, atomic_folder
from serve.model import TopicModel, compose_all

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

PIPELINE_FILE = "pipeline.joblib"


def export(model: TopicModel, form: str, folder: str | Path) -> Path:
    """Writes the model to a folder as "sklearn" (a pipeline, by joblib) or "mlflow" (a pyfunc) and returns what to load."""
    if form == "mlflow":
        from train.tracking import pyfunc_save

        pyfunc_save(model, folder)
        return Path(folder)
    import joblib

    with atomic_folder(folder, Kind("a pipeline", (PIPELINE_FILE,))) as temporary:
        joblib.dump(sklearn_pipeline(model), temporary / PIPELINE_FILE)
    return Path(folder) / PIPELINE_FILE


def sklearn_pipeline(model: TopicModel) -> "Pipeline":
    """A pipeline of scikit-learn's own classes that takes a list of texts, or a frame with `text`, and `title` where there
    is one, and gives the same probabilities and decisions. Only its first step, cleaning, is Kanal's; leave it out for
    cleaned text. `topics_` has the names of the k topics. `predict` gives (n, k) decisions in their order,
    `predict_proba` k arrays (n, 2), the second column the probability; of a single-label model the names of n topics, and
    (n, k) probabilities in the order of `classes_`.

    A topic's calibrated probability is a logistic regression of its own: 1 / (1 + exp(-(A (w x + b) + B))).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import FixedThresholdClassifier
    from sklearn.multioutput import MultiOutputClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    ours = model.vectorizer
    tfidf = TfidfVectorizer(
        ngram_range=ours.ngram_range, sublinear_tf=ours.sublinear_tf, norm=ours.norm, vocabulary=ours.terms_.names
    )
    tfidf.fit(ours.terms_.names[:1])
    tfidf.idf_ = ours.idf_

    def logistic(classes: np.ndarray, columns: Any) -> LogisticRegression:
        regression = LogisticRegression()
        regression.classes_ = classes
        scale, shift = model.calibration[:, columns]
        regression.coef_ = np.atleast_2d((model.weights[:, columns] * scale).T.astype(np.float64))
        regression.intercept_ = np.atleast_1d(model.bias[columns] * scale + shift)
        regression.n_features_in_ = len(model.weights)
        return regression

    if model.single_label:
        classifier: Any = logistic(np.array(model.topics), slice(None))
    else:
        classifier = MultiOutputClassifier(LogisticRegression())
        classifier.estimators_ = []
        for j, threshold in enumerate(model.thresholds):
            decider = FixedThresholdClassifier(
                logistic(np.array([False, True]), j), threshold=float(threshold), response_method="predict_proba"
            )
            decider.estimator_ = decider.estimator
            classifier.estimators_.append(decider)
        classifier.classes_ = [decider.classes_ for decider in classifier.estimators_]
    clean = FunctionTransformer(compose_frame, kw_args={"title_weight": model.title_weight})
    pipeline = Pipeline([("clean", clean), ("tfidf", tfidf), ("topics", classifier)])
    pipeline.topics_ = model.topics
    return pipeline


def compose_frame(articles: Any, title_weight: int) -> list[str]:
    """The documents of a frame's articles, or of texts without titles, cleaned, as the model's vectoriser takes them."""
    if not isinstance(articles, pd.DataFrame):
        return list(compose_all(articles, None, title_weight))
    return list(compose_all(articles["text"], articles.get("title"), title_weight))
