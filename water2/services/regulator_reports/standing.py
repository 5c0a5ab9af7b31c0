"""A report with its anomaly, locked in one order."""

import json
from dataclasses import dataclass
from typing import Any

from water2.domain.anomaly import Anomaly
from water2.domain.errors import Conflict
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.regulator_report import RegulatorReport, ReportState
from water2.rules.book import Rulebook
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Work


@dataclass(frozen=True)
class ReportStanding:
    """A report as it stands in an act."""

    report: RegulatorReport
    anomaly: Anomaly
    facility: Facility
    utility: Utility
    book: Rulebook

    def require(self, *allowed: ReportState) -> None:
        """Refuse a report in another state.

        Raises:
            Conflict: names the state.
        """
        if self.report.state not in allowed:
            raise Conflict("report_state", {"state": self.report.state.value})


async def stand(work: Work, id_: str, *, lock: bool = False) -> ReportStanding:
    """Return a report with what it is about; `lock` holds facility, anomaly and report.

    Raises:
        NotFound: there is none, or another utility's.
    """
    report = await fetch(work, RegulatorReport, id_)
    anomaly = await fetch(work, Anomaly, report.anomaly_id)
    facility = await fetch(work, Facility, anomaly.facility_id, lock=lock)
    if lock:
        anomaly = await fetch(work, Anomaly, report.anomaly_id, lock=True)
        report = await fetch(work, RegulatorReport, id_, lock=True)
    utility = await fetch(work, Utility, report.utility_id)
    return ReportStanding(report, anomaly, facility, utility, await book_of(work, utility))


def written_of(work: Work, report: RegulatorReport) -> dict[str, Any]:
    """Return what was written by hand so far."""
    if report.draft_sealed is None:
        return {}
    found: dict[str, Any] = json.loads(work.contacts.open(report.draft_sealed))
    return found


def content_of(work: Work, report: RegulatorReport) -> dict[str, Any] | None:
    """Return what a report said when it was sent; None before."""
    if report.content_sealed is None:
        return None
    found: dict[str, Any] = json.loads(work.contacts.open(report.content_sealed))
    found.pop("salt")
    return found
