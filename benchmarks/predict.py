"""How fast a CSV of articles is filed under its topics: whole processes, from the command to the last byte written.

python -m benchmarks.predict [--quick]
"""

import functools
from statistics import median

from benchmarks.articles import write_csv
from benchmarks.contenders import (
    FastText,
    KanalWhole,
    ScikitLearn,
    ScikitLearnCleaned,
    ScikitLearnOneMatrix,
    VowpalWabbit,
)
from benchmarks.fitting import trained
from benchmarks.measure import WORK, Run, Table, cores, in_turn, on_cores, python, run, show, spread

RUNS = 5
MEGABYTES = 100
CONTENDERS = (KanalWhole, FastText, VowpalWabbit, ScikitLearnOneMatrix, ScikitLearn, ScikitLearnCleaned)


def measure(quick: bool) -> list[Table]:
    runs, wanted = (1, 5) if quick else (RUNS, MEGABYTES)
    source = WORK / f"articles-{wanted}.csv"
    articles = write_csv(source, wanted)
    megabytes = source.stat().st_size / 1e6
    target = WORK / "answers.csv"

    def command(contender: str) -> Run:
        # The variants of scikit-learn share a model.
        name = ScikitLearn.name if contender.startswith(ScikitLearn.name) else contender
        folder = trained(name)
        if contender == KanalWhole.name:
            return run(python("kanal", "predict", source, target, "--model", KanalWhole.files(folder)))
        return run(python("benchmarks.contenders", contender, folder, source, target))

    def alone(contender: str) -> Run:
        with on_cores(1):
            return command(contender)

    for contender in CONTENDERS:
        trained(ScikitLearn.name if contender.name.startswith(ScikitLearn.name) else contender.name)
    works = {contender.name: functools.partial(command, contender.name) for contender in CONTENDERS}
    works[f"{ScikitLearn.name}, one process"] = functools.partial(alone, ScikitLearn.name)
    taken = in_turn(works, runs, warm=False)
    kanal = [one.seconds for one in taken[KanalWhole.name]]
    rows, figures = [], {}
    for name, took in taken.items():
        seconds = [one.seconds for one in took]
        speed = [megabytes / one for one in seconds]
        figures[name] = {"MB/s": median(speed)}
        times = [a / b for a, b in zip(seconds, kanal, strict=True)]
        rows.append(
            [
                name,
                spread([articles / one for one in seconds], ",.0f"),
                spread(speed, ".1f"),
                spread([one.cpu for one in took], ".1f"),
                spread([one.megabytes for one in took], ".0f"),
                spread(times, ".1f"),
            ]
        )
    note = (
        f"{articles:,} made-up articles with a crawl's leftovers, {megabytes:.0f} MB; models of the corpus, 38 topics; "
        f"medians of {runs} runs in turn (least-most). Kanal cleans each article, tells its language, and writes topics, "
        "probabilities and notes; the others write topics only, and clean nothing where it is not said. They read with "
        f"pandas and use a process for each of {cores()} cores (the memory is the largest one's), where it is not said that "
        "there is one only, which is what a pipeline does by itself; fastText and Vowpal Wabbit get lower case without "
        "punctuation and line breaks."
    )
    head = ["", "articles/s", "MB/s", "CPU seconds", "memory MB", "times Kanal's time"]
    return [Table("CSV of articles to CSV of topics", note, head, rows, "MB/s", figures)]


if __name__ == "__main__":
    show(measure, "CSV of articles to CSV of topics")
