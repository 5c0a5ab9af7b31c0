"""Zones and buildings a facility serves."""

from typing import Annotated

from pydantic import Field
from sqlmodel import select

from water2.domain.access import Action
from water2.domain.command import Code, Command, Name
from water2.domain.facility import Building, Facility, Zone
from water2.services.register import (
    apply_changes,
    entry_data,
    record_act,
    require_free,
    require_version,
)
from water2.services.rows import fetch
from water2.services.tanks import open_facility
from water2.work import Work

ZoneNames = Annotated[list[Code], Field(max_length=50)]
Units = Annotated[int, Field(strict=True, ge=1, le=100)]
Floors = Annotated[int, Field(strict=True, ge=1, le=200)]
_TOLD = ("code", "name", "units", "floors", "zones")


class AddZone(Command):
    """A pressure zone (低区, 高区)."""

    name: Code


class AddBuilding(Command):
    """A building; zones not known yet are added to the facility's."""

    code: Code
    name: Name | None = None
    units: Units | None = None
    floors: Floors | None = None
    zones: ZoneNames = Field(default_factory=list)


class EditBuilding(Command):
    """Only what is given changes; `null` empties."""

    name: Name | None = None
    units: Units | None = None
    floors: Floors | None = None
    zones: ZoneNames | None = None


async def add_zone(work: Work, facility_id: str, command: AddZone) -> Zone:
    """Enter a zone.

    Raises:
        Conflict: the facility has a zone of that name, or is out of use.
    """
    work.require(Action.keep_register)
    facility = await open_facility(work, facility_id)
    await require_free(work, Zone, "name", facility_id=facility.id, name=command.name)
    (zone,) = await _add_zones(work, facility, [command.name])
    return zone


async def add_building(work: Work, facility_id: str, command: AddBuilding) -> Building:
    """Enter a building.

    Raises:
        Conflict: the facility has a building of that code, or is out of use.
    """
    work.require(Action.keep_register)
    facility = await open_facility(work, facility_id)
    await require_free(work, Building, "code", facility_id=facility.id, code=command.code)
    await _add_zones(work, facility, command.zones)
    building = Building.model_validate(
        command.model_dump() | {"utility_id": facility.utility_id, "facility_id": facility.id}
    )
    work.session.add(building)
    _record(work, facility, building, "building.recorded", entry_data(building, _TOLD))
    return building


async def edit_building(
    work: Work, id_: str, command: EditBuilding, version: int | None
) -> Building:
    """Change a building's record.

    Raises:
        Conflict: edited meanwhile.
    """
    work.require(Action.keep_register)
    building = await fetch(work, Building, id_, lock=True)
    require_version(building, version)
    facility = await fetch(work, Facility, building.facility_id)
    changed = apply_changes(building, command)
    await _add_zones(work, facility, building.zones)
    building.version += 1
    _record(work, facility, building, "building.updated", {"changed": changed})
    return building


async def _add_zones(work: Work, facility: Facility, names: list[str]) -> list[Zone]:
    """Add those of the names that are not zones of the facility yet."""
    known = set(await work.session.exec(select(Zone.name).where(Zone.facility_id == facility.id)))
    zones = [
        Zone(utility_id=facility.utility_id, facility_id=facility.id, name=name)
        for name in dict.fromkeys(names)
        if name not in known
    ]
    work.session.add_all(zones)
    for zone in zones:
        subject = f"zone:{zone.id}"
        record_act(work, facility.ledger_id, "zone.recorded", subject, {"name": zone.name})
    return zones


def _record(
    work: Work, facility: Facility, building: Building, type_: str, data: dict[str, object]
) -> None:
    record_act(work, facility.ledger_id, type_, f"building:{building.id}", data)
