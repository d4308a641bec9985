"""The commands that use a model: on files, on one article, and over HTTP."""

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption, ModelOption, TextOption, TitleOption
from kanal import load
from serve.counts import counted
from serve.errors import InputError
from serve.service.settings import Settings

if TYPE_CHECKING:
    from serve.batch import Outcome

# The exit status of a run that has filed all rows but those that could not be read.
REJECTED = 3


class Engine(StrEnum):
    local = "local"
    spark = "spark"


def predict(
    source: Annotated[str, typer.Argument(metavar="IN", help="CSV, JSONL or Parquet file of articles, a folder of .txt, .md and .html files, or - for standard input, which is CSV or JSONL.")],
    target: Annotated[str | None, typer.Argument(metavar="[OUT]", help="The file to write; default: standard output.")] = None,
    model: ModelOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the input's columns.")] = False,
    all_topics: Annotated[bool, typer.Option("--all", help="Add a column a topic with its probability.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that cannot be read; default: such rows go to OUT.rejected.jsonl, and the exit status is 3.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run to OUT that was interrupted, if there is one.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="How many threads predict; default: one a core.")] = None,
    engine: Annotated[Engine, typer.Option(help="Where to predict: here, or on Spark, which reads CSV and Parquet and makes a folder; rows that cannot be read go to the folder OUT.rejected.jsonl.")] = Engine.local,
    master: Annotated[str | None, typer.Option(metavar="URL", help="The Spark cluster; default: as Spark's own settings say.")] = None,
) -> None:  # fmt: skip
    """File every article of a file under its topics, one row out for each row in."""
    if engine is Engine.spark:
        if target is None or "-" in (source, target):
            raise InputError("--engine spark needs IN and OUT, both where the cluster sees them; name them.")
        if strict or resume or workers:
            raise InputError("--strict, --resume and --workers are not for --engine spark; leave them out.")
        from serve.spark import predict_spark, rejected_folder

        outcome = predict_spark(
            load(model),
            source,
            target,
            master=master,
            title_column=title_column,
            text_column=text_column,
            keep=keep,
            all_topics=all_topics,
        )
        _tell(outcome, target, rejected_folder(target))
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
    if target is not None and to_file:
        _tell(outcome, target, rejected_file(target))
    else:
        _tell(outcome)


def _tell(outcome: "Outcome", target: str | None = None, rejected: str | Path | None = None) -> None:
    """Says what became of the rows of a source, and exits with 3 where some were rejected."""
    if target:
        print(f"{counted(outcome.rows, 'article')} filed into {target}")
    if outcome.rejected:
        where = f", see {rejected}" if rejected else ""
        print(f"{counted(outcome.rejected, 'row')} rejected{where}", file=sys.stderr)
        raise typer.Exit(REJECTED)


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


DEFAULTS = Settings()


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; one that others reach needs keys in KANAL_API_KEYS, with commas between.")] = DEFAULTS.host,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for one that is free.")] = DEFAULTS.port,
    model: ModelOption = None,
    labels: Annotated[Path | None, typer.Option(metavar="FILE", help="A label store, as `kanal label queue` makes one: the page has a view to label its articles.")] = None,
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
        labels=labels,
        shutdown_seconds=shutdown_seconds,
    )
    run(settings, model)
