"""The description at /openapi.json, and what a fuzzer finds that follows it: no failure, and no answer that it does not tell of."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case

from tests.serve.service.conftest import Service

EXAMPLES = 30


@pytest.fixture(scope="module")
def description(service: Service) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/openapi.json")


schema = schemathesis.pytest.from_fixture("description")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_described(case: Case) -> None:
    case.call_and_validate()


def test_every_operation_is_described(service: Service) -> None:
    found = service.client.get("/openapi.json").json()
    assert set(found["paths"]) == {
        "/v1/predict", "/v1/explain", "/v1/topics", "/v1/files", "/healthz", "/readyz", "/metrics",
    }  # fmt: skip
    for path, operations in found["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert {"200", "500", "503"} <= set(operation["responses"]), path
    schemas = found["components"]["schemas"]
    assert schemas["Articles"]["properties"]["articles"]["maxItems"] == 1000
    assert schemas["Article"]["properties"]["text"]["maxLength"] == 200_000
    example = schemas["Articles"]["example"]
    assert service.client.post("/v1/predict", json=example).status_code == 200
