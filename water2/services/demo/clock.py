"""The demonstration's clock: moved ahead, it runs the jobs it passes, stop by stop."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import col, func, select

from water2.clock import DemoClock
from water2.domain.access import Action, Actor
from water2.domain.duty import Duty
from water2.domain.errors import Conflict, NotFound
from water2.domain.organisation import Utility
from water2.services.anomalies.watching import next_clock
from water2.services.delivery.due import next_due
from water2.services.outages.watching import next_watch
from water2.services.sweep import sweep
from water2.services.watch import keep_watch
from water2.work import Runtime

Deliver = Callable[[], Awaitable[object]]
"""Sends what is due by now."""


async def move_clock(
    runtime: Runtime, actor: Actor, to: datetime, deliver: Deliver | None = None
) -> datetime:
    """Move the demonstration's clock ahead to an aware instant; return where it stands.

    The clock stops at each civil midnight on which some duty wakes, at each warning of an outage,
    at each clock of an anomaly and, where messages can be sent, whenever one is due. There the jobs
    run, so that what opens, reminds, lapses and is told bears the instant at which it would have
    happened.

    Raises:
        NotFound: this is no demonstration.
        NotPermitted: the actor is not an administrator.
        Conflict: the clock cannot be set back: the ledgers tell of what has happened.
    """
    clock = runtime.clock
    if not isinstance(clock, DemoClock):
        raise NotFound("demo", "clock")
    async with runtime.read(actor) as work:
        work.require(Action.administer)
    if to < clock():
        raise Conflict("clock_set_back", {"now": clock()})
    await _run_jobs(runtime, deliver)
    while (stop := await _next_stop(runtime, deliver)) is not None and stop < to:
        clock.set(stop)
        await _run_jobs(runtime, deliver)
    clock.set(to)
    await _run_jobs(runtime, deliver)
    return clock()


async def _run_jobs(runtime: Runtime, deliver: Deliver | None) -> None:
    await sweep(runtime)
    await keep_watch(runtime)
    if deliver is not None:
        await deliver()


async def _next_stop(runtime: Runtime, deliver: Deliver | None) -> datetime | None:
    """Return the first instant after now at which some job has something to do."""
    found = [await _next_midnight(runtime)]
    async with runtime.read() as work:
        found += [await next_watch(work), await next_clock(work)]
        found.append(await next_due(work) if deliver else None)
    return min((stop for stop in found if stop is not None), default=None)


async def _next_midnight(runtime: Runtime) -> datetime | None:
    """Return the first midnight after now on which a duty wakes, in its utility's zone."""
    async with runtime.read() as work:
        rows = await work.session.execute(
            select(Utility.timezone, func.min(Duty.wake_on))
            .join(Duty, col(Duty.utility_id) == Utility.id)
            .group_by(col(Utility.id), col(Utility.timezone))
            .where(col(Duty.wake_on).is_not(None))
        )
        midnights = [
            datetime.combine(
                max(wake_on, work.today(zone) + timedelta(days=1)), time(), ZoneInfo(zone)
            )
            for zone, wake_on in rows
            if wake_on is not None
        ]
    return min(midnights, default=None)
