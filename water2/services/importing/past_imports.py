"""Imports that were: the refused rows of one, to be sent back."""

import json

from water2.domain.access import Action
from water2.domain.importing import ImportRun
from water2.services.importing.report import FileReport
from water2.services.importing.rows import Rejection
from water2.services.rows import fetch
from water2.work import Work


async def refused_rows(work: Work, import_id: str) -> FileReport:
    """Return an import's report as far as it is kept: counts and refused rows.

    Raises:
        NotFound: no such import, or another utility's.
    """
    work.require(Action.import_files)
    run = await fetch(work, ImportRun, import_id)
    report = FileReport(
        run.file_name,
        kind=run.kind,
        import_id=run.id,
        accepted=run.accepted,
        updated=run.updated,
        duplicate=run.duplicate,
    )
    if run.refused_rows_sealed is not None:
        kept = json.loads(work.contacts.open(run.refused_rows_sealed))
        report.header = kept["header"]
        report.rejections = [Rejection(**row) for row in kept["rows"]]
    return report
