"""Anomalies that people tell of: a complaint, a patrol, somebody who saw, smelled or tasted it."""

from datetime import datetime

from water2.domain.access import Action
from water2.domain.anomaly import Anomaly, AnomalySource
from water2.domain.command import Command, Text
from water2.domain.errors import Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.water import Point
from water2.services.anomalies.opening import TOLD_BY_PEOPLE, Cause, open_anomaly
from water2.services.anomalies.standing import standing_of
from water2.services.instants import Instant, civil_day, read_instant
from water2.services.register import require_in_use
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Work


class ReportAnomaly(Command):
    """What somebody noticed: `parameter` where it can be said (colour, odour_taste, turbidity …).

    `found_at` is when it was noticed, now unless said otherwise.
    """

    facility_id: str
    source: AnomalySource = AnomalySource.person
    found_at: Instant | None = None
    parameter: str | None = None
    point: Point | None = None
    tank_id: str | None = None
    note: Text


async def report_anomaly(work: Work, command: ReportAnomaly) -> Anomaly:
    """Open an anomaly, or add to the open one that tells of the same thing.

    Raises:
        Invalid: results and instruments open theirs by themselves; or the parameter, the tank or
            the instant cannot be.
        Conflict: the rulebook knows no such duty.
    """
    work.require(Action.report_anomalies)
    if command.source not in TOLD_BY_PEOPLE:
        raise Invalid.one("source", "opens_by_itself", command.source.value)
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    book = await book_of(work, utility)
    if command.parameter is not None and command.parameter not in book.parameters:
        raise Invalid.one("parameter", "unknown_parameter", command.parameter)
    found_at = work.now
    if command.found_at is not None:
        found_at = read_instant(command.found_at, utility.timezone)
    if found_at > work.now:
        raise Invalid.one("found_at", "in_future", found_at.isoformat())
    await _require_tank(work, utility, facility, command.tank_id, found_at)
    cause = Cause(
        command.source,
        found_at,
        parameter=command.parameter,
        point=command.point,
        tank_id=command.tank_id,
        note=command.note,
    )
    anomaly = await open_anomaly(work, utility, facility, [cause])
    await standing_of(work, anomaly, facility)  # a rulebook without the duty opens none
    return anomaly


async def _require_tank(
    work: Work, utility: Utility, facility: Facility, tank_id: str | None, at: datetime
) -> None:
    if tank_id is None:
        return
    tank = await fetch(work, Tank, tank_id)
    if tank.facility_id != facility.id:
        raise Invalid.one("tank_id", "unknown_tank", tank_id, facility=facility.code)
    require_in_use("found_at", tank, civil_day(at, utility.timezone))
