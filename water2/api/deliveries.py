"""The queue of messages: what was given up, sent again or waived; channels that stopped."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, Query, page_answer
from water2.domain.delivery import Delivery, DeliverySource, DeliveryState, EvidenceLevel
from water2.domain.evidence import level_of
from water2.domain.sending import SendingChannel
from water2.services.delivery.channels import list_channels, resume_channel
from water2.services.delivery.dead_letters import (
    DeliveryFilters,
    WaiveDelivery,
    list_deliveries,
    requeue,
    waive,
)
from water2.services.register import chosen_utility

router = APIRouter(tags=["deliveries"], route_class=ActRoute)


class DeliveryStateAnswer(Answer):
    """Where a delivery stands in the queue (`state`), and what is proved of it (`level`)."""

    id: str
    source: DeliverySource
    source_id: str
    channel: SendingChannel
    state: DeliveryState
    level: EvidenceLevel
    attempts: int
    code: str | None
    due_at: Instant
    settled_at: Instant | None
    waived_by: str | None
    waived_reason: str | None


class DeliveryAnswer(DeliveryStateAnswer):
    """A message to one address, which is masked; of a webhook or robot it is the host."""

    address: str | None
    attempted_at: Instant | None
    accepted_at: Instant | None
    delivered_at: Instant | None
    failed_at: Instant | None


class ChannelAnswer(Answer):
    """A channel; `stopped` as misconfigured, with the provider's code, until it is resumed."""

    channel: SendingChannel
    stopped: bool
    code: str | None
    stopped_at: Instant | None


class DeliveryQuery(ListQuery):
    """Narrows a list of deliveries; `source_id` is the notice's, or of what else it carries."""

    state: DeliveryState | None = None
    channel: SendingChannel | None = None
    source_id: Annotated[str, Field(max_length=60)] | None = None


def _answer(act: Act, row: Delivery) -> Response:
    columns = row.model_dump(exclude={"sealed", "address_index"})
    return act.answer(DeliveryStateAnswer.model_validate(columns | {"level": level_of(row)}))


@router.get("/deliveries", response_model=ListAnswer[DeliveryAnswer])
async def show_deliveries(work: Reading, query: Annotated[DeliveryQuery, Given()]) -> Response:
    """List messages; with `state=dead` those that somebody must look at."""
    filters = DeliveryFilters(query.state, query.channel, query.source_id)
    return page_answer(DeliveryAnswer, await list_deliveries(work, filters, query.page))


@router.post("/deliveries/{id}/requeue", response_model=DeliveryStateAnswer)
async def send_again(act: Writing, id_: Id) -> Response:
    """Send again what was given up."""
    return _answer(act, await requeue(act.work, id_))


@router.post("/deliveries/{id}/waive", response_model=DeliveryStateAnswer)
async def let_be(act: Writing, id_: Id, command: WaiveDelivery) -> Response:
    """Let be what was given up, with the reason."""
    return _answer(act, await waive(act.work, id_, command))


@router.get("/channels", response_model=ListAnswer[ChannelAnswer])
async def show_channels(
    work: Reading, query: Annotated[Query, Given()]
) -> ListAnswer[ChannelAnswer]:
    """List the ways messages go out, and which of them are stopped."""
    found = await list_channels(work, await chosen_utility(work, query.of_utility))
    return ListAnswer(items=[ChannelAnswer.model_validate(one) for one in found])


@router.post("/channels/{channel}/resume", response_model=ChannelAnswer)
async def resume(
    act: Writing, channel: SendingChannel, query: Annotated[Query, Given()]
) -> Response:
    """Let a stopped channel run again, once what stopped it is mended."""
    utility = await chosen_utility(act.work, query.of_utility)
    await resume_channel(act.work, utility.id, channel)
    return act.answer(ChannelAnswer(channel=channel, stopped=False, code=None, stopped_at=None))
