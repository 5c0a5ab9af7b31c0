"""All there is on one anomaly, for its page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from water2.domain.access import Action
from water2.rules.anomaly import Retest
from water2.rules.book import Rulebook
from water2.services.anomalies.looking import look_at
from water2.services.anomalies.timeline import Happening, timeline_of
from water2.services.anomaly_lists import AnomalyRow, ReportRow, anomaly_rows, usernames
from water2.services.anomaly_measures import ToldCause, told_causes
from water2.services.regulator_reports.looking import look_at_reports
from water2.services.regulator_reports.owing import reports_of
from water2.services.rulebooks import book_of
from water2.work import Work


@dataclass(frozen=True)
class AnomalyPage:
    """An anomaly with its causes, re-tests, timeline and reports; `names` are those of accounts."""

    row: AnomalyRow
    book: Rulebook
    causes: Sequence[ToldCause]
    demanded: Sequence[Retest]
    outstanding: Sequence[Retest]
    tank_codes: Mapping[str, str]
    timeline: Sequence[Happening]
    reports: Sequence[ReportRow]
    names: Mapping[str, str]


async def view_anomaly(work: Work, id_: str) -> AnomalyPage:
    """Return all there is on an anomaly.

    Raises:
        NotFound: there is none, or another utility's.
    """
    work.require(Action.read)
    detail = await look_at(work, id_)
    anomaly = detail.look.anomaly
    (row,) = await anomaly_rows(work, [anomaly])
    timeline = await timeline_of(work, id_)
    reports = await look_at_reports(work, await reports_of(work, id_))
    causes = await told_causes(work, anomaly)
    return AnomalyPage(
        row,
        await book_of(work, row.utility),
        causes,
        detail.demanded,
        detail.outstanding,
        {one.cause.tank_id: one.tank_code for one in causes if one.cause.tank_id and one.tank_code},
        timeline,
        [ReportRow(look, anomaly, row.facility, row.utility) for look in reports],
        await usernames(work, {one.by for one in timeline}),
    )
