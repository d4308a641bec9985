"""Faults, and what is lost by them: `python -m tests.torture [--kills N] [--only NAME]` prints a table (`make torture`)."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.torture import disks, kills, server
from tests.torture.material import Place, imported

# What each is called, what is tried, and for what takes half a minute each time: how many times fewer than the others.
TRIED: dict[str, tuple[str, Callable[[Place, int], str], int]] = {
    "training": ("kill -9 of `kanal train --out`, tracked", kills.training, 1),
    "first": ("kill -9 while MLflow's database is made", kills.first_training, 2),
    "tracking": ("kill -9 while a training is logged, registered and promoted", kills.tracking, 1),
    "promotion": ("kill -9 of `kanal promote`", kills.promotion, 1),
    "prediction": ("kill -9 of `kanal predict`", kills.prediction, 1),
    "service": ("kill -9 of workers and parents of `kanal serve` under load", kills.service, 1),
    "labels": ("kill -9 of `kanal serve --labels` while labels are saved", kills.labels, 1),
    "full": ("disk full: `train --out`, tracked `train`, `predict`, label store, uploads", disks.full_disk, 10),
    "unwritable": ("read-only disk, and files that may not be read", disks.unwritable, 100),
    "away": ("MLflow server away: throughout, hanging, and killed during a training", server.away, 10),
    "together": ("two trainings, then two promotions, at once", server.together, 10),
}


def main() -> None:
    """Runs what was chosen, prints a row of the table for each, and exits with 1 when anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how often each is killed or tried")
    parser.add_argument("--only", choices=list(TRIED), action="append", help="what to try; may be given more than once")
    chosen = parser.parse_args()
    imported()
    print("| what was tried | how often | what happened | command |\n|---|---|---|---|", flush=True)
    lost = 0
    with tempfile.TemporaryDirectory(prefix="kanal-torture-") as folder:
        for name in chosen.only or TRIED:
            what, attempt, fewer = TRIED[name]
            times = max(1, chosen.kills // fewer)
            place, began = Place.make(Path(folder, name)), time.monotonic()
            told = attempt(place, times)
            lost += len(place.losses)
            print(f"| {what} | {times} | {told} | `make torture ONLY={name}` |", flush=True)
            for loss in place.losses:
                print(f"lost ({name}): {loss}", flush=True)
            print(f"{name}: {time.monotonic() - began:.0f} s, {len(place.losses)} lost", file=sys.stderr, flush=True)
    sys.exit(bool(lost))


if __name__ == "__main__":
    main()
