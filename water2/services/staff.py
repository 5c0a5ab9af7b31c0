"""People who work on the facilities, own and contractors': entered, edited, leaving."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Flag, Name
from water2.domain.errors import Conflict
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.domain.work_order import WithdrawnBecause
from water2.services.assignments import withdraw_assignments
from water2.services.contacts import GivenContact, settle_contacts
from water2.services.duties import rederive
from water2.services.register import (
    apply_changes,
    chosen_utility,
    entry_data,
    record_act,
    require_free,
    require_past,
    require_version,
)
from water2.services.rows import fetch, utility_of
from water2.work import Work

PersonName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_TOLD = ("code", "employer", "post", "handles_water", "since_on")


class AddStaff(Command):
    """A person. `since_on` is the first day known on the water: today unless said otherwise."""

    code: Code
    name: PersonName
    employer: Name
    handles_water: Flag
    post: Code | None = None
    since_on: Day | None = None
    contacts: list[GivenContact] = Field(default_factory=list, max_length=10)
    utility_id: str | None = None


class EditStaff(Command):
    """Only what is given changes; `null` empties."""

    name: PersonName | None = None
    employer: Name | None = None
    handles_water: Flag | None = None
    post: Code | None = None
    contacts: Annotated[list[GivenContact], Field(max_length=10)] | None = None


class LeaveStaff(Command):
    """The last day of a person."""

    on: Day


async def add_staff(work: Work, command: AddStaff) -> Staff:
    """Enter a person; who handles water owes the health check and the training at once.

    Raises:
        Conflict: the code is taken.
    """
    work.require(Action.keep_register)
    utility = await chosen_utility(work, command.utility_id)
    await require_free(work, Staff, "code", utility_id=utility.id, code=command.code)
    today = work.today(utility.timezone)
    require_past("since_on", command.since_on, today)
    given = command.model_dump(exclude={"contacts", "utility_id"})
    given |= {"utility_id": utility.id, "since_on": command.since_on or today}
    person = Staff.model_validate(given)
    work.session.add(person)
    await settle_contacts(work, ("staff", person.id), utility.id, command.contacts)
    await _record(work, utility, person, "staff.recorded", entry_data(person, _TOLD))
    return person


async def edit_staff(work: Work, id_: str, command: EditStaff, version: int | None) -> Staff:
    """Change a person's record; who begins to handle water owes the health check from today.

    Raises:
        Conflict: edited meanwhile.
    """
    work.require(Action.keep_register)
    person = await fetch(work, Staff, id_, lock=True)
    require_version(person, version)
    utility = await utility_of(work, person)
    handled_water = person.handles_water
    changed = apply_changes(person, command, private=("name",), ignored=("contacts",))
    if person.handles_water and not handled_water:
        person.since_on = work.today(utility.timezone)
    if command.contacts is not None and await settle_contacts(
        work, ("staff", person.id), utility.id, command.contacts
    ):
        changed["contacts"] = "changed"
    person.version += 1
    await _record(work, utility, person, "staff.updated", {"changed": changed})
    return person


async def leave(work: Work, id_: str, command: LeaveStaff) -> Staff:
    """Note a person's last day: duties end, and work planned after it loses the person.

    Raises:
        Conflict: the person left before.
    """
    work.require(Action.keep_register)
    person = await fetch(work, Staff, id_, lock=True)
    if person.left_on is not None:
        raise Conflict("left_already", {"on": person.left_on.isoformat()})
    utility = await utility_of(work, person)
    require_past("on", command.on, work.today(utility.timezone))
    person.left_on = command.on
    person.version += 1
    await _record(work, utility, person, "staff.left", {"on": command.on.isoformat()})
    after = command.on + timedelta(days=1)
    await withdraw_assignments(work, [person.id], WithdrawnBecause.left, not_before=after)
    return person


async def _record(
    work: Work, utility: Utility, person: Staff, type_: str, data: dict[str, object]
) -> None:
    record_act(work, utility.ledger_id, type_, f"staff:{person.id}", data)
    await rederive(work, utility, staff_ids=[person.id])
