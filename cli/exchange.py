"""The commands that bring articles in and out: `kanal data sources`, `pull`, `import` and `export`."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption, LabelOption, SeparatorOption, TextOption, TitleOption
from cli.places import refuse_same
from serve.article import TOPIC_SEPARATOR
from serve.counts import counted
from serve.errors import InputError

if TYPE_CHECKING:
    from workbench.intake import Intake
    from workbench.sources import Source

MapOption = Annotated[
    str,
    typer.Option(
        "--map", metavar="COLUMN=FIELD,...",
        help="Which column holds id, title, text, topics, date, outlet; COLUMN= leaves one out. Default: by usual names.",
    ),
]  # fmt: skip
LabelsOption = Annotated[
    Path | None,
    typer.Option(
        "--labels", metavar="TOML",
        help='Topics for each label: lines such as bola = ["football"]. Articles whose labels give none are left out.',
    ),
]  # fmt: skip


class ExportFormat(StrEnum):
    hf = "hf"
    label_studio = "label-studio"
    fasttext = "fasttext"
    csv = "csv"


def sources(as_json: JsonOption = False) -> None:
    """List the public sets of Indonesian news that Kanal knows of, with their licences."""
    from dataclasses import asdict

    from workbench.sources import known_sources

    known = known_sources()
    if as_json:
        print(json.dumps([asdict(source) for source in known.values()], ensure_ascii=False, indent=1))
        return
    print(f"{'name':<26}{'topics':<17}{'size':<26}{'on the hub':<38}licence")
    for source in known.values():
        hub = source.place() if source.obtain else source.hub
        print(f"{source.name:<26}{source.sections():<17}{source.size:<26}{hub:<38}{source.licence}")
    print(
        "\nNot verified (the rest is as the sets' own cards and readmes state it; none was downloaded for this list):"
    )
    for source in known.values():
        for sentence in source.unverified:
            print(f"{source.name:<26}{sentence}")


def pull(
    name: Annotated[str, typer.Argument(help="A set of `kanal data sources`, a name on the Hugging Face hub, or a local file or folder.")],
    from_: Annotated[Path | None, typer.Option("--from", metavar="PATH", help="Read the set from a file or folder in its layout; nothing is downloaded.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write; default: the set's name and .jsonl.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Write so many articles at most.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Download without asking: its licence is accepted.")] = False,
    columns: MapOption = "",
    labels: LabelsOption = None,
) -> None:  # fmt: skip
    """Get a public set as a file of articles, with topics where its sections stand for some; its licence is shown first."""
    from workbench.intake import read_columns, read_labels
    from workbench.pull import pull as pull_set
    from workbench.sources import find_source

    source, path = find_source(name, read_columns(columns), read_labels(labels) if labels else None)
    path = from_ or path
    target = out or Path(f"{source.name.split('/')[-1]}.jsonl")
    refuse_same({"--out": target}, [path] if path else [])
    print(source.description())
    if path is None and not source.obtain:
        _accept(source, yes)
    written, intake = pull_set(source, target, path=path, limit=limit)
    print(f"\n{intake.table()}\n" if intake.labels is not None else "")
    _say(f"{counted(written, 'article')} {'with' if intake.labelled else 'without'} topics written to {target}", intake)


def _accept(source: "Source", yes: bool) -> None:
    """Asks whether the licence of a set is accepted, unless that was said."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(f"{source.name}: nothing was downloaded; say --yes when you accept the licence.")
    typer.confirm("\nDownload it under this licence?", abort=True)


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV, JSONL, Parquet, fastText (.txt), or a folder of a data set.")],
    into: Annotated[Path, typer.Option(metavar="JSONL", help="The file that the articles are added to.")],
    columns: MapOption = "",
    labels: LabelsOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
) -> None:  # fmt: skip
    """Add the articles of files to a corpus: dates become ISO, ids are made where missing, exact repeats are left out."""
    from workbench.exchange import import_files
    from workbench.intake import read_columns, read_labels

    mapping = read_labels(labels) if labels else None
    added, intake = import_files(files, into, columns=read_columns(columns), labels=mapping, separator=label_separator)
    if mapping is not None:
        print(f"{intake.table()}\n")
    _say(f"{counted(added, 'article')} {'with' if intake.labelled else 'without'} topics added to {into}", intake)


def _say(sentence: str, intake: "Intake") -> None:
    print(sentence)
    for remark in intake.remarks():
        print(remark)


def export(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Labelled articles; default: the embedded corpus.")] = None,
    *,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write; for hf a folder.")],
    form: Annotated[ExportFormat, typer.Option("--format", help="hf: a folder for datasets.load_from_disk; label-studio: tasks with annotations; fasttext: __label__ lines; csv: topics joined by |.")],
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT if it is there.")] = False,
) -> None:  # fmt: skip
    """Write a corpus in the form of other tools."""
    from datasets import disable_progress_bars

    from serve.topics import load_topics
    from train.experiment import EMBEDDED_CORPUS, Columns
    from workbench.exchange import export_corpus, refuse_loss

    refuse_same({"OUT": out}, files or [])
    if not force:
        refuse_loss(out, files or ())
    corpus = Columns(title_column, text_column, label_column, label_separator).load(files or [EMBEDDED_CORPUS])
    if not sys.stderr.isatty():
        disable_progress_bars()
    export_corpus(corpus, form.value, out, () if files else list(load_topics()))
    print(f"{counted(len(corpus), 'article')} written to {out}")
