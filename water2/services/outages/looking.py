"""What is to be looked at in an outage that its own row does not show."""

from typing import Any, cast

from sqlalchemy import exists
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.household import Household
from water2.domain.notice import NoticeRecipient
from water2.domain.outage import CURRENT, Outage, OutageState, Poster
from water2.domain.work_order import WorkOrder
from water2.rules.flags import FlagCode
from water2.services.instants import civil_day
from water2.services.outages.announcing import last_notice
from water2.services.outages.extent import extent_of
from water2.services.outages.standing import Standing
from water2.work import Work

_RECIPIENT = cast("Any", NoticeRecipient).__table__.c


async def look_around(work: Work, standing: Standing) -> list[FlagCode]:
    """Return the flags of posters, of other outages, of the work order and of the register."""
    outage = standing.outage
    if outage.state is OutageState.cancelled:
        return []
    flags = []
    if outage.revision and not standing.utility.hotline:
        flags.append(FlagCode.hotline_missing)
    if outage.revision:
        flags += await _of_posters(work, outage)
    if outage.state in CURRENT and await _anybody_since(work, outage):
        flags.append(FlagCode.households_since)
    if outage.state is OutageState.in_effect and await _overlaps(work, outage):
        flags.append(FlagCode.overlapping)
    if outage.work_order_id and await _order_differs(work, standing):
        flags.append(FlagCode.order_on_another_day)
    return flags


async def _of_posters(work: Work, outage: Outage) -> list[FlagCode]:
    posters = (await work.session.exec(select(Poster).where(Poster.outage_id == outage.id))).all()
    flags = []
    if any(poster.flags for poster in posters):
        flags.append(FlagCode.poster_recorded_late)
    if any(poster.photo_sha256 is None for poster in posters):
        flags.append(FlagCode.poster_without_photo)
    return flags


async def _anybody_since(work: Work, outage: Outage) -> bool:
    """Tell whether a household is concerned that was not on the register at the last notice."""
    latest = await last_notice(work, outage, announcing=True)
    if latest is None:
        return False
    frozen = exists().where(
        _RECIPIENT.notice_id == latest.id, _RECIPIENT.household_id == col(Household.id)
    )
    within = [col(Household.building_id).in_(outage.building_ids)] if outage.building_ids else []
    found = await work.session.execute(
        select_columns(col(Household.id))
        .where(
            col(Household.facility_id) == outage.facility_id,
            col(Household.moved_out_on).is_(None),
            *within,
            ~frozen,
        )
        .limit(1)
    )
    return found.first() is not None


async def _overlaps(work: Work, outage: Outage) -> bool:
    """Tell whether another outage in effect has stopped some of the same water."""
    others = await work.session.exec(
        select(Outage).where(
            Outage.facility_id == outage.facility_id,
            Outage.state == OutageState.in_effect,
            Outage.id != outage.id,
        )
    )
    mine = extent_of(outage)
    return any(mine.meets(extent_of(other)) for other in others)


async def _order_differs(work: Work, standing: Standing) -> bool:
    order = await work.session.get_one(WorkOrder, standing.outage.work_order_id)
    if order.outage_id != standing.outage.id or order.planned_on is None:
        return False
    return civil_day(standing.outage.starts_at, standing.utility.timezone) != order.planned_on
