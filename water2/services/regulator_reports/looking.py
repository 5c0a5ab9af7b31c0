"""How reports are shown: what they say, what is late on them, the requests and answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.delivery import Delivery
from water2.domain.regulator_report import RegulatorReport, ReportMessage, ReportState
from water2.rules.anomaly_flags import ReportFacts, report_flags
from water2.rules.flags import FlagCode
from water2.rules.regulator_reports import ReportClock, ReportMark, report_marks
from water2.services.regulator_reports.standing import content_of, written_of
from water2.services.rows import among
from water2.work import Work


@dataclass(frozen=True)
class ReportLook:
    """A report with what is to be looked at on it, and its messages in their order."""

    report: RegulatorReport
    flags: list[FlagCode]
    messages: Sequence[ReportMessage]


@dataclass(frozen=True)
class Receipt:
    """How a report went out by one way, and how surely it arrived."""

    channel: str
    state: str
    accepted_at: Any
    delivered_at: Any
    code: str | None


async def look_at_reports(work: Work, reports: Sequence[RegulatorReport]) -> list[ReportLook]:
    """Return how reports stand now."""
    rows = await work.session.exec(
        select(ReportMessage)
        .where(among(work, ReportMessage.report_id, [one.id for one in reports]))
        .order_by(
            col(ReportMessage.written_at),
            col(ReportMessage.answers_id).is_not(None),  # what is asked before what it is answered
            ReportMessage.id,
        )
    )
    messages: dict[str, list[ReportMessage]] = {one.id: [] for one in reports}
    for message in rows:
        messages[message.report_id].append(message)
    return [
        ReportLook(one, _flags(work, one, messages[one.id]), messages[one.id]) for one in reports
    ]


def _flags(
    work: Work, report: RegulatorReport, messages: Sequence[ReportMessage]
) -> list[FlagCode]:
    answered = {message.answers_id for message in messages}
    asked = [one for one in messages if one.answers_id is None and one.id not in answered]
    facts = ReportFacts(
        withdrawn=report.state is ReportState.withdrawn,
        due_at=report.due_at,
        sent_at=report.sent_at,
        phone_due_at=report.phone_due_at,
        phoned_at=report.phoned_at,
        asked=len(asked),
        phone_entered_at=report.phone_entered_at,
    )
    return report_flags(facts, work.now)


def marks_of(report: RegulatorReport) -> tuple[ReportMark, ...]:
    """Return by when a report is told, by telephone and in writing; a withdrawn one has none."""
    if report.state is ReportState.withdrawn:
        return ()
    clock = ReportClock(report.due_at, report.phone_due_at, report.law)
    return report_marks(clock, report.phoned_at, report.sent_at)


def shown_content(work: Work, report: RegulatorReport) -> dict[str, Any]:
    """Return what a report said when it was sent; before that, to those who write it, the draft."""
    if report.sent_at is None and not work.actor.may(Action.handle_anomalies):
        return {}
    return content_of(work, report) or written_of(work, report)


async def receipts_of(work: Work, report: RegulatorReport) -> list[Receipt]:
    """Return what became of a report on each way beside the inbox."""
    rows = await work.session.exec(
        select(Delivery).where(Delivery.source_id == report.id).order_by(Delivery.id)
    )
    return [
        Receipt(row.channel.value, row.state.value, row.accepted_at, row.delivered_at, row.code)
        for row in rows
    ]
