"""What `kanal monitor` says: lines for a terminal, JSON, and figures for MLflow."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from serve.counts import counted
from workbench.crawl_figures import CrawlFigures
from workbench.drift import ALPHA, FIGURES, MIN_ARTICLES, Drift, Kind, Shift

SHOWN_TOPICS, SHOWN_PARTS, SHOWN_NAMES = 5, 8, 4
HEADINGS: dict[Kind, str] = {"outlet": "Outlets", "week": "Weeks"}
LEARNT = (
    "The model is surer of the reference than it can be of articles that it has not seen: it has learnt from them. "
    "Unknown words and confidence are therefore not judged; give articles as the reference that it did not learn from."
)


@dataclass(frozen=True)
class Compared:
    """Two files, what the model says of their articles, and how the second differs from the first."""

    reference_file: str
    reference: CrawlFigures
    new_file: str
    new: CrawlFigures
    drift: Drift

    def facts(self) -> dict[str, str]:
        """What was compared, in words."""
        return {
            "reference": f"{self.reference_file}: {_described(self.reference)}",
            "new": f"{self.new_file}: {_described(self.new)}",
        }

    @property
    def too_few(self) -> list[str]:
        """The files that have too few articles, where nothing has drifted: so few would hardly show it."""
        crawls = {self.reference_file: self.reference, self.new_file: self.new}
        few = {file: len(crawl) for file, crawl in crawls.items() if len(crawl) < MIN_ARTICLES}
        return [] if self.drift.called else [f"{file} has {number:,}" for file, number in few.items()]

    def conclusion(self) -> str:
        """One sentence."""
        called, limit = self.drift.called, f"the limit of {self.drift.limit:g}"
        if self.too_few:
            return f"Too few articles to tell: {'; '.join(self.too_few)}. It takes {MIN_ARTICLES} or more."
        if not called:
            over = {shift.judged for shift in self.drift.shifts if shift.beyond_chance > self.drift.limit}
            why = {True: f"may be chance (p above {ALPHA:g})", False: "is not judged"}
            said = " or ".join(why[judged] for judged in sorted(over, reverse=True))
            return f"No drift: what is over {limit} {said}." if over else f"Nothing is over {limit}."
        found = [FIGURES[shift.figure].label for shift in called if shift.kind == "all"]
        for kind in ("topic", *HEADINGS):
            names = dict.fromkeys(shift.name for shift in called if shift.kind == kind)
            if names:
                found.append(f"{kind} {_listed(list(names))}")
        return f"Drift over {limit}: {'; '.join(found)}."

    def json(self) -> dict[str, Any]:
        """All of it as one JSON object."""
        return {**self.facts(), "limit": self.drift.limit, "drift": bool(self.drift.called),
                "too_few": bool(self.too_few), "learnt": self.drift.learnt, "shifts": list(rows(self.drift.shifts))}  # fmt: skip

    def table(self) -> str:
        """Lines of text for a terminal."""
        drift = self.drift
        lines = [f"{name:<11}{fact}" for name, fact in self.facts().items()]
        lines += ["", f"{'':<40}{'reference':>10}{'new':>9}{'PSI':>8}{'p':>8}"]
        for shift in [*drift.of("all"), *most_moved(drift.of("topic"), SHOWN_TOPICS)]:
            before, after, index, p = cells(shift)
            lines.append(f"{label(shift):<40}{before:>10}{after:>9}{index:>8}{p:>8}  {shift.verdict}".rstrip())
        for kind, heading in HEADINGS.items():
            parts = by_part(drift.of(kind))
            shown = sorted(parts, key=lambda name: _worst(parts[name]), reverse=True)[:SHOWN_PARTS]
            if shown:
                head = "".join(f"{told.label:>15}" for told in FIGURES.values())
                lines += ["", f"{heading + ', PSI':<31}{'articles':>9}{head}"]
            for name in shown:
                indices = "".join(f"{marked(shift):>15}" for shift in parts[name])
                lines.append(f"{name[:30]:<31}{parts[name][0].new_articles:>9,}{indices}")
            if len(parts) > len(shown):
                lines.append(f"... and {len(parts) - len(shown)} that differ less")
        return "\n".join([*lines, "", self.conclusion()])


def metrics(drift: Drift) -> dict[str, float]:
    """The figures as MLflow takes them: what is called, the numbers of all articles, and all indices beyond chance."""
    found = {"called": float(len(drift.called))}
    for shift in drift.shifts:
        found[f"psi {shift.kind}/{' '.join(filter(None, (shift.name, shift.figure)))}"] = shift.beyond_chance
    for shift in drift.of("all"):
        found |= {f"reference/{shift.figure}": shift.reference, f"new/{shift.figure}": shift.new}
    return found


def _described(crawl: CrawlFigures) -> str:
    outlets, weeks = set(crawl.outlets) - {""}, sorted(set(crawl.weeks) - {""})
    facts = [counted(len(crawl), "article")]
    if outlets:
        facts.append(counted(len(outlets), "outlet"))
    if weeks:
        facts.append(f"week of {weeks[0]}" if len(weeks) == 1 else f"weeks of {weeks[0]} to {weeks[-1]}")
    if crawl.left_out:
        facts.append(f"{crawl.left_out:,} more that models learn from left out")
    if crawl.unreadable:
        facts.append(f"{counted(crawl.unreadable, 'row')} that cannot be read left out")
    return ", ".join(facts)


def label(shift: Shift) -> str:
    """What is compared, and what its number is."""
    if shift.kind == "topic":
        return f"topic {shift.name}"
    told = FIGURES[shift.figure]
    return f"{told.label} ({told.number})"


def _listed(names: list[str]) -> str:
    """The first few of many names."""
    more = len(names) - SHOWN_NAMES
    return ", ".join(names[:SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")


def cells(shift: Shift) -> list[str]:
    """Reference, new, index and p."""
    shown = "{:.1%}".format if shift.kind == "topic" else FIGURES[shift.figure].shown
    p = "<0.001" if shift.p < 0.001 else f"{shift.p:.3f}"
    return [shown(shift.reference), shown(shift.new), f"{shift.beyond_chance:.3f}", p]


def marked(shift: Shift) -> str:
    """The index of a part; * for drift, in brackets where it is not judged."""
    shown = f"{shift.beyond_chance:.2f}{'*' if shift.called else ''}"
    return shown if shift.judged else f"({shown})"


def most_moved(shifts: list[Shift], number: int) -> list[Shift]:
    """So many, what has drifted first, then those that moved most; all that have drifted in any case."""
    ordered = sorted(shifts, key=lambda shift: (not shift.called, -shift.beyond_chance))
    return ordered[: max(number, sum(shift.called for shift in shifts))]


def by_part(shifts: list[Shift]) -> dict[str, list[Shift]]:
    """The comparisons of each outlet or week by its name."""
    parts: dict[str, list[Shift]] = {}
    for shift in shifts:
        parts.setdefault(shift.name, []).append(shift)
    return parts


def _worst(shifts: list[Shift]) -> tuple[bool, float]:
    return max((shift.called, shift.beyond_chance) for shift in shifts)


def rows(shifts: list[Shift]) -> Iterable[dict[str, Any]]:
    """All that is known of each comparison."""
    for shift in shifts:
        yield {**asdict(shift), "beyond_chance": shift.beyond_chance, "verdict": shift.verdict}
