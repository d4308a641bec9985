"""The commands on what people are to label, and have labelled: `kanal label ...`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import LabelOption, ModelOption, SeparatorOption, TextOption, TitleOption
from kanal import load
from serve.article import TOPIC_SEPARATOR
from serve.counts import counted
from workbench.strategy import Strategy

label_app = typer.Typer(help="Choose articles for people to label, and take their labels in.", no_args_is_help=True)


@label_app.command()
def queue(
    crawl: Annotated[list[Path], typer.Argument(metavar="CRAWL...", help="Unlabelled articles: CSV, JSONL or Parquet.")],
    out: Annotated[Path, typer.Option(help="A label store (labels.db; added to if it is there) or tasks for Label Studio (tasks.json).")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many articles.")] = 50,
    strategy: Annotated[Strategy, typer.Option(help="uncertainty: what the model knows least about; diverse: of these, articles unlike each other; rare-topic: likely ones of the topics with the fewest labelled articles.")] = Strategy.uncertainty,
    model: ModelOption = None,
    skip: Annotated[list[str] | None, typer.Option(help="A labelled corpus: its articles and copies of them are left out; may be given more than once.")] = None,
    title_column: TitleOption = None,
    text_column: TextOption = None,
    label_column: LabelOption = None,
    label_separator: SeparatorOption = TOPIC_SEPARATOR,
) -> None:  # fmt: skip
    """Choose the articles of a crawl that a model would learn most from, for people to label."""
    from serve.labelling.store import LabelStore
    from train.experiment import Columns
    from workbench.queue import STORE, make_queue, refuse_other_kinds, write_tasks

    refuse_other_kinds(out)
    loaded = load(model)
    # The columns that are named are those of the crawl; a corpus has the usual ones.
    labelled = Columns(label=label_column, label_separator=label_separator).load(skip) if skip else None
    waiting = []
    if out.suffix == STORE and out.exists():
        with LabelStore(out) as store:
            waiting = list(store.tasks())
    found = make_queue(
        loaded,
        crawl,
        n,
        strategy,
        labelled=labelled,
        waiting=waiting,
        title_column=title_column,
        text_column=text_column,
    )
    written = write_tasks(found.tasks, out, list(loaded.taxonomy.values()), loaded.version)
    left_out = {"empty or not Indonesian": found.unfit, "known already": found.known, "copies": found.copies}
    shown = ", ".join(f"{count:,} {what}" for what, count in left_out.items() if count)
    print(f"{counted(found.read, 'article')} read" + (f"; left out: {shown}" if shown else ""))
    print(f"{counted(written, 'article')} to label written to {out}")


@label_app.command(name="import")
def import_(
    source: Annotated[Path, typer.Argument(metavar="LABELS.db|EXPORT.json", help="A label store, or what Label Studio exported as JSON or JSON-MIN.")],
    into: Annotated[Path, typer.Option(help="The corpus (JSONL) to add the labelled articles to.")],
) -> None:  # fmt: skip
    """Add labelled articles to a corpus. Of several annotators' topics those count that more than half of them gave."""
    from workbench.label_import import import_labels

    print(import_labels(source, into).table())


@label_app.command()
def config(
    topics: Annotated[Path | None, typer.Option("--topics", help="A taxonomy file; default: Kanal's.")] = None,
) -> None:
    """Print the labelling configuration for a project of Label Studio."""
    from serve.topics import load_topics
    from workbench.label_studio import labelling_config

    print(labelling_config(list(load_topics(topics).values())), end="")
