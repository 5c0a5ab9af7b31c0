"""What anybody may ask without an account: outages, notices, estates, subscriptions."""

import json
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Given
from pydantic import BaseModel, Field

from water2.api.acts import ActRoute
from water2.api.problems import problem_answer, words_for
from water2.api.public_shapes import (
    EstateAnswer,
    EstateDetail,
    GenuineAnswer,
    PublicOutageAnswer,
    PublicOutageDetail,
    PublicState,
    SubscriptionAsked,
    SubscriptionConfirmed,
)
from water2.api.sessions import address_of
from water2.api.shapes import Answer, Id, ListAnswer, ListQuery
from water2.api.state import state_of
from water2.domain.errors import NotFound
from water2.domain.outage import OutageState
from water2.edge.kept import kept_answer
from water2.edge.problems import plain_problem
from water2.services.public.facilities import estate, find_estates
from water2.services.public.outages import list_public_outages, public_notice, public_outage
from water2.services.public.searching import LONGEST_QUESTION
from water2.services.public.subscriptions import (
    CODE_VALID,
    VISITOR,
    ConfirmSubscription,
    Subscribe,
    confirm_subscription,
    end_subscription,
    end_token,
    subscribe,
)

router = APIRouter(prefix="/public", tags=["public"], route_class=ActRoute)

Question = Annotated[str, Field(max_length=LONGEST_QUESTION)]
Token = Annotated[str, Given(max_length=200, description="from the message's link")]


class EstateQuery(ListQuery):
    """Words of a name, an address, a district, or a code."""

    q: Question | None = None


class PublicOutageQuery(ListQuery):
    """Narrows the outages."""

    facility_id: Annotated[str, Field(max_length=60)] | None = None
    q: Question | None = None
    state: PublicState | None = None


def _kept(request: Request, shown: BaseModel) -> Response:
    return kept_answer(request, shown.model_dump_json().encode(), "application/json")


def _kept_list(request: Request, items: list[Answer], following: str | None) -> Response:
    shown = b",".join(item.model_dump_json().encode() for item in items)
    body = b'{"items":[%b],"next":%b}' % (shown, json.dumps(following).encode())
    return kept_answer(request, body, "application/json")


@router.get("/facilities", response_model=ListAnswer[EstateAnswer])
async def show_estates(request: Request, query: Annotated[EstateQuery, Given()]) -> Response:
    """Find estates in use by words of their name, address, district or code."""
    async with state_of(request).runtime.read() as work:
        page = await find_estates(work, query.q, query.page)
    return _kept_list(request, [EstateAnswer.model_validate(one) for one in page.items], page.next)


@router.get("/facilities/{id}", response_model=EstateDetail)
async def show_estate(request: Request, id_: Id) -> Response:
    """Show an estate with its outages now, to come and ended in the last seven days."""
    async with state_of(request).runtime.read() as work:
        return _kept(request, EstateDetail.of(await estate(work, id_)))


@router.get("/outages", response_model=ListAnswer[PublicOutageAnswer])
async def show_public_outages(
    request: Request, query: Annotated[PublicOutageQuery, Given()]
) -> Response:
    """List outages now, to come and ended in the last seven days, by their start."""
    async with state_of(request).runtime.read() as work:
        page = await list_public_outages(
            work,
            query.page,
            facility_id=query.facility_id,
            q=query.q,
            states=None if query.state is None else {OutageState(query.state)},
        )
    return _kept_list(request, [PublicOutageAnswer.of(one) for one in page.items], page.next)


@router.get("/outages/{number}", response_model=PublicOutageDetail)
async def show_public_outage(request: Request, number: str) -> Response:
    """Show a published outage with all revisions of its notice."""
    async with state_of(request).runtime.read() as work:
        return _kept(request, PublicOutageDetail.of(await public_outage(work, number)))


@router.get("/notices/{number}", response_model=GenuineAnswer)
async def show_public_notice(request: Request, number: str) -> Response:
    """Tell whether a notice is genuine, by its number or `{number}-{revision}`."""
    try:
        async with state_of(request).runtime.read() as work:
            outage, notice = await public_notice(work, number)
    except NotFound:
        facts = {"number": number}
        problem = plain_problem(words_for(request), 404, "notice_not_genuine", facts)
        return problem_answer(problem)
    return _kept(request, GenuineAnswer.of_notice(outage, notice))


@router.post("/subscriptions", status_code=202, response_model=SubscriptionAsked)
async def ask_subscription(request: Request, command: Subscribe) -> SubscriptionAsked:
    """Send a code to an address that wants to be told; the answer tells nothing of the address.

    An address gets one code in two minutes and five a day at most.
    """
    state = state_of(request)
    async with state.runtime.work(VISITOR) as work:
        id_ = await subscribe(
            work, command, caller_address=address_of(request), at=state.wall_clock()
        )
    return SubscriptionAsked(
        id=id_,
        facility_id=command.facility_id,
        channel=command.channel.value,
        code_valid_minutes=int(CODE_VALID.total_seconds() // 60),
    )


@router.post("/subscriptions/{id}/confirm", response_model=SubscriptionConfirmed)
async def confirm(request: Request, id_: Id, command: ConfirmSubscription) -> SubscriptionConfirmed:
    """Confirm a subscription by the code; after five wrong ones a new code is needed."""
    runtime = state_of(request).runtime
    subscription = await confirm_subscription(runtime, id_, command)
    return SubscriptionConfirmed(
        id=subscription.id,
        facility_id=subscription.facility_id,
        confirmed_at=subscription.confirmed_at,
        end_token=end_token(runtime.contacts, subscription.id),
    )


@router.post("/subscriptions/{id}/end", status_code=204, response_model=None)
async def end(request: Request, id_: Id, token: Token) -> Response:
    """End a subscription and forget its address; ended again, nothing happens."""
    async with state_of(request).runtime.work(VISITOR) as work:
        await end_subscription(work, id_, token)
    return Response(status_code=204)
