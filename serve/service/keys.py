"""Who may ask: API keys, and the names under which a service on loopback answers."""

import hmac
from collections.abc import Sequence

from starlette.types import Scope

from serve.service.problems import Problem
from serve.service.settings import Settings, is_loopback

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class Keys:
    """The API keys; without any, everybody may ask."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = [key.encode() for key in keys]

    def holder(self, scope: Scope) -> int | None:
        """The number of the key that a request carries; None when it carries none that is known."""
        if not self.keys:
            return None
        given = b""
        for name, value in scope["headers"]:
            if name == b"authorization" and value[:7].lower() == b"bearer ":
                given = value[7:].strip()
            elif name == b"x-api-key":
                given = value.strip()
        # All are compared, so that the time tells nothing.
        matches = [hmac.compare_digest(given, key) for key in self.keys]
        return matches.index(True) if any(matches) else None

    def refusal(self, scope: Scope, holder: int | None) -> Problem | None:
        if not self.keys or holder is not None or not needs_key(scope["path"]):
            return None
        return Problem(
            401,
            "This needs an API key; send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`.",
            reason="key",
            headers={"WWW-Authenticate": "Bearer"},
        )


def needs_key(path: str) -> bool:
    return path.startswith("/v1") or path == "/metrics"


class Hosts:
    """The names that a request may ask for.

    A page elsewhere can give its own name the address 127.0.0.1 and then read what a service on loopback answers to the
    browser (DNS rebinding); the name it asks for gives it away.
    """

    def __init__(self, settings: Settings) -> None:
        restricted = is_loopback(settings.host) and not settings.keys
        names = settings.allow_hosts or (LOOPBACK_NAMES if restricted else ())
        self.names = {name.lower() for name in names}

    def refusal(self, scope: Scope) -> Problem | None:
        if not self.names:
            return None
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and _without_port(hosts[0].decode("latin-1").lower()) in self.names:
            return None
        return Problem(
            421, "The service does not answer under this name; ask for localhost, or start it with --allow-host NAME.",
            reason="host",
        )  # fmt: skip


def _without_port(host: str) -> str:
    name, separator, port = host.rpartition(":")
    return name if separator and port.isdecimal() else host
