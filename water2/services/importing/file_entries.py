"""What an import leaves on the ledgers: one entry per file and ledger, and those acts deserve."""

import json
from collections.abc import Iterable

from water2.domain.ledger import PendingEntry
from water2.services.importing.report import FileReport
from water2.services.importing.source import Source
from water2.services.importing.taking import Taking

CHANGES_BYTES = 40_000  # of one entry's 65,535


def record_entries(taking: Taking, source: Source, report: FileReport) -> None:
    """Record the file on every ledger it touched, the utility's always, then each act."""
    own = taking.utility.ledger_id
    totals: dict[str, object] = {
        "accepted": report.accepted,
        "updated": report.updated,
        "duplicate": report.duplicate,
        "rejected": report.rejected,
    }
    for ledger_id in sorted({own, *taking.tallies, *taking.told}):
        counts: dict[str, object] = dict(taking.tallies.get(ledger_id, {}))
        data = {"kind": report.kind} | counts | ({"file": totals} if ledger_id == own else {})
        first, *more = list(_portions(taking.told.get(ledger_id, []))) or [[]]
        _record(taking, source, ledger_id, data | {"changes": first})
        for portion in more:
            _record(taking, source, ledger_id, {"kind": report.kind, "changes": portion})
    for entry in taking.entries:
        taking.work.record(entry)


def _record(taking: Taking, source: Source, ledger_id: str, data: dict[str, object]) -> None:
    taking.work.record(
        PendingEntry(
            ledger_id=ledger_id,
            type="import.recorded",
            subject=f"import:{taking.import_id}",
            occurred_at=taking.work.now,
            data=data,
            files=[source.sha256],
        )
    )


def _portions(changes: Iterable[dict[str, object]]) -> Iterable[list[dict[str, object]]]:
    """Cut changes into lists that fit an entry."""
    portion: list[dict[str, object]] = []
    size = 0
    for change in changes:
        bytes_ = len(json.dumps(change))
        if portion and size + bytes_ > CHANGES_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(change)
        size += bytes_
    if portion:
        yield portion
