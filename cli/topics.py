"""The commands on topics: `kanal topics ...`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.options import JsonOption, LexiconOption

topics_app = typer.Typer(
    help="List the topics with their names and their IPTC and IAB codes.", invoke_without_command=True
)


@topics_app.callback()
def topics(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option("--topics", help="Another taxonomy file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the topics with their names and their IPTC and IAB codes."""
    from dataclasses import asdict

    from serve.topics import load_topics

    if context.invoked_subcommand:
        return
    taxonomy = load_topics(file)
    if as_json:
        print(json.dumps([asdict(topic) for topic in taxonomy.values()], ensure_ascii=False, indent=1))
        return
    for topic in taxonomy.values():
        codes = f"{' '.join(topic.iptc):<34}{' '.join(topic.iab)}"
        print(f"{topic.id:<20}{topic.name_en:<34}{topic.name_id:<42}{codes}")


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
