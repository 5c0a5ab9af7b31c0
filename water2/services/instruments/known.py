"""The register of instruments as batches read it, kept in the process while nothing changes in it.

Each batch asks for the same thousand instruments: they are read anew only where the register's
stamp, which every act on it draws anew, is another one. A stamp is random, so that one of an act
that was rolled back is never met again.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import or_, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import col

from water2.domain.ids import new_id
from water2.domain.instrument import Instrument, InstrumentCalibration, InstrumentRegister
from water2.domain.water import Point
from water2.rules.instruments import in_calibration
from water2.services.rows import among, listed
from water2.work import Work

Named = tuple[str, str | None]
"""An instrument's id and None, or its code and its facility's id."""
MOST_KNOWN = 50_000
_KNOWN: dict[str, tuple[str, dict[Named, "Facts"]]] = {}
"""By utility: the stamp, and what was read under it."""

_COLUMNS = (
    col(Instrument.id),
    col(Instrument.code),
    col(Instrument.facility_id),
    col(Instrument.tank_id),
    col(Instrument.parameter),
    col(Instrument.point),
    col(Instrument.unit),
    col(Instrument.interval_seconds),
    col(Instrument.installed_on),
    col(Instrument.removed_on),
    col(Instrument.utility_id),
)
_VALIDITY = (col(InstrumentCalibration.calibrated_on), col(InstrumentCalibration.valid_to))
_JOINED = (
    select_columns(*_COLUMNS, *_VALIDITY)
    .select_from(Instrument)
    .outerjoin(
        InstrumentCalibration, col(InstrumentCalibration.instrument_id) == col(Instrument.id)
    )
)


@dataclass(slots=True)
class Facts:
    """An instrument as it stands in the register; `valid` are the days of its calibrations."""

    id: str
    code: str
    facility_id: str
    tank_id: str | None
    parameter: str
    point: Point
    unit: str | None
    interval_seconds: int
    installed_on: date
    removed_on: date | None
    utility_id: str
    valid: list[tuple[date, date]] = field(default_factory=list)
    measures: str = ""  # its parameter and point in one: the key of what judges it
    _days: dict[date, bool] = field(default_factory=dict)

    def calibrated(self, day: date) -> bool:
        """Tell whether it is in calibration on a day."""
        found = self._days.get(day)
        if found is None:
            found = self._days[day] = in_calibration(self.valid, day)
        return found


async def stamp_register(work: Work, utility_id: str) -> None:
    """Draw a new stamp: something changed in the register of instruments."""
    register = await work.session.get(InstrumentRegister, utility_id, with_for_update=True)
    if register is None:
        register = InstrumentRegister(utility_id=utility_id, stamp="")
    register.stamp = new_id()
    work.session.add(register)
    await work.session.flush()


async def facility_ids_of(
    work: Work, utility_ids: Sequence[str], named: Collection[Named]
) -> set[str]:
    """Return where instruments stand: an instrument never moves, so any stamp will do."""
    found: set[str] = set()
    lacking = set(named)
    for utility_id in utility_ids:
        held = _KNOWN.get(utility_id, ("", {}))[1]
        here = lacking & held.keys()
        found |= {held[name].facility_id for name in here}
        lacking -= here
    if lacking:
        read = await _read(work, utility_ids, lacking)
        found |= {one.facility_id for one in read.values()}
    return found


async def known_facts(
    work: Work, stamps: Mapping[str, str], named: Collection[Named]
) -> Mapping[Named, Facts]:
    """Return instruments by their names, and others too; `stamps` are those of their utilities."""
    found: dict[Named, Facts] = {}
    for utility_id, stamp in stamps.items():
        held = _known(utility_id, stamp)
        found = held if len(stamps) == 1 else found | held
    lacking = [name for name in named if name not in found]
    if stamps and lacking:
        read = await _read(work, list(stamps), lacking)
        for name, one in read.items():
            _KNOWN[one.utility_id][1][name] = one
        found = found | read
    return found


def _known(utility_id: str, stamp: str) -> dict[Named, Facts]:
    held = _KNOWN.get(utility_id)
    if held is None or held[0] != stamp or len(held[1]) > MOST_KNOWN:
        held = _KNOWN[utility_id] = stamp, {}
    return held[1]


async def _read(
    work: Work, utility_ids: Sequence[str], named: Iterable[Named]
) -> dict[Named, Facts]:
    ids = sorted(id_ for id_, facility in named if facility is None)
    coded = sorted((code, facility) for code, facility in named if facility is not None)
    theirs: list[Any] = [among(work, Instrument.id, ids)] if ids else []
    if coded:
        codes, places = zip(*coded, strict=True)
        pairs = listed(work, code=codes, facility=places)
        same = tuple_(col(Instrument.code), col(Instrument.facility_id))
        theirs.append(same.in_(select_columns(pairs.c.code, pairs.c.facility)))
    which = _JOINED.where(or_(*theirs), col(Instrument.utility_id).in_(utility_ids))
    by_id: dict[str, Facts] = {}
    for *told, begin, end in await work.session.execute(which):
        one = by_id.get(told[0])
        if one is None:
            one = by_id[told[0]] = Facts(*told)
            one.measures = f"{one.parameter} {one.point.value}"
        if begin is not None:
            one.valid.append((begin, end))
    by_name: dict[Named, Facts] = {(id_, None): by_id[id_] for id_ in ids if id_ in by_id}
    wanted = set(coded)
    for one in by_id.values():
        if (one.code, one.facility_id) in wanted:
            by_name[one.code, one.facility_id] = one
    return by_name
