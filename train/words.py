"""What a topic's words weigh, with the lexicon and without it: for the editor who keeps the lexicon."""

from serve.errors import InputError
from serve.topics import load_topics
from train.corpus import load_corpus, split_corpus
from train.experiment import EMBEDDED_CORPUS, load_background
from train.fit import fit
from train.lexicon import EMBEDDED_LEXICON, load_lexicon

Words = list[tuple[str, float]]


def strongest_words(topic: str, number: int, lexicon: str | None = None) -> tuple[Words, Words]:
    """The words of highest weight for a topic of the embedded corpus, with the lexicon (a file; None: the embedded one)
    and without, each with what it adds to the score of an article in which it stands alone."""
    taxonomy = load_topics()
    if topic not in taxonomy:
        raise InputError(f"No topic '{topic}'; `kanal topics` lists those there are.")
    training, _ = split_corpus(load_corpus([EMBEDDED_CORPUS]))
    background = load_background(None)
    # One topic is enough; against all other articles it learns the same as among 38.
    one = {topic: taxonomy[topic]}
    found = []
    for entries in (load_lexicon(lexicon or EMBEDDED_LEXICON), None):
        model = fit(training, one, background=background, lexicon=entries)
        weights = model.weights[:, 0]
        best = (-weights).argsort(kind="stable")[:number]
        found.append([(model.vectorizer.terms_.names[i], float(weights[i])) for i in best])
    return found[0], found[1]
