"""The same data make the same files, whatever the number of threads, the hash seed, the folder, the time zone, the locale."""

import os
import subprocess
import sys
from pathlib import Path

from serve.paths import ROOT

# Large enough for BLAS to use several threads where it may.
TRAIN = """
import json, os, sys
import numpy as np
from train.background import build_background
from train.experiment import Material, run_experiment

if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
draw = np.random.default_rng(0)
shares = draw.dirichlet(np.full(2000, 0.02), 3)
def article(topics):
    return " ".join(f"kata{number}" for number in draw.choice(2000, 60, p=shares[topics].mean(axis=0)))
topics = [sorted({int(draw.integers(3)), int(draw.integers(3))}) for _ in range(160)]
with open("ours.jsonl", "w") as file:
    for own in topics:
        file.write(json.dumps({"text": article(own), "topics": [f"topik{topic}" for topic in own]}) + "\\n")
build_background([article([i % 3]) for i in range(1500)], dimensions=120).save("background")
run_experiment(Material(["ours.jsonl"], background="background", lexicon="none"), out="model", tracked=False)
"""
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def training(folder: Path, threads: int, **variables: str) -> "subprocess.Popen[bytes]":
    folder.mkdir()
    environment = os.environ | dict.fromkeys(THREADS, str(threads)) | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.Popen([sys.executable, "-c", TRAIN, str(threads)], cwd=folder, env=environment)


def test_threads_and_surroundings_leave_no_trace(tmp_path):
    runs = [
        training(tmp_path / "satu", 1, PYTHONHASHSEED="1", TZ="Asia/Jakarta", LC_ALL="C"),
        training(tmp_path / "dua", 2, PYTHONHASHSEED="2", TZ="UTC", LC_ALL="C.UTF-8"),
        training(tmp_path / "empat folder lain", 4, PYTHONHASHSEED="3", TZ="America/New_York"),
    ]
    assert [run.wait() for run in runs] == [0, 0, 0]
    first, *others = (
        {file.relative_to(folder): file.read_bytes() for file in folder.rglob("*.*")} for folder in tmp_path.iterdir()
    )
    assert {str(name.parent) for name in first} == {".", "background", "model"}
    assert all(other == first for other in others)
