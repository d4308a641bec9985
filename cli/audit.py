"""The commands that find wrong labels and correct them: `kanal data audit`, `kanal data correct`."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    BackgroundOption,
    DropRareOption,
    JsonOption,
    LabelOption,
    LexiconOption,
    SeparatorOption,
    TextOption,
    TitleOption,
    TopicsOption,
)
from cli.places import refuse_same
from cli.tables import aligned
from serve.article import TOPIC_SEPARATOR
from serve.counts import counted
from serve.errors import InputError

if TYPE_CHECKING:
    from workbench.audit import Audit

SHOWN_TITLE = 60


def audit(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="Default: the embedded corpus.")] = None,
    number: Annotated[int, typer.Option("--n", min=1, help="How many articles to show, the likeliest to be wrong.")] = 100,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Also write a page to decide on them, index.html, and suggestions.csv to this folder.")] = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
    topics: TopicsOption = None,
    background: BackgroundOption = None,
    lexicon: LexiconOption = None,
    drop_rare: DropRareOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List the articles of a corpus whose topics look wrong, by models that did not learn from them."""
    from serve.topics import load_topics
    from train.check import MIN_ARTICLES
    from train.corpus import topics_found
    from train.experiment import EMBEDDED_CORPUS, Columns, chosen_lexicon, load_background
    from train.fit import choose_taxonomy, have_one_topic, without_dropped
    from workbench.audit import audit as audit_corpus
    from workbench.audit_page import write_audit

    columns = Columns(title_column, text_column, label_column, label_separator)
    corpus = columns.load(files or [os.path.relpath(EMBEDDED_CORPUS)])
    given = load_topics(topics) if topics or not files else None
    taxonomy = choose_taxonomy(corpus, given, drop_rare=drop_rare)
    labels = topics_found(corpus)
    if drop_rare and have_one_topic(corpus):
        kept = without_dropped(corpus, taxonomy)
        if left_out := len(corpus) - len(kept):
            print(f"Articles left out, whose topic has fewer than {MIN_ARTICLES}: {left_out}", file=sys.stderr)
        corpus = kept
    found = audit_corpus(
        corpus,
        taxonomy,
        background=load_background(background),
        lexicon=chosen_lexicon(lexicon),
        number=number,
    )
    if as_json:
        print(json.dumps(_as_json(found), ensure_ascii=False, indent=1))
    else:
        _print_table(found)
    if out:
        page = write_audit(found, out, labels)
        print(f"\nDecide in {page} or {out / 'suggestions.csv'}", file=sys.stderr if as_json else sys.stdout)


def _as_json(found: "Audit") -> list[dict[str, object]]:
    from dataclasses import asdict

    return [
        {
            **{name: value for name, value in asdict(finding.suggestion).items() if name != "decision"},
            "score": float(finding.suggestion.score),
            "doubts": [asdict(doubt) for doubt in finding.doubts],
        }
        for finding in found.findings
    ]


def _print_table(found: "Audit") -> None:
    from workbench.decisions import joined

    head = ("score", "place", "given", "proposed", "title")
    rows = [
        (row.score, f"{row.file}:{row.line}", joined(row.given) or "-", joined(row.proposed) or "-", row.title[:SHOWN_TITLE])
        for row in (finding.suggestion for finding in found.findings)
    ]  # fmt: skip
    for line in aligned([head, *rows]):
        print(line)
    of_all = f"of {counted(found.articles, 'article')} {'looks' if found.doubted == 1 else 'look'} wrong"
    print(f"\n{found.doubted:,} {of_all}, {counted(len(rows), 'is', 'are')} shown")


def correct(
    decisions: Annotated[str, typer.Argument(metavar="DECISIONS", help="The CSV file of an audit, with decisions.")],
    out: Annotated[Path | None, typer.Option(metavar="PATCH", help="Write the patch to this file; default: standard output.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Correct the files in place instead.")] = False,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
) -> None:  # fmt: skip
    """Bring accepted topics back to the corpus: as a patch for `git apply`, or in place. JSONL and CSV files."""
    from serve.atomic import atomic_file
    from train.experiment import Columns
    from workbench import corrections
    from workbench.decisions import read_decisions

    if out and write:
        raise InputError("--out writes a patch and --write none; give one of the two.")
    decided = read_decisions(decisions)
    refuse_same({"--out": out}, [decisions, *(row.file for row in decided)])
    columns = Columns(title_column, text_column, label_column, label_separator)
    if write:
        corrections.correct_in_place(decided, columns)
    else:
        patch = corrections.patch(corrections.correct(decided, columns))
        if out:
            with atomic_file(out) as temporary:
                temporary.write_bytes(patch.encode("utf-8"))
        else:
            sys.stdout.buffer.write(patch.encode("utf-8"))
    counts = Counter(row.decision or "undecided" for row in decided)
    told = ", ".join(f"{counts[name]} {name}" for name in ("accept", "change", "keep", "undecided"))
    where = "in place" if write else f"in {out}" if out else "in the patch"
    print(f"Corrections {where}: {sum(row.corrects for row in decided)} ({told})", file=sys.stderr)
