"""Rows with a clock: those whose time to be looked at has come, each in an act of its own."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlmodel import col, select

from water2.domain.anomaly import Anomaly
from water2.domain.regulator_report import RegulatorReport
from water2.work import Runtime, Work

PAST = timedelta(seconds=1)
"""The very instant is in time: a clock is looked at once it has passed."""
Look = Callable[[Work, str], Awaitable[int]]
"""Looks at a row by its id, sets when it wakes next, and returns how many words of it are new."""


async def look_at_waking(
    runtime: Runtime, table: type[Anomaly] | type[RegulatorReport], look: Look
) -> int:
    """Look at each row whose `wake_at` has come; return what was new. Repeating changes nothing."""
    async with runtime.read() as work:
        rows = await work.session.exec(
            select(table.id)
            .where(col(table.wake_at).is_not(None), col(table.wake_at) <= work.now)
            .order_by(col(table.wake_at), table.id)
        )
        ids = rows.all()
    found = 0
    for id_ in ids:
        async with runtime.work() as work:
            found += await look(work, id_)
    return found
