"""The commands on topics: `kanal topics ...`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import (
    BackgroundOption,
    JsonOption,
    LabelOption,
    LexiconOption,
    SeparatorOption,
    TextOption,
    TitleOption,
)
from cli.tables import aligned
from kanal import load
from serve.article import TOPIC_SEPARATOR
from serve.counts import counted
from serve.errors import InputError

if TYPE_CHECKING:
    from workbench.candidates import Found

SHOWN_TITLE = 70

topics_app = typer.Typer(
    help="List the topics with their names and their IPTC and IAB codes; add one.", invoke_without_command=True
)


@topics_app.callback()
def topics(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option("--topics", help="Another taxonomy file.")] = None,
    definitions: Annotated[bool, typer.Option("--definitions", help="Show what each topic covers, and what not.")] = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """List the topics with their names and their IPTC and IAB codes."""
    from dataclasses import asdict

    from serve.topics import load_topics

    if context.invoked_subcommand:
        return
    taxonomy = load_topics(file)
    if as_json:
        print(json.dumps([asdict(topic) for topic in taxonomy.values()], ensure_ascii=False, indent=1))
        return
    if definitions:
        for topic in taxonomy.values():
            print(f"{topic.id}: {topic.name_en}; {topic.name_id}")
            print(f"  covers: {topic.about or '-'}")
            print(f"  does not cover: {topic.not_about or '-'}")
        return
    rows = [("topic", "in English", "in Indonesian", "IPTC Media Topics", "IAB Content Taxonomy")]
    for topic in taxonomy.values():
        rows.append((topic.id, topic.name_en, topic.name_id, " ".join(topic.iptc), " ".join(topic.iab)))
    for line in aligned(rows):
        print(line)


@topics_app.command()
def words(
    topic: Annotated[str, typer.Argument(help="A topic's id.")],
    number: Annotated[int, typer.Option(min=1, help="How many words to show.")] = 25,
    lexicon: LexiconOption = None,
) -> None:
    """Show a topic's strongest words as training on the embedded corpus weighs them, with and without the lexicon."""
    from train.words import strongest_words

    with_lexicon, without = strongest_words(topic, number, lexicon)
    print(f"{'with the lexicon':<42}without")
    for (left, a), (right, b) in zip(with_lexicon, without, strict=True):
        print(f"{a:+.3f}  {left:<33}{b:+.3f}  {right}")


@topics_app.command()
def add(
    topic: Annotated[str, typer.Argument(metavar="ID", help="Small letters, digits and _, a letter first.")],
    name_id: Annotated[str, typer.Option(help="Its name in Indonesian.")],
    name_en: Annotated[str, typer.Option(help="Its name in English.")],
    topics: Annotated[Path, typer.Option(help="The taxonomy file to add it to; a new one begins with Kanal's topics.")],
    lexicon: Annotated[Path | None, typer.Option(help="The lexicon file to add the words to; a new one begins with Kanal's words.")] = None,
    words: Annotated[str, typer.Option(help='Its seed words: "kereta cepat, whoosh, KCIC".')] = "",
    group: Annotated[str, typer.Option(help="The group of topics that it stands in.")] = "",
    iptc: Annotated[list[str] | None, typer.Option(help="A code of IPTC Media Topics; may be given more than once.")] = None,
    iab: Annotated[list[str] | None, typer.Option(help="A code of IAB Content Taxonomy 3.1; may be given more than once.")] = None,
    about: Annotated[str, typer.Option(help="What it covers, for who labels.")] = "",
    not_about: Annotated[str, typer.Option(help="What it does not cover.")] = "",
    empty: Annotated[bool, typer.Option("--empty", help="Begin new files with nothing of Kanal's.")] = False,
) -> None:  # fmt: skip
    """Add a topic to a taxonomy file, and its seed words to a lexicon file."""
    from serve.topics import Topic
    from workbench.topics import add_topic

    entry = Topic(topic, group, name_id, name_en, tuple(iptc or ()), tuple(iab or ()), about, not_about)
    shared = add_topic(entry, _listed(words), topics, lexicon, empty=empty)
    print(f"Topic '{topic}' added to {topics}" + (f", its words to {lexicon}" if words else ""))
    for word, others in shared.items():
        print(f"Warning: '{word}' is a word of {', '.join(others)} too.", file=sys.stderr)


@topics_app.command()
def candidates(
    topic: Annotated[str, typer.Argument(metavar="ID", help="The topic that they may be about.")],
    crawl: Annotated[list[Path] | None, typer.Argument(metavar="[CRAWL]...", help="Unlabelled articles: CSV, JSONL or Parquet.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="Labelled articles to look through instead; those of the topic are examples.")] = None,
    topics: Annotated[Path | None, typer.Option(help="The taxonomy file; default: Kanal's.")] = None,
    lexicon: LexiconOption = None,
    words: Annotated[str, typer.Option(help='Further seed words: "stasiun halim, EMU".')] = "",
    examples: Annotated[Path | None, typer.Option(metavar="FILE", help="Articles of the topic; of a labelled file those that have it.")] = None,
    skip: Annotated[list[Path] | None, typer.Option(metavar="FILE", help="A labels.db or review.csv: what was decided on there is left out.")] = None,
    number: Annotated[int, typer.Option("--n", min=1, help="How many candidates.")] = 50,
    out: Annotated[Path | None, typer.Option(help="Write them: of a crawl, labels.db or Label Studio's tasks.json; of --data, review.csv.")] = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="A model whose topics are suggested to who labels.")] = None,
    background: BackgroundOption = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
) -> None:  # fmt: skip
    """Find articles that may be about a topic, for a person to label, and further words for it."""
    from serve.topics import load_topics
    from train.experiment import Columns, chosen_lexicon, load_background
    from workbench import new_topic
    from workbench.audit import title_of
    from workbench.candidates import find_candidates
    from workbench.decisions import write_suggestions
    from workbench.queue import refuse_other_kinds, write_tasks

    taxonomy = load_topics(topics)
    if topic not in taxonomy:
        where = topics or "Kanal's taxonomy"
        raise InputError(f"{where}: no topic '{topic}'; add it with `kanal topics add {topic} --topics FILE`.")
    if out and data and out.suffix != ".csv":
        raise InputError(f"{out}: candidates of --data are written as .csv, for `kanal data correct`.")
    if out and not data:
        refuse_other_kinds(out)
    suggesting = load(model) if model else None
    columns = Columns(title_column, text_column, label_column, label_separator)
    articles, known = new_topic.gather(
        topic, crawl or (), data or (), examples=examples, skip=skip or (), columns=columns
    )
    given = (chosen_lexicon(lexicon) or {}).get(topic, []) + _listed(words)
    found = find_candidates(articles, given, known, number, background=load_background(background))
    print(f"{counted(len(articles), 'article')}, {counted(len(known), 'example')}\n")
    if not out:
        for candidate in found.candidates:
            print(f"{title_of(articles.iloc[candidate.row])[:SHOWN_TITLE]:<{SHOWN_TITLE + 2}}{candidate.reason}")
        print()
    _print_words(found)
    if out and data:
        write_suggestions(out, new_topic.as_suggestions(found.candidates, articles, topic))
        print(f"\n{counted(len(found.candidates), 'candidate')} written to {out}")
    elif out:
        tasks = new_topic.as_tasks(found.candidates, articles, suggesting)
        written = write_tasks(tasks, out, list(taxonomy.values()), suggesting.version if suggesting else "")
        print(f"\n{counted(written, 'candidate')} written to {out}")


def _print_words(found: "Found") -> None:
    print(f"{'seed word':<30}{'articles':>10}")
    for word, held in found.seed_words.items():
        print(f"{word:<30}{held:>10,}")
    if found.suggested:
        print(f"\n{'further words':<30}{'articles':>10}{'likely ones':>13}")
    for further in found.suggested:
        print(f"{further.word:<30}{further.articles:>10,}{further.chosen:>13,}")


def _listed(words: str) -> list[str]:
    """The words between commas."""
    return [word.strip() for word in words.split(",") if word.strip()]
