"""An estate with buildings, households and their addresses: whom outages concern."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import col

from tests.builders import Installation, a_facility, a_tank
from water2.domain.delivery import Delivery, DeliveryState
from water2.domain.facility import Building, Facility, Tank, Zone
from water2.domain.household import Household
from water2.domain.outage import Outage
from water2.services.contacts import GivenContact, settle_contacts
from water2.work import Runtime, Work

FLATS = (  # building, room, telephone, mail
    ("1幢", "101", "13900000001", None),
    ("1幢", "102", "13900000002", "b@example.com"),
    ("1幢", "201", None, "c@example.com"),
    ("2幢", "101", "13900000001", None),  # the same telephone as 1幢 101
    ("2幢", "102", None, None),
    ("2幢", "201", "13900000006", None),
)


@dataclass
class Estate:
    """A facility of two buildings and six households; 2幢 102 has no address at all."""

    facility: Facility
    tank: Tank
    buildings: dict[str, Building] = field(default_factory=dict)
    households: dict[str, Household] = field(default_factory=dict)

    def household(self, building: str, room: str) -> Household:
        return self.households[f"{building}-{room}"]


async def an_estate(installation: Installation, code: str = "BY-001", **tank: Any) -> Estate:
    utility = installation.utility
    async with installation.runtime.work() as work:
        facility = await a_facility(work, utility, code)
        estate = Estate(facility, await a_tank(work, utility, facility, **tank))
        for number, zones in (("1幢", ["低区"]), ("2幢", ["低区", "高区"])):
            estate.buildings[number] = building = Building(
                utility_id=utility.id, facility_id=facility.id, code=number, zones=zones
            )
            work.session.add(building)
        for name in ("低区", "高区"):
            work.session.add(Zone(utility_id=utility.id, facility_id=facility.id, name=name))
        await work.session.flush()
        for number, room, phone, mail in FLATS:
            await _settle(work, estate, number, room, phone, mail)
    return estate


async def _settle(
    work: Work, estate: Estate, number: str, room: str, phone: str | None, mail: str | None
) -> None:
    building = estate.buildings[number]
    household = Household(
        utility_id=building.utility_id,
        facility_id=building.facility_id,
        building_id=building.id,
        code=f"{estate.facility.code}-{number[0]}{room}",
        room=room,
    )
    estate.households[f"{number}-{room}"] = household
    work.session.add(household)
    await work.session.flush()
    given = [
        GivenContact(channel=channel, address=address)
        for channel, address in (("phone", phone), ("mail", mail))
        if address
    ]
    await settle_contacts(work, ("household", household.id), building.utility_id, given)


async def accept_all(
    runtime: Runtime, outage: Outage | None = None, at: datetime | None = None, **where: Any
) -> None:
    """Let the provider have accepted what is ready, past the delivery: the gate reads the rows."""
    async with runtime.work() as work:
        conditions = [getattr(Delivery, name) == value for name, value in where.items()]
        await work.session.execute(
            update(Delivery)
            .where(col(Delivery.state) == DeliveryState.ready, *conditions)
            .values(state=DeliveryState.done, attempts=1, accepted_at=at or work.now)
        )
