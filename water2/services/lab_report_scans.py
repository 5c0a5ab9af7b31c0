"""The scanned paper of a report: kept once for each version, named in the ledger by its hash."""

from water2.domain.access import Action
from water2.domain.errors import Conflict, NotFound
from water2.domain.laboratory import LabReport
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.services.evidence_files import keep_paper, open_file
from water2.services.lab_report_queries import report_seen
from water2.services.lab_reporters import reports_itself
from water2.work import Work


async def attach_scan(work: Work, id_: str, content: bytes) -> LabReport:
    """Keep the scan of a version that came without; the same one again changes nothing.

    Raises:
        NotFound: no such report, or another's.
        Conflict: `lab_report_of_laboratory`, or `scan_on_record`: it has another.
        Invalid: it is no PDF or photo, or too large.
    """
    work.require(Action.report_results)
    report = await report_seen(work, id_)
    if report.organisation_id is not None and not reports_itself(work):
        raise Conflict("lab_report_of_laboratory", {"number": report.number})
    sha256 = await keep_paper(work, report.utility_id, content, "scan")
    if report.scan_sha256 == sha256:
        return report
    if report.scan_sha256 is not None:
        raise Conflict("scan_on_record", {"scan_sha256": report.scan_sha256})
    report.scan_sha256 = sha256
    work.session.add(report)
    utility = await work.session.get_one(Utility, report.utility_id)
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="lab_report.scan_kept",
            subject=f"lab_report:{report.id}",
            occurred_at=work.now,
            data={"number": report.number, "version": report.version},
            files=[sha256],
        )
    )
    return report


async def open_scan(work: Work, id_: str) -> tuple[bytes, str]:
    """Return the scan of a version and its media type.

    Raises:
        NotFound: there is none.
    """
    report = await report_seen(work, id_)
    kept = None
    if report.scan_sha256 is not None:
        kept = await open_file(work, report.utility_id, report.scan_sha256)
    if kept is None:
        raise NotFound("scan", id_)
    return kept
