"""A coverage report as files: the page that is sent round, and its figures as CSV."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from serve.atomic import Kind, atomic_file, atomic_folder
from serve.errors import InputError
from serve.topics import Topic
from workbench.coverage import Coverage
from workbench.coverage_page import report_html

# A table a file, each with one kind of row: a spreadsheet opens it, and pandas reads it, with nothing to sort out first.
TABLES = {
    "topics.csv": ("day", "outlet", "topic", "articles", "uncertain"),
    "outlets.csv": ("day", "outlet", "articles", "no_topic", "uncertain"),
    "changes.csv": ("topic", "articles", "share", "share_before", "ratio", "z"),
    "pairs.csv": ("topic", "other_topic", "articles", "lift", "surprise"),
    "headlines.csv": ("topic", "title", "outlet", "link", "probability", "similar"),
}
DECIMALS = 4
# A spreadsheet would take a cell that begins with one of these for a formula, and run it.
FORMULA = ("=", "+", "-", "@")


def write_report(coverage: Coverage, page: str | Path, taxonomy: Mapping[str, Topic], language: str) -> Path:
    """Writes the page, and TABLES to the folder beside it that has its name without ".html"; returns the folder.

    The same figures give the same bytes. Raises InputError when the page has another suffix, or the folder other files.
    """
    page = Path(page)
    if page.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{page}: the report is a page; give it a name that ends in .html.")
    folder = page.with_suffix("")
    with atomic_folder(folder, Kind("the report's tables", tuple(TABLES))) as target:
        for name, rows in _rows(coverage).items():
            with (target / name).open("w", encoding="utf-8", newline="") as out:
                table = csv.writer(out, lineterminator="\n")
                table.writerow(TABLES[name])
                table.writerows(map(_cells, rows))
    with atomic_file(page) as temporary:
        temporary.write_text(report_html(coverage, taxonomy, language, folder.name), encoding="utf-8", newline="\n")
    return folder


def _rows(coverage: Coverage) -> dict[str, Iterable[Sequence[object]]]:
    """The rows of each of TABLES."""
    days = [day.isoformat() if day else "" for day in coverage.days]
    counted = {name: getattr(coverage, f"by_{name}").itertuples(index=False) for name in ("topic", "outlet")}
    return {
        **{f"{name}s.csv": [(days[row[0]], *row[1:]) for row in rows] for name, rows in counted.items()},
        "changes.csv": [
            (change.topic, change.articles, change.share, change.share_before, change.ratio, change.z)
            for change in coverage.changes()
        ],
        "pairs.csv": [(*pair.topics, pair.support, pair.lift, pair.surprise) for pair in coverage.pairs],
        "headlines.csv": [
            (topic, found.title, found.outlet, found.link, found.probability, found.similar)
            for topic in coverage.topics
            for found in coverage.headlines.get(topic, ())
        ],
    }


def _cells(row: Sequence[object]) -> list[object]:
    return [
        round(cell, DECIMALS) if isinstance(cell, float)
        else f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA)
        else cell
        for cell in row
    ]  # fmt: skip
