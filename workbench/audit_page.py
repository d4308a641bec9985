"""What an audit found as a page to decide on, with the decisions as a file to download, and as a CSV to edit by hand."""

import html
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from serve.atomic import atomic_file
from train.pages import Markup, Section
from train.pages import to_html as page
from workbench.audit import Audit, Doubt, Finding
from workbench.decisions import ACCEPT, CHANGE, COLUMNS, DECISIONS, KEEP, joined, write_suggestions

SCRIPT = Path(__file__).with_name("audit_page.js")
LABELS = {ACCEPT: "Accept the proposed", KEEP: "Keep the given", CHANGE: "Change to"}


def write_audit(audit: Audit, folder: Path, topics: Sequence[str]) -> Path:
    """Writes suggestions.csv and index.html, whose path is returned. Raises InputError where that would overwrite
    decisions."""
    write_suggestions(folder / "suggestions.csv", (finding.suggestion for finding in audit.findings))
    index = folder / "index.html"
    with atomic_file(index) as temporary:
        temporary.write_text(to_html(audit, topics), encoding="utf-8")
    return index


def to_html(audit: Audit, topics: Sequence[str]) -> str:
    """The page, which asks for nothing from outside; without JavaScript it can be read, not decided on."""
    head: list[str | Markup] = [
        f"{audit.doubted:,} of {audit.articles:,} articles have topics that models which had not seen them find wrong; here are "
        f"the {len(audit.findings):,} likeliest to be. The score is how likely the given topics are right; the words are those "
        "that weighed most for and against a topic in the model that had not seen the article.",
        Markup(
            "<noscript><p>This browser runs no JavaScript: decide in suggestions.csv, beside this page.</p></noscript>"
        ),
        Markup(
            '<p id="keys" hidden>Keys: <kbd>n</kbd> next article, <kbd>p</kbd> the one before, <kbd>a</kbd> accept, '
            "<kbd>k</kbd> keep, <kbd>c</kbd> change, <kbd>o</kbd> open the text.</p>"
        ),
    ]
    foot = Markup(
        f'<details><summary>All topics</summary><p id="topics">{_topics(topics)}</p></details>'
        f'<footer hidden data-columns="{_attribute(COLUMNS)}"><output id="progress"></output> '
        '<button type="button" id="download">Download decisions.csv</button></footer>'
    )
    findings = (Markup(_finding(number, finding)) for number, finding in enumerate(audit.findings, 1))
    return page(
        "Label audit",
        [Section("", [*head, *findings, foot])],
        more_style=MORE_STYLE,
        script=SCRIPT.read_text(encoding="utf-8"),
    )


def _finding(number: int, finding: Finding) -> str:
    row = finding.suggestion
    paragraphs = "".join(f"<p>{html.escape(text)}</p>" for text in finding.text.split("\n") if text.strip())
    choices = " ".join(
        f'<label><input type="radio" name="decision-{number}" value="{decision}"> {LABELS[decision]}</label>'
        for decision in DECISIONS
    )
    return "\n".join(
        [
            f'<article tabindex="-1" aria-labelledby="title-{number}" data-row="{_attribute(row.cells)}">',
            f'<h2 id="title-{number}">{number}. {html.escape(row.title)}</h2>',
            f'<p class="place">{html.escape(row.file)}, line {row.line}; score {row.score}</p>',
            f"<dl><dt>given</dt><dd>{_topics(row.given)}</dd><dt>proposed</dt><dd>{_topics(row.proposed)}</dd></dl>",
            f"<ul>{''.join(map(_doubt, finding.doubts))}</ul>",
            f"<details><summary>The article</summary>{paragraphs}</details>",
            f"<fieldset hidden><legend>Decision on {number}</legend>{choices} "
            f'<input type="text" aria-label="Topics of {number}, with | between" value="{html.escape(joined(row.proposed))}">',
            "</fieldset></article>",
        ]
    )


def _topics(topics: Iterable[str]) -> str:
    return " ".join(f"<code>{html.escape(topic)}</code>" for topic in topics) or "none"


def _doubt(doubt: Doubt) -> str:
    words = ", ".join(f"{html.escape(term)} {value:+.2f}" for term, value in doubt.words)
    verb = "not" if doubt.given else "rather"
    return f"<li>{verb} <code>{html.escape(doubt.topic)}</code> (probability {doubt.probability:.2f}): {words}</li>"


def _attribute(value: Sequence[str]) -> str:
    return html.escape(json.dumps(value, ensure_ascii=False))


MORE_STYLE = """
article { margin: 1.5rem 0; padding: .25rem 1rem 1rem; border: 1px solid var(--line); border-radius: 6px; overflow-wrap: anywhere }
article { scroll-margin: 1rem 0 5rem } article:focus { outline: 2px solid } article[data-decided] { border-color: var(--ink) }
article h2 { margin: .75rem 0 0 } .place { color: var(--quiet); margin: 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .5rem 0 } dt { color: var(--quiet) } dd { margin: 0 }
ul { margin: .5rem 0; padding-left: 1.25rem } summary { cursor: pointer }
fieldset:not([hidden]) { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: .75rem 0 0; padding: 0; border: 0 }
legend { color: var(--quiet); padding: 0 } input, button { font: inherit } input[type=text] { flex: 1 1 14rem; min-width: 0 }
input:invalid { outline: 2px solid #c0392b }
footer:not([hidden]) { position: sticky; bottom: 0; display: flex; flex-wrap: wrap; gap: 1rem; justify-content: space-between; padding: .75rem 0; background: var(--paper); border-top: 1px solid var(--line) }
"""
