"""Watching the clocks of reports: a late one is said to the managers and to both regulators."""

from water2.domain.regulator_report import RegulatorReport, ReportState
from water2.rules.regulator_reports import EVERYBODY, ReportMark
from water2.services.regulator_reports.escalating import escalate
from water2.services.regulator_reports.looking import marks_of
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
    marks = marks_of(report) if report.state is ReportState.due else ()
    running = [mark for mark in marks if mark.done_at is None]
    found = 0
    for mark in running:
        if mark.late_at(work.now):
            found += await _tell(work, standing, mark)
    ahead = [mark.due_at + PAST for mark in running if not mark.late_at(work.now)]
    report.wake_at = min(ahead, default=None)
    work.session.add(report)
    return found


async def _tell(work: Work, standing: ReportStanding, mark: ReportMark) -> int:
    report, due_at = standing.report, mark.due_at
    new = False
    for level in EVERYBODY:
        new |= await escalate(
            work, standing.utility, standing.anomaly, report.id, mark.form, level, due_at
        )
    if new:
        enter_report(work, standing.facility, report, "late", step=mark.form, due_at=due_at)
    return int(new)
