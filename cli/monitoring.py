"""The commands that watch what comes in, day after day."""

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cli.options import TitleOption
from serve.errors import InputError


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
    try:
        from workbench.coverage import coverage
        from workbench.coverage_report import write_report
        from workbench.filed import load_filed
    except ModuleNotFoundError as error:
        raise InputError(f"'{error.name}' is needed: run `pip install 'kanal[workbench]'`.") from None
    from serve.topics import load_topics

    taxonomy = load_topics(topics)
    articles = load_filed(filed, title_column=title_column, date_column=date_column, outlet_column=outlet_column)
    found = coverage(articles, day.date() if day else None, days)
    folder = write_report(found, page, taxonomy, language.value)
    last, undated, example = found.days[-1], found.left_out.undated, found.left_out.example
    number = found.per_day("articles")[-1]
    period = f" of {last} against {len(found.days) - 1} days before" if last else ""
    print(f"{page} and {folder}/: {number} articles{period}")
    such = f' (such as "{example}")' if example else ""
    if undated:
        print(
            f"Warning: {undated} articles are left out, as they have no date that can be read{such}.", file=sys.stderr
        )
    if last is None:
        print(f"Warning: there is no date that can be read{such}; all articles count as one day.", file=sys.stderr)
