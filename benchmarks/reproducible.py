"""Is a model the same, byte for byte, however it is trained again? And what is another on another kind of processor?

python -m benchmarks.reproducible

Trains the embedded corpus six times, a minute or two each, in processes of their own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from serve.model import TopicModel
from serve.paths import ROOT
from train.corpus import load_corpus, split_corpus
from train.experiment import EMBEDDED_CORPUS
from train.verify import differences

TRAIN = """
import os, sys
cores = int(sys.argv[2])
if cores and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, range(min(cores, os.cpu_count())))
from pathlib import Path
from train.experiment import run_experiment
run_experiment(out=Path(sys.argv[1]), tracked=False)
"""
# Threads of BLAS and of OpenMP.
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ELSEWHERE = {"PYTHONHASHSEED": "7", "TZ": "Asia/Jakarta", "LC_ALL": "C", "LANG": "C"}
HASWELL = {"OPENBLAS_CORETYPE": "Haswell", "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"}


def trained(work: Path, name: str, cores: int, **variables: str) -> Path:
    """A model trained in a folder of its own, on so many cores (0: all) and threads."""
    folder = work / name
    folder.mkdir()
    threads = dict.fromkeys(THREADS, str(cores)) if cores else {}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **threads, **variables}
    subprocess.run([sys.executable, "-c", TRAIN, "model", str(cores)], cwd=folder, env=environment, check=True)
    return folder / "model"


def main() -> None:
    _, testing = split_corpus(load_corpus([EMBEDDED_CORPUS]))

    def compare(what: str, first: Path, other: Path) -> None:
        same = all(file.read_bytes() == (other / file.name).read_bytes() for file in first.iterdir())
        said = differences(TopicModel.load(first), TopicModel.load(other), testing)
        print(
            f"| {what} | {'the same files' if same else '; '.join(said) or 'the same model, another card'} |",
            flush=True,
        )

    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        usual = trained(work, "usual", 0)
        compare("again", usual, trained(work, "again", 0))
        compare(
            "1 core, 1 thread; other hash seed, folder, time zone, locale", usual, trained(work, "one", 1, **ELSEWHERE)
        )
        compare("4 threads", usual, trained(work, "four", 4))
        haswell = trained(work, "haswell", 0, **HASWELL)
        compare("code for another processor (Haswell)", usual, haswell)
        compare("that one, 1 core and 1 thread", haswell, trained(work, "haswell-one", 1, **HASWELL))


if __name__ == "__main__":
    main()
