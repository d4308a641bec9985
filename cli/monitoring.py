"""The commands that watch what comes in, day after day."""

import json
import sys
import tempfile
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import JsonOption, ModelOption, TextOption, TitleOption
from kanal import load
from serve.counts import counted
from serve.errors import InputError, KanalError

if TYPE_CHECKING:
    from workbench.drift_report import Compared

# The exit status where something has drifted.
DRIFTED = 4
# Of MLflow; trainings are in another.
EXPERIMENT = "kanal drift"


class Language(StrEnum):
    id = "id"
    en = "en"


def report(
    filed: Annotated[Path, typer.Argument(metavar="FILED", help="What `kanal predict CRAWL FILED --keep` wrote.")],
    page: Annotated[Path, typer.Argument(metavar="REPORT.html", help="The page to write; its figures go to a folder of that name as CSV.")],
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day of the report; default: the last of the crawl.")] = None,
    days: Annotated[int, typer.Option(min=0, help="How many days before to compare it with.")] = 7,
    language: Annotated[Language, typer.Option(help="Indonesian or English.")] = Language.id,
    topics: Annotated[Path | None, typer.Option("--topics", help="The taxonomy that names the topics; default: Kanal's.")] = None,
    title_column: TitleOption = None,
    date_column: Annotated[str | None, typer.Option(help="The column of dates; default: found by its usual names.")] = None,
    outlet_column: Annotated[str | None, typer.Option(help="The column of outlets; default: found by its usual names.")] = None,
) -> None:  # fmt: skip
    """Report what a filed crawl covered on a day: topics, outlets, what rose and fell, and the headlines for each."""
    from serve.topics import load_topics
    from workbench.coverage import coverage
    from workbench.coverage_report import write_report
    from workbench.filed import load_filed

    taxonomy = load_topics(topics)
    articles = load_filed(filed, title_column=title_column, date_column=date_column, outlet_column=outlet_column)
    found = coverage(articles, day.date() if day else None, days)
    folder = write_report(found, page, taxonomy, language.value)
    last, undated, example = found.days[-1], found.left_out.undated, found.left_out.example
    number = counted(found.per_day("articles")[-1], "article")
    period = f" of {last} against {counted(len(found.days) - 1, 'day')} before" if last else ""
    print(f"{page} and {folder}/: {number}{period}")
    such = f' (such as "{example}")' if example else ""
    if undated:
        left = counted(undated, "article is left out, as it has", "articles are left out, as they have")
        print(f"Warning: {left} no date that can be read{such}.", file=sys.stderr)
    if last is None:
        print(f"Warning: there is no date that can be read{such}; all articles count as one day.", file=sys.stderr)


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

    Exits with 4 when anything has drifted, with 2 when there are too few articles to tell.
    """
    from workbench.crawl_figures import read_crawl_figures
    from workbench.drift import LIMIT, compare
    from workbench.drift_page import REPORT, write_page
    from workbench.drift_report import LEARNT, Compared

    if out:
        REPORT.refuse_other(out)
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
    if compared.too_few:
        raise InputError(compared.conclusion())


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
