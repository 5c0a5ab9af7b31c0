"""The cast and the things tests are about, made through the tables they need and no more."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from water2.domain.access import SYSTEM, Actor, Role
from water2.domain.facility import Facility, FacilityKind, Tank
from water2.domain.ledger import LedgerKind, new_ledger
from water2.domain.organisation import Utility
from water2.domain.staff import Certificate, CertificateKind, Staff
from water2.services.duties import rederive
from water2.services.installation import FoundUtility, found_utility
from water2.work import Runtime, Work


class SettableClock:
    """A clock that stands where a test sets it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def set(self, now: datetime) -> None:
        self.now = now


@dataclass
class Installation:
    """A founded utility and its people: the fixed cast of every authorisation test."""

    runtime: Runtime
    utility: Utility

    def actor(self, role: Role, **changes: Any) -> Actor:
        given = {"user_id": f"{role.value}-user", "utility_ids": (self.utility.id,)} | changes
        return Actor(role=role, **given)

    @property
    def manager(self) -> Actor:
        return self.actor(Role.manager)

    @property
    def crew(self) -> Actor:
        return self.actor(Role.crew)

    @property
    def inspector(self) -> Actor:
        return self.actor(Role.health_inspector)

    @property
    def outsider(self) -> Actor:
        return self.actor(Role.manager, user_id="outsider", utility_ids=("another",))


async def install(runtime: Runtime, *, place: str = "lishui", code: str = "OC") -> Installation:
    async with runtime.work(SYSTEM) as work:
        utility = await found_utility(work, FoundUtility(code, f"瓯城供水 {code}", place))
    return Installation(runtime, utility)


async def a_facility(
    work: Work, utility: Utility, code: str = "BY-001", **changes: Any
) -> Facility:
    """A high-rise facility in use since 2024-01-01, with its ledger."""
    given: dict[str, Any] = {
        "name": "听松苑",
        "kind": FacilityKind.high_rise_residential,
        "accepted_on": date(2023, 11, 1),
        "handed_over_on": date(2023, 12, 1),
        "in_service_on": date(2024, 1, 1),
    }
    facility = Facility(utility_id=utility.id, ledger_id="", code=code, **(given | changes))
    ledger = new_ledger(utility.id, LedgerKind.facility, facility.id)
    facility.ledger_id = ledger.id
    work.session.add_all([ledger, facility])
    await work.session.flush()
    await rederive(work, utility, facility_ids=[facility.id])
    return facility


async def a_tank(
    work: Work, utility: Utility, facility: Facility, code: str = "1#", **changes: Any
) -> Tank:
    """A tank of 20 m³, in use with its facility."""
    given: dict[str, Any] = {"volume_m3": Decimal(20), "isolable": True} | changes
    tank = Tank(utility_id=utility.id, facility_id=facility.id, code=code, **given)
    work.session.add(tank)
    await work.session.flush()
    await rederive(work, utility, facility_ids=[facility.id])
    return tank


async def a_person(work: Work, utility: Utility, code: str = "LS001", **changes: Any) -> Staff:
    """A person who handles water, without any certificate yet."""
    given: dict[str, Any] = {
        "name": "周行",
        "employer": "瓯城供水",
        "handles_water": True,
        "since_on": date(2024, 1, 1),
    }
    person = Staff(utility_id=utility.id, code=code, **(given | changes))
    work.session.add(person)
    await work.session.flush()
    await rederive(work, utility, staff_ids=[person.id])
    return person


async def a_certificate(
    work: Work, utility: Utility, person: Staff, done_on: date, **changes: Any
) -> Certificate:
    """A health certificate, unless another kind is given."""
    given: dict[str, Any] = {"kind": CertificateKind.health, "number": f"JK{done_on:%Y%m%d}"}
    card = Certificate(
        utility_id=utility.id, staff_id=person.id, done_on=done_on, **(given | changes)
    )
    work.session.add(card)
    await work.session.flush()
    await rederive(work, utility, staff_ids=[person.id])
    return card
