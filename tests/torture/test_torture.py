"""A small share of the faults: what `make torture` does a hundred times, twice."""

import os
import subprocess
import sys

import pytest

from serve.paths import ROOT


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="a process can be waited for up to a moment on Linux only")
def test_nothing_is_lost_by_a_few_kills() -> None:
    chosen = [f"--only={name}" for name in ("prediction", "labels", "promotion")]
    command = [sys.executable, "-m", "tests.torture", "--kills", "2", *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 2 + len(chosen)
