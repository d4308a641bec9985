"""Kanal files Indonesian news under its topics: the public names, and the command line.

>>> import kanal
>>> model = kanal.load()
>>> model.predict("Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka ...")
['state_visit']
"""

import gc
import json
import os
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from serve.errors import InputError, KanalError
from serve.service.settings import Settings

if TYPE_CHECKING:
    from serve.model import TopicModel as TopicModel
    from train.experiment import Experiment

__version__ = "0.1.0"
__all__ = ["InputError", "KanalError", "TopicModel", "load"]


def load(model: str | Path | None = None) -> "TopicModel":
    """The champion, or the model in a folder or under an MLflow URI such as "models:/kanal/3".

    Raises InputError when there is none, or when its files are not as they were when it was saved.
    """
    # The imports make many objects and hardly any garbage: looking for it takes a tenth of the time of a cold start.
    collecting = gc.isenabled()
    gc.disable()
    try:
        from serve.model import TopicModel
        from serve.registry import find_model

        return TopicModel.load(find_model(str(model) if model is not None else None))
    finally:
        if collecting:
            gc.enable()


def __getattr__(name: str) -> Any:
    if name == "TopicModel":
        from serve.model import TopicModel

        return TopicModel
    raise AttributeError(f"module 'kanal' has no attribute {name!r}")


app = typer.Typer(
    help="Files Indonesian news under its topics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Look after a corpus.", no_args_is_help=True)
app.add_typer(data_app, name="data")

ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="PATH_OR_URI", help="A model folder or MLflow URI; default: the champion."),
]
TitleOption = Annotated[
    str | None, typer.Option("--title-column", help="The column of titles; default: found by its usual names.")
]
TextOption = Annotated[
    str | None, typer.Option("--text-column", help="The column of texts; default: found by its usual names.")
]
LabelOption = Annotated[
    str | None, typer.Option("--label-column", help="The column of topics; default: found by its usual names.")
]
SeparatorOption = Annotated[
    str, typer.Option("--label-separator", help="What stands between the topics of an article.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# The exit status of a run that has filed all rows but those that could not be read.
REJECTED = 3


def _version(wanted: bool) -> None:
    if wanted:
        print(f"kanal {__version__}")
        raise typer.Exit


@app.callback()
def _kanal(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data", help="JSONL, CSV or Parquet, or hub name; may be given more than once. Default: the embedded corpus."
    ),
]
TestOption = Annotated[
    str | None, typer.Option("--test", help="Evaluate on this file; default: the data's test split.")
]
TopicsOption = Annotated[
    Path | None,
    typer.Option("--topics", help="A taxonomy file; default: the labels found, or Kanal's for the embedded corpus."),
]
BackgroundOption = Annotated[
    str | None,
    typer.Option("--background", help='A folder that `kanal background` wrote, or "none". Default: the embedded one.'),
]
LexiconOption = Annotated[
    str | None, typer.Option("--lexicon", help='A lexicon file, or "none". Default: the embedded one.')
]
OutOption = Annotated[Path | None, typer.Option("--out", help="Also write the model to this folder.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Of the test split and the folds.")]
DropRareOption = Annotated[bool, typer.Option("--drop-rare", help="Leave out topics with too few articles.")]
NoTrackOption = Annotated[bool, typer.Option("--no-track", help="Log nothing to MLflow and register nothing.")]


@app.command()
def train(
    data: DataOption = None,
    test: TestOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = "|",
    topics: TopicsOption = None,
    background: BackgroundOption = None,
    lexicon: LexiconOption = None,
    out: OutOption = None,
    seed: SeedOption = 0,
    drop_rare: DropRareOption = False,
    no_track: NoTrackOption = False,
    tuned: Annotated[
        bool, typer.Option("--tune", help="Seek settings that suit the data by cross-validation: up to a minute more.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Train a model, evaluate it, track it in MLflow, and promote it when it is not worse than the champion."""
    from train.experiment import Columns, Material, run_experiment
    from train.fit import Settings

    columns = Columns(title_column, text_column, label_column, label_separator)
    material = Material(data or (), test, columns, topics, background, lexicon, drop_rare)
    experiment = run_experiment(material, Settings(seed=seed), out=out, tracked=not no_track, tuned=tuned)
    _print_experiment(experiment, out, as_json)


@app.command()
def adapt(
    crawl: Annotated[list[str], typer.Argument(metavar="CRAWL...", help="Unlabelled articles: CSV, JSONL or Parquet.")],
    data: DataOption = None,
    test: TestOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = "|",
    topics: TopicsOption = None,
    background: BackgroundOption = None,
    lexicon: LexiconOption = None,
    out: OutOption = None,
    seed: SeedOption = 0,
    no_track: NoTrackOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train on the corpus and on an unlabelled crawl, to which a first model gives topics (self-training).

    Tracked and promoted as `kanal train` does.
    """
    from train.experiment import Columns, Material, run_experiment
    from train.fit import Settings

    columns = Columns(title_column, text_column, label_column, label_separator)
    material = Material(data or (), test, columns, topics, background, lexicon)
    experiment = run_experiment(material, Settings(seed=seed), crawl=crawl, out=out, tracked=not no_track)
    changed = experiment.adaptation
    assert changed is not None
    print(f"{'topic':<24}{'crawl filed before':>20}{'after':>9}")
    for topic, (before, after) in changed.shares.items():
        print(f"{topic:<24}{before:>20.2%}{after:>9.2%}")
    for name in ("micro_f1", "macro_f1", "precision", "recall"):
        before, after = changed.before.figures[name], experiment.evaluation.figures[name]
        print(f"test {name}: {before:.3f} before, {after:.3f} after")
    _print_experiment(experiment, out, as_json)


def _print_experiment(experiment: "Experiment", out: Path | None, as_json: bool) -> None:
    print(experiment.evaluation.table())
    if out:
        print(f"\nModel written to {out}")
    if experiment.tracked:
        print(f"\nVersion {experiment.tracked.version}: {experiment.tracked.reason}")
    if as_json:
        print(json.dumps(experiment.evaluation.metrics))


@app.command()
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
    from train.background import build_background, read_crawl
    from train.corpus import load_corpus, split_corpus
    from train.experiment import EMBEDDED_CORPUS
    from train.lexicon import lexicon_pairs, load_lexicon

    articles = read_crawl(crawl, title_column, text_column)
    training, _ = split_corpus(load_corpus([EMBEDDED_CORPUS]))
    corpus = list(compose_all(training["text"], training["title"], TITLE_WEIGHT))
    pairs = lexicon_pairs(load_lexicon(), load_topics())
    figures = build_background(articles, corpus, pairs=pairs, dimensions=dimensions)
    figures.save(out)
    words = int((figures.scales > 0).sum())
    print(
        f"{figures.n_documents} articles, {words} words with vectors of {figures.codes.shape[1]} dimensions, "
        f"{len(figures.terms) - words} pairs and {figures.profiles.shape[0]} profiles written to {out}"
    )


class Engine(StrEnum):
    local = "local"
    spark = "spark"


@app.command()
def predict(
    source: Annotated[str, typer.Argument(metavar="IN", help="CSV, JSONL or Parquet file of articles, a folder of .txt, .md and .html files, or - for standard input.")],
    target: Annotated[str | None, typer.Argument(metavar="[OUT]", help="The file to write; default: standard output.")] = None,
    model: ModelOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the input's columns.")] = False,
    all_topics: Annotated[bool, typer.Option("--all", help="Add a column a topic with its probability.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that cannot be read; default: such rows go to OUT.rejected.jsonl, and the exit status is 3.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run to OUT that was interrupted, if there is one.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="How many threads predict; default: one a core.")] = None,
    engine: Annotated[Engine, typer.Option(help="Where to predict: here, or on Spark, which reads CSV and Parquet and makes a folder.")] = Engine.local,
    master: Annotated[str | None, typer.Option(metavar="URL", help="The Spark cluster; default: as Spark's own settings say.")] = None,
) -> None:  # fmt: skip
    """File every article of a file under its topics, one row out for each row in."""
    if engine is Engine.spark:
        if target is None or "-" in (source, target):
            raise InputError("--engine spark needs IN and OUT, both where the cluster sees them; name them.")
        if strict or resume or workers:
            raise InputError("--strict, --resume and --workers are not for --engine spark; leave them out.")
        from serve.spark import predict_spark

        filed = predict_spark(
            load(model),
            source,
            target,
            master=master,
            title_column=title_column,
            text_column=text_column,
            keep=keep,
            all_topics=all_topics,
        )
        print(f"{filed} articles filed into {target}")
        return
    if master:
        raise InputError("--master is for --engine spark; give both, or leave it out.")
    from serve.batch import predict_file
    from serve.files.journal import journal_file, rejected_file

    to_file = target not in (None, "-")
    try:
        outcome = predict_file(
            load(model),
            source,
            target,
            title_column=title_column,
            text_column=text_column,
            keep=keep,
            all_topics=all_topics,
            strict=strict,
            resume=resume,
            workers=workers,
        )
    except KeyboardInterrupt:
        if target is not None and to_file and journal_file(target).exists():
            print(f"Interrupted: the same command with --resume goes on with {target}.", file=sys.stderr)
        raise
    if to_file:
        print(f"{outcome.rows} articles filed into {target}")
    if outcome.rejected:
        rows = "1 row" if outcome.rejected == 1 else f"{outcome.rejected} rows"
        print(f"{rows} rejected" + (f", see {rejected_file(target)}" if target and to_file else ""), file=sys.stderr)
        raise typer.Exit(REJECTED)


@app.command()
def evaluate(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Labelled articles: CSV, JSONL or Parquet.")],
    model: ModelOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = "|",
    report: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write a report, HTML and Markdown: confusions, calibration, slices, worst mistakes.")] = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Measure a model on labelled articles: F1, precision, recall, with 95% bootstrap intervals."""
    from train.corpus import fingerprint
    from train.evaluate import evaluate as evaluate_model
    from train.experiment import Columns
    from train.report import write_report

    articles = Columns(title_column, text_column, label_column, label_separator).load([file])
    loaded = load(model)
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


@app.command()
def explain(
    text: Annotated[str, typer.Argument(metavar="[TEXT|-]", help="The article's text, or - for standard input.")] = "-",
    title: Annotated[str, typer.Option(help="The article's title.")] = "",
    topic: Annotated[list[str] | None, typer.Option(help="Explain this topic; may be given more than once.")] = None,
    words: Annotated[int, typer.Option(min=1, help="How many words to show a topic.")] = 10,
    model: ModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the words that decide an article's topics."""
    from dataclasses import asdict

    loaded = load(model)
    for name in topic or []:
        if name not in loaded.topics:
            raise InputError(f"--topic {name}: the model's topics are {', '.join(loaded.topics)}.")
    explanation = loaded.explain(sys.stdin.read() if text == "-" else text, title, topic)
    if as_json:
        print(json.dumps(asdict(explanation), ensure_ascii=False))
        return
    for found in explanation.topics:
        verdict = "" if found.assigned else ", not assigned"
        print(f"{found.topic}  {found.probability:.3f} (threshold {found.threshold:.3f}{verdict})")
        for contribution in found.contributions[:words]:
            print(f"  {contribution.value:+.3f}  {contribution.term}")
    if explanation.note:
        print(f"note: {explanation.note}")
    for removed in explanation.removed:
        print(f"removed: {removed.kind} ({removed.start}-{removed.end})")


topics_app = typer.Typer(
    help="List the topics with their names and their IPTC and IAB codes.", invoke_without_command=True
)
app.add_typer(topics_app, name="topics")


@topics_app.callback()
def topics(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option("--topics", help="Another taxonomy file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the topics with their names and their IPTC and IAB codes."""
    from dataclasses import asdict

    from serve.topics import load_topics

    if context.invoked_subcommand:
        return
    taxonomy = load_topics(file)
    if as_json:
        print(json.dumps([asdict(topic) for topic in taxonomy.values()], ensure_ascii=False, indent=1))
        return
    for topic in taxonomy.values():
        codes = f"{' '.join(topic.iptc):<34}{' '.join(topic.iab)}"
        print(f"{topic.id:<20}{topic.name_en:<34}{topic.name_id:<42}{codes}")


@topics_app.command()
def words(
    topic: Annotated[str, typer.Argument(help="A topic's id.")],
    number: Annotated[int, typer.Option(min=1, help="How many words to show.")] = 25,
    lexicon: LexiconOption = None,
) -> None:
    """Show a topic's strongest words as training on the embedded corpus weighs them, with and without the lexicon."""
    from train.words import strongest_words

    with_lexicon, without = strongest_words(topic, number, lexicon)
    print(f"{'with the lexicon':<42}without")
    for (left, a), (right, b) in zip(with_lexicon, without, strict=True):
        print(f"{a:+.3f}  {left:<33}{b:+.3f}  {right}")


@app.command()
def models() -> None:
    """List the versions in the registry."""
    from train.tracking import list_versions

    print(f"{'version':<9}{'created':<21}{'micro-F1':>9}{'macro-F1':>10}  alias")
    for version in list_versions():
        micro, macro = ("-" if value is None else f"{value:.3f}" for value in (version.micro_f1, version.macro_f1))
        print(
            f"{version.number:<9}{version.created:%Y-%m-%d %H:%M:%S}  {micro:>9}{macro:>10}  {', '.join(version.aliases)}"
        )


@app.command()
def promote(version: Annotated[int, typer.Argument(help="The version to make champion.")]) -> None:
    """Make a version the champion, whatever the comparison said."""
    from train.tracking import promote as promote_version

    promote_version(version)
    print(f"Version {version} is the champion.")


class ExportFormat(StrEnum):
    sklearn = "sklearn"
    mlflow = "mlflow"


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write.")],
    form: Annotated[
        ExportFormat, typer.Option("--format", help="sklearn: a pipeline saved by joblib; mlflow: a pyfunc.")
    ],
    model: ModelOption = None,
) -> None:
    """Write the model in a form that others load. Both forms run code when loaded: load only your own."""
    from train.export import export as export_model

    print(f"Written: {export_model(load(model), form.value, folder)}")


DEFAULTS = Settings()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; one that others reach needs keys in KANAL_API_KEYS, with commas between.")] = DEFAULTS.host,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for one that is free.")] = DEFAULTS.port,
    model: ModelOption = None,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = DEFAULTS.workers,
    rate_limit: Annotated[float, typer.Option(min=0, help="Requests a second of one key, or of one address without a key; 0 for any number.")] = DEFAULTS.rate,
    allow_host: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Answer under this name only; may be given more than once. Default: localhost when listening there without keys, else any name.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Listen without keys on an address that others reach.")] = False,
    file_mb: Annotated[int, typer.Option(min=1, help="How large an uploaded file may be, in MiB.")] = DEFAULTS.file_bytes >> 20,
    uploads: Annotated[int, typer.Option(min=1, help="How many files one process files at a time.")] = DEFAULTS.uploads,
    connections: Annotated[int, typer.Option(min=1, help="How many connections one process has at a time.")] = DEFAULTS.connections,
    reload_seconds: Annotated[float, typer.Option(min=0.1, help="How often to ask the registry for a new champion.")] = DEFAULTS.reload_seconds,
    shutdown_seconds: Annotated[float, typer.Option(min=1, help="How long requests in flight may take once the service is told to stop.")] = DEFAULTS.shutdown_seconds,
) -> None:  # fmt: skip
    """Answer over HTTP: an API under /v1, described at /openapi.json, and a page at /."""
    try:
        from serve.service.server import serve as run
    except ModuleNotFoundError as error:
        raise InputError(f"'{error.name}' is needed: run `pip install 'kanal[serve]'`.") from None

    keys = (key.strip() for key in os.environ.get("KANAL_API_KEYS", "").split(","))
    settings = Settings(
        host=host,
        port=port,
        workers=workers,
        keys=tuple(filter(None, keys)),
        allow_hosts=tuple(allow_host or ()),
        insecure=insecure,
        rate=rate_limit,
        file_bytes=file_mb << 20,
        uploads=uploads,
        connections=connections,
        reload_seconds=reload_seconds,
        shutdown_seconds=shutdown_seconds,
    )
    run(settings, model)


@data_app.command()
def check(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Default: the embedded corpus.")] = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = "|",
    topics: Annotated[Path | None, typer.Option(help="The taxonomy; default: any label, or Kanal's for the embedded corpus.")] = None,
) -> None:  # fmt: skip
    """Validate a corpus: schema, topics, duplicates, counts. Exits with 2 when there are errors."""
    from serve.topics import load_topics
    from train.check import check_corpus
    from train.experiment import EMBEDDED_CORPUS, Columns

    corpus = Columns(title_column, text_column, label_column, label_separator).load(files or [EMBEDDED_CORPUS])
    report = check_corpus(corpus, load_topics(topics) if topics or not files else None)
    print(report.table())
    for warning in report.warnings:
        print(f"Warning: {warning}", file=sys.stderr)
    if report.errors:
        raise InputError("\n".join(report.errors))


def main() -> None:
    """The `kanal` command: a user's mistake is one sentence and exit status 2, a failure 1."""
    # As Ctrl-C does, so that what was being written is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except KanalError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read the output has had enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"Error: {error.filename or 'the disk'}: {error.strerror or error}.", file=sys.stderr)
        sys.exit(KanalError.exit_code)


if __name__ == "__main__":
    main()
