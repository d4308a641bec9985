"""The commands that make and measure models."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    BackgroundOption,
    DataOption,
    DropRareOption,
    JsonOption,
    LabelOption,
    LexiconOption,
    ModelOption,
    NoPromoteOption,
    NoTrackOption,
    OutOption,
    SeedOption,
    SeparatorOption,
    TestOption,
    TextOption,
    TitleOption,
    TopicsOption,
)
from kanal import load
from serve.article import TOPIC_SEPARATOR
from serve.counts import counted
from serve.errors import KanalError

if TYPE_CHECKING:
    from train.experiment import Experiment


def train(
    data: DataOption = None,
    test: TestOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
    topics: TopicsOption = None,
    background: BackgroundOption = None,
    lexicon: LexiconOption = None,
    out: OutOption = None,
    seed: SeedOption = 0,
    drop_rare: DropRareOption = False,
    no_track: NoTrackOption = False,
    no_promote: NoPromoteOption = False,
    tuned: Annotated[
        bool, typer.Option("--tune", help="Seek settings that suit the data by cross-validation: up to a minute more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model, evaluate it, track it in MLflow, and make it champion unless it is worse than the champion.

    It is worse when its micro-F1 is lower in 90% or more of 1,000 bootstrap resamples of the same test articles: a smaller difference may be chance.
    """
    from train.experiment import Columns, Material, run_experiment
    from train.fit import Settings

    columns = Columns(title_column, text_column, label_column, label_separator)
    material = Material(data or (), test, columns, topics, background, lexicon, drop_rare)
    experiment = run_experiment(
        material, Settings(seed=seed), out=out, tracked=not no_track, promoted=not no_promote, tuned=tuned
    )
    _print_experiment(experiment, out, as_json)


def adapt(
    crawl: Annotated[list[str], typer.Argument(metavar="CRAWL...", help="Unlabelled articles: CSV, JSONL or Parquet.")],
    data: DataOption = None,
    test: TestOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
    topics: TopicsOption = None,
    background: BackgroundOption = None,
    lexicon: LexiconOption = None,
    out: OutOption = None,
    seed: SeedOption = 0,
    drop_rare: DropRareOption = False,
    no_track: NoTrackOption = False,
    no_promote: NoPromoteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train on the corpus and on an unlabelled crawl, to which a first model gives topics (self-training).

    Tracked and promoted as `kanal train` does.
    """
    from train.experiment import Columns, Material, run_experiment
    from train.fit import Settings

    columns = Columns(title_column, text_column, label_column, label_separator)
    material = Material(data or (), test, columns, topics, background, lexicon, drop_rare)
    experiment = run_experiment(
        material, Settings(seed=seed), crawl=crawl, out=out, tracked=not no_track, promoted=not no_promote
    )
    changed = experiment.adaptation
    assert changed is not None
    told = sys.stderr if as_json else sys.stdout
    print(f"{'topic':<24}{'crawl filed before':>20}{'after':>9}", file=told)
    for topic, (before, after) in changed.shares.items():
        print(f"{topic:<24}{before:>20.2%}{after:>9.2%}", file=told)
    for name in ("micro_f1", "macro_f1", "precision", "recall"):
        before, after = changed.before.figures[name], experiment.evaluation.figures[name]
        print(f"test {name}: {before:.3f} before, {after:.3f} after", file=told)
    _print_experiment(experiment, out, as_json)


def _print_experiment(experiment: "Experiment", out: Path | None, as_json: bool) -> None:
    """Prints what came of a training: with `as_json` the figures alone to standard output, all else to standard error.

    Raises KanalError when MLflow could not be told of it.
    """
    from train.check import MIN_ARTICLES
    from train.unsent import Unsent

    tracked = experiment.tracked
    told = sys.stderr if as_json else sys.stdout
    print(json.dumps(experiment.evaluation.metrics) if as_json else experiment.evaluation.table())
    if experiment.warning:
        print(f"Warning: {experiment.warning}", file=sys.stderr)
    if left_out := experiment.left_out:
        print(f"\nArticles left out, whose topic has fewer than {MIN_ARTICLES} to train on: {left_out}", file=told)
    if out:
        print(f"\nModel written to {out}", file=told)
    if tracked and not isinstance(tracked, Unsent):
        print(f"\nVersion {tracked.version}: {tracked.reason}", file=told)
    if isinstance(tracked, Unsent):
        raise KanalError(
            f"{tracked.reason} The training is kept in {tracked.folder}: `kanal models upload {tracked.folder}` tracks "
            "and registers it once MLflow answers."
        )


def background(
    crawl: Annotated[list[str], typer.Argument(metavar="CRAWL...", help="Unlabelled articles: CSV, JSONL or Parquet.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")],
    dimensions: Annotated[int | None, typer.Option(min=1, help="Of the word vectors; default: 300.")] = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
) -> None:
    """Count document frequencies, word vectors and profiles in a crawl, for `kanal train --background`."""
    from serve.model import TITLE_WEIGHT, compose_all
    from serve.topics import load_topics
    from train.background import BACKGROUND, build_background, read_crawl
    from train.corpus import load_corpus, split_corpus
    from train.experiment import EMBEDDED_CORPUS
    from train.lexicon import lexicon_pairs, load_lexicon

    BACKGROUND.refuse_other(out)
    articles = read_crawl(crawl, title_column, text_column)
    training, _ = split_corpus(load_corpus([EMBEDDED_CORPUS]))
    corpus = list(compose_all(training["text"], training["title"], TITLE_WEIGHT))
    pairs = lexicon_pairs(load_lexicon(), load_topics())
    figures = build_background(articles, corpus, pairs=pairs, dimensions=dimensions)
    figures.save(out)
    words = int((figures.scales > 0).sum())
    print(
        f"{counted(len(articles), 'article')} of the crawl and {len(training):,} of the embedded corpus: {words:,} words with vectors of {figures.codes.shape[1]} dimensions, "
        f"{len(figures.terms) - words:,} pairs and {counted(figures.profiles.shape[0], 'profile')} of the crawl "
        f"written to {out}"
    )


def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled articles: CSV, JSONL or Parquet.")],
    model: ModelOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write a report, HTML and Markdown: confusions, calibration, slices, worst mistakes.")] = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Measure a model on labelled articles: F1, precision, recall, with 95% bootstrap intervals.

    Labels that are no topics of the model count for nothing, with a warning; where there are no others, that is an error. "-" stands for a figure that does not exist, such as the recall of a topic that no article has.
    """
    from train.check import unknown_labels
    from train.corpus import fingerprint
    from train.evaluate import evaluate as evaluate_model
    from train.experiment import Columns
    from train.report import REPORT, write_report

    if report:
        REPORT.refuse_other(report)
    articles = Columns(title_column, text_column, label_column, label_separator).load([file])
    loaded = load(model)
    if warning := unknown_labels(articles, loaded.taxonomy, file):
        print(f"Warning: {warning}", file=sys.stderr)
    evaluation = evaluate_model(loaded, articles)
    print(json.dumps(evaluation.metrics) if as_json else evaluation.table())
    if report:
        page = write_report(
            evaluation,
            report,
            title=f"Kanal on {Path(file).name}",
            facts={
                "model": loaded.version,
                "articles": file,
                "fingerprint of the articles": fingerprint(articles),
                **loaded.card.get("settings", {}),
            },
            groups={topic.id: topic.group for topic in loaded.taxonomy.values()},
            articles=articles,
            model=loaded,
        )
        print(f"\nReport written: {page}", file=sys.stderr if as_json else sys.stdout)


def compare(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help="A version, a model folder or an MLflow URI.")],
    after: Annotated[str, typer.Argument(metavar="AFTER", help="Another.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled articles that neither has learnt from: CSV, JSONL or Parquet.")],
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Compare two models on the same labelled articles: F1 by topic with intervals of the difference, and what changed."""
    from train.check import unknown_labels
    from train.compare import Comparison
    from train.evaluate import evaluate as evaluate_model
    from train.experiment import Columns

    articles = Columns(title_column, text_column, label_column, label_separator).load([file])
    first, second = load(before), load(after)
    if warning := unknown_labels(articles, {**first.taxonomy, **second.taxonomy}, file, "either model"):
        print(f"Warning: {warning}", file=sys.stderr)
    comparison = Comparison(evaluate_model(first, articles), evaluate_model(second, articles))
    print(json.dumps(comparison.summary(), ensure_ascii=False) if as_json else comparison.table())
