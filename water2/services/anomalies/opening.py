"""Opening an anomaly: one for each cause, whatever tells of it and however often."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from water2.domain.anomaly import (
    CURRENT,
    Anomaly,
    AnomalyActKind,
    AnomalyCause,
    AnomalySource,
    AnomalyState,
)
from water2.domain.facility import Facility
from water2.domain.ids import drawn_number
from water2.domain.organisation import Utility
from water2.domain.water import Point
from water2.services.anomalies.looking import looks
from water2.services.anomalies.standing import keep_act
from water2.services.anomalies.telling import stopped_at, tell_of_more
from water2.services.register import record_act
from water2.services.rulebooks import book_of
from water2.work import Work

PREFIX = "YC"
TOLD_BY_PEOPLE = (AnomalySource.complaint, AnomalySource.patrol, AnomalySource.person)


@dataclass(frozen=True)
class Cause:
    """What tells of an anomaly; `note` is somebody's words and stays out of the ledger.

    `found_at` is when the failure happened as far as is known: when the sample was taken, when the
    excursion began, when somebody noticed. Re-tests must not lie before it.
    """

    source: AnomalySource
    found_at: datetime
    parameter: str | None = None
    point: Point | None = None
    tank_id: str | None = None
    sample_id: str | None = None
    instrument_id: str | None = None
    note: str | None = None


async def open_anomaly(
    work: Work, utility: Utility, facility: Facility, causes: Sequence[Cause]
) -> Anomaly:
    """Open an anomaly, or link the causes to the open one that tells of the same thing.

    Reading: one cause is one item out of its limit at one facility; what nobody measured is one.
    The caller holds the facility. Causes of several open anomalies go each to its own; the first is
    returned. One whose supply was resumed already is open again, also on a result that failed, was
    corrected to a pass, and fails once more. Residents who are without water for it are told of
    what more failed.
    """
    keys = {cause: f"{facility.id}:{cause.parameter or 'unmeasured'}" for cause in causes}
    held = await _held(work, set(keys.values()))
    told = await _told(work, causes)
    anomaly = next((held[key] for key in keys.values() if key in held), None)
    if anomaly is None:
        anomaly = _new(work, utility, facility, causes)
    for cause in causes:
        key = keys[cause]
        owner = held.get(key, anomaly)
        if owner.state is AnomalyState.resumed:
            await _reopen(work, facility, owner)
        if (owner.id, cause.sample_id, cause.parameter) not in told:
            await _link(work, facility, owner, cause, None if key in held else key)
        held[key] = owner
    await _tell_residents(work, utility, facility, anomaly)
    return anomaly


async def _tell_residents(
    work: Work, utility: Utility, facility: Facility, anomaly: Anomaly
) -> None:
    """Tell residents who are without bad water already that more failed.

    Reading: where another anomaly of the facility stopped supply, it is stopped for this one too.
    """
    await work.session.flush()
    stopped = await stopped_at(work, facility, anomaly.id)
    if stopped is None:
        return
    if anomaly.outage_id is None:
        await _share_stop(work, facility, anomaly, stopped.outage.id)
    await tell_of_more(work, stopped, await book_of(work, utility))


async def _share_stop(work: Work, facility: Facility, anomaly: Anomaly, outage_id: str) -> None:
    rows = await work.session.exec(
        select(Anomaly).where(Anomaly.outage_id == outage_id, col(Anomaly.cut_off_at).is_not(None))
    )
    if rows.first() is not None:
        anomaly.cut_off_at = anomaly.cut_off_entered_at = work.now
    anomaly.outage_id, anomaly.stopped_at = outage_id, work.now
    anomaly.state = AnomalyState.supply_stopped
    facts = {"outage": outage_id, "shared": True}
    keep_act(work, facility, anomaly, AnomalyActKind.supply_stopped, data=facts)
    await work.session.flush()  # what it failed by is told, too


async def _held(work: Work, keys: set[str]) -> dict[str, Anomaly]:
    """Return the anomalies that are not closed, by the key of each cause they are about."""
    rows = await work.session.exec(
        select(AnomalyCause.open_key, Anomaly)
        .join(Anomaly, col(Anomaly.id) == AnomalyCause.anomaly_id)
        .where(col(AnomalyCause.open_key).in_(keys), col(Anomaly.state).in_(CURRENT))
        .order_by(col(Anomaly.opened_at), Anomaly.id)
    )
    return {key: anomaly for key, anomaly in rows if key is not None}


async def _told(work: Work, causes: Sequence[Cause]) -> set[tuple[str, str | None, str | None]]:
    """Return the failed items each anomaly knows: a sample judged anew tells it nothing new."""
    samples = {cause.sample_id for cause in causes if cause.sample_id}
    if not samples:
        return set()
    rows = await work.session.exec(
        select(AnomalyCause.anomaly_id, AnomalyCause.sample_id, AnomalyCause.parameter).where(
            col(AnomalyCause.sample_id).in_(samples)
        )
    )
    return set(rows.all())


def _new(work: Work, utility: Utility, facility: Facility, causes: Sequence[Cause]) -> Anomaly:
    """Open one. Its clocks run from when the utility knew.

    Reading: of what people noticed that is when they did; of a result or a reading when it came in.
    """
    source = causes[0].source
    noticed = [cause.found_at for cause in causes if cause.source in TOLD_BY_PEOPLE]
    anomaly = Anomaly(
        utility_id=utility.id,
        facility_id=facility.id,
        number=drawn_number(PREFIX, work.today(utility.timezone)),
        state=AnomalyState.open,
        source=source,
        found_at=min([work.now, *noticed]),
        opened_at=work.now,
        wake_at=work.now,
    )
    work.session.add(anomaly)
    told = {"number": anomaly.number, "facility": facility.id, "source": source.value}
    record_act(work, facility.ledger_id, "anomaly.opened", f"anomaly:{anomaly.id}", told)
    return anomaly


async def _link(
    work: Work, facility: Facility, anomaly: Anomaly, cause: Cause, open_key: str | None
) -> None:
    await work.session.flush()  # the cause refers to the anomaly
    work.session.add(
        AnomalyCause(
            utility_id=anomaly.utility_id,
            anomaly_id=anomaly.id,
            open_key=open_key,
            recorded_at=work.now,
            recorded_by=work.actor.user_id,
            **vars(cause),
        )
    )
    anomaly.wake_at = work.now
    anomaly.version += 1
    record_act(
        work,
        facility.ledger_id,
        "anomaly.cause_linked",
        f"anomaly:{anomaly.id}",
        {
            "source": cause.source.value,
            "found_at": cause.found_at.isoformat(),
            "parameter": cause.parameter,
            "point": cause.point.value if cause.point else None,
            "tank": cause.tank_id,
            "sample": cause.sample_id,
            "instrument": cause.instrument_id,
        },
    )


async def _reopen(work: Work, facility: Facility, anomaly: Anomaly) -> None:
    """Start anew on water that failed after supply was resumed: its clocks run from now.

    What was to be looked at before stays to be looked at.
    """
    (look,) = await looks(work, [anomaly])
    anomaly.earlier_flags = look.flags
    anomaly.state, anomaly.found_at = AnomalyState.open, work.now
    anomaly.outage_id = anomaly.stopped_at = anomaly.cut_off_at = anomaly.resumed_at = None
    anomaly.findings_at = anomaly.controls_at = anomaly.assessed_at = None
    anomaly.departed = anomaly.departure_unexplained = False
    keep_act(work, facility, anomaly, AnomalyActKind.reopened)
