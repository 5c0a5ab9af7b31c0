"""Public pages: what is off now and next, an estate, a notice. No account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from water2.domain.errors import NotFound
from water2.domain.outage import OutageState
from water2.domain.public import PublicOutage
from water2.rules.notice import window_passed
from water2.services.paging import PageAsked
from water2.services.public.facilities import EstateView, estate, find_estates, hotlines
from water2.services.public.outages import list_public_outages, public_notice
from water2.services.public.searching import LONGEST_QUESTION
from water2.web.page import PAGE_HEADERS, render
from water2.web.public_page import PublicFrame, PublicRoute, desk_of, frame_of, kept_page
from water2.web.public_pages import Card, EstatePage, HomePage, NotGenuinePage, NoticePage
from water2.work import Work

router = APIRouter(route_class=PublicRoute, include_in_schema=False)

OUTAGES_ON_THE_PAGE = 50
ESTATES_ON_THE_PAGE = 20
LONGEST_NUMBER = 60
_ENDED = (OutageState.restored, OutageState.cancelled)


@router.get("/")
async def show_home(
    request: Request,
    q: Annotated[str, Query(max_length=LONGEST_QUESTION)] = "",
    after: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """Show what is off now and next, and the estates a question finds."""
    async with desk_of(request).runtime.read() as work:
        found, following = None, None
        if q.strip():
            asked = PageAsked(limit=ESTATES_ON_THE_PAGE, cursor=after)
            estates = await find_estates(work, q, asked)
            found, following = estates.items, estates.next
        page = HomePage(
            frame=frame_of(request),
            q=q.strip(),
            found=found,
            following=following,
            now=await _listed(work, OutageState.in_effect),
            coming=await _listed(work, OutageState.published),
            most=OUTAGES_ON_THE_PAGE,
            hotlines=await hotlines(work),
        )
    return kept_page(request, page)


async def _listed(work: Work, state: OutageState) -> list[Card]:
    page = await list_public_outages(work, PageAsked(limit=OUTAGES_ON_THE_PAGE), states={state})
    return [card_of(outage, work.now) for outage in page.items]


def card_of(outage: PublicOutage, now: datetime) -> Card:
    """Return an outage as a page shows it now."""
    over = window_passed(outage.ends_at, now)
    if outage.state != OutageState.published or outage.starts_at > now:
        return Card(outage, outage.state, over and outage.state == OutageState.in_effect)
    return Card(outage, "unused" if over else "due")


@router.get("/estates/{id_}")
async def show_estate(request: Request, id_: str) -> Response:
    """Show an estate with its outages and the form to be told of them."""
    async with desk_of(request).runtime.read() as work:
        view = await estate(work, id_)
        return kept_page(request, estate_page(frame_of(request), view, work.now))


def estate_page(
    frame: PublicFrame,
    view: EstateView,
    now: datetime,
    *,
    address: str = "",
    problem: str | None = None,
    wait: tuple[str, int] | None = None,
) -> EstatePage:
    """Return an estate's page; `address` and `problem` are those of a form that was refused."""

    def of(*states: OutageState) -> Sequence[Card]:
        return [card_of(one, now) for one in view.outages if one.state in states]

    return EstatePage(
        frame=frame,
        view=view,
        now=of(OutageState.in_effect),
        coming=of(OutageState.published),
        ended=of(*_ENDED)[::-1],
        address=address,
        problem=problem,
        wait=wait,
    )


@router.get("/notices")
async def look_up_notice(
    request: Request, number: Annotated[str, Query(max_length=LONGEST_NUMBER)] = ""
) -> Response:
    """Lead from the form to the page of the number that was typed."""
    query = frame_of(request).query
    typed = "".join(number.split())
    way = f"/notices/{quote(typed, safe='')}{query}" if typed else f"/{query}"
    return RedirectResponse(way, 303, PAGE_HEADERS)


@router.get("/notices/{number:path}")
async def show_notice(request: Request, number: str) -> Response:
    """Show a notice that is genuine; else tell plainly that none was published."""
    frame = frame_of(request)
    async with desk_of(request).runtime.read() as work:
        try:
            outage, notice = await public_notice(work, number)
        except NotFound:
            told = number[:LONGEST_NUMBER]
            page = NotGenuinePage(frame=frame, number=told, hotlines=await hotlines(work))
            return render(page, 404)
        shown = NoticePage(frame=frame, card=card_of(outage, work.now), notice=notice)
    return kept_page(request, shown)
