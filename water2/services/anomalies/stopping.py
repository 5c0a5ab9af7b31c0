"""Stopping supply (art. 18.2): an emergency outage, published at once with its quality notice."""

from datetime import datetime

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.anomaly import UNRESOLVED, Anomaly, AnomalyActKind, AnomalyState
from water2.domain.command import Command, Flag, Text
from water2.domain.errors import Invalid
from water2.domain.facility import Building, Zone
from water2.domain.outage import Outage, OutageKind, OutageReason
from water2.rules.anomaly_stop import StopSaid, cuts_every_tap
from water2.services.anomalies.standing import AnomalyStanding, keep_act, past, stand
from water2.services.anomalies.telling import danger_of, failed_items, stopped_at, tell_of_more
from water2.services.instants import Instant, read_instant
from water2.services.notices.template import data_file
from water2.services.outages.drafting import (
    Advice,
    BuildingIds,
    ZoneNames,
    declare,
    new_outage,
)
from water2.services.outages.extent import Extent, extent_of, read_extent
from water2.services.outages.standing import Standing, standing_of
from water2.work import Work

OF_NOBODY = "extent_of_nobody"
REGISTER = "zh"  # the language of what the register keeps in words
_TOLD = ("cause", "health_advice", "water_points", "emergency_supply")


class StopSupply(Command):
    """When and where supply was stopped: `building_ids` (or codes) or `zones`; neither is all.

    Less than all is an isolation only where `every_affected_tap` says that no other tap gets this
    water, and `reason` why; else it is a departure from the rules, flagged, with its reason. The
    cause, where none is given, names the items that failed.
    """

    at: Instant | None = None
    building_ids: BuildingIds | None = None
    zones: ZoneNames | None = None
    every_affected_tap: Flag | None = None
    reason: Text | None = None
    ends_at: Instant | None = Field(default=None, description="the estimate, where there is one")
    cause: Text | None = None
    health_advice: Advice | None = None
    water_points: Text | None = None
    emergency_supply: Text | None = None


async def stop_supply(work: Work, id_: str, command: StopSupply) -> Anomaly:
    """Record that supply is stopped, and tell everybody at once; never refused for its extent.

    The same extent and words again change nothing, others are told anew. Water that another anomaly
    stopped is off once: both share the outage. The clock stops when every affected tap is cut off.

    Raises:
        Invalid: the instant lies ahead, or a building or zone is unknown.
        Conflict: it is resumed, closed, or historical.
    """
    work.require(Action.report_anomalies)
    standing = await stand(work, id_, lock=True)
    standing.require(*UNRESOLVED)
    anomaly = standing.anomaly
    at = past(work, standing, "at", command.at)
    extent, placed = await _extent(work, standing, command)
    outage, repeated = await _stopped_by(work, standing, command, extent, at)
    departed = not await _cuts_every_tap(work, standing, command, outage, placed=placed)
    if repeated and (command.every_affected_tap is None or departed == (not anomaly.cut_off_at)):
        return anomaly
    anomaly.state = AnomalyState.supply_stopped
    anomaly.stopped_at = anomaly.stopped_at or at
    await _note_extent(work, standing, command, at, departed=departed)
    facts = {
        "outage": outage.id,
        "buildings": list(outage.building_ids),
        "departed": departed,
        "every_affected_tap": command.every_affected_tap,
    }
    kind = AnomalyActKind.supply_stopped
    place = standing.facility
    keep_act(work, place, anomaly, kind, occurred_at=at, text=command.reason, data=facts)
    return anomaly


async def _stopped_by(
    work: Work, standing: AnomalyStanding, command: StopSupply, extent: Extent, at: datetime
) -> tuple[Outage, bool]:
    """Return the outage that supply is stopped by; True where it was so before."""
    anomaly = standing.anomaly
    stopped = await stopped_at(work, standing.facility, anomaly.id)
    if stopped is None:
        outage = await _declare(work, standing, command, extent, at)
        anomaly.outage_id = outage.id
        return outage, False
    outage = stopped.outage
    if outage.id == anomaly.outage_id and extent_of(outage).holds(extent):
        await tell_of_more(work, stopped, standing.book, words=_words(standing, command))
        return outage, True
    return await _join(work, standing, stopped, command, extent), False


async def _join(
    work: Work,
    standing: AnomalyStanding,
    stopped: Standing,
    command: StopSupply,
    extent: Extent,
) -> Outage:
    """Share the outage in effect: it is widened, and tells of all that failed."""
    anomaly, outage = standing.anomaly, stopped.outage
    anomaly.outage_id, anomaly.state = outage.id, AnomalyState.supply_stopped
    await work.session.flush()  # what it failed by is told, too
    joined = extent.joined(extent_of(outage))
    words = _words(standing, command)
    await tell_of_more(work, stopped, standing.book, extent=joined, words=words)
    return outage


def _words(standing: AnomalyStanding, command: StopSupply) -> dict[str, object]:
    """Return the words for residents that were given."""
    words = command.model_dump(include=set(_TOLD), exclude_none=True)
    if command.ends_at is not None:
        words["ends_at"] = read_instant(command.ends_at, standing.utility.timezone)
    return words


async def _extent(
    work: Work, standing: AnomalyStanding, command: StopSupply
) -> tuple[Extent, bool]:
    """Return whom to tell; False where no building is known for what was said: then everybody."""
    try:
        given = await read_extent(work, standing.facility, command.building_ids, command.zones)
    except Invalid as refused:
        if {problem.code for problem in refused.problems} != {OF_NOBODY}:
            raise
        return Extent((), tuple(command.zones or ())), False
    return given, True


async def _cuts_every_tap(
    work: Work, standing: AnomalyStanding, command: StopSupply, outage: Outage, *, placed: bool
) -> bool:
    """Judge what was said of a stop; `placed`: some building is known for it."""
    facility_id, extent = standing.facility.id, extent_of(outage)
    zones = await work.session.exec(select(Zone.name).where(Zone.facility_id == facility_id))
    buildings = await work.session.exec(
        select(Building.id).where(Building.facility_id == facility_id)
    )
    by_zones = bool(command.zones) and not command.building_ids
    said = StopSaid(
        every_affected_tap=command.every_affected_tap,
        reasoned=command.reason is not None,
        in_part=command.building_ids is not None or command.zones is not None,
        placed=placed,
        zones_left=by_zones and not {*zones} <= {*(command.zones or ())},
        buildings_left=not (extent.whole or {*buildings} <= {*extent.building_ids}),
    )
    return cuts_every_tap(said)


async def _note_extent(
    work: Work,
    standing: AnomalyStanding,
    command: StopSupply,
    at: datetime,
    *,
    departed: bool,
) -> None:
    """Keep for good that less than every affected tap was cut off, and whether anybody said why.

    What was cut off for one anomaly is cut off for all that share the outage.
    """
    anomaly = standing.anomaly
    if departed:
        anomaly.departed = True
        anomaly.departure_unexplained |= command.reason is None
        anomaly.cut_off_at = anomaly.cut_off_entered_at = None
        return
    await work.session.flush()
    rows = await work.session.exec(
        select(Anomaly).where(
            Anomaly.outage_id == anomaly.outage_id,
            col(Anomaly.state).in_(UNRESOLVED),
            col(Anomaly.cut_off_at).is_(None),
        )
    )
    for one in rows.all():
        one.cut_off_at, one.cut_off_entered_at = at, work.now
        if one.id != anomaly.id:
            facts = {"outage": one.outage_id, "departed": False, "shared": True}
            kind = AnomalyActKind.supply_stopped
            keep_act(work, standing.facility, one, kind, occurred_at=at, data=facts)


async def _declare(
    work: Work, standing: AnomalyStanding, command: StopSupply, extent: Extent, at: datetime
) -> Outage:
    outage = new_outage(
        work,
        standing.utility,
        standing.facility,
        extent,
        OutageKind.emergency,
        OutageReason.water_quality,
    )
    outage.starts_at = at
    outage.failed_items = await failed_items(work, [standing.anomaly.id], standing.book)
    outage.danger = danger_of(outage.failed_items, standing.book)
    outage.notice_impossible_because = data_file(REGISTER)["phrase"]["stopped_at_once"]
    for name, word in _words(standing, command).items():
        setattr(outage, name, word)
    return await declare(work, await standing_of(work, outage, standing.facility))
