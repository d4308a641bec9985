"""How much memory filing a file takes, by the size of the file.

python -m benchmarks.memory [--quick]
"""

from statistics import median

from benchmarks.articles import write_csv
from benchmarks.contenders import KanalWhole
from benchmarks.fitting import trained
from benchmarks.measure import WORK, Table, python, run, show, spread

MEGABYTES = (100, 500, 2000)
RUNS = 1


def measure(quick: bool) -> list[Table]:
    folder, target = trained(KanalWhole.name), WORK / "answers.csv"
    runs = 1 if quick else RUNS
    rows, peaks = [], {}
    for size in (5, 20) if quick else MEGABYTES:
        source = WORK / f"articles-{size}.csv"
        articles = write_csv(source, size)
        command = python("kanal", "predict", source, target, "--model", KanalWhole.files(folder))
        took = [run(command) for _ in range(runs)]
        peaks[str(size)] = median(one.megabytes for one in took)
        seconds = spread([one.seconds for one in took], ".1f")
        rows.append([str(size), f"{articles:,}", spread([one.megabytes for one in took], ".0f"), seconds])
        source.unlink()
    note = f"Peak memory of `kanal predict` (the whole process), medians of {runs} runs (least-most); CSV in, CSV out."
    head = ["input MB", "articles", "memory MB", "seconds"]
    figures = {"kanal predict": peaks}
    return [Table("Memory against input size", note, head, rows, "peak memory, MB", figures, "input, MB")]


if __name__ == "__main__":
    show(measure, "Memory against input size")
