"""The model as others load it from MLflow: this file goes into the model and is run when it is loaded (no pickle)."""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext

from serve.answers import DECIMALS
from serve.article import TOPIC_SEPARATOR
from serve.model import TopicModel


class FiledArticles(PythonModel):
    """Articles in (`text`, and `title` where there is one), `topics` and their `probabilities` out, best first, and a `note`."""

    def load_context(self, context: PythonModelContext) -> None:
        self.model = TopicModel.load(context.artifacts["model"])

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        texts = _texts(model_input["text"])
        filed = self.model.file(texts, _texts(model_input["title"]) if "title" in model_input else None)
        topics = [filed.topics(i) for i in range(len(texts))]
        return pd.DataFrame(
            {
                "topics": [TOPIC_SEPARATOR.join(topic for topic, _ in row) for row in topics],
                "probabilities": [
                    TOPIC_SEPARATOR.join(f"{probability:.{DECIMALS}f}" for _, probability in row) for row in topics
                ],
                "note": filed.notes,
            },
            index=model_input.index,
        )


def _texts(column: "pd.Series[str]") -> list[str | None]:
    return [None if pd.isna(value) else str(value) for value in column]


mlflow.models.set_model(FiledArticles())
