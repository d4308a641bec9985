"""What people would pick instead of Kanal, each at its best reasonable settings, all with the same four verbs.

Each learns from n texts (title, line break, text) with their topics (n, k), and writes what it has learnt to a folder; what is
read from there answers for n texts with (n, k) booleans. `fit` may take the texts out of the list. They are strings, as most
take nothing else; Kanal learns from Arrow's columns. Settings of fastText and Vowpal
Wabbit are the best of a small grid on the corpus' test articles, which is in their favour; scikit-learn's and LibMultiLabel's are Kanal's own, so that they reach the same optimum.

    python -m benchmarks.contenders scikit-learn MODEL IN.csv OUT.csv

files a CSV: read with pandas a piece at a time, predicted on all cores in processes of their own, written in order.
"""

import argparse
import multiprocessing
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

COST, TOLERANCE = 1.0, 1e-3
TFIDF = {"min_df": 2, "max_df": 0.3, "sublinear_tf": True, "dtype": np.float32}
PIECE = 2_000
"""Articles that are read, predicted and written together."""


def cores() -> int:
    return len(os.sched_getaffinity(0))


# n strings, or batches of Arrow with the columns title and text, n rows in all.
Texts: TypeAlias = list[Any]


class Contender(ABC):
    name: ClassVar[str]
    arrow: ClassVar[bool] = False
    """Whether it learns from batches of Arrow."""

    @classmethod
    @abstractmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None: ...

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self: ...

    @abstractmethod
    def predict(self, texts: list[str]) -> NDArray[np.bool_]: ...

    def predict_one(self, text: str) -> object:
        """The topics of one text, in whatever form the contender has them soonest."""
        return self.predict([text])

    def scores(self, texts: list[str]) -> NDArray[np.floating] | None:
        """(n, k): what is compared with a threshold, where there is such a thing."""
        return None

    @staticmethod
    @abstractmethod
    def files(folder: Path) -> Path:
        """What has to be kept for predictions, a file or a folder."""


class ScikitLearn(Contender):
    """TfidfVectorizer and one LinearSVC a topic, the classifiers on threads (liblinear lets go of Python's lock)."""

    name = "scikit-learn"

    def __init__(self, pipeline: Any) -> None:
        self.pipeline = pipeline

    @classmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None:
        import joblib
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import LinearSVC

        classifier = OneVsRestClassifier(LinearSVC(C=COST, tol=TOLERANCE), n_jobs=cores())
        pipeline = make_pipeline(TfidfVectorizer(**TFIDF), classifier)
        with joblib.parallel_config("threading"):
            pipeline.fit(texts, y.astype(np.int8))
        classifier.n_jobs = None
        joblib.dump(pipeline, cls.files(folder))

    @classmethod
    def load(cls, folder: Path) -> Self:
        import joblib

        return cls(joblib.load(cls.files(folder)))

    @staticmethod
    def files(folder: Path) -> Path:
        return folder / "pipeline.joblib"

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        return np.asarray(self.pipeline.predict(texts)) > 0

    def scores(self, texts: list[str]) -> NDArray[np.floating]:
        return np.asarray(self.pipeline.decision_function(texts))


class ScikitLearnCleaned(ScikitLearn):
    """The same behind Kanal's cleaning, a call an article, as whoever keeps the pipeline and wants clean text would write."""

    name = "scikit-learn, cleaning first"

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        from serve.clean import clean

        split = [text.split("\n", 1) for text in texts]
        return super().predict([f"{title}\n{clean(text, title)}" for title, text in split])


class ScikitLearnOneMatrix(ScikitLearn):
    """The same with the classifiers' weights put in one matrix, as an expert in a hurry would write it."""

    name = "scikit-learn, one matrix"

    def __init__(self, pipeline: Any) -> None:
        super().__init__(pipeline)
        vectorizer, classifier = pipeline[0], pipeline[-1]
        self.vectorizer = vectorizer
        self.weights = np.ascontiguousarray(np.vstack([one.coef_ for one in classifier.estimators_]).T, np.float32)
        self.bias = np.concatenate([one.intercept_ for one in classifier.estimators_])

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        return np.asarray(self.vectorizer.transform(texts) @ self.weights + self.bias) > 0


class FastText(Contender):
    """Supervised, one against all. The text in lower case without punctuation, line breaks or two spaces in a row.

    The calls go to the compiled object beneath: that of the Python class on one text fails with NumPy 2
    (`np.array(..., copy=False)`), and is slower.
    """

    name = "fastText"
    settings: ClassVar[dict[str, Any]] = {
        "loss": "ova",
        "lr": 1.0,
        "dim": 50,
        "wordNgrams": 1,
        "minCount": 2,
        "verbose": 0,
    }
    _PUNCTUATION = str.maketrans(dict.fromkeys("\n\r\t.,:;!?\"'()[]", " "))

    def __init__(self, model: Any, topics: int) -> None:
        self.model = model
        self.topics = topics

    @classmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None:
        import fasttext

        examples = folder / "examples.txt"
        with examples.open("w", encoding="utf-8") as file:
            for text, row in zip(texts, y, strict=True):
                labels = "".join(f"__label__{j} " for j in np.flatnonzero(row))
                if labels:
                    file.write(f"{labels}{cls._line(text)}")
        # The corpus wants 50 epochs (25 are 0.02 of F1 worse); of more articles fewer are enough.
        epochs = max(5, min(50, 500_000 // len(texts)))
        model = fasttext.train_supervised(str(examples), thread=cores(), epoch=epochs, **cls.settings)
        examples.unlink()
        model.save_model(str(cls.files(folder)))
        (folder / "topics").write_text(str(y.shape[1]))

    @classmethod
    def load(cls, folder: Path) -> Self:
        import fasttext_pybind

        model = fasttext_pybind.fasttext()
        model.loadModel(str(cls.files(folder)))
        return cls(model, int((folder / "topics").read_text()))

    @staticmethod
    def files(folder: Path) -> Path:
        return folder / "model.bin"

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        labels, _ = self.model.multilinePredict([self._line(text) for text in texts], -1, 0.5, "strict")
        y = np.zeros((len(texts), self.topics), bool)
        for i, names in enumerate(labels):
            for name in names:
                y[i, int(name[len("__label__") :])] = True
        return y

    def scores(self, texts: list[str]) -> NDArray[np.floating]:
        # Of several lines at once the binding gives each label the probability of the first.
        scores = np.zeros((len(texts), self.topics))
        for i, text in enumerate(texts):
            for probability, name in self.model.predict(self._line(text), -1, 0.0, "strict"):
                scores[i, int(name[len("__label__") :])] = probability
        return scores

    @classmethod
    def _line(cls, text: str) -> str:
        return text.lower().translate(cls._PUNCTUATION) + "\n"


class VowpalWabbit(Contender):
    """One against all, logistic, from a file in its own format as its command line reads it; the Python object a line at a
    time is several times slower."""

    name = "Vowpal Wabbit"
    settings = "--loss_function logistic -b 22 --passes 8 -l 2 --holdout_off"
    _RESERVED = str.maketrans(dict.fromkeys("\n\r\t.,:;!?\"'()[]|", " "))

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.topics = int((folder / "topics").read_text())

    @classmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None:
        examples = folder / "examples.txt"
        with examples.open("w", encoding="utf-8") as file:
            for text, row in zip(texts, y, strict=True):
                file.write(f"{','.join(map(str, np.flatnonzero(row)))} {cls._line(text)}")
        cls._run(f"-d {examples} -c --multilabel_oaa {y.shape[1]} {cls.settings} -f {cls.files(folder)}")
        examples.unlink()
        examples.with_name("examples.txt.cache").unlink()
        (folder / "topics").write_text(str(y.shape[1]))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(folder)

    @staticmethod
    def files(folder: Path) -> Path:
        return folder / "model.vw"

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        examples, answers = (self.folder / f"{name}-{os.getpid()}.txt" for name in ("lines", "answers"))
        with examples.open("w", encoding="utf-8") as file:
            file.writelines(" " + self._line(text) for text in texts)
        self._run(f"-t -d {examples} -i {self.files(self.folder)} -p {answers}")
        y = np.zeros((len(texts), self.topics), bool)
        for i, line in enumerate(answers.read_text().splitlines()):
            y[i, [int(topic) for topic in line.strip().split(",") if topic]] = True
        examples.unlink()
        answers.unlink()
        return y

    @classmethod
    def _line(cls, text: str) -> str:
        return f"| {text.lower().translate(cls._RESERVED)}\n"

    @staticmethod
    def _run(arguments: str) -> None:
        import vowpalwabbit

        vowpalwabbit.Workspace(arg_list=[*arguments.split(), "--quiet"]).finish()


class LibMultiLabel(Contender):
    """Its linear mode: scikit-learn's vectoriser, and liblinear on threads. The same optimum as scikit-learn's LinearSVC.

    Its `train_thresholding`, which would be the like of Kanal's thresholds, fails with SciPy 1.17 (`np.sum(y, 2)`).
    """

    name = "LibMultiLabel"

    def __init__(self, preprocessor: Any, model: Any) -> None:
        self.preprocessor = preprocessor
        self.model = model

    @classmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None:
        from libmultilabel import linear

        preprocessor = linear.Preprocessor(tfidf_params=TFIDF)
        labels = [[str(j) for j in np.flatnonzero(row)] for row in y]
        data = preprocessor.fit_transform({"data_format": "txt", "train": {"x": texts, "y": labels}})["train"]
        options = f"-s 1 -c {COST} -e {TOLERANCE} -B 1 -m {cores()} -q"
        model = linear.train_1vsrest(data["y"], data["x"], options=options, verbose=False)
        linear.save_pipeline(str(folder / "pipeline"), preprocessor, model)

    @classmethod
    def load(cls, folder: Path) -> Self:
        from libmultilabel import linear

        return cls(*linear.load_pipeline(str(folder / "pipeline" / "linear_pipeline.pickle")))

    @staticmethod
    def files(folder: Path) -> Path:
        return folder / "pipeline"

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        return self.scores(texts) > 0

    def scores(self, texts: list[str]) -> NDArray[np.floating]:
        values = self.model.predict_values(self.preprocessor.vectorizer.transform(texts))
        # Its columns are in the order of the labels as strings, and a label that no article has is not there.
        columns = [int(name) for name in self.preprocessor.binarizer.classes_]
        scores = np.full((len(texts), max(columns) + 1), -np.inf)
        scores[:, columns] = values
        return scores


class KanalLinear(Contender):
    """Kanal's vectoriser and its linear classifiers, nothing else: what scikit-learn's pipeline does."""

    name = "Kanal, vectoriser and classifiers only"
    arrow = True

    def __init__(self, vectorizer: Any, weights: Any) -> None:
        self.vectorizer = vectorizer
        self.weights = weights

    @classmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None:
        import joblib
        import pyarrow as pa
        import pyarrow.compute as pc

        from serve.vectorizer import Documents, TfidfVectorizer
        from train.linear import fit_linear

        def joined() -> Iterator[Documents]:
            while texts:
                batch = texts.pop(0)
                yield Documents.of(pc.binary_join_element_wise(batch["title"], batch["text"], "\n"))

        documents = Documents.together(joined())
        pa.default_memory_pool().release_unused()
        vectorizer = TfidfVectorizer(**TFIDF)  # type: ignore[arg-type]
        x = vectorizer.fit_transform(documents)
        del documents
        weights = fit_linear(x, y, cost=COST, tolerance=TOLERANCE)
        joblib.dump((vectorizer, weights), cls.files(folder))

    @classmethod
    def load(cls, folder: Path) -> Self:
        import joblib

        return cls(*joblib.load(cls.files(folder)))

    @staticmethod
    def files(folder: Path) -> Path:
        return folder / "model.joblib"

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        return self.scores(texts) > 0

    def scores(self, texts: list[str]) -> NDArray[np.floating]:
        return self.vectorizer.transform(texts) @ self.weights.sparse + self.weights.bias


class Kanal(Contender):
    """Kanal as it learns from a user's articles alone: cleaning, calibration and thresholds, no background, no lexicon."""

    name = "Kanal"
    arrow = True

    def __init__(self, model: Any) -> None:
        self.model = model

    @classmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None:
        cls._fit(texts, y, folder)

    @classmethod
    def _fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path, **material: Any) -> None:
        import pyarrow as pa

        from serve.topics import load_topics
        from train.fit import fit

        taxonomy = load_topics()
        names = list(taxonomy)
        corpus = pa.Table.from_batches(texts).to_pandas()
        corpus["id"] = [str(i) for i in range(len(corpus))]
        corpus["topics"] = [[names[j] for j in np.flatnonzero(row)] for row in y]
        # The frame has them; two copies would count against Kanal's memory.
        texts.clear()
        fit(corpus, taxonomy, **material).save(cls.files(folder))

    @classmethod
    def load(cls, folder: Path) -> Self:
        import kanal

        return cls(kanal.load(cls.files(folder)))

    @staticmethod
    def files(folder: Path) -> Path:
        return folder / "model"

    def predict(self, texts: list[str]) -> NDArray[np.bool_]:
        split = [text.split("\n", 1) for text in texts]
        return self.model.file([text for _, text in split], [title for title, _ in split]).assigned

    def predict_one(self, text: str) -> object:
        title, _, body = text.partition("\n")
        return self.model.predict(body, title)

    def scores(self, texts: list[str]) -> NDArray[np.floating]:
        split = [text.split("\n", 1) for text in texts]
        return self.model.file([text for _, text in split], [title for title, _ in split]).probabilities


class KanalWhole(Kanal):
    """Kanal as `make train` makes it: with background and lexicon."""

    name = "Kanal, background and lexicon"

    @classmethod
    def fit(cls, texts: Texts, y: NDArray[np.bool_], folder: Path) -> None:
        from train.background import EMBEDDED_BACKGROUND, Background
        from train.lexicon import load_lexicon

        cls._fit(texts, y, folder, background=Background.load(EMBEDDED_BACKGROUND), lexicon=load_lexicon())


CONTENDERS: dict[str, type[Contender]] = {
    contender.name: contender
    for contender in (
        KanalWhole, Kanal, KanalLinear, ScikitLearn, ScikitLearnCleaned, ScikitLearnOneMatrix, LibMultiLabel,
        FastText, VowpalWabbit,
    )
}  # fmt: skip


def slug(name: str) -> str:
    """The contender's name as a folder's."""
    return re.sub(r"\W+", "-", name.lower())


_loaded: Contender


def _load(name: str, folder: Path) -> None:
    global _loaded
    _loaded = CONTENDERS[name].load(folder)


def _file_piece(piece: tuple[list[str], list[str]]) -> str:
    ids, texts = piece
    answers = ("|".join(map(str, np.flatnonzero(row))) for row in _loaded.predict(texts))
    return "".join(f"{number},{topics}\n" for number, topics in zip(ids, answers, strict=True))


def file_csv(name: str, folder: Path, source: Path, target: Path) -> None:
    """Files the articles of a CSV (columns id, title, text) with a contender's model, on all cores."""
    import pandas as pd

    frames = pd.read_csv(source, dtype=str, keep_default_na=False, chunksize=PIECE)
    pieces = ((frame["id"].tolist(), (frame["title"] + "\n" + frame["text"]).tolist()) for frame in frames)
    with target.open("w", encoding="utf-8") as out:
        out.write("id,topics\n")
        if cores() == 1:
            _load(name, folder)
            out.writelines(map(_file_piece, pieces))
            return
        with multiprocessing.Pool(cores(), _load, (name, folder)) as pool:
            out.writelines(pool.imap(_file_piece, pieces))


def main() -> None:
    parser = argparse.ArgumentParser(description="Files a CSV of articles with a contender's model.")
    parser.add_argument("name", choices=sorted(CONTENDERS))
    for path in ("folder", "source", "target"):
        parser.add_argument(path, type=Path)
    file_csv(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
