"""The error answers every operation documents."""

from typing import Any

from pydantic import BaseModel, Field


class FieldErrorAnswer(BaseModel):
    """One field at fault."""

    field: str
    code: str
    detail: str


class ProblemAnswer(BaseModel):
    """Problem details (RFC 9457). `article` and `quote` are filled where a rule refuses."""

    type: str = Field(description="`urn:water2:refused:<obligation id>` for a refusal by rule")
    title: str
    status: int
    detail: str
    reason: str = Field(description="the code behind `detail`")
    article: str | None
    quote: str | None
    facts: dict[str, Any]
    errors: list[FieldErrorAnswer] | None = None


_MEANINGS = {
    401: "Nobody is signed in with this token.",
    403: "The role does not allow it, or a one-time password must be changed first.",
    404: "There is no such thing, or it is another utility's.",
    409: "Refused by a rule (with article and quote), or the state does not fit.",
    412: "Somebody edited it meanwhile.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    422: "Malformed: each field at fault is named.",
    428: "If-Match is lacking.",
    429: "Too many tries; Retry-After says when.",
    500: "A fault of ours.",
    503: "The database is away; Retry-After says when to try again.",
}
_SCHEMA = {"$ref": "#/components/schemas/ProblemAnswer"}

Documented = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Documented:
    """Return the documentation of some error statuses; 500 and 503 may always happen."""
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {"application/problem+json": {"schema": _SCHEMA}},
        }
        for status in sorted({*statuses, 500, 503})
    }


FEEDS = problems(404, 422)
PUBLIC = problems(404, 413, 415, 422, 429)
OPEN = problems(413, 415, 422, 429, 401)
SIGNED_IN = problems(401, 403, 404, 409, 412, 413, 415, 422, 428, 429)
