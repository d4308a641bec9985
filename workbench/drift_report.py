"""What `kanal monitor` says: lines for a terminal, JSON, and a page with its charts and all figures as CSV."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serve.atomic import atomic_folder
from train.charts import draw
from train.pages import Bar, Chart, Section, Table, charts, refuse_other_files, to_html
from workbench import drift_charts
from workbench.crawl import Crawl
from workbench.drift import ALPHA, FIGURES, MIN_ARTICLES, TOPIC_SHARE, Drift, Kind, Shift

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, FIGURES_FILE = "index.html", "figures.csv"
SHOWN_TOPICS, SHOWN_PARTS, SHOWN_NAMES = 5, 8, 4
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
        called, limit = self.drift.called, f"the limit of {self.drift.limit:g}"
        if not called:
            return f"Nothing is over {limit}."
        found = [FIGURES[shift.figure].label for shift in called if shift.kind == "all"]
        for kind in ("topic", *HEADINGS):
            names = dict.fromkeys(shift.name for shift in called if shift.kind == kind)
            if names:
                found.append(f"{kind} {_listed(list(names))}")
        return f"Drift over {limit}: {'; '.join(found)}."

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
            before, after, index, p = _cells(shift)
            lines.append(f"{_label(shift):<40}{before:>10}{after:>9}{index:>8}{p:>8}  {shift.verdict}".rstrip())
        for kind, heading in HEADINGS.items():
            parts = _by_part(drift.of(kind))
            shown = sorted(parts, key=lambda name: _worst(parts[name]), reverse=True)[:SHOWN_PARTS]
            if shown:
                lines += [
                    "",
                    f"{heading + ', PSI':<31}{'articles':>9}"
                    + "".join(f"{told.label:>15}" for told in FIGURES.values()),
                ]
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
            Section(
                "All articles",
                [
                    *said,
                    figures,
                    _chart("distributions", "Unknown words, confidence and length", drift_charts.distributions(drift)),
                ],
            ),
            Section(
                "Topics",
                [
                    _chart(
                        "topics", "Shares of the topics that moved most", drift_charts.topics(moved[:CHARTED_TOPICS])
                    ),
                    topics,
                ],
            ),
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
            rows: list[list[str | Bar]] = [
                [name, f"{shifts[0].new_articles:,}", *map(_marked, shifts)] for name, shifts in parts.items()
            ]
            table = Table([kind, "articles", *(told.label for told in FIGURES.values())], rows)
            drawn = (
                [_chart("weeks", "PSI by week", drift_charts.weeks(self.drift.of(kind), self.drift.limit))]
                if kind == "week"
                else []
            )
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


def metrics(drift: Drift) -> dict[str, float]:
    """The figures as MLflow takes them: what is called, the numbers of all articles, and all indices beyond chance."""
    found = {"called": float(len(drift.called))}
    for shift in drift.shifts:
        found[f"psi {shift.kind}/{' '.join(filter(None, (shift.name, shift.figure)))}"] = shift.beyond_chance
    for shift in drift.of("all"):
        found |= {f"reference/{shift.figure}": shift.reference, f"new/{shift.figure}": shift.new}
    return found


def _described(crawl: Crawl) -> str:
    outlets, weeks = set(crawl.outlets) - {""}, sorted(set(crawl.weeks) - {""})
    facts = [f"{len(crawl):,} articles"]
    if outlets:
        facts.append(f"{len(outlets)} outlet{'s' if len(outlets) > 1 else ''}")
    if weeks:
        facts.append(f"week of {weeks[0]}" if len(weeks) == 1 else f"weeks of {weeks[0]} to {weeks[-1]}")
    if crawl.left_out:
        facts.append(f"{crawl.left_out:,} more that models learn from left out")
    if crawl.unreadable:
        facts.append(f"{crawl.unreadable:,} rows that cannot be read left out")
    return ", ".join(facts)


def _label(shift: Shift) -> str:
    if shift.kind == "topic":
        return f"topic {shift.name}"
    told = FIGURES[shift.figure]
    return f"{told.label} ({told.number})"


def _listed(names: list[str]) -> str:
    """The first few of many names."""
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def _cells(shift: Shift) -> list[str]:
    """Reference, new, index and p."""
    shown = "{:.1%}".format if shift.kind == "topic" else FIGURES[shift.figure].shown
    p = "<0.001" if shift.p < 0.001 else f"{shift.p:.3f}"
    return [shown(shift.reference), shown(shift.new), f"{shift.beyond_chance:.3f}", p]


def _marked(shift: Shift) -> str:
    """The index of a part; * for drift, in brackets where it is not judged."""
    shown = f"{shift.beyond_chance:.2f}{'*' if shift.called else ''}"
    return shown if shift.judged else f"({shown})"


def _most_moved(shifts: list[Shift], number: int) -> list[Shift]:
    """So many, what has drifted first, then those that moved most; all that have drifted in any case."""
    ordered = sorted(shifts, key=lambda shift: (not shift.called, -shift.beyond_chance))
    return ordered[: max(number, sum(shift.called for shift in shifts))]


def _by_part(shifts: list[Shift]) -> dict[str, list[Shift]]:
    parts: dict[str, list[Shift]] = {}
    for shift in shifts:
        parts.setdefault(shift.name, []).append(shift)
    return parts


def _worst(shifts: list[Shift]) -> tuple[bool, float]:
    return max((shift.called, shift.beyond_chance) for shift in shifts)


def _rows(shifts: list[Shift]) -> Iterable[dict[str, Any]]:
    """All that is known of each comparison."""
    for shift in shifts:
        yield {**asdict(shift), "beyond_chance": shift.beyond_chance, "verdict": shift.verdict}


def _chart(name: str, caption: str, chart: "Figure") -> Chart:
    return Chart(name, caption, draw(lambda: chart))
