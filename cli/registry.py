"""The commands on the registry's versions: `kanal models ...`, `kanal promote` and `kanal export`."""

import json
import sys
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonOption, ModelOption
from kanal import load

# The exit status of `kanal models verify` where the model trained again is another.
DIFFERS = 4

ModelArgument = Annotated[
    str | None,
    typer.Argument(metavar="MODEL", help="A version, a model folder or an MLflow URI; default: the champion."),
]

models_app = typer.Typer(invoke_without_command=True)


@models_app.callback()
def models(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the versions in the registry; show one, train it again, or bring one in."""
    if context.invoked_subcommand:
        return
    from train.tracking import list_versions

    if as_json:
        print(json.dumps([{**asdict(found), "created": found.created.isoformat()} for found in list_versions()]))
        return
    print(f"{'version':<9}{'created':<21}{'micro-F1':>9}{'macro-F1':>10}  alias")
    for version in list_versions():
        micro, macro = ("-" if value is None else f"{value:.3f}" for value in (version.micro_f1, version.macro_f1))
        print(
            f"{version.number:<9}{version.created:%Y-%m-%d %H:%M:%S}  {micro:>9}{macro:>10}  {', '.join(version.aliases)}"
        )


@models_app.command()
def show(model: ModelArgument = None) -> None:
    """Show what a model was made from: its card."""
    from serve.card import card_lines

    for line in card_lines(load(model)):
        print(line)


@models_app.command()
def verify(
    model: ModelArgument = None,
    data: Annotated[
        list[str] | None,
        typer.Option("--data", help="The files that the model was trained on, where they are now; may be repeated."),
    ] = None,
) -> None:
    """Train a model again from its card, and compare.

    The exit status is 4 where the two differ. What is compared is all that decides a prediction: vocabulary, weights, calibration, thresholds, byte by byte.
    """
    from train.verify import verify as verify_model

    loaded = load(model)
    verification = verify_model(loaded, data or ())
    for remark in verification.remarks:
        print(f"Note: {remark}", file=sys.stderr)
    if not verification.differences:
        print(f"The same, byte for byte: model {loaded.version} trained again.")
        return
    print(f"Another: model {loaded.version} trained again is {verification.again.version}.")
    for difference in verification.differences:
        print(f"  {difference}")
    raise typer.Exit(DIFFERS)


@models_app.command()
def upload(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A training that `kanal train` kept, in mlruns/unsent.")
    ],
) -> None:
    """Track, register and promote a training that was kept because MLflow did not answer, and remove its folder."""
    from train.unsent import upload as upload_training

    tracked = upload_training(folder)
    print(f"Version {tracked.version}: {tracked.reason}")


def promote(
    version: Annotated[str, typer.Argument(help="The version to make champion: its number, MLflow URI or alias URI.")],
) -> None:
    """Make a version the champion, whatever the comparison said."""
    from serve.registry import registered_version
    from train.tracking import promote as promote_version

    number = registered_version(version)
    promote_version(number)
    print(f"Version {number} is the champion.")


class ExportFormat(StrEnum):
    sklearn = "sklearn"
    mlflow = "mlflow"


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
