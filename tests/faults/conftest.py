"""What the tests of faults share."""

import pytest
from sqlalchemy import text
from sqlmodel import select

from tests.faults.kept_ledger import SIGNED, SIZE, Kept
from tests.ledgers import add_ledger, an_entry, append, sign
from water2.domain import guards
from water2.domain.ledger import LedgerEntry
from water2.services.ledger_heads import HeadsFile


@pytest.fixture
async def kept(lishui, tmp_path):
    runtime = lishui.runtime
    ids = sorted([await add_ledger(runtime, utility_id=lishui.utility.id) for _ in range(2)])
    heads = HeadsFile(tmp_path / "heads.json")
    for first, last in ((0, SIGNED), (SIGNED, SIZE)):
        entries = [an_entry(one, data={"n": n}) for n in range(first, last) for one in ids]
        await append(runtime, *entries)
        await sign(lishui, heads)
    async with runtime.work() as work:
        connection = await work.session.connection()
        for statement in guards.drop_statements(runtime.database.dialect):
            await connection.execute(text(statement))
    kept = Kept(runtime, lishui.utility.rollup_ledger_id, *ids, heads)
    async with runtime.read() as work:
        found = await work.session.exec(
            select(LedgerEntry).where(LedgerEntry.ledger_id == kept.ledger_id)
        )
        kept.rows = {row.seq: row for row in found.all()}
    return kept
