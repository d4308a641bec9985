"""Starting and stopping the service: where it listens, its worker processes, and what signals do."""

import errno
import gc
import logging
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
from functools import partial
from typing import Any, NoReturn

from uvicorn import Config, Server

from serve.errors import InputError
from serve.labelling.store import LabelStore
from serve.service.champion import Champion
from serve.service.protocol import Protocol
from serve.service.settings import Settings, is_loopback

BACKLOG = 2048
# Of files that are open beside connections.
OTHER_FILES = 512
# Beyond the time that requests in flight have, for a worker to end.
END_SECONDS = 5.0
# A worker that ended sooner is not started again at once, as the next may do the same.
SHORT_LIFE = 1.0

logger = logging.getLogger("kanal.server")


def serve(settings: Settings, model: str | None) -> None:
    """Answers requests until SIGTERM or Ctrl-C, then ends those in flight and exits with 0.

    Raises InputError when it may not or cannot listen where it should, or when there is no model.
    """
    if not (settings.keys or settings.insecure or is_loopback(settings.host)):
        raise InputError(
            f"--host {settings.host}: anybody on the network could ask; set KANAL_API_KEYS, "
            "or give --insecure where something else keeps strangers out."
        )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    _log()
    with (
        listening_socket(settings.host, settings.port) as listener,
        tempfile.TemporaryDirectory(prefix="kanal-") as folder,
    ):
        if settings.workers > 1:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        if settings.labels:
            # A file that is none is said before any process begins to answer.
            LabelStore(settings.labels).close()
        champion = Champion(model, settings.reload_seconds)
        champion.load()
        _allow_files(2 * settings.connections + OTHER_FILES)
        listener.listen(BACKLOG)
        host, port = listener.getsockname()[:2]
        place = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        serving = champion.serving
        print(f"Kanal listens on {place}, model {serving.version} ({serving.uri or model})", flush=True)
        if settings.workers > 1:
            _Workers(settings, champion, listener).run()
        else:
            _answer(settings, champion, listener)


def _exit(*_: object) -> NoReturn:
    sys.exit(0)


def _log() -> None:
    # What no line shows need not be found out for each of them (Python's logging HOWTO, "Optimization").
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s", level=logging.WARNING)
    logging.getLogger("kanal").setLevel(logging.INFO)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to a host, a name or address, and a port. Raises InputError when that cannot be."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise InputError(f"--host {host}: not a name or address of this machine ({error}).") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            remedy = "is in use; end what listens there, or choose another with --port."
        elif error.errno == errno.EACCES:
            remedy = "is not for this user to listen on; choose one from 1024 on with --port."
        else:
            raise InputError(f"--host {host}: cannot listen there ({error.strerror}).") from None
        raise InputError(f"Port {port} of {host} {remedy}") from None
    return listener


def _allow_files(number: int) -> None:
    """Lets this process and its workers have so many files and connections open, as far as the system does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(Server):
    """uvicorn's server, which says that it is not ready any more as soon as it is told to stop."""

    def __init__(self, config: Config, champion: Champion) -> None:
        super().__init__(config)
        self.champion = champion

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.champion.retire()
        await super().shutdown(sockets)


def server(settings: Settings, champion: Champion) -> Server:
    """What answers requests in one process, when it is run with a listening socket."""
    from serve.service.app import create_app

    protocol: Any = partial(Protocol, header_seconds=settings.header_seconds, connections=settings.connections)
    config = Config(
        create_app(settings, champion),
        http=protocol,
        ws="none",
        loop="uvloop",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=round(settings.shutdown_seconds),
    )
    return _Server(config, champion)


def _answer(settings: Settings, champion: Champion, listener: socket.socket) -> None:
    """Answers requests until it is told to stop."""
    champion.start()
    answering = server(settings, champion)
    # What is there now stays: the collector need not look at it while requests wait.
    gc.collect()
    gc.freeze()
    try:
        answering.run([listener])
    finally:
        champion.stop()


class _Workers:
    """Worker processes that answer on the same socket: forks, which share the model and all that was imported."""

    def __init__(self, settings: Settings, champion: Champion, listener: socket.socket) -> None:
        self.settings, self.champion, self.listener = settings, champion, listener
        self.begun: dict[int, float] = {}
        """When each worker was started, by its process id."""
        # Open as long as this process lives, however it ends.
        self.lifeline, self.held = os.pipe()

    def run(self) -> None:
        """Keeps as many workers running as there should be, until SIGTERM or Ctrl-C, which they are told to obey."""
        import serve.service.app  # noqa: F401  (once, not in each worker)

        gc.collect()
        gc.freeze()
        # Signals wait until they are asked for, so that none comes between a fork and its note.
        watched = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        for _ in range(self.settings.workers):
            self._start()
        while signal.sigwait(watched) == signal.SIGCHLD:
            for pid, status in self._ended():
                lived = time.monotonic() - self.begun.pop(pid)
                logger.error("Worker %d ended (%s); another takes its place", pid, _how(status))
                time.sleep(max(0.0, SHORT_LIFE - lived))
                self._start()
        self._stop()

    def _start(self) -> None:
        pid = os.fork()
        if pid:
            self.begun[pid] = time.monotonic()
            return
        status = 1
        try:
            os.close(self.held)
            for number in (signal.SIGTERM, signal.SIGINT):
                # Until uvicorn obeys them, and once it has: a SystemExit could come in the midst of its event loop's start.
                signal.signal(number, lambda *_: os._exit(0))
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT})
            threading.Thread(target=self._follow, daemon=True).start()
            _answer(self.settings, self.champion, self.listener)
            status = 0
        except SystemExit as stopped:
            status = int(stopped.code or 0)
        except BaseException:
            logger.exception("A worker failed")
        finally:
            # Not sys.exit(): what is to be undone at the end is the parent's.
            os._exit(status)

    def _follow(self) -> None:
        """Ends this worker when the parent is gone, even if that was killed."""
        os.read(self.lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    def _ended(self) -> list[tuple[int, int]]:
        """The workers that have ended since the last call, and their statuses."""
        # Not before PROMETHEUS_MULTIPROC_DIR is set, which is read by the import.
        from prometheus_client.multiprocess import mark_process_dead

        ended = [(pid, status) for pid, status in (os.waitpid(pid, os.WNOHANG) for pid in self.begun) if pid]
        for pid, _ in ended:
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
        return ended

    def _stop(self) -> None:
        # As long as one process has it open, connections are taken that nobody answers.
        self.listener.close()
        for pid in self.begun:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + self.settings.shutdown_seconds + END_SECONDS
        while self.begun:
            if time.monotonic() > deadline:
                for pid in self.begun:
                    os.kill(pid, signal.SIGKILL)
            for pid, _ in self._ended():
                del self.begun[pid]
            time.sleep(0.02)


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit status {code}" if code >= 0 else signal.Signals(-code).name
