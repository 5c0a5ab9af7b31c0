"""Watching the clocks of reports: a late one is said to the managers and to both regulators."""

from datetime import datetime

from water2.domain.regulator_report import RegulatorReport, ReportState
from water2.services.regulator_reports.escalating import MANAGERS, REGULATORS, escalate
from water2.services.regulator_reports.owing import enter_report
from water2.services.regulator_reports.standing import ReportStanding, stand
from water2.services.waking_rows import PAST, look_at_waking
from water2.work import Runtime, Work


async def watch_reports(runtime: Runtime) -> int:
    """Say of every report past its clock that it is late; return how many times anew."""
    return await look_at_waking(runtime, RegulatorReport, _look)


async def _look(work: Work, id_: str) -> int:
    standing = await stand(work, id_, lock=True)
    report = standing.report
    marks = marks_of(report) if report.state is ReportState.due else []
    found = 0
    for step, due_at in marks:
        if due_at < work.now:
            found += await _tell(work, standing, step, due_at)
    ahead = [due_at + PAST for _, due_at in marks if due_at >= work.now]
    report.wake_at = min(ahead, default=None)
    work.session.add(report)
    return found


def marks_of(report: RegulatorReport) -> list[tuple[str, datetime]]:
    """Return what a report that is not sent still waits for, and by when."""
    marks = [("report", report.due_at)]
    if report.phone_due_at is not None and report.phoned_at is None:
        marks.append(("phone", report.phone_due_at))
    return marks


async def _tell(work: Work, standing: ReportStanding, step: str, due_at: datetime) -> int:
    new = False
    for level in (MANAGERS, REGULATORS):
        new |= await escalate(
            work, standing.utility, standing.anomaly, standing.report.id, step, level, due_at
        )
    if new:
        enter_report(work, standing.facility, standing.report, "late", step=step, due_at=due_at)
    return int(new)
