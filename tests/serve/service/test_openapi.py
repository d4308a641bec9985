"""The description at /openapi.json, and what a fuzzer finds that follows it: no failure, and no answer that it does not tell of."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.serve.service.conftest import Run, Service

EXAMPLES = 30


OPERATIONS = {
    "/v1/predict": "post",
    "/v1/explain": "post",
    "/v1/topics": "get",
    "/v1/files": "post",
    "/healthz": "get",
    "/readyz": "get",
    "/metrics": "get",
}


@pytest.fixture(scope="module")
def description(service: Service) -> Any:
    return schemathesis.openapi.from_url(f"http://127.0.0.1:{service.port}/openapi.json")


# What a schema cannot say: which topics there are, what is a CSV; and 413, which counts as accepted there.
SAID_ELSEWHERE = [positive_data_acceptance, negative_data_rejection]
MODES = {"post": list(GenerationMode), "get": [GenerationMode.POSITIVE]}


@pytest.mark.parametrize(
    ("path", "method", "mode"), [(path, method, mode) for path, method in OPERATIONS.items() for mode in MODES[method]]
)
def test_every_answer_is_described(description: Any, path: str, method: str, mode: GenerationMode) -> None:
    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(description[path][method].as_strategy(generation_mode=mode))
    def check(case: Case) -> None:
        case.call_and_validate(excluded_checks=SAID_ELSEWHERE)

    check()


def test_what_needs_a_key_is_described(run: Run) -> None:
    with run(keys=("kunci",)) as service:
        for path, operations in service.client.get("/openapi.json").json()["paths"].items():
            for method, operation in operations.items():
                refused = service.client.request(method, path).status_code == 401
                assert refused == ("security" in operation), path


def test_every_operation_is_described(service: Service) -> None:
    found = service.client.get("/openapi.json").json()
    assert {path: list(operations) for path, operations in found["paths"].items()} == {
        path: [method] for path, method in OPERATIONS.items()
    }
    for path, operations in found["paths"].items():
        for operation in operations.values():
            assert operation["summary"]
            assert {"200", "500", "503"} <= set(operation["responses"]), path
    schemas = found["components"]["schemas"]
    assert schemas["Articles"]["properties"]["articles"]["maxItems"] == 1000
    assert schemas["Article"]["properties"]["text"]["maxLength"] == 200_000
    assert schemas["ToExplain"]["properties"]["topics"]["anyOf"][0]["maxItems"] == 100
    example = schemas["Articles"]["example"]
    assert service.client.post("/v1/predict", json=example).status_code == 200
