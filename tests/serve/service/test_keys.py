"""Who may ask, under which name, and how often."""

import pytest

from serve.service.keys import Hosts
from serve.service.rates import MOST_CLIENTS, Rates
from serve.service.settings import Settings, is_loopback
from tests.serve.service.conftest import Run, Service


def scope(address: str) -> dict[str, object]:
    return {"client": (address, 1), "headers": []}


def test_keys_open_what_is_theirs(run: Run) -> None:
    with run(keys=("kunci-satu", "kunci-dua")) as service:
        for path in ("/v1/topics", "/metrics", "/v1/nothing"):
            answer = service.client.get(path)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
        for path in ("/healthz", "/readyz", "/openapi.json"):
            assert service.client.get(path).status_code == 200
        for headers in (
            {"Authorization": "Bearer kunci-satu"}, {"authorization": "bearer  kunci-dua"}, {"X-API-Key": "kunci-dua"},
        ):  # fmt: skip
            assert service.client.get("/v1/topics", headers=headers).status_code == 200
        for headers in (
            {"Authorization": "Bearer kunci"}, {"Authorization": "Basic kunci-satu"}, {"X-API-Key": "kunci-satu,kunci-dua"},
            {"X-API-Key": ""}, {"Authorization": "Bearer"}, {"X-API-Key": "kunci-satu\xe9".encode("latin-1")},
        ):  # fmt: skip
            assert service.client.get("/v1/topics", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("evil.example:localhost", 421),
        ("127.0.0.1.evil.example:8000", 421),
        ("", 421),
    ],
)
def test_on_loopback_only_its_own_names_are_answered(service: Service, host: str, status: int) -> None:
    for path in ("/v1/topics", "/openapi.json"):
        assert service.client.get(path, headers={"Host": host}).status_code == status


def test_two_hosts_are_none(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(b"GET /v1/topics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(65536).split(b" ")[1] in (b"400", b"421")


def test_other_names_are_answered_where_that_is_meant() -> None:
    asked = {"headers": [(b"host", b"kanal.example:8000")]}
    assert Hosts(Settings()).refusal(asked) is not None
    assert Hosts(Settings(keys=("kunci",))).refusal(asked) is None
    assert Hosts(Settings(host="0.0.0.0")).refusal(asked) is None
    assert Hosts(Settings(allow_hosts=("Kanal.example",))).refusal(asked) is None
    assert Hosts(Settings(host="0.0.0.0", allow_hosts=("other.example",))).refusal(asked) is not None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True), ("localhost", True),
        ("0.0.0.0", False), ("::", False), ("192.168.0.1", False), ("example.org", False),
    ],
)  # fmt: skip
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_more_requests_than_the_rate(run: Run) -> None:
    with run(rate=5, keys=("satu", "dua")) as service:
        first, second = ({"X-API-Key": key} for key in ("satu", "dua"))
        answers = [service.client.get("/v1/topics", headers=first) for _ in range(12)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:5] == [200] * 5
        assert statuses[-1] == 429
        assert answers[-1].headers["retry-after"] == "1"
        assert service.client.get("/v1/topics", headers=second).status_code == 200
        assert {service.client.get("/v1/topics").status_code for _ in range(10)} == {401, 429}
        assert service.client.get("/healthz").status_code == 200


def test_the_rate_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("serve.service.rates.time.monotonic", lambda: now)
    rates = Rates(0.5)
    assert rates.refusal(scope("10.0.0.1"), None) is None
    refused = rates.refusal(scope("10.0.0.1"), None)
    assert refused is not None
    assert refused.headers["Retry-After"] == "2"
    now = 2.0
    assert rates.refusal(scope("10.0.0.1"), None) is None


def test_many_addresses_take_bounded_memory() -> None:
    rates = Rates(1)
    for number in range(2 * MOST_CLIENTS):
        rates.refusal(scope(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"), None)
    assert len(rates.buckets) == MOST_CLIENTS


def test_one_network_of_ipv6_is_one_client() -> None:
    rates = Rates(1)
    assert rates.refusal(scope("2001:db8::1"), None) is None
    assert rates.refusal(scope("2001:db8::2"), None) is not None
    assert rates.refusal(scope("2001:db8:0:1::1"), None) is None
