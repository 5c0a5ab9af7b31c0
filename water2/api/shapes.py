"""The shapes of answers and of list queries."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Response
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, field_validator

from water2.edge.facts import instant_text
from water2.rules.obligation import SubjectKind
from water2.services.paging import MOST_ROWS, Page, PageAsked

T = TypeVar("T")

Amount = Annotated[Decimal, PlainSerializer(lambda d: format(d.normalize(), "f"), return_type=str)]
"""An exact decimal, as text."""
Instant = Annotated[datetime, PlainSerializer(instant_text, return_type=str)]
"""An instant in UTC, RFC 3339."""
Id = Annotated[str, Path(alias="id", max_length=60, description="The id an earlier answer gave.")]


class Answer(BaseModel):
    """The root of all answers; made from tables by their columns."""

    model_config = ConfigDict(from_attributes=True)


class ListAnswer(BaseModel, Generic[T]):
    """One page; `next` is the cursor of the following one, null on the last."""

    items: list[T]
    next: str | None = None


class Query(BaseModel):
    """The root of all query strings: unknown names are refused."""

    model_config = ConfigDict(extra="forbid")

    lang: Annotated[str, Field(max_length=10)] | None = Field(
        None, description="`zh` or `en`: the language of problem details"
    )
    utility: Annotated[str, Field(max_length=60)] | None = Field(
        None, description="id of one of the utilities the caller sees"
    )
    utility_id: Annotated[str, Field(max_length=60)] | None = Field(
        None, description="the same as `utility`"
    )

    @field_validator("*", mode="after")
    @classmethod
    def _storable(cls, value: object) -> object:
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("NUL")
        return value

    @property
    def of_utility(self) -> str | None:
        """Return the utility asked for."""
        return self.utility or self.utility_id


class ListQuery(Query):
    """A page of a list."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = 100
    cursor: Annotated[str, Field(max_length=400)] | None = None

    @property
    def page(self) -> PageAsked:
        """Return which page of what is asked for."""
        return PageAsked(self.of_utility, self.limit, self.cursor)


def page_answer(shape: type[Answer], page: Page[Any]) -> Response:
    """Return a page of rows as JSON, each in one shape."""
    items = b",".join(shape.model_validate(row).model_dump_json().encode() for row in page.items)
    following = json.dumps(page.next).encode()
    body = b'{"items":[%b],"next":%b}' % (items, following)
    return Response(body, media_type="application/json")


class SubjectAnswer(Answer):
    """Of whom or what a duty is demanded."""

    type: SubjectKind
    id: str
    code: str | None
