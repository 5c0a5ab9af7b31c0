"""What is said of anomalies: that a step is past its clock, and a report to a regulator."""

import json
from collections.abc import Collection
from zoneinfo import ZoneInfo

from sqlmodel import col, select

from water2.domain.anomaly import Anomaly, AnomalyEscalation
from water2.domain.entry import instant_text
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.regulator_report import RegulatorReport
from water2.services.delivery.saying import Saying, Sayings, event, spoken
from water2.services.delivery.texts import pattern, step_name
from water2.services.report_text import report_text, report_title
from water2.work import Work


async def say_escalations(work: Work, utility: Utility, ids: Collection[str]) -> Sayings:
    """Say which step of which anomaly is past its clock."""
    rows = await work.session.exec(
        select(AnomalyEscalation, Anomaly, Facility.name)
        .join(Anomaly, col(Anomaly.id) == AnomalyEscalation.anomaly_id)
        .join(Facility, col(Facility.id) == Anomaly.facility_id)
        .where(col(AnomalyEscalation.id).in_(ids))
    )
    found = {}
    for escalation, anomaly, facility in rows:
        due = escalation.due_at.astimezone(ZoneInfo(utility.timezone))
        facts = {
            "utility": utility.name,
            "number": anomaly.number,
            "facility": facility,
            "step": step_name(escalation.step),
            "due": due.strftime(pattern("moment")),
        }
        data = event(
            "anomaly.overdue",
            escalation.made_at,
            number=anomaly.number,
            step=escalation.step,
            due_at=instant_text(escalation.due_at),
        )
        found[escalation.id] = spoken("escalation", facts, data)
    return found


async def say_reports(work: Work, utility: Utility, ids: Collection[str]) -> Sayings:
    """Say what a report said when it was sent."""
    rows = await work.session.exec(select(RegulatorReport).where(col(RegulatorReport.id).in_(ids)))
    found = {}
    for report in rows:
        if report.content_sealed is None:
            continue
        content = json.loads(work.contacts.open(report.content_sealed))
        title, told = report_title(content), report_text(content, utility.timezone)
        at = report.sent_at or work.now
        data = event("regulator_report.sent", at, **content, text=told)
        found[report.id] = Saying(title, told, title, data=data)
    return found
