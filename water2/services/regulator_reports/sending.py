"""Sending a report: what it says is frozen, and goes to the regulator by every way it has."""

from water2.domain.access import Action
from water2.domain.delivery import Audience, DeliverySource, Lane
from water2.domain.errors import FieldProblem, Invalid
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportKind, ReportState
from water2.services.delivery.staff_addresses import addresses_of_regulator, queue_to
from water2.services.regulator_reports.drafting import write_draft
from water2.services.regulator_reports.fields import (
    FINAL_FIELDS,
    ReportFields,
    frozen,
    gather_content,
)
from water2.services.regulator_reports.owing import enter_report, owe_progress, withdraw_not_due
from water2.services.regulator_reports.standing import ReportStanding, stand
from water2.work import Work

AUDIENCE = {
    Regulator.health: Audience.health_regulator,
    Regulator.water: Audience.water_regulator,
}


class SendReport(ReportFields):
    """The last words on a report, where there are any, before it is sent."""


async def send_report(work: Work, id_: str, command: SendReport) -> RegulatorReport:
    """Send a report: it lies in the regulator's inbox at once, and goes to its addresses.

    Sent before, it is answered as it is; what was sent is never changed.

    Raises:
        Invalid: a final report lacks its cause, what was done, or what was learned.
        Conflict: it was withdrawn, or it was sent before and is to say something else.
    """
    work.require(Action.handle_anomalies)
    standing = await stand(work, id_, lock=True)
    report = standing.report
    if report.state in (ReportState.sent, ReportState.acknowledged) and not command.given:
        return report
    standing.require(ReportState.due)
    if command.given:
        write_draft(work, standing.facility, report, command)
    await _freeze(work, standing)
    report.state, report.sent_at, report.sent_by = ReportState.sent, work.now, work.actor.user_id
    report.version += 1
    work.session.add(report)
    late = work.now > report.due_at
    enter_report(
        work,
        standing.facility,
        report,
        "sent",
        content_sha256=report.content_sha256,
        due_at=report.due_at,
        late=late,
    )
    await _deliver(work, standing)
    if report.kind is ReportKind.final:
        await withdraw_not_due(work, standing.facility, standing.anomaly)
    await owe_progress(
        work, standing.utility, standing.facility, standing.anomaly, standing.book, report
    )
    return report


async def _freeze(work: Work, standing: ReportStanding) -> None:
    report = standing.report
    content = await gather_content(work, standing)
    if report.kind is ReportKind.final:
        lacking = [field for field in FINAL_FIELDS if not content.get(field)]
        if lacking:
            raise Invalid([FieldProblem(field, "missing") for field in lacking])
    told, report.content_sha256 = frozen(content)
    report.content_sealed = work.contacts.seal(told)


async def _deliver(work: Work, standing: ReportStanding) -> None:
    report = standing.report
    await work.session.flush()
    audience = AUDIENCE[report.regulator]
    addresses = await addresses_of_regulator(work, report.utility_id, audience)
    await queue_to(
        work,
        standing.utility,
        DeliverySource.report,
        report.id,
        addresses,
        lane=Lane.emergency,
        due_at=work.now,
    )
