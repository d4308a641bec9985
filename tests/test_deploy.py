"""The image and the systemd unit: what they name is there, and the commands in them do what they should.

No image is built and no unit started here: their commands run with this environment's Python, on a port that is free.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from configparser import RawConfigParser
from contextlib import contextmanager
from fnmatch import fnmatch
from itertools import pairwise
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from serve.paths import ROOT
from serve.service.server import END_SECONDS, OTHER_FILES
from serve.service.settings import Settings

UNIT = ROOT / "deploy" / "kanal.service"
KEY = "satu-kunci"
PATIENCE = 60.0


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and what they are given, in order."""
    text = "".join(
        line for line in (ROOT / "Dockerfile").read_text().splitlines(keepends=True) if not line.startswith("#")
    )
    lines = filter(None, map(str.strip, text.replace("\\\n", "").splitlines()))
    return [(name, rest.strip()) for name, _, rest in (line.partition(" ") for line in lines)]


def stage(name: str) -> list[tuple[str, str]]:
    """The instructions of one stage."""
    found = instructions()
    starts = [i for i, (instruction, _) in enumerate(found) if instruction == "FROM"] + [len(found)]
    for begin, end in pairwise(starts):
        if found[begin][1].endswith(f" AS {name}"):
            return found[begin + 1 : end]
    raise AssertionError(f"no stage {name}")


def given(name: str, to: str) -> str:
    (found,) = (rest for instruction, rest in stage(to) if instruction == name)
    return found


def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNIT)
    return parser


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the modules and files that pyproject.toml has installed, of what the image is given."""
    source, target = (tmp_path_factory.mktemp("image") / name for name in ("source", "target"))
    for copied in copied_files():
        (source / copied.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(copied, source / copied.relative_to(ROOT))
    setup = tomllib.loads((source / "pyproject.toml").read_text())["tool"]["setuptools"]
    patterns = [f"{module}.py" for module in setup["py-modules"]]
    patterns += [f"{package.replace('.', '/')}/*.py" for package in setup["packages"]]
    for package, found in setup["package-data"].items():
        # What setuptools takes "page/**" for: all files below; pathlib's "**" is folders alone.
        patterns += [f"{package}/{pattern}" + "/*" * pattern.endswith("**") for pattern in found]
    for file in (file for pattern in patterns for file in source.glob(pattern) if file.is_file()):
        (target / file.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target / file.relative_to(source))
    return target


def copied_files() -> Iterator[Path]:
    """The files that the image is given."""
    for name in (name for instruction, rest in stage("build") if instruction == "COPY" for name in rest.split()[:-1]):
        for file in (ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name]:
            if file.is_file() and "__pycache__" not in file.parts:
                yield file


@contextmanager
def started(command: list[str], code: Path, model: Path) -> Iterator[int]:
    """The port of the service that a command of the image or unit starts, with the code in a folder; it ends with 0."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = dict(zip(command[2::2], command[3::2], strict=True))
    assert Path(command[0]).name == "kanal" and command[1] == "serve"
    options |= {"--port": str(port), "--model": str(model)}
    own = [sys.executable, "-m", "kanal", "serve", *(part for option in options.items() for part in option)]
    environment = os.environ | {"KANAL_API_KEYS": KEY, "PYTHONPATH": str(code)}
    process = subprocess.Popen(own, cwd=code, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "Kanal listens on" in process.stdout.readline()
        yield port
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    body = json.dumps({"articles": [{"text": "Presiden menerima kunjungan kenegaraan Raja Yordania."}]}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    with urlopen(Request(f"http://127.0.0.1:{port}/v1/predict", body, headers), timeout=PATIENCE) as answer:
        return [topic["id"] for topic in json.load(answer)["articles"][0]["topics"]] == ["state_visit"]


def healthy(port: int) -> bool:
    """Whether the image's own check finds the service on a port healthy."""
    command = json.loads(given("HEALTHCHECK", "run").partition("CMD")[2])
    assert command[0] == "python" and ":8000/" in command[-1]
    check = [sys.executable, *command[1:-1], command[-1].replace(":8000/", f":{port}/")]
    return subprocess.run(check, stderr=subprocess.DEVNULL).returncode == 0


def test_the_command_of_the_image_serves_and_its_check_tells(installed: Path, embedded_model_folder: Path) -> None:
    command = json.loads(given("CMD", "run"))
    assert dict(zip(command[2::2], command[3::2], strict=True)) == {
        "--host": "0.0.0.0", "--port": given("EXPOSE", "run"), "--model": "/model",
    }  # fmt: skip
    with started(command, installed, embedded_model_folder) as port:
        deadline = time.monotonic() + PATIENCE
        while not healthy(port):
            assert time.monotonic() < deadline
        assert answers(port)
    assert not healthy(port)


def test_the_image_holds_all_code_and_the_page(installed: Path) -> None:
    for file in copied_files():
        if file.suffix not in (".toml", ".txt", ".md") and file.name != "LICENSE":
            assert (installed / file.relative_to(ROOT)).is_file(), file


def test_the_image_compiles_the_kernels_that_it_runs(installed: Path) -> None:
    (line,) = (rest for name, rest in stage("build") if name == "RUN" and "kernels" in rest)
    command = json.loads(line)
    assert command[0] == "/opt/kanal/bin/python"
    subprocess.run([sys.executable, *command[1:]], cwd=installed, check=True)
    kept = "XDG_CACHE_HOME=/opt/kanal/cache"
    assert given("ENV", "build") == kept and kept in given("ENV", "run").split()
    assert given("COPY", "run").split() == ["--from=build", "/opt/kanal", "/opt/kanal"]


def test_the_image_runs_as_nobody_and_ends_with_the_stage_that_runs() -> None:
    names = [name for name, _ in stage("run")]
    user = given("USER", "run").split(":")
    assert all(int(number) > 0 for number in user) and names.index("USER") < names.index("CMD")
    assert instructions()[-1] == ("FROM", "run")


def test_the_image_installs_what_is_there_and_not_ignored() -> None:
    (line,) = (rest for name, rest in stage("build") if name == "RUN" and "install" in rest)
    command = json.loads(line)
    files = {file.relative_to(ROOT).as_posix() for file in copied_files()}
    assert command[command.index("--constraint") + 1] in files
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert command[-1] == ".[serve]" and "serve" in extras
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not [
        file for file in files for pattern in ignored if fnmatch(file, pattern) or file.startswith(f"{pattern}/")
    ]


def test_the_command_of_the_unit_serves(embedded_model_folder: Path) -> None:
    command = shlex.split(unit()["Service"]["ExecStart"])
    assert command[command.index("--host") + 1] == "127.0.0.1"
    with started(command, ROOT, embedded_model_folder) as port:
        assert answers(port)


def test_the_unit_leaves_the_service_time_files_and_a_place_for_its_kernels() -> None:
    service, settings = unit()["Service"], Settings()
    assert int(service["TimeoutStopSec"]) > settings.shutdown_seconds + END_SECONDS
    assert int(service["LimitNOFILE"]) >= 2 * settings.connections + OTHER_FILES
    assert service["Environment"] == "XDG_CACHE_HOME=/var/cache" and service["CacheDirectory"] == "kanal"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_finds_the_unit_right_and_little_exposed(tmp_path: Path) -> None:
    program = tmp_path / "kanal"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/kanal/bin/kanal", str(program)))
    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    # In tenths, of 10: anything up to 2 is called safe enough for the network.
    security = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(copy)]
    assert subprocess.run(security, capture_output=True).returncode == 0
