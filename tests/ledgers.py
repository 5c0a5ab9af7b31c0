"""Ledgers and entries for tests."""

from datetime import UTC, datetime
from uuid import uuid4

from water2 import journal
from water2.domain.ledger import LedgerKind, PendingEntry, new_ledger

UTILITY_ID = "u" * 32
OCCURRED_AT = datetime(2026, 2, 28, 9, tzinfo=UTC)


async def add_ledger(runtime, kind=LedgerKind.facility, subject_id=None, utility_id=UTILITY_ID):
    """Found a ledger; return its id."""
    ledger = new_ledger(utility_id, kind, subject_id or uuid4().hex)
    async with runtime.work() as work:
        work.session.add(ledger)
    return ledger.id


def an_entry(ledger_id, **changes):
    """Return an entry with one field in its data."""
    told = {
        "ledger_id": ledger_id,
        "type": "cleaning.completed",
        "subject": "tank:t1",
        "occurred_at": OCCURRED_AT,
        "data": {"volume_m3": "12.5"},
    }
    return PendingEntry(**told | changes)


async def append(runtime, *entries):
    """Append entries in one unit; return their receipts."""
    async with runtime.work() as work:
        return await journal.append(
            work.session, entries, now=work.now, actor_id="system", idempotency_key=None
        )
