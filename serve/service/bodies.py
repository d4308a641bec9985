"""The JSON bodies that come in: read, and held against their schemas."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from serve.service.problems import Problem, invalid

B = TypeVar("B", bound=BaseModel)


async def json_body(request: Request) -> bytes:
    """The body of a request. Raises Problem when it does not say that it is JSON."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "The body has to be JSON; send it with Content-Type: application/json.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "The body is compressed; send it as it is.")
    return await request.body()


def parsed(model: type[B], data: bytes) -> B:
    """A body as its schema has it. Raises Problem when it is not so."""
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise invalid(error) from None
