"""A contender's training as a process of its own: what it takes, and how right the model is on articles held out.

    python -m benchmarks.fitting NAME TRAIN.parquet TEST.parquet FOLDER

leaves the model and `fitted.json` in the folder.
"""

import argparse
import json
import resource
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from benchmarks.contenders import CONTENDERS, Texts, slug
from benchmarks.measure import WORK, python, run
from serve.paths import DATA
from serve.topics import load_topics


class Fitted(NamedTuple):
    seconds: float
    articles: float
    """MB of memory at most before training, with the articles loaded."""
    megabytes: float
    """MB of memory at most."""
    f1: float
    """Micro-F1 on the articles held out."""
    best_f1: float | None
    """The same with the one threshold for all topics that is best on those very articles."""


def fitted(name: str, train: Path, test: Path, folder: Path) -> Fitted:
    """Trains a contender in a process of its own; the model is in the folder then."""
    folder.mkdir(parents=True, exist_ok=True)
    run(python("benchmarks.fitting", name, train, test, folder))
    return Fitted(**json.loads((folder / "fitted.json").read_text()))


def trained(name: str) -> Path:
    """The folder of a contender's model of the corpus, trained unless it is there."""
    folder = WORK / "models" / slug(name)
    if not (folder / "fitted.json").exists():
        fitted(name, *corpus(), folder)
    return folder


def corpus() -> tuple[Path, Path]:
    """The corpus' articles to train on and to test on, as files that `read` reads."""
    paths = WORK / "corpus-train.parquet", WORK / "corpus-test.parquet"
    with (DATA / "corpus" / "articles.jsonl").open(encoding="utf-8") as lines:
        articles = [json.loads(line) for line in lines]
    for path, split in zip(paths, ("train", "test"), strict=True):
        chosen = [article for article in articles if article["split"] == split]
        columns = {name: [article[name] for article in chosen] for name in ("title", "text", "topics")}
        path.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.table(columns), path)
    return paths


def read(path: Path, *, arrow: bool) -> tuple[Texts, NDArray[np.bool_]]:
    """The texts of a Parquet file of articles, as strings (title, line break, text) or as batches of Arrow with the columns
    title and text, and their topics (n, k)."""
    column = {name: j for j, name in enumerate(load_topics())}
    # No more of the file in memory than is looked at.
    file = pyarrow.parquet.ParquetFile(path, pre_buffer=False)
    texts: Texts = []
    y = np.zeros((file.metadata.num_rows, len(column)), bool)
    n = 0
    for batch in file.iter_batches(10_000, columns=["title", "text", "topics"], use_threads=False):
        for topics in batch["topics"].to_pylist():
            y[n, [column[topic] for topic in topics]] = True
            n += 1
        if arrow:
            texts.append(batch.select(["title", "text"]))
        else:
            titles, bodies = (batch[name].to_pylist() for name in ("title", "text"))
            texts += [f"{title}\n{body}" for title, body in zip(titles, bodies, strict=True)]
    pyarrow.default_memory_pool().release_unused()
    return texts, y


def f1(answers: NDArray[np.bool_], y: NDArray[np.bool_]) -> float:
    """Micro-F1."""
    return float(2 * (answers & y).sum() / max(1, answers.sum() + y.sum()))


def best_f1(scores: NDArray[np.floating], y: NDArray[np.bool_]) -> float:
    """The highest micro-F1 that one threshold for all topics reaches."""
    order = np.argsort(-scores, axis=None)
    right = np.cumsum(y.ravel()[order])
    return float((2 * right / (np.arange(1, len(order) + 1) + right[-1])).max())


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains a contender.")
    parser.add_argument("name", choices=sorted(CONTENDERS))
    for path in ("train", "test", "folder"):
        parser.add_argument(path, type=Path)
    arguments = parser.parse_args()
    contender = CONTENDERS[arguments.name]
    texts, y = read(arguments.train, arrow=contender.arrow)
    articles = _peak()
    begin = time.perf_counter()
    contender.fit(texts, y, arguments.folder)
    seconds, peak = time.perf_counter() - begin, _peak()
    del texts, y
    texts, y = read(arguments.test, arrow=False)
    model = contender.load(arguments.folder)
    scores = model.scores(texts)
    best = best_f1(scores, y) if scores is not None else None
    result = Fitted(seconds, articles, peak, f1(model.predict(texts), y), best)
    (arguments.folder / "fitted.json").write_text(json.dumps(result._asdict()))


if __name__ == "__main__":
    main()
