"""Watching the clocks of anomalies: the managers hear first, in danger the regulators next."""

from datetime import datetime

from sqlmodel import col, func, select

from water2.domain.anomaly import CURRENT, Anomaly, AnomalyActKind
from water2.domain.regulator_report import RegulatorReport
from water2.rules.anomaly import Clock, Level, Step, escalations, step_clocks
from water2.rules.obligation import Obligation
from water2.services.anomalies.standing import AnomalyStanding, keep_act, stand
from water2.services.regulator_reports.escalating import escalate
from water2.services.waking_rows import PAST, look_at_waking
from water2.work import Runtime, Work


async def watch_anomalies(runtime: Runtime) -> int:
    """Escalate every step past its clock; return how many were new. Repeating changes nothing."""
    return await look_at_waking(runtime, Anomaly, _look)


async def _look(work: Work, id_: str) -> int:
    standing = await stand(work, id_, lock=True)
    anomaly = standing.anomaly
    if anomaly.state not in CURRENT:
        anomaly.wake_at = None
        return 0
    danger = bool(anomaly.endangers_health)
    clocks = clocks_of(standing.obligation, anomaly)
    running = [clock for clock in clocks if clock.done_at is None]
    found = 0
    marks: list[datetime] = []
    for clock in running:
        for level, at in escalations(standing.obligation, clock, endangers_health=danger):
            if at < work.now:
                found += await _escalate(work, standing, clock, level)
            else:
                marks.append(at + PAST)
    anomaly.wake_at = min(marks, default=None)
    work.session.add(anomaly)
    return found


def clocks_of(obligation: Obligation, anomaly: Anomaly) -> tuple[Clock, ...]:
    """Return the clocks of an anomaly's steps."""
    done: dict[Step, datetime | None] = {
        "stop": anomaly.cut_off_at,
        "assessment": anomaly.assessed_at,
        "findings": anomaly.findings_at,
    }
    entered: dict[Step, datetime | None] = {
        "stop": anomaly.cut_off_entered_at,
        "findings": anomaly.findings_entered_at,
    }
    return step_clocks(obligation, anomaly.found_at, done, entered)


async def _escalate(work: Work, standing: AnomalyStanding, clock: Clock, level: Level) -> int:
    anomaly, utility = standing.anomaly, standing.utility
    new = await escalate(work, utility, anomaly, anomaly.id, clock.step, level, clock.due_at)
    if new:
        facts = {"step": clock.step, "level": level, "due_at": clock.due_at.isoformat()}
        keep_act(work, standing.facility, anomaly, AnomalyActKind.escalated, data=facts)
    return int(new)


async def next_clock(work: Work) -> datetime | None:
    """Return when a clock of an anomaly, or of a report, next has to be looked at."""
    found = [
        (await work.session.exec(select(func.min(wake_at)).where(wake_at > work.now))).one()
        for wake_at in (col(Anomaly.wake_at), col(RegulatorReport.wake_at))
    ]
    return min((at for at in found if at is not None), default=None)
