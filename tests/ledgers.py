"""Ledgers and entries for tests."""

from datetime import UTC, datetime
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from water2 import journal
from water2.domain import guards
from water2.domain.ledger import LedgerKind, PendingEntry, new_ledger
from water2.services.ledger_checkpoints import make_checkpoints
from water2.services.ledger_keys import signer_of

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


SIGNING_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def verifier_of(utility_id):
    """Return what verifies the notes `sign` makes."""
    return signer_of(SIGNING_KEY, utility_id).verifier


async def sign(installation, heads):
    """Make checkpoints of an installation's ledgers."""
    utility = installation.utility
    signer = signer_of(SIGNING_KEY, utility.id)
    return await make_checkpoints(installation.runtime, utility, signer, heads)


async def unguarded(runtime, *statements):
    """Run statements as one who has the database's files in hand: with the guards taken away."""
    dialect = runtime.database.dialect
    async with runtime.work() as work:
        connection = await work.session.connection()
        for statement in [
            *guards.drop_statements(dialect),
            *statements,
            *guards.guard_statements(dialect),
        ]:
            if isinstance(statement, tuple):
                await connection.execute(text(statement[0]), statement[1])
            else:
                await connection.execute(text(statement))


async def entries_of(runtime, ledger_id):
    """Return the bodies of a ledger's entries as text, in order."""
    async with runtime.read() as work:
        rows = await work.session.execute(
            text("SELECT body FROM ledger_entry WHERE ledger_id = :id ORDER BY seq"),
            {"id": ledger_id},
        )
        return [row.body.decode() for row in rows]
