"""One experiment, from labelled files to a model that is measured, kept and tracked."""

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from serve.article import TOPIC_SEPARATOR
from serve.errors import InputError
from serve.model import TopicModel
from serve.model_files import MODEL
from serve.paths import DATA
from serve.topics import Topic, load_topics
from serve.vectorizer import Documents
from train.background import EMBEDDED_BACKGROUND, Background, read_crawl
from train.blend import blend
from train.check import check_corpus, unknown_labels
from train.corpus import fingerprint, load_corpus, split_corpus
from train.evaluate import Evaluation, evaluate
from train.fit import Settings, choose_taxonomy, fit, have_one_topic, without_dropped
from train.lexicon import EMBEDDED_LEXICON, Lexicon, load_lexicon
from train.origin import origin, source, taxonomy_sha256
from train.report import write_report
from train.tracking import Tracked
from train.tune import tune
from train.unsent import Training, Unsent, track_or_keep

EMBEDDED_CORPUS = DATA / "corpus" / "articles.jsonl"
# A corpus with more mistakes than this is better looked at with `kanal data check`.
SHOWN_ERRORS = 5
NONE = "none"
NOTHING_TO_TRAIN_ON = (
    "no article is left to train on, as all are for the test by their column 'split' or near-duplicates of such; "
    "name them with --test FILE, and others with --data."
)
NOTHING_TO_TEST_ON = (
    "no article is left to test on, as all are for training by their column 'split' or too many are nearly the same; "
    "name labelled articles for the test with --test FILE."
)


@dataclass(frozen=True)
class Columns:
    """Where a file of articles keeps what; None: looked for under the usual names."""

    title: str | None = None
    text: str | None = None
    label: str | None = None
    label_separator: str = TOPIC_SEPARATOR

    def load(self, files: Sequence[str | Path]) -> pd.DataFrame:
        """The articles of all files together."""
        return load_corpus(
            files,
            title_column=self.title,
            text_column=self.text,
            label_column=self.label,
            label_separator=self.label_separator,
        )


@dataclass(frozen=True)
class Material:
    """What a model is made from, as files; the defaults are what comes with Kanal."""

    data: Sequence[str | Path] = ()
    """The embedded corpus when there are none."""
    test: str | Path | None = None
    """The part of the data that is set aside for testing, when there is none."""
    columns: Columns = Columns()
    topics: str | Path | None = None
    """Kanal's taxonomy with its own corpus, otherwise the labels found."""
    background: str | None = None
    """A folder, or "none"; None: the embedded one."""
    lexicon: str | None = None
    """A file, or "none"; None: the embedded one, whose topics are Kanal's."""
    drop_rare: bool = False


@dataclass(frozen=True)
class Adaptation:
    """What learning from an unlabelled crawl changed."""

    before: Evaluation
    """The model trained without the crawl, on the test articles."""
    shares: dict[str, tuple[float, float]]
    """The share of the crawl's articles filed under each topic before and after."""


@dataclass(frozen=True)
class Experiment:
    """What came out of it; `tracked` is None where nothing was to be tracked, `Unsent` where MLflow failed."""

    model: TopicModel
    evaluation: Evaluation
    tracked: Tracked | Unsent | None
    adaptation: Adaptation | None = None
    left_out: int = 0
    """How many articles, of training and test together, were left out with the topics that were dropped."""
    warning: str | None = None
    """On labels of the test articles that are no topics of the model."""


@dataclass(frozen=True)
class Ingredients:
    """What is in the files of a `Material`."""

    training: pd.DataFrame
    testing: pd.DataFrame
    background: Background | None
    lexicon: Lexicon | None
    crawl: Documents | None
    sources: dict[str, Any]
    """The files, as a card names them: JSON values."""

    def without_dropped(self, taxonomy: dict[str, Topic]) -> "Ingredients":
        """Without the articles of topics that are not in the taxonomy, where every training article has one topic."""
        if not have_one_topic(self.training):
            return self
        training, testing = (without_dropped(articles, taxonomy) for articles in (self.training, self.testing))
        return replace(self, training=training, testing=testing)


def read_material(material: Material, settings: Settings, crawl: Sequence[str | Path] = ()) -> Ingredients:
    """What is in the files, and in those of a crawl; the articles to test on are those of another file, or drawn."""
    columns = material.columns
    given: list[str | Path | None] = list(material.data) or [None]
    corpus = columns.load([file or EMBEDDED_CORPUS for file in given])
    counts = corpus["file"].value_counts()
    test = [material.test] if material.test else []
    training, testing = (corpus, columns.load(test)) if test else split_corpus(corpus, settings.seed)
    if training.empty or testing.empty:
        names = ", ".join(corpus["file"].unique())
        raise InputError(f"{names}: {NOTHING_TO_TRAIN_ON if training.empty else NOTHING_TO_TEST_ON}")
    named = (("background", material.background, EMBEDDED_BACKGROUND), ("lexicon", material.lexicon, EMBEDDED_LEXICON))
    return Ingredients(
        training=training,
        testing=testing,
        background=load_background(material.background),
        lexicon=chosen_lexicon(material.lexicon),
        crawl=read_crawl(crawl, columns.title, columns.text, title_weight=settings.title_weight) if crawl else None,
        sources={
            "data": [
                source(file, EMBEDDED_CORPUS, articles=int(counts[str(file or EMBEDDED_CORPUS)])) for file in given
            ],
            "test": [source(file, articles=len(testing)) for file in test],
            "crawl": [source(file) for file in crawl],
            "columns": asdict(columns),
            **{name: None if path == NONE else source(path, embedded) for name, path, embedded in named},
        },
    )


def train_model(
    ingredients: Ingredients, taxonomy: dict[str, Topic], settings: Settings
) -> tuple[TopicModel, TopicModel | None]:
    """The model of the ingredients, and, where there is a crawl, the one that gave its articles topics: another is
    trained with them, and the two are blended."""
    training, background, lexicon = ingredients.training, ingredients.background, ingredients.lexicon
    model = fit(training, taxonomy, settings, background=background, lexicon=lexicon)
    if ingredients.crawl is None:
        return model, None
    # The crawl's articles say what the profiles say, and more.
    plain = without_profiles(background)
    after = fit(training, taxonomy, settings, background=plain, lexicon=lexicon, crawl=ingredients.crawl)
    return blend(model, after), model


def run_experiment(
    material: Material = Material(),
    settings: Settings = Settings(),
    *,
    crawl: Sequence[str | Path] = (),
    out: Path | None = None,
    tracked: bool = True,
    promoted: bool = True,
    tuned: bool = False,
) -> Experiment:
    """Trains, evaluates on the test articles, writes the model to `out`, and logs, registers and promotes it, the last
    unless it is worse than the champion, or not to be `promoted`.

    tuned: settings are first sought that suit the training articles. With files of a
    crawl the model trained first gives their articles topics, another is trained with them, and the two are blended.
    """
    if out:
        MODEL.refuse_other(out)
    made_by = origin()
    taxonomy = load_topics(material.topics) if material.topics or not material.data else None
    ingredients = read_material(material, settings, crawl)
    training, testing = ingredients.training, ingredients.testing
    for frame in (training, testing):
        _refuse_errors(check_corpus(frame, taxonomy).errors)
    taxonomy = choose_taxonomy(
        training, taxonomy, drop_rare=material.drop_rare, set_aside=None if material.test else testing
    )
    left_out = 0
    if material.drop_rare:
        ingredients = ingredients.without_dropped(taxonomy)
        left_out = len(training) + len(testing) - len(ingredients.training) - len(ingredients.testing)
        training, testing = ingredients.training, ingredients.testing
        if testing.empty:
            raise InputError(
                "All test articles are of topics that --drop-rare leaves out; name others with --test FILE."
            )
    warning = unknown_labels(testing, taxonomy, material.test) if material.test else None

    if tuned:
        # Without profiles a training takes a third of the time, and settings that suit the words suit the profiles.
        plain, lexicon = without_profiles(ingredients.background), ingredients.lexicon
        settings, _ = tune(lambda s: fit(training, taxonomy, s, background=plain, lexicon=lexicon), settings)
    model, before = train_model(ingredients, taxonomy, settings)
    adaptation = None
    if before is not None and ingredients.crawl is not None:
        adaptation = Adaptation(evaluate(before, testing), _shares(ingredients.crawl, before, model))

    evaluation = evaluate(model, testing)
    model = model.with_card(
        metrics=evaluation.metrics,
        sources={**ingredients.sources, "taxonomy_sha256": taxonomy_sha256(taxonomy)},
        origin=made_by,
    )
    if out:
        model.save(out)
    if not tracked:
        return Experiment(model, evaluation, None, adaptation, left_out, warning)
    facts = {
        **dict(model.card["data"].items()),
        "test_fingerprint": fingerprint(testing),
        "test_articles": len(testing),
        "topics": len(model.topics),
        **({"left_out_articles": left_out} if left_out else {}),
    }
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary, "report")
        write_report(
            evaluation,
            report,
            title="Kanal: test articles",
            facts={**asdict(settings), **facts},
            groups={topic.id: topic.group for topic in model.taxonomy.values()},
            articles=testing,
            model=model,
        )
        result = track_or_keep(Training(model, evaluation, testing, asdict(settings), facts, report, promoted))
    return Experiment(model, evaluation, result, adaptation, left_out, warning)


def load_background(choice: str | None) -> Background | None:
    """The background in a folder; the embedded one for None, none at all for "none"."""
    return None if choice == NONE else Background.load(choice or EMBEDDED_BACKGROUND)


def chosen_lexicon(choice: str | None) -> Lexicon | None:
    """The lexicon in a file; the embedded one for None, none at all for "none"."""
    return None if choice == NONE else load_lexicon(choice or EMBEDDED_LEXICON)


def without_profiles(background: Background | None) -> Background | None:
    """What leaves self-training out: two thirds of the time of a training."""
    return background and replace(background, profiles=background.profiles[:0])


def _shares(articles: Documents, before: TopicModel, after: TopicModel) -> dict[str, tuple[float, float]]:
    shares = []
    for model in (before, after):
        scores = model.scores(articles)
        shares.append(model.decide(model.probabilities(scores), scores).mean(axis=0))
    return {topic: (float(a), float(b)) for topic, a, b in zip(before.topics, *np.array(shares), strict=True)}


def _refuse_errors(errors: Sequence[str]) -> None:
    if errors:
        left = len(errors) - SHOWN_ERRORS
        more = f"\n... and {left} more; `kanal data check` lists all." if left > 0 else ""
        raise InputError("\n".join(errors[:SHOWN_ERRORS]) + more)
