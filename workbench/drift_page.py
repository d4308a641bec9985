"""Drift as a page with charts, and all figures as CSV."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from matplotlib.figure import Figure

from serve.atomic import atomic_folder
from train.charts import draw
from train.pages import Bar, Chart, Section, Table, charts, refuse_other_files, to_html
from workbench import drift_charts
from workbench.drift import ALPHA, FIGURES, MIN_ARTICLES, TOPIC_SHARE, Drift
from workbench.drift_report import HEADINGS, LEARNT, Compared, by_part, cells, label, marked, most_moved, rows

PAGE, FIGURES_FILE = "index.html", "figures.csv"
CHARTED_TOPICS = 20
READING = (
    "PSI is the population stability index, the sum of (q - p) ln(q / p) over the bins of a figure, where p is a bin's "
    "share of the reference and q of the new articles, less what chance gives where articles are dealt to the two sides "
    "at random. p is how often chance gives as high an index somewhere among all comparisons. A figure has drifted where "
    f"its PSI is over the limit and p is at most {ALPHA:g}; a topic alone at {TOPIC_SHARE:g} of the limit."
)


def refuse_other_page(folder: str | Path) -> None:
    """Raises InputError where the page cannot take the place of what is in a folder."""
    refuse_other_files(Path(folder), (PAGE, FIGURES_FILE))


def write_page(compared: Compared, folder: str | Path) -> Path:
    """Writes the page, its charts and all figures as CSV to a folder, in place of those that it held; returns the page's
    path. Raises InputError when the folder holds anything else."""
    folder = Path(folder)
    refuse_other_page(folder)
    drift = compared.drift
    sections = [_all_articles(compared), _topics(drift), *_parts(drift), Section("How to read this", [READING])]
    with atomic_folder(folder) as target:
        for chart in charts(sections):
            (target / f"{chart.name}.png").write_bytes(chart.png)
        (target / PAGE).write_text(to_html(f"Drift of {Path(compared.new_file).name}", sections), encoding="utf-8")
        with (target / FIGURES_FILE).open("w", encoding="utf-8", newline="") as file:
            table = list(rows(drift.shifts))
            writer = csv.DictWriter(file, list(table[0]))
            writer.writeheader()
            writer.writerows(table)
    return folder / PAGE


def _all_articles(compared: Compared) -> Section:
    drift = compared.drift
    said = [compared.conclusion(), *([LEARNT] if drift.learnt else []), *compared.facts().values()]
    lines: list[list[str | Bar]] = [[label(shift), *cells(shift), shift.verdict] for shift in drift.of("all")]
    drawn = _chart("distributions", "Unknown words, confidence and length", lambda: drift_charts.distributions(drift))
    return Section("All articles", [*said, Table(["figure", "reference", "new", "PSI", "p", ""], lines), drawn])


def _topics(drift: Drift) -> Section:
    moved = most_moved(drift.of("topic"), len(drift.of("topic")))
    lines: list[list[str | Bar]] = [[shift.name, *cells(shift), shift.verdict] for shift in moved]
    shown = moved[:CHARTED_TOPICS]
    drawn = _chart("topics", "Shares of the topics that moved most", lambda: drift_charts.topics(shown))
    return Section("Topics", [drawn, Table(["topic", "reference", "new", "PSI", "p", ""], lines)])


def _parts(drift: Drift) -> Iterator[Section]:
    for kind, heading in HEADINGS.items():
        shifts = drift.of(kind)
        if not shifts:
            continue
        said = f"The PSI of each, where there are at least {MIN_ARTICLES} new articles; * where it has drifted."
        if kind == "outlet":
            said += " One that the reference lacks is compared with the whole of it, in brackets, and not judged."
        lines: list[list[str | Bar]] = [
            [name, f"{part[0].new_articles:,}", *map(marked, part)] for name, part in by_part(shifts).items()
        ]
        parts: list[str | Table | Chart] = [
            said, Table([kind, "articles", *(told.label for told in FIGURES.values())], lines)
        ]  # fmt: skip
        if kind == "week":
            parts.insert(1, _chart("weeks", "PSI by week", lambda: drift_charts.weeks(drift.of("week"), drift.limit)))
        yield Section(heading, parts)


def _chart(name: str, caption: str, chart: Callable[[], Figure]) -> Chart:
    return Chart(name, caption, draw(chart))
