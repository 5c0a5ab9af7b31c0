"""Tanks: the subjects of the half-yearly cleaning."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Flag, Number
from water2.domain.errors import Conflict
from water2.domain.facility import Facility, Tank
from water2.services.duties import rederive
from water2.services.register import (
    apply_changes,
    entry_data,
    record_act,
    require_free,
    require_version,
)
from water2.services.rows import fetch, utility_of
from water2.work import Work

Volume = Annotated[Number, Field(gt=0, le=Decimal(100_000))]
Material = Annotated[str, StringConstraints(min_length=1, max_length=60)]
_TOLD = ("code", "material", "volume_m3", "isolable", "in_use_on")


class AddTank(Command):
    """A tank; without a first day of its own it came into use with the facility."""

    code: Code
    volume_m3: Volume
    isolable: Flag
    material: Material | None = None
    in_use_on: Day | None = None


class EditTank(Command):
    """Only what is given changes; `null` empties."""

    volume_m3: Volume | None = None
    isolable: Flag | None = None
    material: Material | None = None
    in_use_on: Day | None = None


async def open_facility(work: Work, id_: str) -> Facility:
    """Return a facility, locked, that is in use or will be.

    Raises:
        Conflict: it is out of use.
    """
    facility = await fetch(work, Facility, id_, lock=True)
    if facility.out_of_use_on is not None:
        raise Conflict("facility_out_of_use", {"facility": facility.code})
    return facility


async def add_tank(work: Work, facility_id: str, command: AddTank) -> Tank:
    """Enter a tank; a facility that was tankless is no longer.

    Raises:
        Conflict: the facility has a tank of that code, or is out of use.
    """
    work.require(Action.keep_register)
    facility = await open_facility(work, facility_id)
    await require_free(work, Tank, "code", facility_id=facility.id, code=command.code)
    tank = Tank.model_validate(
        command.model_dump() | {"utility_id": facility.utility_id, "facility_id": facility.id}
    )
    facility.tankless = False
    work.session.add(tank)
    await _record(work, facility, tank, "tank.recorded", entry_data(tank, _TOLD))
    return tank


async def edit_tank(work: Work, id_: str, command: EditTank, version: int | None) -> Tank:
    """Change a tank's record; its duties are derived anew.

    Raises:
        Conflict: edited meanwhile.
    """
    work.require(Action.keep_register)
    tank = await fetch(work, Tank, id_, lock=True)
    require_version(tank, version)
    changed = apply_changes(tank, command)
    tank.version += 1
    facility = await fetch(work, Facility, tank.facility_id)
    await _record(work, facility, tank, "tank.updated", {"changed": changed})
    return tank


async def _record(
    work: Work, facility: Facility, tank: Tank, type_: str, data: dict[str, object]
) -> None:
    record_act(work, facility.ledger_id, type_, f"tank:{tank.id}", data)
    await rederive(work, await utility_of(work, facility), facility_ids=[facility.id])
