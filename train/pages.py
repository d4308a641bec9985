"""A report as sections of text, tables and charts, written as one page of HTML or as Markdown."""

import base64
import hashlib
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """A table's cell: a share from 0 to 1, drawn as a bar where that can be."""

    share: float


@dataclass(frozen=True)
class Markup:
    """HTML that stands in a page as it is; Markdown has nothing in its place."""

    html: str


Cell = str | Bar | Markup


@dataclass(frozen=True)
class Table:
    """Cells that are strings are plain text; the first of a row names it."""

    head: list[str]
    rows: Sequence[Sequence[Cell]]

    def is_words(self, column: int) -> bool:
        """Whether a column holds words, which wrap and begin at the left, not figures."""
        return any(isinstance(row[column], str) and re.search(r"[^\W\d]", str(row[column])) for row in self.rows)


@dataclass(frozen=True)
class Chart:
    """A PNG image, and the name of its file without the suffix."""

    name: str
    caption: str
    png: bytes


@dataclass(frozen=True)
class Section:
    """A heading, where it is not empty, and what stands under it; text is a paragraph. Links lead to the anchor."""

    heading: str
    parts: Sequence[str | Table | Chart | Markup]
    anchor: str = ""


def charts(sections: Sequence[Section]) -> Iterator[Chart]:
    """All charts of a report."""
    return (part for section in sections for part in section.parts if isinstance(part, Chart))


def to_html(
    title: str, sections: Sequence[Section], *, language: str = "en", more_style: str = "", script: str = ""
) -> str:
    """A page in which nothing can run but its script, and that asks for nothing from outside: its policy allows the
    page's own style and script and the images that are written into it."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    for section in sections:
        anchor = f' id="{section.anchor}"' if section.anchor else ""
        body += [f"<h2{anchor}>{html.escape(section.heading)}</h2>"] if section.heading else []
        body += [_html(part, section.heading) for part in section.parts]
    body += [f"<script>{script}</script>"] if script else []
    style = STYLE + more_style
    policy = f"style-src {_source(style)}" + (f"; script-src {_source(script)}" if script else "")
    return PAGE.format(title=html.escape(title), language=language, policy=policy, style=style, body="\n".join(body))


def _source(text: str) -> str:
    """How a page's policy names a style or a script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}'"


def to_markdown(title: str, sections: Sequence[Section]) -> str:
    """Markdown with tables as GitHub writes them; the charts are files beside it."""
    blocks = [f"# {_escaped(title)}"]
    for section in sections:
        blocks += [f"## {_escaped(section.heading)}", *(_markdown(part) for part in section.parts)]
    return "\n\n".join(blocks) + "\n"


def _html(part: str | Table | Chart | Markup, heading: str) -> str:
    if isinstance(part, str):
        return f"<p>{html.escape(part)}</p>"
    if isinstance(part, Markup):
        return part.html
    if isinstance(part, Chart):
        source = f"data:image/png;base64,{base64.b64encode(part.png).decode('ascii')}"
        caption = html.escape(part.caption)
        return f'<div class="scroll"><img class="{part.name}" alt="{caption}" src="{source}"></div>'
    css = ["" if part.is_words(j) or j == 0 else ' class="figure"' for j in range(len(part.head))]
    head = "".join(f'<th scope="col"{css[j]}>{html.escape(name)}</th>' for j, name in enumerate(part.head))
    body = "\n".join(
        f'<tr><th scope="row">{_cell(row[0])}</th>'
        + "".join(f"<td{css[j]}>{_cell(row[j])}</td>" for j in range(1, len(row)))
        + "</tr>"
        for row in part.rows
    )
    # What scrolls can be scrolled with the keyboard too.
    scroll = f'<div class="scroll" tabindex="0" role="group" aria-label="{html.escape(heading)}">'
    return f"{scroll}<table>\n<tr>{head}</tr>\n{body}\n</table></div>"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Markup):
        return cell.html
    return f'<meter min="0" max="1" value="{cell.share:.3f}"></meter>' if isinstance(cell, Bar) else html.escape(cell)


def _markdown(part: str | Table | Chart | Markup) -> str:
    if isinstance(part, str):
        return _escaped(part)
    if isinstance(part, Markup):
        return ""
    if isinstance(part, Chart):
        return f"![{_escaped(part.caption)}]({part.name}.png)"
    # What says nothing in letters is left out with its column.
    shown = [j for j in range(len(part.head)) if all(isinstance(row[j], str) for row in part.rows)]
    ruled = [":--" if part.is_words(j) or j == 0 else "--:" for j in shown]
    lines = [[_escaped(part.head[j]) for j in shown], ruled]
    lines += [[_escaped(str(row[j])) for j in shown] for row in part.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    """Text on one line in which no character is a sign of Markdown's."""
    return re.sub(r"([\\`*\[\]|<>&$~#]|(?<!\w)_|_(?!\w))", r"\\\1", " ".join(text.split()))


STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #ddd; --quiet: #666 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #161616; --line: #3a3a3a; --quiet: #a0a0a0 } }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.5rem; line-height: 1.25 } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
p { max-width: 44rem; margin: .5rem 0 }
img { display: block; max-width: 100%; height: auto; background: #fff; border-radius: 6px }
.confusion, .co_occurrence { min-width: 40rem }
.scroll { overflow-x: auto; margin: .75rem 0 }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums }
th, td { overflow-wrap: break-word; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top }
th[scope=row] { font-weight: normal } th[scope=col] { color: var(--quiet); vertical-align: bottom }
.figure { text-align: right } td.figure { white-space: nowrap }
meter { width: 4rem; display: block }
"""

PAGE = """<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; {policy}; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
