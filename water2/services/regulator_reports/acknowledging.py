"""What the regulator does with a report: acknowledge it by a named inspector, ask about it."""

from typing import Annotated

from pydantic import StringConstraints

from water2.domain.access import Action, Role
from water2.domain.command import Command, Text
from water2.domain.errors import Invalid, NotPermitted
from water2.domain.regulator_report import (
    Regulator,
    RegulatorReport,
    ReportMessage,
    ReportState,
)
from water2.services.regulator_reports.owing import enter_report
from water2.services.regulator_reports.standing import ReportStanding, stand
from water2.services.rows import fetch
from water2.work import Work

ROLE_OF = {
    Regulator.health: Role.health_inspector,
    Regulator.water: Role.water_inspector,
}


class AcknowledgeReport(Command):
    """The inspector's remark, where there is one."""

    note: Text | None = None


class WriteMessage(Command):
    """A regulator's request, or the utility's answer to one (`answers_id`)."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    answers_id: str | None = None


async def acknowledge_report(work: Work, id_: str, command: AcknowledgeReport) -> RegulatorReport:
    """Acknowledge a report to one's own regulator; a repeated request is none.

    Raises:
        NotPermitted: it is to the other regulator: each acknowledges its own.
        Conflict: it was not sent.
    """
    work.require(Action.supervise)
    standing = await stand(work, id_, lock=True)
    report = standing.report
    if work.actor.role is not ROLE_OF[report.regulator]:
        raise NotPermitted(Action.supervise.value)
    if report.state is ReportState.acknowledged:
        return report
    standing.require(ReportState.sent)
    report.state = ReportState.acknowledged
    report.acknowledged_at, report.acknowledged_by = work.now, work.actor.user_id
    report.acknowledgement, report.wake_at = command.note, None
    report.version += 1
    work.session.add(report)
    who = {"by": work.actor.user_id, "organisation": work.actor.organisation_id}
    enter_report(work, standing.facility, report, "acknowledged", **who)
    return report


async def write_message(work: Work, id_: str, command: WriteMessage) -> ReportMessage:
    """Ask about a report, as an inspector of either regulator, or answer, as the utility.

    Raises:
        Invalid: the answered request is not one of this report, or an inspector answers one.
        Conflict: the report was not sent.
    """
    asks = work.actor.may(Action.supervise) and work.actor.role in ROLE_OF.values()
    work.require(Action.supervise if asks else Action.handle_anomalies)
    standing = await stand(work, id_, lock=True)
    standing.require(ReportState.sent, ReportState.acknowledged)
    await _require_request(work, standing, command, asks=asks)
    message = ReportMessage(
        utility_id=standing.report.utility_id,
        report_id=standing.report.id,
        answers_id=command.answers_id,
        written_at=work.now,
        written_by=work.actor.user_id,
        text=command.text,
    )
    work.session.add(message)
    act = "asked_about" if asks else "answered"
    facts = {"message": message.id, "answers": command.answers_id}
    enter_report(work, standing.facility, standing.report, act, **facts)
    return message


async def _require_request(
    work: Work, standing: ReportStanding, command: WriteMessage, *, asks: bool
) -> None:
    if command.answers_id is None:
        if not asks:
            raise Invalid.one("answers_id", "missing")
        return
    asked = await fetch(work, ReportMessage, command.answers_id)
    if asks or asked.report_id != standing.report.id or asked.answers_id is not None:
        raise Invalid.one("answers_id", "not_a_request", command.answers_id)
