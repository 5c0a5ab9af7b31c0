"""Stopping supply (art. 18.2): an emergency outage, published at once with its quality notice."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.anomaly import (
    UNRESOLVED,
    Anomaly,
    AnomalyActKind,
    AnomalyCause,
    AnomalyState,
)
from water2.domain.command import Command, Flag, Text
from water2.domain.errors import Invalid
from water2.domain.facility import Building
from water2.domain.outage import Outage, OutageKind, OutageReason, OutageState
from water2.rules.parameters import Group, Parameter
from water2.services.anomalies.standing import AnomalyStanding, keep_act, past, stand
from water2.services.instants import Instant, read_instant
from water2.services.outages.changing import widen
from water2.services.outages.drafting import (
    Advice,
    BuildingIds,
    ZoneNames,
    declare,
    new_outage,
)
from water2.services.outages.extent import Extent, extent_of, read_extent
from water2.services.outages.standing import Standing, standing_of
from water2.services.outages.standing import stand as stand_of_outage
from water2.work import Work

GRAVEST: tuple[Group, ...] = ("toxic", "microbial", "disinfectant", "sensory")
OF_NOBODY = "extent_of_nobody"
MOST_NAMED = 3  # on a notice; the anomaly names all
NOTICE_IMPOSSIBLE = "水质异常，须立即停止供水（第十八条）"


class StopSupply(Command):
    """When and where supply was stopped: `building_ids` (or codes) or `zones`; neither is all.

    Less than all is an isolation only where `every_affected_tap` says that no other tap gets this
    water, and `reason` why; else it is a departure from the rules, flagged, with its reason.
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

    The same extent again changes nothing, another one widens the outage and is told anew. Water
    that another anomaly stopped is off once: both share the outage.

    Raises:
        Invalid: the instant lies ahead, or a building or zone is unknown.
        Conflict: it is resumed, closed, or historical.
    """
    work.require(Action.report_anomalies)
    standing = await stand(work, id_, lock=True)
    standing.require(*UNRESOLVED)
    anomaly = standing.anomaly
    at = past(work, standing, "at", command.at)
    extent, known = await _extent(work, standing, command)
    stopped = await _stopped(work, standing)
    own = stopped is not None and stopped.outage.id == anomaly.outage_id
    if stopped is not None and own and extent_of(stopped.outage).holds(extent):
        return anomaly
    if stopped is None:
        outage = await _declare(work, standing, command, extent, at)
    else:
        outage = await _join(work, standing, stopped, extent)
    await _note_extent(work, standing, command, extent_of(outage) if known else None)
    anomaly.outage_id, anomaly.state = outage.id, AnomalyState.supply_stopped
    anomaly.stopped_at = anomaly.stopped_at or at
    facts = {
        "outage": outage.id,
        "buildings": list(outage.building_ids),
        "departed": anomaly.departed,
        "every_affected_tap": command.every_affected_tap,
    }
    kind = AnomalyActKind.supply_stopped
    keep_act(work, standing, kind, occurred_at=at, text=command.reason, data=facts)
    return anomaly


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


async def _stopped(work: Work, standing: AnomalyStanding) -> Standing | None:
    """Return the outage that this anomaly, or another of the facility, has in effect."""
    rows = await work.session.exec(
        select(Outage.id)
        .join(Anomaly, col(Anomaly.outage_id) == Outage.id)
        .where(
            Anomaly.facility_id == standing.facility.id,
            col(Anomaly.state).in_(UNRESOLVED),
            Outage.state == OutageState.in_effect,
        )
        .order_by(col(Anomaly.id) != standing.anomaly.id, Outage.id)
    )
    found = rows.first()
    return None if found is None else await stand_of_outage(work, found, lock=True)


async def _join(work: Work, standing: AnomalyStanding, stopped: Standing, extent: Extent) -> Outage:
    """Widen the outage in effect, and tell of the graver danger where there is one."""
    outage = stopped.outage
    mine = _gravest(await _failed(work, standing))
    outage.danger = next((one for one in GRAVEST if one in (mine, outage.danger)), None)
    return await widen(work, stopped, extent.joined(extent_of(outage)))


async def _note_extent(
    work: Work, standing: AnomalyStanding, command: StopSupply, extent: Extent | None
) -> None:
    """Tell a stop of every affected tap from a departure; one without a reason is flagged too.

    `extent` None: nobody knows which taps were closed, so not every one can be taken to be.
    """
    rows = await work.session.exec(
        select(Building.id).where(Building.facility_id == standing.facility.id)
    )
    whole = extent is not None and (extent.whole or {*rows} <= {*extent.building_ids})
    isolated = bool(command.every_affected_tap and command.reason)
    standing.anomaly.departed = not (isolated or whole)
    standing.anomaly.departure_unexplained = standing.anomaly.departed and command.reason is None


async def _declare(
    work: Work, standing: AnomalyStanding, command: StopSupply, extent: Extent, at: datetime
) -> Outage:
    parameters = await _failed(work, standing)
    outage = new_outage(
        work,
        standing.utility,
        standing.facility,
        extent,
        OutageKind.emergency,
        OutageReason.water_quality,
    )
    outage.starts_at = at
    if command.ends_at is not None:
        outage.ends_at = read_instant(command.ends_at, standing.utility.timezone)
    outage.cause = command.cause or _cause(parameters)
    outage.notice_impossible_because = NOTICE_IMPOSSIBLE
    outage.danger = _gravest(parameters)
    for field in ("health_advice", "water_points", "emergency_supply"):
        setattr(outage, field, getattr(command, field))
    return await declare(work, await standing_of(work, outage, standing.facility))


async def _failed(work: Work, standing: AnomalyStanding) -> list[Parameter]:
    rows = await work.session.exec(
        select(AnomalyCause.parameter)
        .where(
            AnomalyCause.anomaly_id == standing.anomaly.id,
            col(AnomalyCause.parameter).is_not(None),
        )
        .distinct()
    )
    known = standing.book.parameters
    return [known[key] for key in sorted(filter(None, rows)) if key in known]


def _cause(parameters: Sequence[Parameter]) -> str:
    """Say what is wrong with the water, in Chinese as all that people type on a notice."""
    names = "、".join(parameter.title for parameter in parameters[:MOST_NAMED])
    return f"水质异常（{names}）" if names else "水质异常"


def _gravest(parameters: Sequence[Parameter]) -> str | None:
    """Return the group that harms most; None where nobody measured: then the worst is told."""
    groups = {parameter.group for parameter in parameters}
    return next((group for group in GRAVEST if group in groups), None)
