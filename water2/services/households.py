"""Households: who must be told of an outage. Their names, flats and contacts are personal data."""

from datetime import date
from typing import Annotated

from pydantic import Field

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Flag, Name
from water2.domain.errors import Conflict
from water2.domain.facility import Building, Facility
from water2.domain.household import Household
from water2.services.contacts import GivenContact, settle_contacts
from water2.services.register import (
    apply_changes,
    record_act,
    require_free,
    require_past,
    require_version,
)
from water2.services.rows import fetch, utility_of
from water2.work import Work

_PRIVATE = ("unit", "room")
_ELSEWHERE = ("contacts", "holder")


class AddHousehold(Command):
    """A household account (户号)."""

    code: Code
    building_id: str
    room: Code
    unit: Code | None = None
    holder: Name | None = None
    needs_care: Flag = False
    contacts: list[GivenContact] = Field(default_factory=list, max_length=10)


class EditHousehold(Command):
    """Only what is given changes; `null` empties."""

    unit: Code | None = None
    room: Code | None = None
    holder: Name | None = None
    needs_care: Flag | None = None
    contacts: Annotated[list[GivenContact], Field(max_length=10)] | None = None


class MoveOut(Command):
    """The day the household moved."""

    on: Day


async def add_household(work: Work, command: AddHousehold) -> Household:
    """Enter a household of a building.

    Raises:
        Conflict: the code is taken.
    """
    work.require(Action.keep_register)
    building = await fetch(work, Building, command.building_id)
    facility = await fetch(work, Facility, building.facility_id)
    await require_free(work, Household, "code", utility_id=building.utility_id, code=command.code)
    household = Household.model_validate(
        command.model_dump(exclude=set(_ELSEWHERE))
        | {"utility_id": building.utility_id, "facility_id": building.facility_id}
    )
    household.holder_sealed = _sealed(work, command.holder)
    work.session.add(household)
    await _settle(work, household, command.contacts)
    data: dict[str, object] = {"code": household.code, "building": building.id}
    _record(work, facility, household, "household.recorded", data)
    return household


async def edit_household(
    work: Work, id_: str, command: EditHousehold, version: int | None
) -> Household:
    """Change a household's record; its entry tells which fields changed, never to what.

    Raises:
        Conflict: edited meanwhile.
    """
    work.require(Action.keep_register)
    household = await fetch(work, Household, id_, lock=True)
    require_version(household, version)
    changed = apply_changes(household, command, private=_PRIVATE, ignored=_ELSEWHERE)
    if "holder" in command.model_fields_set:
        household.holder_sealed = _sealed(work, command.holder)
        changed["holder"] = "changed"
    if command.contacts is not None and await _settle(work, household, command.contacts):
        changed["contacts"] = "changed"
    household.version += 1
    facility = await fetch(work, Facility, household.facility_id)
    _record(work, facility, household, "household.updated", {"changed": changed})
    return household


async def move_out(work: Work, id_: str, command: MoveOut) -> Household:
    """Note that a household moved: from the day on nobody owes it a notice.

    Raises:
        Conflict: it moved before.
    """
    work.require(Action.keep_register)
    household = await fetch(work, Household, id_, lock=True)
    if household.moved_out_on is not None:
        raise Conflict("moved_out_already", {"on": household.moved_out_on.isoformat()})
    utility = await utility_of(work, household)
    require_past("on", command.on, work.today(utility.timezone))
    household.moved_out_on = command.on
    household.version += 1
    facility = await fetch(work, Facility, household.facility_id)
    _record(work, facility, household, "household.moved_out", _on(command.on))
    return household


def _on(day: date) -> dict[str, object]:
    return {"on": day.isoformat()}


def _sealed(work: Work, holder: str | None) -> bytes | None:
    return None if holder is None else work.contacts.seal(holder)


async def _settle(work: Work, household: Household, given: list[GivenContact]) -> bool:
    return await settle_contacts(work, ("household", household.id), household.utility_id, given)


def _record(
    work: Work, facility: Facility, household: Household, type_: str, data: dict[str, object]
) -> None:
    record_act(work, facility.ledger_id, type_, f"household:{household.id}", data)
