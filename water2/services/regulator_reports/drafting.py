"""Writing a report that is owed, or one more; and noting that it was told by telephone."""

import json
from datetime import datetime

from water2.domain.access import Action
from water2.domain.anomaly import CURRENT, Anomaly
from water2.domain.command import Command, Text
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportKind, ReportState
from water2.rules.regulator_reports import REPORT, ReportClock
from water2.services.anomaly_history import causes_of
from water2.services.instants import Instant, read_instant
from water2.services.regulator_reports.fields import ReportFields
from water2.services.regulator_reports.owing import enter_report, new_report, reports_of
from water2.services.regulator_reports.standing import ReportStanding, stand, written_of
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Work


class DraftReport(ReportFields):
    """A report to one regulator: the one that is owed, or, where none is, one more."""

    anomaly_id: str
    regulator: Regulator
    kind: ReportKind = ReportKind.first


class LogCall(Command):
    """That a first report was told by telephone; to whom and what, in `note`, stays encrypted."""

    at: Instant | None = None
    note: Text | None = None


async def draft_report(work: Work, command: DraftReport) -> RegulatorReport:
    """Write in the report that is owed, or begin one more of its kind.

    What endangers nobody can be reported too: a utility may always tell its regulators.

    Raises:
        Conflict: the anomaly is historical; it has its first, or its final, report already; or the
            rulebook knows no such duty.
    """
    work.require(Action.handle_anomalies)
    seen = await fetch(work, Anomaly, command.anomaly_id)
    facility = await fetch(work, Facility, seen.facility_id, lock=True)
    anomaly = await fetch(work, Anomaly, seen.id, lock=True)
    utility = await fetch(work, Utility, anomaly.utility_id)
    rows = await reports_of(work, anomaly.id)
    own = [one for one in rows if (one.regulator, one.kind) == (command.regulator, command.kind)]
    report = next((one for one in own if one.state is ReportState.due), None)
    if report is None:
        book = await book_of(work, utility)
        if book.obligation(REPORT, work.today(utility.timezone)) is None:
            raise Conflict("not_in_the_rulebook", {"obligation": REPORT})
        if own and command.kind is not ReportKind.progress:
            raise Conflict("reported_before", {"number": own[-1].number})
        if anomaly.state not in CURRENT and command.kind is not ReportKind.final:
            raise Conflict("anomaly_state", {"state": anomaly.state.value})
        clock = ReportClock(work.now)
        report = new_report(
            work, facility, anomaly, command.regulator, command.kind, len(own) + 1, clock
        )
    write_draft(work, facility, report, command)
    return report


def write_draft(
    work: Work, facility: Facility, report: RegulatorReport, fields: ReportFields
) -> None:
    """Keep what was written by hand, over what was written before."""
    written = {**written_of(work, report), **fields.given}
    told = json.dumps(written, ensure_ascii=False, sort_keys=True)
    report.draft_sealed = work.contacts.seal(told)
    report.drafted_by = work.actor.user_id
    report.version += 1
    work.session.add(report)
    enter_report(work, facility, report, "drafted", fields=sorted(fields.given))


async def log_call(work: Work, id_: str, command: LogCall) -> RegulatorReport:
    """Note that a first report was told by telephone.

    Raises:
        Invalid: the call lies ahead, or before the anomaly was found.
        Conflict: it is no first report, or was told by telephone before.
    """
    work.require(Action.handle_anomalies)
    standing = await stand(work, id_, lock=True)
    report = standing.report
    if report.kind is not ReportKind.first or report.phoned_at is not None:
        raise Conflict("call_not_owed", {"number": report.number})
    report.phoned_at = await _called_at(work, standing, command)
    report.phone_entered_at, report.phoned_by = work.now, work.actor.user_id
    if command.note is not None:
        report.phone_note_sealed = work.contacts.seal(command.note)
    report.version += 1
    report.wake_at = report.wake_at and work.now
    work.session.add(report)
    enter_report(work, standing.facility, report, "phoned", at=report.phoned_at)
    return report


async def _called_at(work: Work, standing: ReportStanding, command: LogCall) -> datetime:
    at = read_instant(command.at, standing.utility.timezone) if command.at else work.now
    if at > work.now:
        raise Invalid.one("at", "in_future", at.isoformat())
    if at < min(one.found_at for one in await causes_of(work, standing.anomaly)):
        raise Invalid.one("at", "before", at.isoformat(), after="found_at")
    return at
