"""The demonstration's clock, on every page, moved by a form."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Response
from fastapi.responses import RedirectResponse

from water2.services.demo.clock import move_clock
from water2.services.instants import read_instant
from water2.web.page import PAGE_HEADERS
from water2.web.route import PageRoute
from water2.web.visit import CheckedForm, DeskVisit, choose_place
from water2.web.ways import HOME, way_back

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)


@router.post("/clock", dependencies=[CheckedForm])
async def move_demo_clock(
    visit: DeskVisit,
    now: Annotated[datetime, Form()],
    back: Annotated[str, Form(max_length=500)] = HOME,
) -> Response:
    """Move the clock ahead; the form's time is read in the utility's zone."""
    actor = visit.signed_in().actor
    async with visit.desk.runtime.read(actor) as work:
        place = await choose_place(work, None)
    to = read_instant(now, place.utility.timezone)
    await move_clock(visit.desk.runtime, actor, to, visit.desk.deliver)
    return RedirectResponse(way_back(back), 303, PAGE_HEADERS)
