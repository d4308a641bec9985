"""The report on a model: plots as PNG files, and one page of HTML that holds them, the figures and the settings."""

import base64
import html
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from serve.atomic import atomic_folder
from train.evaluate import MIN_POSITIVES, Evaluation

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A heat map of more topics cannot be read.
HEAT_MAP_TOPICS = 60
OVERALL = {
    "micro_f1": "micro-F1",
    "macro_f1": f"macro-F1 (topics with {MIN_POSITIVES} or more articles)",
    "precision": "precision",
    "recall": "recall",
    "subset_accuracy": "all topics of an article right",
}


@dataclass(frozen=True)
class Reliability:
    """How far probabilities can be believed: decisions in bins of equal width of the predicted probability."""

    predicted: np.ndarray
    """(bins,) the mean probability of a bin's decisions; NaN for an empty bin."""
    observed: np.ndarray
    """(bins,) the share of them that were true; NaN for an empty bin."""
    counts: np.ndarray
    """(bins,) how many there are."""
    error: float
    """Expected calibration error: the mean of |predicted - observed|, weighted with the counts."""


def reliability(probabilities: np.ndarray, truth: np.ndarray, bins: int = 10) -> Reliability:
    """The reliability of the decisions (articles times topics) of two arrays of the same shape."""
    place = np.minimum((probabilities.ravel() * bins).astype(np.intp), bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(place, weights=probabilities.ravel(), minlength=bins) / counts
        observed = np.bincount(place, weights=truth.ravel(), minlength=bins) / counts
    error = float(np.nansum(np.abs(predicted - observed) * counts) / max(counts.sum(), 1))
    return Reliability(predicted, observed, counts, error)


def write_report(
    evaluation: Evaluation,
    folder: str | Path,
    *,
    title: str,
    facts: Mapping[str, object] | None = None,
    groups: Mapping[str, str] | None = None,
) -> Path:
    """Write `index.html` and its plots to a folder, in place of what it held, and return the page's path.

    `facts` are shown as a table (settings, data); `groups` names the group of each topic, whose curves are drawn apart.
    """
    import matplotlib

    groups = groups or {}
    plots = {
        "precision_recall": ("Precision and recall", lambda: _precision_recall(evaluation, groups)),
        "reliability": ("Reliability of the probabilities", lambda: _reliability(evaluation)),
        "confusion": ("Topics found and mistaken", lambda: _heat_map(evaluation, _confusion)),
        "co_occurrence": ("Topics that go together", lambda: _heat_map(evaluation, _co_occurrence)),
    }
    folder = Path(folder)
    # A topic's name is drawn as it is written: dollar signs are no formula, and letters that the font lacks no warning.
    with atomic_folder(folder) as target, matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        sections = [_overall(evaluation, title)]
        for name, (caption, plot) in plots.items():
            # Without the version of matplotlib in it, the file is the same twice.
            plot().savefig(target / f"{name}.png", dpi=150, metadata={"Software": None})
            sections.append(_image(name, caption, (target / f"{name}.png").read_bytes()))
        sections += [_per_topic(evaluation, groups), _facts(facts or {})]
        page = PAGE.format(title=html.escape(title), style=STYLE, body="\n".join(sections))
        (target / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def _precision_recall(evaluation: Evaluation, groups: Mapping[str, str]) -> "Figure":
    from sklearn.metrics import average_precision_score, precision_recall_curve

    figure = _figure(6, 4.5)
    axes = figure.add_subplot()
    columns: dict[str, list[int]] = {}
    for j, topic in enumerate(evaluation.topics):
        columns.setdefault(groups.get(topic, ""), []).append(j)
    curves = [("all topics", list(range(len(evaluation.topics))))]
    curves += [(group, members) for group, members in columns.items() if group]
    for name, members in curves:
        truth, probabilities = evaluation.truth[:, members].ravel(), evaluation.probabilities[:, members].ravel()
        if not truth.any():
            continue
        precision, recall, _ = precision_recall_curve(truth, probabilities)
        label = f"{name} ({average_precision_score(truth, probabilities):.2f})"
        if name == "all topics":
            axes.plot(recall, precision, color="black", linewidth=2.5, label=label, zorder=3)
        else:
            axes.plot(recall, precision, linewidth=1.2, label=label)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.grid(alpha=0.3)
    if axes.lines:
        axes.legend(title="average precision", loc="lower left", fontsize=8, title_fontsize=8)
    return figure


def _reliability(evaluation: Evaluation) -> "Figure":
    found = reliability(evaluation.probabilities, evaluation.truth)
    figure = _figure(6, 5)
    curve, counts = figure.subplots(2, height_ratios=[3, 1], sharex=True)
    curve.plot([0, 1], [0, 1], color="grey", linestyle=":", label="perfect")
    filled = found.counts > 0
    curve.plot(
        found.predicted[filled],
        found.observed[filled],
        marker="o",
        label=f"model (calibration error {found.error:.4f})",
    )
    curve.set(ylabel="share that was true", xlim=(0, 1), ylim=(0, 1))
    curve.grid(alpha=0.3)
    curve.legend(loc="upper left", fontsize=8)
    width = 1 / len(found.counts)
    counts.bar(np.arange(len(found.counts)) * width, found.counts, width, align="edge", edgecolor="white")
    counts.set(xlabel="predicted probability", ylabel="decisions", yscale="symlog")
    counts.yaxis.set_major_formatter("{x:,.0f}")
    return figure


def _confusion(evaluation: Evaluation, shown: np.ndarray) -> tuple[np.ndarray, str, str]:
    """(k, k): of the articles of topic i, the share that was given topic j, rightly (the diagonal) or wrongly."""
    truth, assigned = evaluation.truth[:, shown].astype(float), evaluation.assigned[:, shown].astype(float)
    wrong = truth.T @ (assigned * (1 - truth))
    return (
        wrong + np.diag((truth * assigned).sum(axis=0)),
        "of the articles of this topic ...",
        "... the share that was given this one",
    )


def _co_occurrence(evaluation: Evaluation, shown: np.ndarray) -> tuple[np.ndarray, str, str]:
    """(k, k): of the articles of topic i, the share that also has topic j."""
    truth = evaluation.truth[:, shown].astype(float)
    return truth.T @ truth, "of the articles of this topic ...", "... the share that also has this one"


def _heat_map(
    evaluation: Evaluation, counted: Callable[[Evaluation, np.ndarray], tuple[np.ndarray, str, str]]
) -> "Figure":
    from matplotlib.colors import PowerNorm

    positives = evaluation.truth.sum(axis=0)
    shown = np.sort(np.argsort(-positives, kind="stable")[:HEAT_MAP_TOPICS])
    counts, rows, columns = counted(evaluation, shown)
    names = [evaluation.topics[j] for j in shown]
    side = max(4.5, 2.5 + 0.22 * len(names))
    figure = _figure(side + 0.8, side)
    axes = figure.add_subplot()
    # The square root brings out small shares, which are what a reader looks for beside the diagonal.
    shares = counts / np.maximum(positives[shown], 1)[:, None]
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1))
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlabel=columns, ylabel=rows)
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def _figure(width: float, height: float) -> "Figure":
    # Not through pyplot, which keeps every figure and may open windows.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _overall(evaluation: Evaluation, title: str) -> str:
    intervals: dict[str, list[float]] = evaluation.metrics["intervals"]  # type: ignore[assignment]
    rows = [
        [label, f"{evaluation.metrics[name]:.3f}", "{:.3f} – {:.3f}".format(*intervals[name])]
        for name, label in OVERALL.items()
        if evaluation.metrics[name] is not None
    ]
    error = reliability(evaluation.probabilities, evaluation.truth).error
    rows.append(["calibration error of the probabilities", f"{error:.4f}", ""])
    return (
        f"<h1>{html.escape(title)}</h1>\n<p>{len(evaluation.truth)} articles, {len(evaluation.topics)} topics. "
        f"The intervals are 95% bootstrap intervals.</p>\n" + _table(["figure", "value", "95% interval"], rows)
    )


def _image(name: str, caption: str, png: bytes) -> str:
    source = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
    return f'<h2>{html.escape(caption)}</h2>\n<div class="scroll"><img class="{name}" alt="{html.escape(caption)}" src="{source}"></div>'


def _per_topic(evaluation: Evaluation, groups: Mapping[str, str]) -> str:
    rows = []
    for topic, row in evaluation.per_topic.items():
        group = f" <small>{html.escape(groups[topic])}</small>" if topic in groups else ""
        bar = f'<meter min="0" max="1" value="{row["f1"]:.3f}"></meter>'
        precision, recall, f1 = (f"{row[name]:.3f}" for name in ("precision", "recall", "f1"))
        rows.append([html.escape(topic) + group, f1, bar, precision, recall, str(row["positives"])])
    return "<h2>Topics</h2>\n" + _table(["topic", "F1", "", "precision", "recall", "articles"], rows)


def _facts(facts: Mapping[str, object]) -> str:
    rows = [[html.escape(str(name)), html.escape(str(value))] for name, value in facts.items()]
    return "<h2>Settings and data</h2>\n" + _table([], rows, css="facts") if rows else ""


def _table(head: list[str], rows: list[list[str]], css: str = "figures") -> str:
    """A table of cells that are HTML already; it scrolls by itself where the screen is narrow."""
    top = "<tr>" + "".join(f'<th scope="col">{name}</th>' for name in head) + "</tr>\n" if head else ""
    body = "\n".join(
        f'<tr><th scope="row">{row[0]}</th>' + "".join(f"<td>{cell}</td>" for cell in row[1:]) + "</tr>" for row in rows
    )
    return f'<div class="scroll"><table class="{css}">\n{top}{body}\n</table></div>'


STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #ddd; --quiet: #666 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #161616; --line: #3a3a3a; --quiet: #a0a0a0 } }
body { margin: 0 auto; padding: 1rem; max-width: 56rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.5rem; line-height: 1.25 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 6px }
.confusion, .co_occurrence { min-width: 40rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left }
th[scope=row] { font-weight: normal } th[scope=col] { color: var(--quiet) }
.figures td, .figures th[scope=col]:not(:first-child) { text-align: right; white-space: nowrap }
.facts td { overflow-wrap: anywhere }
small { color: var(--quiet) } meter { width: 4rem; display: block }
"""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
