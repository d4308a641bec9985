"""What the service is told at its start: where it listens, who may ask, and how much of everything."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """Each field's default is the service's; sizes are in bytes, times in seconds."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    keys: tuple[str, ...] = ()
    """API keys, one of which every request under /v1 and for /metrics has to carry; none means that anybody may ask."""
    allow_hosts: tuple[str, ...] = ()
    """The names under which the service answers; none means localhost alone on loopback without keys, else any name."""
    insecure: bool = False
    """Whether it may listen on a public address without keys."""
    reload_seconds: float = 5
    """How often the registry is asked for a new champion."""
    labels: Path | None = None
    """The label store that people work on over the service; None means that nothing is labelled there."""

    articles: int = 1_000
    """Of one request."""
    text_characters: int = 200_000
    """Of one article's title or text."""
    explained_topics: int = 100
    """Of one explanation."""
    explained_spans: int = 50_000
    """Places of words in one explanation: of those that stand in more places than it has room for, the first are given."""
    json_bytes: int = 8 * 2**20
    """Of a JSON body."""
    file_bytes: int = 256 * 2**20
    """Of an uploaded file."""
    disk_bytes: int = 4 * 2**30
    """Of what one uploaded file and its answer may take on the disk, uncompressed; and all answers that are not read yet."""
    buffered_bytes: int = 256 * 2**20
    """Of all JSON bodies that are being received at a time."""
    unread_bytes: int = 128 * 2**20
    """Of all large answers, beside those that are streamed, that wait for their clients to read them at a time."""

    rate: float = 1_000
    """Requests a second of one key, or of one address without a key; 0 means any number."""
    concurrency: int = 64
    """Requests that wait for a thread or have one at a time."""
    uploads: int = 2
    """Files that are received and filed at a time."""
    upload_threads: int = 1
    """That file one upload."""
    connections: int = 1_000
    lag_seconds: float = 0.02
    """New requests are refused while the event loop is late by more than this."""

    header_seconds: float = 10
    """For the headers of a request to arrive."""
    body_seconds: float = 10
    """For a body to arrive, beside what it takes at `body_rate`."""
    body_rate: int = 16 * 2**10
    """Bytes a second that a body has to arrive at."""
    request_seconds: float = 30
    """For a request, its answer read by the client included."""
    file_seconds: float = 600
    """The same for an uploaded file."""
    shutdown_seconds: float = 30
    """For requests in flight to end once the service is told to stop."""


def is_loopback(host: str) -> bool:
    """Whether a host to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
