"""What /openapi.json says beside what FastAPI finds by itself: bodies, answers, limits."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from serve.service import label_schemas, schemas
from serve.service.keys import needs_key
from serve.service.problems import PROBLEM
from serve.service.settings import Settings

ANSWERS: tuple[type[BaseModel], ...] = (
    schemas.Prediction, schemas.Explanation, schemas.Topics, schemas.Alive, schemas.Ready, schemas.ProblemBody,
)  # fmt: skip

ERRORS = {
    400: "Not a request that HTTP knows",
    401: "No API key, or one that is not known",
    404: "There is nothing of this id",
    408: "The body arrives too slowly",
    413: "The body is too large",
    415: "The body is of another type",
    421: "The service does not answer under this name",
    422: "The request is not as it should be",
    429: "Too many requests of one client",
    500: "Something failed in the service",
    503: "The service is too busy, or not ready",
    504: "There was no answer in time",
}
# Any request may meet these.
ANYWHERE = (400, 421, 429, 500, 503, 504)
WITH_BODY = (401, 408, 413, 415, 422)

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """The problems that an operation may answer with."""
    schema = {"$ref": "#/components/schemas/ProblemBody"}
    return {
        status: {"description": ERRORS[status], "content": {PROBLEM: {"schema": schema}}}
        for status in sorted({*ANYWHERE, *statuses})
    }


def answer(model: type[BaseModel], description: str, *, problem: bool = False) -> dict[str, Any]:
    media_type = PROBLEM if problem else "application/json"
    return {"description": description, "content": {media_type: {"schema": _reference(model)}}}


def body(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of an operation that reads JSON."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _reference(model)}}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def describe(api: FastAPI, settings: Settings) -> None:
    """Adds the schemas, and how keys are given, to the description that `api` makes."""
    plain = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema:
            return api.openapi_schema
        found = plain()
        models = ANSWERS + (label_schemas.MODELS if settings.labels else ())
        _, made = models_json_schema(
            [(model, "serialization") for model in models], ref_template="#/components/schemas/{model}"
        )
        components = found.setdefault("components", {})
        components["schemas"] = {
            **made["$defs"], **schemas.request_schemas(settings)
        }  # fmt: skip
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        for path, operations in found["paths"].items():
            if settings.keys and needs_key(path):
                for operation in operations.values():
                    operation["security"] = [{"bearer": []}, {"key": []}]
        api.openapi_schema = found
        return found

    api.openapi = openapi  # type: ignore[method-assign]
