"""How long a fresh process takes: to import Kanal, and to load the champion and file a first article.

Run by `make bench`; prints a Markdown table. The kernels are compiled beforehand, as after any first use.
"""

import statistics
import subprocess
import sys
import time

RUNS = 7
QUESTIONS = {
    "`import kanal`": "import kanal",
    "load the champion, file one article": "import kanal; kanal.load().predict('Presiden tiba di Pyongyang')",
}


def main() -> None:
    print(f"medians of {RUNS} fresh processes in turn, whole process\n\n| step | seconds (min-max) |\n|---|---|")
    times: dict[str, list[float]] = {name: [] for name in QUESTIONS}
    for run in range(RUNS + 1):
        for name, code in QUESTIONS.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            if run:
                times[name].append(time.perf_counter() - begin)
    for name, seconds in times.items():
        print(f"| {name} | {statistics.median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f}) |")


if __name__ == "__main__":
    main()
