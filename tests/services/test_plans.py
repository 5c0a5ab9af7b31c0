"""What sweeps and ledgers ask is answered by an index, however much there is.

On SQLite a partial index serves only a condition written as its own is; asked of the planner.
"""

from datetime import date

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from water2.domain.duty import Duty
from water2.domain.ledger import CORRECTED, SETBACK_ACCEPTED, LedgerEntry
from water2.domain.work_order import WorkOrderTask
from water2.services.ledger import of_type

ASKED = {
    "ix_ledger_entry_corrections": select(LedgerEntry.body).where(
        LedgerEntry.ledger_id == "l",
        of_type(CORRECTED),
        col(LedgerEntry.subject).in_(["entry:1", "entry:2"]),
    ),
    "ix_ledger_entry_setbacks": select(LedgerEntry.body)
    .where(of_type(SETBACK_ACCEPTED))
    .order_by(col(LedgerEntry.ledger_id), col(LedgerEntry.seq)),
    "ix_duty_wake": select(Duty.id)
    .where(Duty.utility_id == "u", col(Duty.wake_on) <= date(2026, 11, 23))
    .order_by(col(Duty.wake_on), col(Duty.facility_id)),
    "ix_duty_due": select(Duty.id)
    .where(Duty.utility_id == "u")
    .order_by(col(Duty.due_on), col(Duty.id)),
    "ix_work_order_task_live": select(WorkOrderTask.id).where(
        WorkOrderTask.subject_id == "t", col(WorkOrderTask.live)
    ),
}


@pytest.mark.parametrize("index", ASKED)
async def test_the_planner_finds_the_index(runtime, index):
    engine = runtime.database.reader
    on_sqlite = runtime.database.dialect == "sqlite"
    asked = ASKED[index].compile(dialect=engine.dialect, compile_kwargs={"literal_binds": True})
    async with engine.connect() as connection:
        if not on_sqlite:  # so small a table is read from end to end, unless that is forbidden
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            await connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        explain = "EXPLAIN QUERY PLAN" if on_sqlite else "EXPLAIN"
        plan = await connection.exec_driver_sql(f"{explain} {asked}")
        assert index in " ".join(str(row) for row in plan)
