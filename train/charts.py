"""The charts of a report, each a matplotlib figure."""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from train.evaluate import Evaluation
from train.learning_curve import Point
from train.reliability import reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# A heat map of more topics cannot be read.
HEAT_MAP_TOPICS = 60
# With fewer articles the left end of the coverage curve is chance.
LEAST_COVERAGE = 0.2


def draw(chart: Callable[[], "Figure"]) -> bytes:
    """The chart as a PNG file, the same bytes at every call."""
    import matplotlib

    # A topic's name is drawn as it is written: dollar signs are no formula, and letters that the font lacks no warning.
    with matplotlib.rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        png = io.BytesIO()
        chart().savefig(png, format="png", dpi=150, metadata={"Software": None})
    return png.getvalue()


def precision_recall(evaluation: Evaluation, groups: Mapping[str, str]) -> "Figure":
    """The curves of precision against recall of all topics together, and of each group."""
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


def reliability_diagram(evaluation: Evaluation) -> "Figure":
    """What share of the decisions was true, by predicted probability, over how many decisions there are."""
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


def coverage(evaluation: Evaluation) -> "Figure":
    """Precision and micro-F1 on the articles that the model is surest of, by their share."""
    shares = np.linspace(LEAST_COVERAGE, 1, 81)
    figures = [evaluation.surest(share).figures for share in shares]
    figure = _figure(6, 3.6)
    axes = figure.add_subplot()
    for name, label in (("precision", "precision"), ("micro_f1", "micro-F1")):
        axes.plot(shares, [row[name] for row in figures], label=label)
    axes.axvline(0.9, color="grey", linestyle=":")
    axes.set(xlabel="share of the articles, the surest first", ylabel="on these", xlim=(LEAST_COVERAGE, 1))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left", fontsize=8)
    return figure


def learning_curves(curves: Mapping[str, Sequence[Point]]) -> "Figure":
    """Micro-F1 and macro-F1 by the number of training articles, for each way of training."""
    figure = _figure(6, 4)
    axes = figure.add_subplot()
    for color, (name, points) in enumerate(curves.items()):
        articles = [point.articles for point in points]
        for key, label, style in (("micro_f1", "micro-F1", "-"), ("macro_f1", "macro-F1", "--")):
            values = [point.evaluation.figures[key] for point in points]
            shown = f"{name}, {label}" if name else label
            axes.plot(articles, values, style, color=f"C{color}", marker="o", markersize=4, label=shown)
    axes.set(xlabel="training articles", ylabel="on the test articles", xscale="log")
    sizes = sorted({point.articles for points in curves.values() for point in points})
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    return figure


def confusion(evaluation: Evaluation) -> "Figure":
    """Of the articles of each topic, the share that was given another topic, rightly (the diagonal) or wrongly."""
    shown = _most_frequent(evaluation)
    truth, assigned = evaluation.truth[:, shown].astype(float), evaluation.assigned[:, shown].astype(float)
    wrong = truth.T @ (assigned * (1 - truth))
    return _heat_map(evaluation, wrong + np.diag((truth * assigned).sum(axis=0)), "the share that was given this one")


def co_occurrence(evaluation: Evaluation) -> "Figure":
    """Of the articles of each topic, the share that also has another topic."""
    truth = evaluation.truth[:, _most_frequent(evaluation)].astype(float)
    return _heat_map(evaluation, truth.T @ truth, "the share that also has this one")


def _most_frequent(evaluation: Evaluation) -> np.ndarray:
    """The places of the topics that a heat map shows, in their order."""
    return np.sort(np.argsort(-evaluation.truth.sum(axis=0), kind="stable")[:HEAT_MAP_TOPICS])


def _heat_map(evaluation: Evaluation, counts: np.ndarray, said: str) -> "Figure":
    from matplotlib.colors import PowerNorm

    shown = _most_frequent(evaluation)
    names = [evaluation.topics[j] for j in shown]
    side = max(4.5, 2.5 + 0.22 * len(names))
    figure = _figure(side + 0.8, side)
    axes = figure.add_subplot()
    # The square root brings out small shares, which are what a reader looks for beside the diagonal.
    shares = counts / np.maximum(evaluation.truth.sum(axis=0)[shown], 1)[:, None]
    norm = PowerNorm(0.5, vmin=0, vmax=1)
    image = axes.imshow(shares, cmap="Blues", norm=norm)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set(xlabel=f"... {said}", ylabel="of the articles of this topic ...")
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def _figure(width: float, height: float) -> "Figure":
    # Not through pyplot, which keeps every figure and may open windows.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")
