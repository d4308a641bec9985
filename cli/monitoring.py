"""The commands that watch what comes in."""

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption, ModelOption, TextOption, TitleOption
from kanal import load
from serve.errors import InputError, KanalError

if TYPE_CHECKING:
    from workbench.drift_report import Compared

# The exit status where something has drifted.
DRIFTED = 4
# Of MLflow; trainings are in another.
EXPERIMENT = "kanal drift"


def monitor(
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="Articles as they should be: last month's crawl, or data/corpus/articles.jsonl. Those whose column `split` says train are left out where there are others.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new crawl: CSV, JSONL or Parquet, a folder, or - for standard input.")],
    model: ModelOption = None,
    limit: Annotated[float | None, typer.Option(min=0, help="The population stability index, less what chance gives, over which a figure has drifted; default: 0.2.")] = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Also write a page, its charts and all figures as CSV.")] = None,
    track: Annotated[bool, typer.Option("--track", help="Also log the figures and the page to MLflow, as a run of the experiment 'kanal drift'.")] = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Compare a new crawl with reference articles: unknown words, topics, confidence, length, notes; by outlet and week.

    Exits with 4 when anything has drifted.
    """
    try:
        from workbench.crawl import read_crawl_figures
        from workbench.drift import LIMIT, compare
        from workbench.drift_page import write_page
        from workbench.drift_report import LEARNT, Compared
    except ModuleNotFoundError as error:
        raise InputError(f"'{error.name}' is needed: run `pip install 'kanal[workbench]'`.") from None

    loaded = load(model)
    before = read_crawl_figures(reference, loaded, title_column, text_column, usual=True).held_out()
    after = read_crawl_figures(new, loaded, title_column, text_column)
    drift = compare(before, after, loaded.topics, LIMIT if limit is None else limit)
    compared = Compared(reference, before, new, after, drift)
    print(json.dumps(compared.json(), ensure_ascii=False) if as_json else compared.table())
    if drift.learnt:
        print(f"Warning: {LEARNT}", file=sys.stderr)
    if out:
        print(f"\nReport written: {write_page(compared, out)}", file=sys.stderr if as_json else sys.stdout)
    if track:
        _track(compared, loaded.version)
    if drift.called:
        raise typer.Exit(DRIFTED)


def _track(compared: "Compared", version: str) -> None:
    """Logs to MLflow; where that fails, the answer stands all the same."""
    from train.tracking import log_figures
    from workbench.drift_page import write_page
    from workbench.drift_report import metrics

    settings = {"model": version, "limit": compared.drift.limit, **compared.facts()}
    try:
        with tempfile.TemporaryDirectory() as temporary:
            page = write_page(compared, Path(temporary, "report"))
            log_figures(EXPERIMENT, settings, metrics(compared.drift), page.parent)
    except (KanalError, OSError) as error:
        print(f"Warning: not logged to MLflow: {error}", file=sys.stderr)
    else:
        print(f"Logged to MLflow, experiment '{EXPERIMENT}'.", file=sys.stderr)
