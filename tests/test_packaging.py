"""What Kanal asks for: each extra has what its code imports and nothing else, and `constraints.txt` pins all of it."""

import ast
import http.server
import json
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from serve.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"kanal", "cli", "serve", "train", "workbench"}
# Imported under another name than that of the package, or part of what another package offers.
DISTRIBUTIONS = {
    "sklearn": "scikit-learn", "prometheus_client": "prometheus-client",
    "starlette": "fastapi", "pydantic": "fastapi", "pydantic_core": "fastapi", "py4j": "pyspark",
}  # fmt: skip
# Needed and not imported: by uvicorn, which is told to use them, and by what trafilatura imports.
NOT_IMPORTED = {"httptools", "uvloop", "lxml-html-clean"}


def requirements(extra: str = "") -> dict[str, Requirement]:
    """What an extra asks for, with what Kanal itself does, by name."""
    listed = PROJECT["dependencies"] + (PROJECT["optional-dependencies"][extra] if extra else [])
    found = {}
    for requirement in map(Requirement, listed):
        if requirement.name == "kanal":
            for other in requirement.extras:
                found |= requirements(other)
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def files(*places: str) -> list[Path]:
    return [file for place in places for file in sorted(ROOT.glob(place))]


def imported(paths: list[Path], *, at_once: bool = False) -> set[str]:
    """The packages that files import, or only those that they import as soon as they are imported themselves."""
    names = []
    for path in paths:
        tree = ast.parse(path.read_text())
        for node in tree.body if at_once else ast.walk(tree):
            if isinstance(node, ast.Import):
                names += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.append(node.module)
    tops = {name.split(".")[0] for name in names} - OWN - sys.stdlib_module_names
    return {canonicalize_name(DISTRIBUTIONS.get(top, top)) for top in tops}


SERVICE, SPARK = files("serve/service/*.py"), files("serve/spark.py")
CORE = [file for file in files("kanal.py", "cli/*.py", "serve/**/*.py") if file not in (*SERVICE, *SPARK)]
CODE = {
    "": CORE,
    "serve": SERVICE,
    "train": files("train/*.py"),
    "workbench": files("workbench/*.py"),
    "html": files("serve/files/*.py"),
    "spark": SPARK,
}


def test_kanal_without_extras_starts():
    assert imported(CORE, at_once=True) <= set(requirements())


@pytest.mark.parametrize("extra", ["serve", "train", "workbench", "spark"])
def test_an_extra_has_what_its_code_imports(extra):
    assert imported(CODE[extra]) <= set(requirements(extra))


def test_what_kanal_imports_later_is_in_some_extra():
    everything = {name for extra in CODE for name in requirements(extra)}
    assert imported(CORE) <= everything


@pytest.mark.parametrize("extra", CODE)
def test_nothing_is_asked_for_that_is_not_used(extra):
    own = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    asked = {canonicalize_name(Requirement(line).name) for line in own} - {"kanal"}
    assert asked - imported(CODE[extra]) <= NOT_IMPORTED


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


@pytest.mark.parametrize("extra", ["", *PROJECT["optional-dependencies"]])
def test_what_is_asked_for_is_pinned_within_its_bounds(extra):
    pinned = pins()
    for name, requirement in requirements(extra).items():
        assert requirement.specifier.contains(pinned[name]), name


def test_what_comes_with_it_is_pinned_too():
    # An environment brings these itself.
    pinned, left, seen = pins(), [(name, "") for name in requirements("dev")], {("pip", ""), ("setuptools", "")}
    while left:
        name, extra = left.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        assert name in pinned, name
        for line in metadata.requires(name) or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                key = canonicalize_name(needed.name)
                assert needed.specifier.contains(pinned.get(key, ""), prereleases=True), f"{name} needs {needed}"
                left += [(key, "")] + [(key, wanted) for wanted in needed.extras]


@contextmanager
def advisories(*known: str) -> Iterator[str]:
    """The address of a service that answers as OSV does, with these advisories against any package."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps({"vulns": [
                {"id": name, "summary": "", "details": "", "modified": "2026-01-01T00:00:00Z", "affected": [
                    {"package": asked["package"], "versions": [asked["version"]],
                     "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9"}]}]}
                ]} for name in known
            ]}).encode()  # fmt: skip
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1/query"
        finally:
            server.shutdown()
            thread.join()


def audit(pinned: Path, address: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, ROOT / ".ci" / "audit.py", pinned, "--osv-url", address]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_known_vulnerability_fails_and_no_network_does_not(tmp_path):
    pinned = tmp_path / "pinned.txt"
    pinned.write_text("paket==1.0\n")
    with advisories("KANAL-2026-1") as address:
        done = audit(pinned, address)
        assert done.returncode == 1
        assert "KANAL-2026-1" in done.stderr
    done = audit(pinned, address)
    assert (done.returncode, done.stdout) == (0, "pip-audit: skipped, its service cannot be reached\n")
    pinned.write_text("paket==\n")
    assert audit(pinned, address).returncode == 1


def test_the_bill_of_materials_lists_what_is_pinned(tmp_path):
    bill = tmp_path / "sbom.json"
    # As `make sbom` does, without the validation that takes most of the time.
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--output-reproducible", "--no-validate"]
    subprocess.run([*command, "--output-file", bill, ROOT / "constraints.txt"], check=True, capture_output=True)
    listed = {canonicalize_name(part["name"]): part["version"] for part in json.loads(bill.read_text())["components"]}
    assert listed == pins()
