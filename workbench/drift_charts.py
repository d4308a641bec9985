"""The charts of drift, each a matplotlib figure."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Chart

from workbench.drift import FIGURES, Drift, Shift
from workbench.stability import Binned

REFERENCE, NEW = "#9a9a9a", "#1f6feb"


def distributions(drift: Drift) -> Chart:
    """The shares of the articles in each bin of the figures that are numbers, reference beside new."""
    units = {"unknown_words": "share of an article's words", "confidence": "log-odds", "length": "words"}
    chart = _chart(6, 2.4 * len(units))
    for axes, (name, unit) in zip(chart.subplots(len(units)), units.items(), strict=True):
        _bars(axes, drift.binned[name])
        axes.set_title(f"{FIGURES[name].label} ({unit})", loc="left", fontsize=9)
    chart.axes[0].legend(fontsize=8)
    return chart


def topics(shifts: Sequence[Shift]) -> Chart:
    """The shares of topics in the reference and in the new crawl, a line between the two."""
    chart = _chart(6, 1 + 0.28 * len(shifts))
    axes = chart.add_subplot()
    places = np.arange(len(shifts))[::-1]
    before, after = ([getattr(shift, side) for shift in shifts] for side in ("reference", "new"))
    axes.hlines(places, before, after, color=REFERENCE)
    axes.plot(before, places, "o", color=REFERENCE, label="reference")
    axes.plot(after, places, "o", color=NEW, label="new")
    axes.set_yticks(places, [shift.name for shift in shifts], fontsize=8)
    axes.set(xlabel="share of the articles", xlim=(0, None))
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.grid(axis="x", alpha=0.3)
    axes.legend(fontsize=8)
    return chart


def weeks(shifts: Sequence[Shift], limit: float) -> Chart:
    """The index of each figure, less what chance gives, by week, and the limit."""
    chart = _chart(6, 3.2)
    axes = chart.add_subplot()
    names = sorted({shift.name for shift in shifts})
    for figure, told in FIGURES.items():
        values = [shift.beyond_chance for shift in shifts if shift.figure == figure]
        axes.plot(range(len(names)), values, marker="o", markersize=4, label=told.label)
    axes.axhline(limit, color="black", linestyle=":", label="limit")
    shown = range(0, len(names), -(-len(names) // 8))
    axes.set_xticks(shown, [names[i] for i in shown], fontsize=8)
    axes.set(xlabel="week from", ylabel="PSI beyond chance", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    return chart


def _bars(axes: Axes, binned: Binned) -> None:
    places = np.arange(len(binned.bins))
    for shares, left, color, label in zip(
        binned.shares(), (-0.4, 0), (REFERENCE, NEW), ("reference", "new"), strict=True
    ):
        axes.bar(places + left, shares, 0.4, align="edge", color=color, label=label)
    axes.set_xticks(places, binned.bins, rotation=30, ha="right", fontsize=7)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")


def _chart(width: float, height: float) -> Chart:
    # Not through pyplot, which keeps every figure and may open windows.
    return Chart(figsize=(width, height), layout="constrained")
