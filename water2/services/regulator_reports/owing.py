"""Which reports are owed, to whom and by when; what stands in the way of closing an anomaly."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from water2.domain.anomaly import Anomaly
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.regulator_report import (
    Regulator,
    RegulatorReport,
    ReportKind,
    ReportMessage,
    ReportState,
)
from water2.rules.book import Rulebook
from water2.rules.regulator_reports import (
    REPORT,
    OwedReport,
    ReportClock,
    final_due,
    first_report_clock,
    judge_reports,
    progress_due,
)
from water2.services.holidays import is_working_day
from water2.services.instants import civil_day
from water2.services.register import record_act
from water2.services.regulator_reports.requests import unanswered
from water2.services.verdicts import require_allowed
from water2.work import Work

_LETTER = {Regulator.health: "H", Regulator.water: "W"}
_INITIAL = {ReportKind.first: "F", ReportKind.progress: "P", ReportKind.final: "L"}


async def owe_reports(
    work: Work, utility: Utility, facility: Facility, anomaly: Anomaly, book: Rulebook
) -> None:
    """Owe both regulators a first and a final report, each once; an outbreak shortens the first.

    The book must hold the duty to report.
    """
    danger_at = anomaly.danger_at or work.now
    day = civil_day(danger_at, utility.timezone)
    if book.obligation(REPORT, day) is None:
        return
    held = {(one.regulator, one.kind): one for one in await reports_of(work, anomaly.id)}
    last_at = final_due(book, danger_at, lambda on: is_working_day(book, on))
    for regulator in Regulator:
        first = first_report_clock(book, day, danger_at, regulator.value, outbreak=anomaly.outbreak)
        report = held.get((regulator, ReportKind.first))
        if report is None:
            new_report(work, facility, anomaly, regulator, ReportKind.first, 1, first)
        elif report.state is ReportState.due and first.due_at < report.due_at:
            _shorten(work, facility, report, first)
        if (regulator, ReportKind.final) not in held:
            clock = ReportClock(last_at)
            new_report(work, facility, anomaly, regulator, ReportKind.final, 1, clock)


def new_report(
    work: Work,
    facility: Facility,
    anomaly: Anomaly,
    regulator: Regulator,
    kind: ReportKind,
    ordinal: int,
    clock: ReportClock,
) -> RegulatorReport:
    """Keep a report that is owed."""
    report = RegulatorReport(
        utility_id=anomaly.utility_id,
        anomaly_id=anomaly.id,
        number=f"{anomaly.number}-{_LETTER[regulator]}{_INITIAL[kind]}{ordinal}",
        regulator=regulator,
        kind=kind,
        ordinal=ordinal,
        created_at=work.now,
        due_at=clock.due_at,
        phone_due_at=clock.phone_due_at,
        law=clock.law,
        wake_at=min(filter(None, (clock.phone_due_at, clock.due_at))),
    )
    work.session.add(report)
    enter_report(work, facility, report, "owed", due_at=clock.due_at, law=clock.law)
    return report


def _shorten(work: Work, facility: Facility, report: RegulatorReport, clock: ReportClock) -> None:
    report.due_at, report.phone_due_at, report.law = clock.due_at, clock.phone_due_at, clock.law
    report.wake_at = min(filter(None, (clock.phone_due_at, clock.due_at)))
    work.session.add(report)
    enter_report(work, facility, report, "owed_sooner", due_at=clock.due_at, law=clock.law)


async def owe_progress(
    work: Work,
    utility: Utility,
    facility: Facility,
    anomaly: Anomaly,
    book: Rulebook,
    sent: RegulatorReport,
) -> None:
    """Owe the regulator that was just reported to the next progress report, while danger lasts."""
    if anomaly.closed_at is not None or not anomaly.endangers_health:
        return
    if sent.kind is ReportKind.final:
        return
    rows = await reports_of(work, anomaly.id)
    own = [one for one in rows if one.regulator is sent.regulator]
    progress = [one for one in own if one.kind is ReportKind.progress]
    if any(one.state is ReportState.due for one in progress):
        return
    due_at = progress_due(book, work.today(utility.timezone), work.now)
    ordinal = len(progress) + 1
    clock = ReportClock(due_at)
    new_report(work, facility, anomaly, sent.regulator, ReportKind.progress, ordinal, clock)


async def withdraw_not_due(work: Work, facility: Facility, anomaly: Anomaly) -> None:
    """Withdraw the progress reports nothing calls for any more; begun or late ones stay."""
    for report in await reports_of(work, anomaly.id):
        waiting = report.state is ReportState.due and report.kind is ReportKind.progress
        if waiting and report.drafted_by is None and report.due_at >= work.now:
            report.state, report.wake_at = ReportState.withdrawn, None
            work.session.add(report)
            enter_report(work, facility, report, "withdrawn")


async def require_none_open(work: Work, utility: Utility, anomaly: Anomaly, book: Rulebook) -> None:
    """Refuse to let go of an anomaly while a report to a regulator is open.

    Raises:
        RuleViolation: names the reports.
    """
    obligation = book.obligation(REPORT, work.today(utility.timezone))
    if obligation is None:
        return
    reports = await reports_of(work, anomaly.id)
    asked = await _asked(work, [one.id for one in reports])
    owed = [
        OwedReport(
            number=one.number,
            kind=one.kind.value,
            state=one.state.value,
            due_at=one.due_at,
            drafted=one.drafted_by is not None,
            asked=one.id in asked,
        )
        for one in reports
    ]
    require_allowed(judge_reports(obligation, owed, work.now), utility)


async def _asked(work: Work, ids: Sequence[str]) -> set[str]:
    """Return the reports with requests that nobody has answered."""
    rows = await work.session.exec(
        select(ReportMessage.report_id).where(col(ReportMessage.report_id).in_(ids), unanswered())
    )
    return set(rows)


async def reports_of(work: Work, anomaly_id: str) -> Sequence[RegulatorReport]:
    """Return an anomaly's reports, in the order they were owed."""
    rows = await work.session.exec(
        select(RegulatorReport)
        .where(RegulatorReport.anomaly_id == anomaly_id)
        .order_by(col(RegulatorReport.created_at), RegulatorReport.number)
    )
    return rows.all()


def enter_report(
    work: Work, facility: Facility, report: RegulatorReport, act: str, **facts: object
) -> None:
    """Put an act on a report on its facility's ledger; what it says stays out."""
    told = {
        "anomaly": report.anomaly_id,
        "number": report.number,
        "regulator": report.regulator.value,
        "kind": report.kind.value,
        **{
            name: fact.isoformat() if isinstance(fact, datetime) else fact
            for name, fact in facts.items()
        },
    }
    type_, subject = f"regulator_report.{act}", f"regulator_report:{report.id}"
    record_act(work, facility.ledger_id, type_, subject, told)
