"""The report on a model: what it gets right, what it gets wrong and why, as a page of HTML and as Markdown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isnan, nan
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from serve.atomic import Kind, atomic_folder
from serve.counts import counted
from serve.model import TopicModel
from train import charts
from train.evaluate import MIN_POSITIVES, Evaluation
from train.learning_curve import Point
from train.mistakes import confusions, worst_mistakes
from train.pages import Bar, Chart, Section, Table, to_html, to_markdown
from train.pages import charts as charts_of
from train.slices import slices

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGE, MARKDOWN = "index.html", "report.md"
REPORT = Kind("a report", (PAGE, MARKDOWN, "*.png"))
OVERALL = {
    "micro_f1": "micro-F1",
    "macro_f1": f"macro-F1 (topics with {MIN_POSITIVES} or more articles)",
    "precision": "precision",
    "recall": "recall",
    "subset_accuracy": "all topics of an article right",
    "calibration_error": "expected calibration error",
    "precision_at_90_coverage": "precision on the surest 90% of the articles",
}
COVERAGES = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
SHOWN_PAIRS = 25
# Of a text without a title so much is shown in its place.
SHOWN_CHARACTERS = 80


def write_report(
    evaluation: Evaluation,
    folder: str | Path,
    *,
    title: str,
    facts: Mapping[str, object] | None = None,
    groups: Mapping[str, str] | None = None,
    articles: pd.DataFrame | None = None,
    model: TopicModel | None = None,
    curves: Mapping[str, Sequence[Point]] | None = None,
) -> Path:
    """Write `index.html`, `report.md` and the charts to a folder, in place of the report it held; return the page's path.

    `facts` are shown as a table (settings, data); `groups` names the group of each topic, whose curves are drawn apart.
    `articles`, a corpus in the evaluation's order, gives titles, and slices by outlet, length and year; with the
    `model`, the words that caused a mistake are shown too. `curves` are learning curves by the name of what was trained.
    Raises InputError when the folder holds anything but a report.
    """
    if articles is not None and list(articles["id"]) != evaluation.ids:
        raise ValueError("articles must be those of the evaluation, in its order")
    folder = Path(folder)
    REPORT.refuse_other(folder)
    sections = [
        _overall(evaluation),
        _per_topic(evaluation, groups or {}),
        _confusion(evaluation),
        _calibration(evaluation),
        _coverage(evaluation),
        *_slices(evaluation, articles),
        _mistakes(evaluation, articles, model),
        *_learning(curves or {}),
        Section(
            "Precision and recall",
            [_chart("precision_recall", lambda: charts.precision_recall(evaluation, groups or {}))],
        ),
        Section("Topics that go together", [_chart("co_occurrence", lambda: charts.co_occurrence(evaluation))]),
        *_facts(facts or {}),
    ]
    with atomic_folder(folder, REPORT) as target:
        for chart in charts_of(sections):
            (target / f"{chart.name}.png").write_bytes(chart.png)
        (target / PAGE).write_text(to_html(title, sections), encoding="utf-8")
        (target / MARKDOWN).write_text(to_markdown(title, sections), encoding="utf-8")
    return folder / PAGE


def _overall(evaluation: Evaluation) -> Section:
    metrics = evaluation.metrics
    intervals: dict[str, list[float]] = metrics["intervals"]  # type: ignore[assignment]
    rows: list[list[str | Bar]] = []
    for name, label in OVERALL.items():
        if metrics[name] is not None:
            interval = f"{intervals[name][0]:.3f} to {intervals[name][1]:.3f}" if name in intervals else ""
            rows.append([label, f"{metrics[name]:.3f}", interval])
    return Section(
        "Figures",
        [
            f"{counted(len(evaluation.truth), 'article')}, {counted(len(evaluation.topics), 'topic')}. "
            "The intervals are 95% bootstrap intervals.",
            Table(["figure", "value", "95% interval"], rows),
        ],
    )


def _per_topic(evaluation: Evaluation, groups: Mapping[str, str]) -> Section:
    rows: list[list[str | Bar]] = []
    for (topic, row), shown in zip(evaluation.per_topic.items(), evaluation.shown_rates(), strict=True):
        precision, recall, f1 = shown
        average = _figure(row.get("average_precision", nan))
        rows.append(
            [topic, groups.get(topic, ""), f1, Bar(row["f1"]), precision, recall, average, f"{row['positives']}"]
        )
    return Section(
        "Topics",
        [Table(["topic", "group", "F1", "", "precision", "recall", "average precision", "articles"], rows)],
    )


def _confusion(evaluation: Evaluation) -> Section:
    found = confusions(evaluation)
    pairs = sorted(
        ((count, row, other) for row in found for other, count in row.instead), key=lambda pair: -pair[0]
    )  # stable: equal counts stay in the order of the topics
    top: list[list[str | Bar]] = [
        [row.topic, other, str(count), f"{count / row.missed:.0%}"] for count, row, other in pairs[:SHOWN_PAIRS]
    ]
    by_topic: list[list[str | Bar]] = [
        [row.topic, str(row.missed), _counted([*row.instead[:4], ("no topic", row.given_nothing)]),
         str(row.wrong), _counted(row.wrong_on[:4])]
        for row in found if row.missed or row.wrong
    ]  # fmt: skip
    return Section(
        "What is confused with what",
        [
            "The pairs of topics that are taken for each other most often.",
            Table(["missed", "given wrongly", "articles", "of the missed"], top),
            "Each topic: on how many articles it was missed, and what these were given wrongly in its stead; to how many "
            "it was given wrongly, and which topics these have.",
            Table(["topic", "missed", "given in its stead", "given wrongly", "to articles of"], by_topic),
            _chart("confusion", lambda: charts.confusion(evaluation)),
        ],
    )


def _calibration(evaluation: Evaluation) -> Section:
    said = (
        "Of the decisions that were given a probability of 0.7, seven in ten should be true. The expected calibration "
        f"error, over all articles and topics, is {evaluation.metrics['calibration_error']:.4f}."
    )
    return Section(
        "Reliability of the probabilities",
        [said, _chart("reliability", lambda: charts.reliability_diagram(evaluation))],
    )


def _coverage(evaluation: Evaluation) -> Section:
    rows: list[list[str | Bar]] = []
    for share in COVERAGES:
        part = evaluation.surest(share)
        figures = [f"{part.figures[name]:.3f}" for name in ("precision", "recall", "micro_f1", "subset_accuracy")]
        rows.append([f"{share:.0%}", str(len(part.ids)), *figures])
    return Section(
        "Coverage",
        [
            "How good the model is on the articles that it is surest of, when the others go to a person. It is as sure of "
            "an article as of the topic that is closest to being decided otherwise, in log-odds from its threshold.",
            Table(["coverage", "articles", "precision", "recall", "micro-F1", "all topics right"], rows),
            _chart("coverage", lambda: charts.coverage(evaluation)),
        ],
    )


def _slices(evaluation: Evaluation, articles: pd.DataFrame | None) -> Iterator[Section]:
    tables = []
    for kind, parts in slices(evaluation, articles).items():
        rows: list[list[str | Bar]] = []
        for name, part in parts.items():
            # Of articles without a topic nothing can be found, only all be right.
            known = part.truth.any()
            figures = [_figure(part.figures[key] if known else nan) for key in ("micro_f1", "precision", "recall")]
            rows.append([name, str(len(part.ids)), *figures, f"{part.figures['subset_accuracy']:.3f}"])
        tables.append(Table([kind, "articles", "micro-F1", "precision", "recall", "all topics right"], rows))
    if tables:
        yield Section("Slices", tables)


def _mistakes(evaluation: Evaluation, articles: pd.DataFrame | None, model: TopicModel | None) -> Section:
    rows: list[list[str | Bar]] = []
    for number, mistake in enumerate(worst_mistakes(evaluation, articles, model), 1):
        i = mistake.article
        threshold = "" if mistake.threshold is None else f" / {mistake.threshold:.3f}"
        rows.append(
            [
                f"{number}. {_title(evaluation.ids[i], articles, i)}",
                f"{mistake.topic} {'missed' if mistake.missed else 'given wrongly'}",
                f"{mistake.probability:.3f}{threshold}",
                f"{mistake.distance:.1f}",
                ", ".join(f"{word}\u00a0{value:+.3f}" for word, value in mistake.words),
                ", ".join(t for t, has in zip(evaluation.topics, evaluation.truth[i], strict=True) if has) or "none",
            ]
        )
    if not rows:
        return Section("Worst mistakes", ["There are none."])
    return Section(
        "Worst mistakes",
        [
            "The wrong decisions that the model was surest of: how far the probability was from the threshold, in "
            "log-odds, and the words that did it, with what they added to the topic's score. A topic may also be missed "
            "for want of any word that speaks for it, and some of these are mistakes of the labels.",
            Table(["article", "mistake", "probability / threshold", "distance", "words", "its topics"], rows),
        ],
    )


def _title(name: str, articles: pd.DataFrame | None, i: int) -> str:
    if articles is None:
        return name
    article = articles.iloc[i]
    shown: str = article["title"] or article["text"][:SHOWN_CHARACTERS]
    return f"{shown} ({name})"


def _learning(curves: Mapping[str, Sequence[Point]]) -> Iterator[Section]:
    rows: list[list[str | Bar]] = [
        [name, f"{point.articles:,}", *(_figure(point.evaluation.figures[key]) for key in ("micro_f1", "macro_f1"))]
        for name, points in curves.items()
        for point in points
    ]
    if rows:
        table = Table(["training", "articles", "micro-F1", "macro-F1"], rows)
        yield Section("Learning curve", [table, _chart("learning_curve", lambda: charts.learning_curves(curves))])


def _facts(facts: Mapping[str, object]) -> Iterator[Section]:
    if facts:
        rows: list[list[str | Bar]] = [[str(name), str(value)] for name, value in facts.items()]
        yield Section("Settings and data", [Table(["name", "value"], rows)])


def _figure(value: float) -> str:
    return "-" if isnan(value) else f"{value:.3f}"


def _counted(topics: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{topic} {count}" for topic, count in topics if count) or "-"


def _chart(name: str, chart: Callable[[], "Figure"]) -> Chart:
    return Chart(name, name.replace("_", " "), charts.draw(chart))
