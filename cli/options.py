"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

ModelOption = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help="A version, a model folder or an MLflow URI; default: the champion."),
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

DataOption = Annotated[
    list[str] | None,
    typer.Option(
        "--data", help="JSONL, CSV or Parquet, or hub name; may be given more than once. Default: the embedded corpus."
    ),
]
TestOption = Annotated[
    str | None,
    typer.Option("--test", help="Evaluate on this file, over the model's topics; default: the data's test split."),
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
DropRareOption = Annotated[
    bool,
    typer.Option(
        "--drop-rare",
        help="Leave out topics with too few articles, and where each article has one topic, their articles.",
    ),
]
NoPromoteOption = Annotated[
    bool, typer.Option("--no-promote", help="Register the model as challenger, however it compares with the champion.")
]
NoTrackOption = Annotated[bool, typer.Option("--no-track", help="Log nothing to MLflow and register nothing.")]
