"""What `kanal monitor` says: lines for a terminal, JSON, and a page with its charts and all figures as CSV."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from serve.atomic import atomic_folder
from train.charts import draw
from train.pages import Chart, Section, Table, charts, refuse_other_files, to_html
from workbench import drift_charts
from workbench.crawl import Crawl
from workbench.drift import ALPHA, FIGURES, MIN_ARTICLES, TOPIC_SHARE, Drift, Kind, Shift

PAGE, FIGURES_FILE = "index.html", "figures.csv"
SHOWN_TOPICS, SHOWN_PARTS = 5, 8
CHARTED_TOPICS = 20
HEADINGS: dict[Kind, str] = {"outlet": "Outlets", "week": "Weeks"}
READING = (
    "PSI is the population stability index, the sum of (q - p) ln(q / p) over the bins of a figure, where p is a bin's "
    "share of the reference and q of the new articles, less what chance gives where articles are dealt to the two sides "
    "at random. p is how often chance gives as high an index somewhere among all comparisons. A figure has drifted where "
    f"its PSI is over the limit and p is at most {ALPHA:g}; a topic alone at {TOPIC_SHARE:g} of the limit."
)
LEARNT = (
    "The model is surer of the reference than it can be of articles that it has not seen: it has learnt from them. "
    "Unknown words and confidence are therefore not judged; give articles as the reference that it did not learn from."
)


@dataclass(frozen=True)
class Compared:
    """Two files, what the model says of their articles, and how the second differs from the first."""

    reference_file: str
    reference: Crawl
    new_file: str
    new: Crawl
    drift: Drift

    def facts(self) -> dict[str, str]:
        """What was compared, in words."""
        return {
            "reference": f"{self.reference_file}: {_described(self.reference)}",
            "new": f"{self.new_file}: {_described(self.new)}",
        }

    def conclusion(self) -> str:
        """One sentence."""
        over = f"the limit of {self.drift.limit:g}"
        called = self.drift.called
        return f"Drift: {', '.join(map(_named, called))} over {over}." if called else f"Nothing is over {over}."

    def json(self) -> dict[str, Any]:
        """All of it as one JSON object."""
        return {**self.facts(), "limit": self.drift.limit, "drift": bool(self.drift.called),
                "learnt": self.drift.learnt, "shifts": list(_rows(self.drift.shifts))}  # fmt: skip

    def table(self) -> str:
        """Lines of text for a terminal."""
        drift = self.drift
        lines = [f"{name:<11}{fact}" for name, fact in self.facts().items()]
        lines += ["", f"{'':<40}{'reference':>10}{'new':>9}{'PSI':>8}{'p':>8}"]
        for shift in [*drift.of("all"), *_most_moved(drift.of("topic"), SHOWN_TOPICS)]:
            lines.append(f"{_label(shift):<40}{''.join(f'{cell:>{width}}' for cell, width in zip(_cells(shift), (10, 9, 8, 8), strict=True))}  {shift.verdict}".rstrip())
        for kind, heading in HEADINGS.items():
            parts = _by_part(drift.of(kind))
            shown = sorted(parts, key=lambda name: -_worst(parts[name]))[:SHOWN_PARTS]
            if shown:
                lines += ["", f"{heading + ', PSI':<31}{'articles':>9}" + "".join(f"{told.label:>15}" for told in FIGURES.values())]
            for name in shown:
                cells = "".join(f"{_marked(shift):>15}" for shift in parts[name])
                lines.append(f"{name[:30]:<31}{parts[name][0].new_articles:>9,}{cells}")
            if len(parts) > len(shown):
                lines.append(f"... and {len(parts) - len(shown)} that differ less")
        return "\n".join([*lines, "", self.conclusion()])

    def sections(self) -> list[Section]:
        """The parts of the page."""
        drift = self.drift
        head = ["figure", "reference", "new", "PSI", "p", ""]
        said = [self.conclusion(), *([LEARNT] if drift.learnt else []), *self.facts().values()]
        figures = Table(head, [[_label(shift), *_cells(shift), shift.verdict] for shift in drift.of("all")])
        moved = _most_moved(drift.of("topic"), len(drift.of("topic")))
        topics = Table(["topic", *head[1:]], [[shift.name, *_cells(shift), shift.verdict] for shift in moved])
        return [
            Section("All articles", [*said, figures, _chart("distributions", "Unknown words, confidence and length", drift_charts.distributions(drift))]),
            Section("Topics", [_chart("topics", "Shares of the topics that moved most", drift_charts.topics(moved[:CHARTED_TOPICS])), topics]),
            *self._parts(),
            Section("How to read this", [READING]),
        ]

    def _parts(self) -> Iterable[Section]:
        for kind, heading in HEADINGS.items():
            parts = _by_part(self.drift.of(kind))
            if not parts:
                continue
            said = f"The PSI of each, where there are at least {MIN_ARTICLES} new articles; * where it has drifted."
            if kind == "outlet":
                said += " One that the reference lacks is compared with the whole of it, in brackets, and not judged."
            rows = [[name, f"{shifts[0].new_articles:,}", *map(_marked, shifts)] for name, shifts in parts.items()]
            table = Table([kind, "articles", *(told.label for told in FIGURES.values())], rows)
            drawn = [_chart("weeks", "PSI by week", drift_charts.weeks(self.drift.of(kind), self.drift.limit))] if kind == "week" else []
            yield Section(heading, [said, *drawn, table])


def write_page(compared: Compared, folder: str | Path) -> Path:
    """Writes the page, its charts and all figures as CSV to a folder, in place of those that it held; returns the page's
    path. Raises InputError when the folder holds anything else."""
    folder = Path(folder)
    refuse_other_files(folder, (PAGE, FIGURES_FILE))
    sections = compared.sections()
    with atomic_folder(folder) as target:
        for chart in charts(sections):
            (target / f"{chart.name}.png").write_bytes(chart.png)
        (target / PAGE).write_text(to_html(f"Drift of {Path(compared.new_file).name}", sections), encoding="utf-8")
        with (target / FIGURES_FILE).open("w", encoding="utf-8", newline="") as file:
            rows = list(_rows(compared.drift.shifts))
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder / PAGE
