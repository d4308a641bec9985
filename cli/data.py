"""The commands on a corpus: `kanal data ...`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import LabelOption, SeparatorOption, TextOption, TitleOption
from serve.errors import InputError

data_app = typer.Typer(help="Look after a corpus.", no_args_is_help=True)


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
