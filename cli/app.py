"""The command line: all commands together, and what a mistake or a failure looks like."""

import os
import signal
import sys
from typing import Annotated

import typer

from cli.audit import audit, correct
from cli.data import data_app
from cli.exchange import export as export_data
from cli.exchange import import_, pull, sources
from cli.label import label_app
from cli.monitoring import monitor, report
from cli.prediction import explain, predict, serve
from cli.registry import export, models_app, promote
from cli.topics import topics_app
from cli.training import adapt, background, compare, evaluate, train
from kanal import __version__
from serve.errors import InputError, KanalError

app = typer.Typer(
    help="Files Indonesian news under its topics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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


for command in (
    train, adapt, background, predict, evaluate, compare, explain, promote, export, serve, report, monitor,
):  # fmt: skip
    app.command()(command)
for data_command in (sources, pull, audit, correct):
    data_app.command()(data_command)
data_app.command("import")(import_)
data_app.command("export")(export_data)
app.add_typer(models_app, name="models")
app.add_typer(topics_app, name="topics")
app.add_typer(data_app, name="data")
app.add_typer(label_app, name="label")


def run() -> None:
    """Runs the command that `sys.argv` names: a user's mistake is one sentence and exit status 2, a failure 1."""
    # As Ctrl-C does, so that what was being written is removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except KanalError as error:
        print(f"Error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        print(f"Error: '{error.name}' is needed: run `pip install 'kanal[workbench]'`.", file=sys.stderr)
        sys.exit(InputError.exit_code)
    except BrokenPipeError:
        # Whoever read the output has had enough; what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"Error: {error.filename or 'the disk'}: {error.strerror or error}.", file=sys.stderr)
        sys.exit(KanalError.exit_code)
