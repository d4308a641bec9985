"""One experiment, from labelled files to a model that is measured, kept and tracked."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from serve.errors import InputError
from serve.model import TopicModel
from serve.paths import DATA
from serve.topics import load_topics
from train.check import check_corpus
from train.corpus import fingerprint, load_corpus, split_corpus
from train.evaluate import Evaluation, evaluate
from train.fit import Settings, choose_taxonomy, fit
from train.report import write_report
from train.tracking import Tracked, track

EMBEDDED_CORPUS = DATA / "corpus" / "articles.jsonl"
# A corpus with more mistakes than this is better looked at with `kanal data check`.
SHOWN_ERRORS = 5


@dataclass(frozen=True)
class Experiment:
    """What came out of it; `tracked` is None where nothing was to be tracked."""

    model: TopicModel
    evaluation: Evaluation
    tracked: Tracked | None


@dataclass(frozen=True)
class Columns:
    """Where a file of articles keeps what; None: looked for under the usual names."""

    title: str | None = None
    text: str | None = None
    label: str | None = None
    label_separator: str = "|"

    def load(self, files: Sequence[str | Path]) -> pd.DataFrame:
        """The articles of all files together."""
        return load_corpus(
            files,
            title_column=self.title,
            text_column=self.text,
            label_column=self.label,
            label_separator=self.label_separator,
        )


def run_experiment(
    data: Sequence[str | Path],
    *,
    test: str | Path | None = None,
    columns: Columns = Columns(),
    topics: str | Path | None = None,
    settings: Settings = Settings(),
    drop_rare: bool = False,
    out: Path | None = None,
    tracked: bool = True,
) -> Experiment:
    """Trains on the files of `data` (the embedded corpus when there are none) and evaluates on `test`, or else on the
    part of them that is set aside for testing; writes the model to `out`, and logs, registers and promotes it."""
    taxonomy = load_topics(topics) if topics or not data else None
    corpus = columns.load(data or [EMBEDDED_CORPUS])
    training, testing = (corpus, columns.load([test])) if test else split_corpus(corpus, settings.seed)
    for frame in (training, testing):
        _refuse_errors(check_corpus(frame, taxonomy).errors)

    model = fit(training, choose_taxonomy(training, taxonomy, drop_rare=drop_rare), settings)
    evaluation = evaluate(model, testing)
    model = model.with_card(metrics=evaluation.metrics)
    if out:
        model.save(out)
    if not tracked:
        return Experiment(model, evaluation, None)
    facts = {
        "fingerprint": fingerprint(training),
        "test_fingerprint": fingerprint(testing),
        "articles": len(training),
        "test_articles": len(testing),
        "topics": len(model.topics),
    }
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary, "report")
        write_report(
            evaluation,
            report,
            title="Kanal: test articles",
            facts={**asdict(settings), **facts},
            groups={topic.id: topic.group for topic in model.taxonomy.values()},
        )
        result = track(
            model,
            evaluation,
            settings=asdict(settings),
            data=facts,
            report_folder=report,
            compare=lambda other: evaluate(other, testing),
        )
    return Experiment(model, evaluation, result)


def _refuse_errors(errors: Sequence[str]) -> None:
    if errors:
        more = (
            f"\n... and {len(errors) - SHOWN_ERRORS} more; `kanal data check` lists all."
            if len(errors) > SHOWN_ERRORS
            else ""
        )
        raise InputError("\n".join(errors[:SHOWN_ERRORS]) + more)
