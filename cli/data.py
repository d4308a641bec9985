"""The commands on a corpus: `kanal data ...`."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonOption, LabelOption, SeparatorOption, TextOption, TitleOption
from cli.places import refuse_same
from serve.article import TOPIC_SEPARATOR
from serve.errors import InputError

data_app = typer.Typer(help="Look after a corpus.", no_args_is_help=True)


@data_app.command()
def check(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Default: the embedded corpus.")] = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
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


@data_app.command()
def duplicates(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="CSV, JSONL or Parquet, labelled or not; default: the embedded corpus.")] = None,
    threshold: Annotated[float | None, typer.Option(min=0.3, max=1, help="The share of the shorter article's runs of five words that stand in the other one too; default: 0.6.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the articles to this file, with their groups and what each is a copy of.")] = None,
    unique: Annotated[Path | None, typer.Option(help="Write the articles that are no copies to this file; of a group the earliest stays.")] = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Find articles that tell the same in the same words: copies, edited copies, and agency stories under another lead."""
    from serve.files.formats import STREAM, format_of
    from train.duplicates import THRESHOLD
    from train.experiment import EMBEDDED_CORPUS
    from workbench.copies import find_copies, read_articles

    sources = files or [EMBEDDED_CORPUS]
    if STREAM in map(str, sources):
        raise InputError("standard input cannot be read twice; name a file.")
    refuse_same({"--out": out, "--unique": unique}, sources)
    # A name that cannot be written is told before the work, not after it.
    for target in filter(None, (out, unique)):
        format_of(target)
    copies = find_copies(read_articles(sources, title_column, text_column), threshold or THRESHOLD)
    if out:
        copies.write(sources, out)
    if unique:
        copies.write(sources, unique, unique=True)
    print(json.dumps(copies.summary(), ensure_ascii=False) if as_json else copies.table())
