"""Outages: planned, declared, announced, started, changed, restored (arts. 15, 17(3))."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Query as Given

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.outage_shapes import OutageAnswer, OutageQuery, shown_outage
from water2.api.problems import words_for
from water2.api.shapes import Id, ListAnswer, page_answer
from water2.domain.outage import Outage
from water2.services.outages.changing import (
    ExtendOutage,
    RescheduleOutage,
    extend_outage,
    reschedule_outage,
)
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.listing import view_outage, view_outages
from water2.services.outages.queries import outage_by
from water2.services.outages.transitions import (
    CancelOutage,
    RestoreSupply,
    cancel_outage,
    publish_outage,
    restore_supply,
    start_outage,
)
from water2.services.paging import Page
from water2.services.register_queries import list_rows

router = APIRouter(prefix="/outages", tags=["outages"], route_class=ActRoute)
NOW = RestoreSupply()


async def _answer(request: Request, act: Act, outage: Outage, status: int = 200) -> Response:
    await act.work.session.flush()
    shown = shown_outage(await view_outage(act.work, outage), words_for(request))
    return act.answer(shown, status, outage.version)


async def _named(act: Act, id_or_number: str) -> str:
    return (await outage_by(act.work, id_or_number)).id


@router.get("", response_model=ListAnswer[OutageAnswer])
async def show_outages(
    request: Request, work: Reading, query: Annotated[OutageQuery, Given()]
) -> Response:
    """List outages, the newest first."""
    filters = {"facility_id": query.facility_id, "state": query.state, "kind": query.kind}
    page = await list_rows(work, Outage, filters, query.page, newest_by="created_at")
    views, words = await view_outages(work, page.items), words_for(request)
    return page_answer(OutageAnswer, Page([shown_outage(one, words) for one in views], page.next))


@router.post("", status_code=201, response_model=OutageAnswer)
async def add_outage(request: Request, act: Writing, command: CreateOutage) -> Response:
    """Draft a planned outage; an emergency is published and in effect by this."""
    return await _answer(request, act, await create_outage(act.work, command), 201)


@router.get("/{id}", response_model=OutageAnswer)
async def show_outage(request: Request, work: Reading, id_: Id, response: Response) -> OutageAnswer:
    """Show an outage by its id or its number: who is told by now, and from when on it may start."""
    outage = await outage_by(work, id_)
    response.headers["ETag"] = f'"{outage.version}"'
    return shown_outage(await view_outage(work, outage), words_for(request))


@router.post("/{id}/publish", response_model=OutageAnswer)
async def publish(request: Request, act: Writing, id_: Id) -> Response:
    """Announce a draft to all it concerns; refused under 24 hours before the start (art. 15)."""
    return await _answer(request, act, await publish_outage(act.work, await _named(act, id_)))


@router.post("/{id}/start", response_model=OutageAnswer)
async def start(request: Request, act: Writing, id_: Id) -> Response:
    """Stop the water; refused while a household is not proven told 24 hours ahead (art. 15)."""
    return await _answer(request, act, await start_outage(act.work, await _named(act, id_)))


@router.post("/{id}/extend", response_model=OutageAnswer)
async def extend(request: Request, act: Writing, id_: Id, command: ExtendOutage) -> Response:
    """Announce a later end, a wider extent, or an emergency's progress."""
    extended = await extend_outage(act.work, await _named(act, id_), command)
    return await _answer(request, act, extended)


@router.post("/{id}/reschedule", response_model=OutageAnswer)
async def reschedule(
    request: Request, act: Writing, id_: Id, command: RescheduleOutage
) -> Response:
    """Move an outage that has not begun; an earlier start begins a new 24 hours."""
    moved = await reschedule_outage(act.work, await _named(act, id_), command)
    return await _answer(request, act, moved)


@router.post("/{id}/cancel", response_model=OutageAnswer)
async def cancel(request: Request, act: Writing, id_: Id, command: CancelOutage) -> Response:
    """Call an outage off; whoever may have been told of it is told of this."""
    cancelled = await cancel_outage(act.work, await _named(act, id_), command)
    return await _answer(request, act, cancelled)


@router.post("/{id}/restore", response_model=OutageAnswer)
async def restore(
    request: Request, act: Writing, id_: Id, command: RestoreSupply = NOW
) -> Response:
    """Turn the water on, without a body now, and announce it with the advice to flush."""
    restored = await restore_supply(act.work, await _named(act, id_), command)
    return await _answer(request, act, restored)
