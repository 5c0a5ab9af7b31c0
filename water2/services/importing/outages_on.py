"""What outages say of imported rows without a foreign key: recipients frozen, buildings named."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select

from water2.domain.facility import Building
from water2.domain.household import Household
from water2.domain.notice import Notice, NoticeRecipient
from water2.domain.outage import Outage, SupplyStop
from water2.services.importing.shelf import table_of
from water2.services.rows import chunks
from water2.work import Work

BUILDING, HOUSEHOLD = table_of(Building), table_of(Household)
NOTICE, RECIPIENT = table_of(Notice), table_of(NoticeRecipient)
Created = Mapping[str, Sequence[str]]


async def outages_on(work: Work, created: Created) -> dict[str, int]:
    """Return table → how many imported households or buildings it names; nothing where none."""
    households = 0
    for ids in chunks(list(created.get(HOUSEHOLD.name, ()))):
        households += (await work.session.execute(_frozen(ids))).scalar_one()
    found = {RECIPIENT.name: households}
    buildings = set(created.get(BUILDING.name, ()))
    for table in (table_of(Outage), table_of(SupplyStop)):
        named: set[str] = set()
        for ids in chunks(sorted(buildings)):
            of_facility = table.c.facility_id.in_(_facilities(ids))
            for row in await work.session.execute(select(table.c.building_ids).where(of_facility)):
                named.update(row.building_ids)
        found[table.name] = len(named & buildings)
    return {name: count for name, count in found.items() if count}


def _frozen(household_ids: Sequence[str]) -> Select[Any]:
    """Count households of these that a notice is frozen with.

    The recipients' index begins with the notice: so it is asked notice by notice of their facility.
    """
    buildings = select(HOUSEHOLD.c.building_id).where(HOUSEHOLD.c.id.in_(household_ids))
    notices = select(NOTICE.c.id).where(NOTICE.c.facility_id.in_(_facilities(buildings)))
    return select(func.count(RECIPIENT.c.household_id.distinct())).where(
        RECIPIENT.c.notice_id.in_(notices), RECIPIENT.c.household_id.in_(household_ids)
    )


def _facilities(building_ids: Sequence[str] | Select[Any]) -> Select[Any]:
    return select(BUILDING.c.facility_id).where(BUILDING.c.id.in_(building_ids))
