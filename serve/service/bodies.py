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


def parsed(model: type[B], data: bytes, most_marks: int | None = None) -> B:
    """A body as its schema has it. Raises Problem when it is not so, or has more than so many marks.

    Marks are what is neither within a string nor white space. Objects of Python are made of what they enclose, and of
    each fault in it, while all other requests wait: of megabytes of tiny values that takes seconds, of text nothing.
    """
    if most_marks is not None and _marks(data, most_marks) > most_marks:
        detail = (
            f"The body has more than {most_marks:,} characters of JSON outside of its strings; "
            "send less at a time, and nothing that /openapi.json does not tell of."
        )
        raise Problem(422, detail, errors=[{"pointer": "", "detail": detail}])
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise invalid(error) from None


def _marks(data: bytes, most: int) -> int:
    """How many marks JSON has: quotes, and what is outside of strings but no white space. Of more than `most` perhaps not
    all are counted, and of what is no JSON others."""
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    quotes = plain.count(b'"')
    if quotes > most:
        return quotes
    return quotes + sum(len(part.translate(None, b" \t\r\n")) for part in plain.split(b'"')[::2])
