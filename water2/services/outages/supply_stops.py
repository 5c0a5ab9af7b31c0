"""Stops of supply that somebody found (art. 17(3)): in right by an outage, else a violation."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command, Text
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.outage import Outage, StopSource, StopState, SupplyStop
from water2.services.instants import Instant, read_instant
from water2.services.outages.drafting import BuildingIds
from water2.services.outages.extent import Extent, extent_of, read_extent
from water2.services.register import record_act
from water2.services.rows import fetch
from water2.work import Work


class ReportStop(Command):
    """That the water is, or was, off; whoever or whatever found it."""

    facility_id: str
    source: StopSource
    began_at: Instant
    ended_at: Instant | None = None
    building_ids: BuildingIds | None = None
    note: Text | None = None


class ExplainStop(Command):
    """Why the water was off; the outage it belongs to, where it was one after all."""

    explanation: str = Field(min_length=1, max_length=500)
    outage_id: str | None = None
    ended_at: Instant | None = None


class CloseStop(Command):
    """What was made of it."""

    note: str = Field(min_length=1, max_length=500)


async def report_stop(work: Work, command: ReportStop) -> SupplyStop:
    """Record a stop; one that no outage in effect covers is a violation until explained and closed.

    What happened can always be recorded.
    """
    work.require(Action.run_outages)
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    extent = await read_extent(work, facility, command.building_ids, None)
    began_at = _past("began_at", command.began_at, utility, work.now)
    ended_at = _past("ended_at", command.ended_at, utility, work.now) if command.ended_at else None
    if ended_at is not None:
        _require_order(began_at, ended_at)
    covering = await _covering(work, facility, extent, began_at, ended_at or work.now)
    stop = SupplyStop(
        utility_id=utility.id,
        facility_id=facility.id,
        building_ids=list(extent.building_ids),
        source=command.source,
        state=StopState.covered if covering else StopState.open,
        began_at=began_at,
        ended_at=ended_at,
        found_at=work.now,
        note=command.note,
        outage_id=covering.id if covering else None,
    )
    work.session.add(stop)
    _record(work, facility, stop, "supply_stop.found", source=stop.source.value)
    return stop


def _require_order(began_at: datetime, ended_at: datetime) -> None:
    if ended_at < began_at:
        raise Invalid.one("ended_at", "before", ended_at.isoformat(), after="began_at")


def _past(field: str, given: datetime, utility: Utility, now: datetime) -> datetime:
    at = read_instant(given, utility.timezone)
    if at > now:
        raise Invalid.one(field, "in_future", at.isoformat())
    return at


async def _covering(
    work: Work, facility: Facility, extent: Extent, began_at: datetime, until: datetime
) -> Outage | None:
    """Return an outage that had stopped this water for the whole of a stop."""
    rows = await work.session.exec(
        select(Outage)
        .where(Outage.facility_id == facility.id, col(Outage.started_at) <= began_at)
        .order_by(col(Outage.started_at).desc())
    )
    held = (one for one in rows if one.restored_at is None or one.restored_at >= until)
    return next((one for one in held if extent_of(one).holds(extent)), None)


async def explain_stop(work: Work, id_: str, command: ExplainStop) -> SupplyStop:
    """Explain a stop; the violation stays on record.

    Raises:
        Conflict: an outage covers it, or it is closed.
    """
    work.require(Action.run_outages)
    stop, facility = await _held(work, id_, (StopState.open, StopState.explained))
    if command.outage_id is not None:
        outage = await fetch(work, Outage, command.outage_id)
        if outage.facility_id != facility.id:
            raise Invalid.one("outage_id", "unknown_outage", command.outage_id)
        stop.outage_id = outage.id
    if command.ended_at is not None:
        utility = await fetch(work, Utility, facility.utility_id)
        stop.ended_at = _past("ended_at", command.ended_at, utility, work.now)
        _require_order(stop.began_at, stop.ended_at)
    stop.state, stop.explanation = StopState.explained, command.explanation
    stop.explained_at, stop.explained_by = work.now, work.actor.user_id
    stop.version += 1
    _record(work, facility, stop, "supply_stop.explained")
    return stop


async def close_stop(work: Work, id_: str, command: CloseStop) -> SupplyStop:
    """Close an explained violation, with what was made of it.

    Raises:
        Conflict: nobody explained it yet.
    """
    work.require(Action.plan_outages)
    stop, facility = await _held(work, id_, (StopState.explained,))
    stop.state, stop.closing_note = StopState.closed, command.note
    stop.closed_at, stop.closed_by = work.now, work.actor.user_id
    stop.version += 1
    _record(work, facility, stop, "supply_stop.closed")
    return stop


async def _held(work: Work, id_: str, allowed: Sequence[StopState]) -> tuple[SupplyStop, Facility]:
    seen = await fetch(work, SupplyStop, id_)
    facility = await fetch(work, Facility, seen.facility_id, lock=True)
    stop = await fetch(work, SupplyStop, id_, lock=True)
    if stop.state not in allowed:
        raise Conflict("supply_stop_state", {"state": stop.state.value})
    return stop, facility


def _record(work: Work, facility: Facility, stop: SupplyStop, type_: str, **data: object) -> None:
    """Put it on the ledger; what people wrote stays out."""
    told = {
        "facility": facility.id,
        "state": stop.state.value,
        "outage": stop.outage_id,
        "began_at": stop.began_at.isoformat(),
        "ended_at": stop.ended_at.isoformat() if stop.ended_at else None,
        "buildings": list(stop.building_ids),
        **data,
    }
    record_act(work, facility.ledger_id, type_, f"supply_stop:{stop.id}", told)
