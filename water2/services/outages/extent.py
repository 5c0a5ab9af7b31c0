"""The extent of an outage: buildings, zones, or the whole facility; never nobody."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_
from sqlmodel import col, func, select

from water2.domain.errors import Invalid
from water2.domain.facility import Building, Facility, Zone
from water2.domain.household import Household
from water2.domain.outage import Outage
from water2.work import Work


@dataclass(frozen=True)
class Extent:
    """Buildings by id, empty for the whole facility, and the zones they were asked for by."""

    building_ids: tuple[str, ...]
    zones: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Tell whether all of the facility is meant."""
        return not self.building_ids

    def holds(self, other: "Extent") -> bool:
        """Tell whether everybody of another extent is in this one."""
        return self.whole or (not other.whole and set(other.building_ids) <= {*self.building_ids})

    def joined(self, other: "Extent") -> "Extent":
        """Return the extent of everybody in either."""
        if self.whole or other.whole:
            return Extent((), ())
        buildings = sorted({*self.building_ids, *other.building_ids})
        return Extent(tuple(buildings), tuple(dict.fromkeys((*self.zones, *other.zones))))

    def meets(self, other: "Extent") -> bool:
        """Tell whether anybody is in both."""
        return self.whole or other.whole or bool({*self.building_ids} & {*other.building_ids})


def extent_of(outage: Outage) -> Extent:
    """Return the extent of an outage."""
    return Extent(tuple(outage.building_ids), tuple(outage.zones))


async def read_extent(
    work: Work,
    facility: Facility,
    building_ids: Sequence[str] | None,
    zones: Sequence[str] | None,
) -> Extent:
    """Return the extent asked for: buildings (by id or code) and those of zones; neither: all.

    Raises:
        Invalid: `extent_of_nobody`, `unknown_building`, `unknown_zone`.
    """
    if building_ids is None and zones is None:
        return Extent((), ())
    if not building_ids and not zones:
        raise Invalid.one("building_ids", "extent_of_nobody")
    found = set(await _buildings(work, facility, building_ids or ()))
    found |= set(await _buildings_of_zones(work, facility, zones or ()))
    return Extent(tuple(sorted(found)), tuple(dict.fromkeys(zones or ())))


async def _buildings(work: Work, facility: Facility, wanted: Sequence[str]) -> list[str]:
    rows = await work.session.exec(
        select(Building.id, Building.code).where(
            Building.facility_id == facility.id,
            or_(col(Building.id).in_(wanted), col(Building.code).in_(wanted)),
        )
    )
    named = {name: id_ for id_, code in rows for name in (id_, code)}
    unknown = [one for one in wanted if one not in named]
    if unknown:
        raise Invalid.one("building_ids", "unknown_building", unknown[0])
    return [named[one] for one in wanted]


async def _buildings_of_zones(work: Work, facility: Facility, zones: Sequence[str]) -> list[str]:
    """Return the buildings that have any of the zones: nobody knows which flats a zone supplies."""
    if not zones:
        return []
    rows = await work.session.exec(select(Zone.name).where(Zone.facility_id == facility.id))
    known = set(rows)
    unknown = [zone for zone in zones if zone not in known]
    if unknown:
        raise Invalid.one("zones", "unknown_zone", unknown[0])
    buildings = await work.session.exec(select(Building).where(Building.facility_id == facility.id))
    found = [building.id for building in buildings if set(building.zones) & set(zones)]
    if not found:
        raise Invalid.one("zones", "extent_of_nobody")
    return found


async def require_somebody(work: Work, facility: Facility, extent: Extent) -> None:
    """Refuse an extent in which no household is on the register: nobody could be told.

    Raises:
        Invalid: `extent_of_nobody`.
    """
    if not await count_households(work, facility, extent):
        raise Invalid.one("building_ids", "extent_of_nobody")


async def count_households(work: Work, facility: Facility, extent: Extent) -> int:
    """Count the households on the register that an extent concerns."""
    statement = select(func.count()).where(
        Household.facility_id == facility.id, col(Household.moved_out_on).is_(None)
    )
    if not extent.whole:
        statement = statement.where(col(Household.building_id).in_(extent.building_ids))
    return (await work.session.exec(statement)).one()
