"""All there is on one report, for its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from water2.domain.access import Action
from water2.domain.regulator_report import ReportState
from water2.services.anomaly_lists import ReportRow, usernames
from water2.services.regulator_reports.fields import gather_content
from water2.services.regulator_reports.looking import Receipt, look_at_reports, receipts_of
from water2.services.regulator_reports.standing import ReportStanding, content_of, stand
from water2.work import Work


@dataclass(frozen=True)
class ReportDetail:
    """A report with what it says, or would say (`draft`); None: who looks sees no drafts.

    `names` are those of the accounts on it.
    """

    row: ReportRow
    content: Mapping[str, Any] | None
    draft: bool
    receipts: Sequence[Receipt]
    names: Mapping[str, str]


async def view_report(work: Work, id_: str) -> ReportDetail:
    """Return all there is on a report.

    A draft is shown to those alone who write it: a regulator reads what was sent.

    Raises:
        NotFound: there is none, or another utility's.
    """
    work.require(Action.read)
    standing = await stand(work, id_)
    report = standing.report
    (look,) = await look_at_reports(work, [report])
    people = {report.phoned_by, report.sent_by, report.acknowledged_by}
    people |= {message.written_by for message in look.messages}
    return ReportDetail(
        ReportRow(look, standing.anomaly, standing.facility, standing.utility),
        await _content(work, standing),
        report.state is ReportState.due,
        await receipts_of(work, report),
        await usernames(work, people),
    )


async def _content(work: Work, standing: ReportStanding) -> Mapping[str, Any] | None:
    report = standing.report
    if report.state is not ReportState.due or not work.actor.may(Action.handle_anomalies):
        return content_of(work, report)
    return await gather_content(work, standing)
