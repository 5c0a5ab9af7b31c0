"""Whether the installation works: what `/readyz` and `/metrics` tell."""

import shutil
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import text
from sqlmodel import col, func, select

from water2.domain.delivery import ChannelStop
from water2.domain.duty import Duty
from water2.domain.organisation import Utility
from water2.schema import needed_revision
from water2.services.delivery.due import oldest_due
from water2.services.job_runs import SWEEP, age_of_job
from water2.services.ledger_setbacks import count_setbacks
from water2.work import Runtime, Work

_needed = cache(needed_revision)  # it is read from files
SWEEPS_MISSED = 5  # pauses after which a sweep counts as missing


@dataclass(frozen=True)
class Readiness:
    """What was found. `queue_rows` duties wait for the sweep, the oldest for `queue_days`.

    `messages_age`: for how long the oldest message that is due has waited; None: none waits.
    `set_back`: how many ledgers ever lost signed entries, which was accepted.
    """

    schema: str
    schema_expected: str
    sweep_age: timedelta | None
    queue_rows: int
    queue_days: int
    messages_age: timedelta | None
    channels_stopped: int
    set_back: int
    disk_free_bytes: int
    now: datetime

    @property
    def schema_current(self) -> bool:
        """Tell whether the database has this program's schema."""
        return self.schema == self.schema_expected

    def sweep_late(self, pause: timedelta) -> bool:
        """Tell whether the sweep is missing."""
        return self.sweep_age is None or self.sweep_age > SWEEPS_MISSED * pause


async def read_readiness(runtime: Runtime, data_dir: Path, at: datetime) -> Readiness:
    """Look at the database, the sweep, its queue, the disk; `at` is real time.

    Raises:
        Exception: the driver's, when the database is away.
    """
    async with runtime.read() as work:
        schema = await work.session.scalar(text("SELECT version_num FROM alembic_version"))
        rows, oldest, today = await _queue(work)
        age = await age_of_job(work, SWEEP, at)
        set_back = await count_setbacks(work)
        waiting_since = await oldest_due(work)
        stopped = (await work.session.exec(select(func.count()).select_from(ChannelStop))).one()
    return Readiness(
        schema=str(schema),
        schema_expected=_needed(),
        sweep_age=age,
        queue_rows=rows,
        queue_days=max(0, (today - oldest).days) if oldest else 0,
        messages_age=None if waiting_since is None else work.now - waiting_since,
        channels_stopped=stopped,
        set_back=set_back,
        disk_free_bytes=shutil.disk_usage(data_dir).free,
        now=runtime.now(),
    )


async def _queue(work: Work) -> tuple[int, date | None, date]:
    """Return how many duties the sweep should have looked at by today, and since when."""
    rows, oldest, today = 0, None, work.now.date()
    for utility in await work.session.exec(select(Utility)):
        today = work.today(utility.timezone)
        found = await work.session.exec(
            select(func.count(), func.min(Duty.wake_on)).where(
                Duty.utility_id == utility.id, col(Duty.wake_on) < today
            )
        )
        count, first = found.one()
        rows += count
        oldest = min(day for day in (oldest, first) if day) if first or oldest else None
    return rows, oldest, today
