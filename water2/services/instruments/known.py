"""The instruments of a batch, kept in the process while nothing changes in what judges them.

Each batch asks for the same thousand instruments: they are read anew only where their utility's
stamp is another one.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import or_, tuple_
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.access import Role
from water2.domain.facility import Facility
from water2.domain.instrument import Instrument, InstrumentCalibration
from water2.domain.organisation import Utility
from water2.services.instruments.given_rows import given, given_rows
from water2.services.instruments.judges import Judges, Owner, Site
from water2.services.instruments.meters import Facts, Meter, Named
from water2.services.instruments.stamps import stamps_of
from water2.services.rows import among, fetch, listed, on_postgresql
from water2.services.rulebooks import rules_of
from water2.work import Work

MOST_KNOWN = 50_000

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
_JOINED = (
    select_columns(
        *_COLUMNS, col(InstrumentCalibration.calibrated_on), col(InstrumentCalibration.valid_to)
    )
    .select_from(Instrument)
    .outerjoin(
        InstrumentCalibration, col(InstrumentCalibration.instrument_id) == col(Instrument.id)
    )
)
_LOCKING = (
    select_columns(col(Facility.id))
    .where(col(Facility.id).in_(select_columns(given_rows(True, "id").c.id)))
    .order_by(col(Facility.id))
    .with_for_update(key_share=True)
)


@dataclass
class _Known:
    """A utility's instruments as they were read under one stamp.

    Only for a day: what was found for the days of readings is let go with it.
    """

    stamp: str
    on: date
    judges: Judges
    sites: dict[str, Site] = field(default_factory=dict)
    meters: dict[Named, Meter] = field(default_factory=dict)


_KNOWN: dict[str, _Known] = {}
"""By utility."""


async def meters_named(work: Work, named: Collection[Named]) -> dict[Named, Meter]:
    """Return the instruments of the actor's utilities by their names, their facilities locked.

    The lock is what every act on a facility begins with: two batches do not judge each other's
    neighbourhood half.
    """
    facility_ids, theirs = await _places(work, await _utility_ids(work), named)
    await _lock(work, facility_ids)
    found: dict[Named, Meter] = {}
    for utility_id, stamp in (await stamps_of(work, theirs)).items():
        known = await _known(work, utility_id, stamp)
        await _add_lacking(work, known, theirs[utility_id])
        held = known.meters  # without those that an act rolled back entered
        found |= {name: held[name] for name in theirs[utility_id] if name in held}
    return found


async def meters_of(work: Work, ids: Sequence[str]) -> dict[str, Meter]:
    """Return instruments by id, their facilities locked."""
    return {meter.id: meter for meter in (await meters_named(work, ids)).values()}


async def _utility_ids(work: Work) -> Sequence[str]:
    if work.actor.role is not Role.system:
        return work.actor.utility_ids
    return (await work.session.exec(select(Utility.id))).all()


async def _places(
    work: Work, utility_ids: Sequence[str], named: Collection[Named]
) -> tuple[set[str], dict[str, list[Named]]]:
    """Return the facilities of instruments, and who is named of each utility.

    None ever moves, so any stamp will do.
    """
    facility_ids: set[str] = set()
    theirs: dict[str, list[Named]] = {}
    lacking: Collection[Named] = named
    for known in (_KNOWN[id_] for id_ in utility_ids if id_ in _KNOWN):
        held = known.meters
        here = [name for name in lacking if name in held]
        if here:
            theirs[known.judges.utility.id] = here
            facility_ids |= {held[name].site.id for name in here}
            lacking = [name for name in lacking if name not in held]
    if lacking:
        for name, one in (await _read(work, utility_ids, lacking)).items():
            theirs.setdefault(one.utility_id, []).append(name)
            facility_ids.add(one.facility_id)
    return facility_ids, theirs


async def _lock(work: Work, facility_ids: Collection[str]) -> None:
    if on_postgresql(work):  # on SQLite whoever writes is alone
        await work.session.execute(_LOCKING, given(work, id=sorted(facility_ids)))


async def _known(work: Work, utility_id: str, stamp: str) -> _Known:
    known, today = _KNOWN.get(utility_id), work.now.date()
    fresh = known is not None and (known.stamp, known.on) == (stamp, today)
    if known is None or not fresh or len(known.meters) > MOST_KNOWN:
        utility = await fetch(work, Utility, utility_id)
        owner = Owner(utility.id, utility.ledger_id, utility.timezone)
        known = _Known(stamp, today, Judges(owner, await rules_of(work, utility)))
        _KNOWN[utility_id] = known
    return known


async def _add_lacking(work: Work, known: _Known, named: Iterable[Named]) -> None:
    """Read those of a utility's instruments that are named and not known yet."""
    lacking = [name for name in named if name not in known.meters]
    if not lacking:
        return
    read = await _read(work, [known.judges.utility.id], lacking)
    await _add_sites(work, known, {one.facility_id for one in read.values()} - known.sites.keys())
    for name, one in read.items():
        made = Meter(one.id, one, known.sites[one.facility_id])
        known.meters[name] = known.meters.setdefault(one.id, made)


async def _add_sites(work: Work, known: _Known, facility_ids: Collection[str]) -> None:
    rows = await work.session.execute(
        select_columns(col(Facility.id), col(Facility.ledger_id), col(Facility.disinfectant)).where(
            among(work, Facility.id, facility_ids)
        )
    )
    for id_, ledger_id, disinfectant in rows:
        known.sites[id_] = Site(id_, ledger_id, disinfectant.value, known.judges)


async def _read(
    work: Work, utility_ids: Sequence[str], named: Iterable[Named]
) -> dict[Named, Facts]:
    ids = sorted(name for name in named if isinstance(name, str))
    coded = sorted(name for name in named if isinstance(name, tuple))
    theirs: list[Any] = [among(work, Instrument.id, ids)] if ids else []
    if coded:
        codes, places = zip(*coded, strict=True)
        pairs = listed(work, code=codes, facility=places)
        same = tuple_(col(Instrument.code), col(Instrument.facility_id))
        theirs.append(same.in_(select_columns(pairs.c.code, pairs.c.facility)))
    which = _JOINED.where(or_(*theirs), col(Instrument.utility_id).in_(utility_ids))
    by_id: dict[str, Facts] = {}
    for *told, begin, end in await work.session.execute(which):
        one = by_id.setdefault(told[0], Facts(*told))
        if begin is not None:
            one.valid.append((begin, end))
    by_name: dict[Named, Facts] = {id_: by_id[id_] for id_ in ids if id_ in by_id}
    wanted = set(coded)
    for one in by_id.values():
        if (one.code, one.facility_id) in wanted:
            by_name[one.code, one.facility_id] = one
    return by_name
