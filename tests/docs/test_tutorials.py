"""Every page of docs/, run from start to end in a folder that holds the files of docs/files/.

A block of ```console is a session: lines after "$ " are commands (one that ends in " &" goes on until the page ends), the
others what they print, "..." standing for anything, and what prints nothing here is not looked at. A block of ```python
is a program. Each has to end with 0.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest

from serve.paths import ROOT

DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(console|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# No command of a tutorial takes as long on any machine.
SECONDS = 300


def commands(session: str) -> Iterator[tuple[str, str]]:
    """The commands of a session, each with what it is to print."""
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, _, output = re.sub(r"\\\n", "", part).partition("\n")
        yield command, output


@contextmanager
def started(command: str, folder: Path, environment: dict[str, str], expected: str) -> Iterator[None]:
    """Runs a command beside the others, once the first line that it is to print has come."""
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        for wanted in expected.splitlines():
            check(wanted + "\n", process.stdout.readline(), command)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)


def check(expected: str, printed: str, command: str) -> None:
    if expected.strip() and not OutputChecker().check_output(expected, printed, ELLIPSIS | NORMALIZE_WHITESPACE):
        pytest.fail(f"$ {command}\nshould print\n{expected}\nand printed\n{printed}", pytrace=False)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_a_tutorial_does_what_it_shows(page: Path, tmp_path: Path) -> None:
    shutil.copytree(DOCS / "files", tmp_path, dirs_exist_ok=True)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlruns/mlflow.db",
        "COLUMNS": "120",
        "TZ": "Asia/Jakarta",
    }
    (tmp_path / "mlruns").mkdir()
    with ExitStack() as background:
        for language, content in BLOCK.findall(page.read_text(encoding="utf-8")):
            steps = commands(content) if language == "console" else [(f"python - <<'END'\n{content}END", "")]
            for command, expected in steps:
                if command.endswith(" &"):
                    background.enter_context(started(command[:-2], tmp_path, environment, expected))
                    continue
                done = subprocess.run(
                    ["bash", "-c", command], cwd=tmp_path, env=environment, text=True, timeout=SECONDS,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )  # fmt: skip
                assert done.returncode == 0, f"$ {command}\n{done.stdout}"
                check(expected, done.stdout, command)
