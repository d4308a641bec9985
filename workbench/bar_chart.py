"""A bar chart as SVG inside a page: no script, no style of its own, and its figures in words for who cannot see it."""

import html
from collections.abc import Sequence

# So many labels fit beside each other; more bars are thinner.
LABELS = 10


def bar_chart(
    name: str,
    title: str,
    labels: Sequence[str],
    values: Sequence[float],
    texts: Sequence[str],
    *,
    lettered: bool = False,
) -> str:
    """A bar for each of d values, from 0 up to the greatest; the last has the class "now". `name` is the chart's own
    among those of a page; `texts` are the values as they are read. A lettered one shows texts and labels."""
    top, bottom, height, width = (14, 16, 90, 480) if lettered else (2, 2, 24, 120)
    step = width / max(len(values), LABELS)
    width, greatest = round(step * len(values)), max(*values, 1e-9)
    every = -(-len(values) // LABELS)
    parts = []
    for place, (value, label, text) in enumerate(zip(values, labels, texts, strict=True)):
        tall = height * value / greatest
        now = place == len(values) - 1
        x, y = step * place, top + height - tall
        parts.append(
            f'<rect class="{"now" if now else "bar"}" x="{x + step * 0.1:.1f}" y="{y:.1f}" width="{step * 0.8:.1f}" height="{tall:.1f}"/>'
        )
        if lettered and (len(values) - 1 - place) % every == 0:
            parts.append(f'<text x="{x + step / 2:.1f}" y="{y - 3:.1f}">{html.escape(text)}</text>')
            parts.append(f'<text x="{x + step / 2:.1f}" y="{top + height + 12}">{html.escape(label)}</text>')
    floor = top + height
    said = html.escape("; ".join(f"{label}: {text}" for label, text in zip(labels, texts, strict=True)))
    return (
        f'<svg class="{"chart" if lettered else "spark"}" role="img" aria-labelledby="{name}-title {name}-desc" '
        f'viewBox="0 0 {width} {floor + bottom}" width="{width}" height="{floor + bottom}">'
        f'<title id="{name}-title">{html.escape(title)}</title><desc id="{name}-desc">{said}</desc>'
        f'<path class="floor" d="M0 {floor + 0.5}H{width}"/>{"".join(parts)}</svg>'
    )
