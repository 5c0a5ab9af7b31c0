"""What a regulator's inspector finds waiting: reports, clocks, anomalies, requests."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import col, select

from water2.domain.access import INSPECTORS, Action, Role
from water2.domain.anomaly import CURRENT, Anomaly
from water2.domain.errors import NotPermitted
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportState
from water2.services.anomaly_lists import (
    AnomalyRow,
    ReportRow,
    RequestRow,
    anomaly_rows,
    list_reports,
    list_requests,
)
from water2.services.board_lists import Listed
from water2.services.regulator_reports.acknowledging import ROLE_OF
from water2.work import Work

SETTLED_SHOWN = 10
_OPEN = (ReportState.due, ReportState.sent)


@dataclass(frozen=True)
class Inspection:
    """What lies before an inspector, of all utilities under her.

    `waiting` were sent to her own regulator and are not acknowledged, `owed` are not sent to it
    yet; `others` are the other regulator's of both kinds. `settled` are the last acknowledged of
    both.
    """

    regulator: Regulator
    waiting: Listed[ReportRow]
    owed: Listed[ReportRow]
    others: Listed[ReportRow]
    settled: Listed[ReportRow]
    anomalies: Listed[AnomalyRow]
    requests: Listed[RequestRow]


def regulator_of(role: Role) -> Regulator:
    """Return the regulator an inspector is of.

    Raises:
        NotPermitted: who is no inspector has none.
    """
    found = next((one for one, of in ROLE_OF.items() if of is role), None)
    if found is None or role not in INSPECTORS:
        raise NotPermitted(Action.supervise.value)
    return found


async def view_inspection(work: Work, *, limit: int) -> Inspection:
    """Return what lies before the inspector: of each list the most urgent, and how many there are.

    Raises:
        NotPermitted: the actor is no inspector.
    """
    work.require(Action.supervise)
    own = regulator_of(work.actor.role)
    report, due = col(RegulatorReport.regulator), col(RegulatorReport.due_at)
    sent, acknowledged = col(RegulatorReport.sent_at), col(RegulatorReport.acknowledged_at)
    others = and_(report != own, _in(work, *_OPEN))
    settled = _in(work, ReportState.acknowledged)
    return Inspection(
        regulator=own,
        waiting=await list_reports(work, _waiting(work, own), sent, limit=limit),
        owed=await list_reports(
            work, and_(report == own, _in(work, ReportState.due)), due, limit=limit
        ),
        others=await list_reports(work, others, due, limit=limit),
        settled=await list_reports(work, settled, acknowledged.desc(), limit=SETTLED_SHOWN),
        anomalies=await _anomalies(work, limit=limit),
        requests=await list_requests(work, work.actor.utility_ids, limit=limit),
    )


async def count_waiting(work: Work) -> int:
    """Return how many reports wait for the inspector's acknowledgement; nobody else has any."""
    if work.actor.role not in INSPECTORS:
        return 0
    which = _waiting(work, regulator_of(work.actor.role))
    return (await work.session.exec(select(func.count(col(RegulatorReport.id))).where(which))).one()


def _waiting(work: Work, own: Regulator) -> ColumnElement[bool]:
    return and_(col(RegulatorReport.regulator) == own, _in(work, ReportState.sent))


def _in(work: Work, *states: ReportState) -> ColumnElement[bool]:
    seen = col(RegulatorReport.utility_id).in_(work.actor.utility_ids)
    return and_(seen, col(RegulatorReport.state).in_(states))


async def _anomalies(work: Work, *, limit: int) -> Listed[AnomalyRow]:
    seen = col(Anomaly.utility_id).in_(work.actor.utility_ids)
    which = and_(seen, col(Anomaly.state).in_(CURRENT))
    total = (await work.session.exec(select(func.count(col(Anomaly.id))).where(which))).one()
    found = await work.session.exec(
        select(Anomaly).where(which).order_by(col(Anomaly.found_at), Anomaly.id).limit(limit)
    )
    return Listed(await anomaly_rows(work, found.all()), total, None)
