"""What is answered when a request cannot be: `application/problem+json` (RFC 9457), one sentence and where the fault is."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.responses import Response

from serve.counts import counted

PROBLEM = "application/problem+json"
# So many faults of a body are told.
MOST_ERRORS = 20
# Of more faults nothing is told but their number: to list them takes a kilobyte each.
MOST_LISTED = 10_000

# What pydantic's codes mean to the sender of a body.
SENTENCES = {
    "missing": "is missing; add it.",
    "extra_forbidden": "is not a field of this object; leave it out.",
    "string_type": "must be a string.",
    "list_type": "must be an array.",
    "model_type": "must be an object.",
    "model_attributes_type": "must be an object.",
    "too_short": "must not be empty.",
}


class Problem(Exception):  # noqa: N818
    """A request that is refused: raised inside of the application, which answers with it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        reason: str = "",
        errors: Sequence[Mapping[str, str]] = (),
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.reason = status, detail, reason
        """`reason` is the word under which the metrics count the refusal, where they do."""
        self.errors, self.members, self.headers = errors, dict(members or {}), dict(headers or {})
        """`members` are further ones of the body (RFC 9457, section 3.2)."""

    def response(self) -> Response:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        if self.errors:
            body["errors"] = self.errors
        return Response(to_json(body), self.status, self.headers, PROBLEM)


class TooLarge(Problem):
    def __init__(self, limit: int) -> None:
        super().__init__(413, f"The body is larger than {limit:,} bytes; send less at a time.", reason="body_size")


class Unavailable(Problem):
    """The service is too busy at the moment."""

    def __init__(self, detail: str, *, reason: str, seconds: int = 1) -> None:
        super().__init__(503, detail, reason=reason, headers={"Retry-After": str(seconds)})


def invalid(error: ValidationError) -> Problem:
    """The answer to a body that is not what it should be. It repeats nothing of the body but the names of fields."""
    if error.error_count() > MOST_LISTED:
        return Problem(
            422,
            f"The body is not as /openapi.json says, in {error.error_count():,} places; compare it with the example there.",
        )
    found = error.errors(include_url=False, include_input=False, include_context=False)
    errors = [
        {"pointer": pointer(*fault["loc"]), "detail": SENTENCES.get(fault["type"], f"{fault['msg']}.")}
        for fault in found[:MOST_ERRORS]
    ]
    first = errors[0]
    where = f"{first['pointer']} {first['detail']}" if first["pointer"] else first["detail"]
    left = counted(len(found) - 1, "more fault", "more faults")
    more = f" There {'is' if len(found) == 2 else 'are'} {left} like this." if len(found) > 1 else ""
    return Problem(422, f"The body is not as /openapi.json says: {where}{more}", errors=errors)


def fault(pointer: str, detail: str) -> Problem:
    """The answer to a body with a fault at a JSON pointer."""
    return Problem(422, f"{pointer} {detail}", errors=[{"pointer": pointer, "detail": detail}])


def pointer(*path: str | int) -> str:
    """The JSON pointer (RFC 6901) of a path."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
