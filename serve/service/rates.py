"""How often one client may ask: a token bucket for each key or address."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Hashable

from starlette.types import Scope

from serve.service.problems import Problem

# So many clients are remembered; the one that has been quiet longest is forgotten first.
MOST_CLIENTS = 10_000


class Rates:
    """Lets each client ask `rate` times a second, and as often at once after a quiet second; 0 is no limit."""

    def __init__(self, rate: float) -> None:
        self.rate, self.burst = rate, max(1.0, rate)
        self.buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        """For each client how many requests it had left, and when."""

    def refusal(self, scope: Scope, holder: int | None) -> Problem | None:
        if not self.rate:
            return None
        client = _network(scope) if holder is None else holder
        now = time.monotonic()
        left, then = self.buckets.pop(client, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        allowed = left >= 1
        self.buckets[client] = (left - 1 if allowed else left, now)
        if len(self.buckets) > MOST_CLIENTS:
            self.buckets.popitem(last=False)
        if allowed:
            return None
        seconds = math.ceil((1 - left) / self.rate)
        return Problem(
            429, f"More than {self.rate:g} requests a second; ask again in {seconds} s.",
            reason="rate", headers={"Retry-After": str(seconds)},
        )  # fmt: skip


def _network(scope: Scope) -> str:
    """A client's address; of IPv6 the half that names a network, as one client has all addresses in it."""
    address = scope["client"][0] if scope.get("client") else ""
    if ":" not in address:
        return address
    try:
        network = int(ipaddress.IPv6Address(address)) >> 64
    except ValueError:
        return address
    return f"{network:x}::/64"
