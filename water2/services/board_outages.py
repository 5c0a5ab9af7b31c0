"""What the board shows of outages: those at hand with who is told, and stops without right."""

from dataclasses import dataclass

from sqlalchemy import and_, func
from sqlmodel import col, select

from water2.domain.facility import Facility
from water2.domain.outage import CURRENT, Outage, OutageState, StopState, SupplyStop
from water2.services.board import BoardView
from water2.services.board_lists import Listed
from water2.services.outages.listing import OutageView, view_outages
from water2.services.paging import read_page
from water2.work import Work

_AT_HAND = CURRENT | {OutageState.draft}
_UNSETTLED = (StopState.open, StopState.explained)


@dataclass(frozen=True)
class FoundStop:
    """A stop that no outage covers, and where it is."""

    stop: SupplyStop
    facility: Facility


async def list_outages_at_hand(
    work: Work, view: BoardView, *, limit: int, cursor: str | None = None
) -> Listed[OutageView]:
    """Return the outages in draft, published and in effect, the earliest start first.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    which = and_(col(Outage.utility_id) == view.utility.id, col(Outage.state).in_(_AT_HAND))
    total = (await work.session.exec(select(func.count()).where(which))).one()
    keys = [col(Outage.starts_at), col(Outage.id)]
    page = await read_page(work, select(Outage).where(which), keys, limit, cursor)
    return Listed(await view_outages(work, page.items), total, page.next)


async def list_unsettled_stops(work: Work, view: BoardView, *, limit: int) -> Listed[FoundStop]:
    """Return the stops that are violations still, the last found first."""
    which = and_(
        col(SupplyStop.utility_id) == view.utility.id, col(SupplyStop.state).in_(_UNSETTLED)
    )
    total = (await work.session.exec(select(func.count()).where(which))).one()
    rows = await work.session.exec(
        select(SupplyStop, Facility)
        .join(Facility, col(Facility.id) == SupplyStop.facility_id)
        .where(which)
        .order_by(col(SupplyStop.found_at).desc(), col(SupplyStop.id))
        .limit(limit)
    )
    return Listed([FoundStop(*row) for row in rows], total, None)
