"""The page in a real browser, on a real service that files with a small model of four topics."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from serve.service.champion import Champion
from serve.service.settings import Settings
from tests.serve.service.running import server_thread

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
TOPICS = ("security_pact", "state_visit", "disaster", "football")
KEY = "kunci-rahasia-untuk-tes"
# No answer within this: the test fails.
SECONDS = 15


@pytest.fixture(scope="session")
def small_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a part of the embedded corpus, in a folder."""
    from serve.topics import load_topics
    from train.corpus import load_corpus
    from train.experiment import EMBEDDED_CORPUS
    from train.fit import fit

    corpus = load_corpus([EMBEDDED_CORPUS])
    corpus["topics"] = corpus["topics"].map(lambda topics: [topic for topic in topics if topic in TOPICS])
    part = corpus[corpus["topics"].map(bool) | (corpus.index % 10 == 0)].reset_index(drop=True)
    folder = tmp_path_factory.mktemp("model") / "small"
    fit(part, {name: topic for name, topic in load_topics().items() if name in TOPICS}).save(folder)
    return folder


@contextmanager
def service(folder: Path, **settings: Any) -> Iterator[str]:
    """The address of a service that runs in a thread. A slow machine is no reason for it to refuse."""
    chosen = Settings(lag_seconds=30, **settings)
    with server_thread(chosen, Champion(str(folder), chosen.reload_seconds)) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="session")
def address(small_model_folder: Path) -> Iterator[str]:
    with service(small_model_folder) as url:
        yield url


@pytest.fixture(scope="session")
def strict_address(small_model_folder: Path) -> Iterator[str]:
    """Of a service that wants a key and takes little."""
    with service(small_model_folder, keys=(KEY,), text_characters=500, file_bytes=50_000) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium; for a module, as other modules have event loops of their own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install the package `chromium`")
    quiet = "no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update"
    with playwright.sync_playwright() as started:
        arguments = [f"--{name}" for name in [*quiet.split(), "disable-sync"]]
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


WATCH = "document.addEventListener('securitypolicyviolation', (e) => console.error('CSP: ' + e.violatedDirective))"
Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Open]:
    """Opens the page. At the end of a test: nothing ran that the page does not hold, and no other host was asked."""
    faults: list[str] = []

    with ExitStack() as stack:

        def open_at(url: str = address, view: str = "", width: int = 1280, height: int = 800, **options: Any) -> Any:
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            stack.callback(context.close)
            context.set_default_timeout(SECONDS * 1000)
            context.add_init_script(WATCH)
            page = context.new_page()

            def refuse(dialog: Any) -> None:
                faults.append(f"a dialog: {dialog.message}")
                dialog.dismiss()

            def asked(request: Any) -> None:
                if not request.url.startswith((url, "data:", f"blob:{url}")):
                    faults.append(f"another host: {request.url}")

            def logged(message: Any) -> None:
                # Some versions say of a handler in a page that was opened as a file that it did not run.
                if "inline event handler" in message.text or "script-src-attr" in message.text:
                    return
                if "CSP" in message.text or "Content Security Policy" in message.text:
                    faults.append(message.text)

            page.on("dialog", refuse)
            page.on("request", asked)
            page.on("console", logged)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(url + view)
            page.wait_for_selector("html[data-ready]")
            return page

        yield open_at
    assert faults == []


@pytest.fixture
def page(open_page: Open) -> Any:
    return open_page()
