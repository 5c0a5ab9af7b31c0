"""Webhooks and group robots a utility publishes to."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, Query
from water2.api.state import state_of
from water2.domain.delivery import Audience, Endpoint
from water2.domain.sending import SendingChannel
from water2.gateways.addresses import check_url
from water2.gateways.build import allowed_of
from water2.services.delivery.endpoints import (
    AddEndpoint,
    add_endpoint,
    end_endpoint,
    list_endpoints,
)
from water2.services.register import chosen_utility

router = APIRouter(prefix="/endpoints", tags=["deliveries"], route_class=ActRoute)


class EndpointAnswer(Answer):
    """An endpoint; of its address, which may hold a token, only the host is shown."""

    id: str
    channel: SendingChannel
    audience: Audience
    name: str
    host: str
    signed: bool
    created_at: Instant
    ended_at: Instant | None = None


class NewEndpointAnswer(EndpointAnswer):
    """A new endpoint, with the secret that was made for a webhook: it is shown this once."""

    secret: str | None = Field(description="Standard Webhooks, `whsec_…`; null where it was given")


def _columns(endpoint: Endpoint) -> dict[str, object]:
    columns = endpoint.model_dump(exclude={"sealed", "address_index", "secret_sealed"})
    return columns | {"signed": endpoint.secret_sealed is not None}


@router.get("", response_model=ListAnswer[EndpointAnswer])
async def show_endpoints(
    work: Reading, query: Annotated[Query, Given()]
) -> ListAnswer[EndpointAnswer]:
    """List the endpoints in use."""
    found = await list_endpoints(work, await chosen_utility(work, query.of_utility))
    return ListAnswer(items=[EndpointAnswer.model_validate(one) for one in found])


@router.post("", status_code=201, response_model=NewEndpointAnswer)
async def enter_endpoint(request: Request, act: Writing, command: AddEndpoint) -> Response:
    """Enter an endpoint; addresses of private networks are refused but for those allowed."""
    allowed = allowed_of(state_of(request).settings)
    added = await add_endpoint(act.work, command, lambda url: check_url(url, allowed))
    shown = _columns(added.endpoint) | {"secret": added.secret}
    return act.answer(NewEndpointAnswer.model_validate(shown), 201)


@router.post("/{id}/end", response_model=EndpointAnswer)
async def stop_endpoint(act: Writing, id_: Id) -> Response:
    """Publish to an endpoint no longer."""
    ended = await end_endpoint(act.work, id_)
    return act.answer(EndpointAnswer.model_validate(_columns(ended)))
