"""The commands on the registry's versions."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import ModelOption
from kanal import load

models_app = typer.Typer(invoke_without_command=True)


@models_app.callback()
def models(context: typer.Context) -> None:
    """List the versions in the registry, and add to them."""
    if context.invoked_subcommand:
        return
    from train.tracking import list_versions

    print(f"{'version':<9}{'created':<21}{'micro-F1':>9}{'macro-F1':>10}  alias")
    for version in list_versions():
        micro, macro = ("-" if value is None else f"{value:.3f}" for value in (version.micro_f1, version.macro_f1))
        print(
            f"{version.number:<9}{version.created:%Y-%m-%d %H:%M:%S}  {micro:>9}{macro:>10}  {', '.join(version.aliases)}"
        )


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


def promote(version: Annotated[int, typer.Argument(help="The version to make champion.")]) -> None:
    """Make a version the champion, whatever the comparison said."""
    from train.tracking import promote as promote_version

    promote_version(version)
    print(f"Version {version} is the champion.")


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
