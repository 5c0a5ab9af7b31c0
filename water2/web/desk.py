"""The compliance board and its lists."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from water2.services.board import BoardView, view_board
from water2.services.board_flags import list_flagged_facilities
from water2.services.board_lists import Listed, list_lapsing_certificates, list_overdue_tanks
from water2.services.sign_in import MustChangePassword
from water2.web.board_page import (
    board_page,
    certificates_ground,
    flag_grounds,
    law_page,
    outages_page,
)
from water2.web.inspect_page import anomalies_page
from water2.web.page import render
from water2.web.pages import CertificatesPage, FacilitiesPage, OverduePage
from water2.web.route import PageRoute
from water2.web.visit import DeskVisit, Place, Visit, choose_place
from water2.work import Work

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)

ROWS_ON_A_PAGE = 50
UtilityId = Annotated[str | None, Query(alias="utility", max_length=32)]
After = Annotated[str | None, Query(max_length=300)]


@asynccontextmanager
async def looking(
    visit: Visit, utility_id: str | None
) -> AsyncIterator[tuple[Work, Place, BoardView]]:
    """Open a reading unit on the utility the visitor looks at.

    Raises:
        MustChangePassword: a one-time password opens nothing but its own change.
    """
    caller = visit.signed_in()
    if caller.must_change_password:
        raise MustChangePassword
    async with visit.desk.runtime.read(caller.actor) as work:
        place = await choose_place(work, utility_id)
        yield work, place, await view_board(work, place.utility)


@router.get("")
async def show_board(visit: DeskVisit, utility: UtilityId = None) -> Response:
    """Show how a utility's duties stand."""
    async with looking(visit, utility) as (work, place, view):
        return render(await board_page(work, view, visit.frame("board", place)))


@router.get("/overdue")
async def show_overdue(
    visit: DeskVisit, utility: UtilityId = None, after: After = None
) -> Response:
    """List the overdue tanks, the latest first."""
    return await _overdue(visit, utility, after, earlier=False)


@router.get("/overdue/earlier")
async def show_overdue_earlier(
    visit: DeskVisit, utility: UtilityId = None, after: After = None
) -> Response:
    """List what was overdue before the first day of operation."""
    return await _overdue(visit, utility, after, earlier=True)


async def _overdue(
    visit: Visit, utility: str | None, after: str | None, *, earlier: bool
) -> Response:
    async with looking(visit, utility) as (work, place, view):
        found = await list_overdue_tanks(
            work, view, before_first_day=earlier, limit=ROWS_ON_A_PAGE, cursor=after
        )
        page = OverduePage(
            frame=visit.frame("overdue", place),
            earlier=earlier,
            first_day_on=view.utility.first_day_on,
            **_listed(found, after),
        )
    return render(page)


def _listed(found: Listed[Any], after: str | None) -> dict[str, Any]:
    """Return what every page shows of a list."""
    shown = {"rows": found.rows, "total": found.total, "next": found.next}
    return shown | {"paged": after is not None}


@router.get("/certificates")
async def show_certificates(
    visit: DeskVisit, utility: UtilityId = None, after: After = None
) -> Response:
    """List the people whose certificate lapsed or lapses soon."""
    async with looking(visit, utility) as (work, place, view):
        found = await list_lapsing_certificates(work, view, limit=ROWS_ON_A_PAGE, cursor=after)
        page = CertificatesPage(
            frame=visit.frame("certificates", place),
            ground=certificates_ground(view),
            due_soon_days=view.due_soon_days,
            **_listed(found, after),
        )
    return render(page)


@router.get("/facilities")
async def show_facilities(
    visit: DeskVisit, utility: UtilityId = None, after: After = None
) -> Response:
    """List the facilities that need a look."""
    async with looking(visit, utility) as (work, place, view):
        found = await list_flagged_facilities(work, view, limit=ROWS_ON_A_PAGE, cursor=after)
        page = FacilitiesPage(
            frame=visit.frame("facilities", place),
            grounds=flag_grounds(view),
            **_listed(found, after),
        )
    return render(page)


@router.get("/outages")
async def show_outages(
    visit: DeskVisit, utility: UtilityId = None, after: After = None
) -> Response:
    """List the outages at hand with who is told, and the stops without right."""
    async with looking(visit, utility) as (work, place, view):
        frame = visit.frame("outages", place)
        page = await outages_page(work, view, frame, limit=ROWS_ON_A_PAGE, cursor=after)
    return render(page)


@router.get("/anomalies")
async def show_anomalies(
    visit: DeskVisit, utility: UtilityId = None, after: After = None
) -> Response:
    """List the current anomalies with their clocks, and the reports that are owed."""
    async with looking(visit, utility) as (work, place, view):
        frame = visit.frame("anomalies", place)
        page = await anomalies_page(work, view, frame, limit=ROWS_ON_A_PAGE, cursor=after)
    return render(page)


@router.get("/law")
async def show_law(visit: DeskVisit, utility: UtilityId = None) -> Response:
    """Show the articles in their own words."""
    async with looking(visit, utility) as (_, place, view):
        return render(law_page(view, visit.frame("law", place)))
