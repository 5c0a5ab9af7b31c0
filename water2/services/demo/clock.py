"""The demonstration's clock: moved ahead, it runs the sweeps it passes, day by day."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import col, func, select

from water2.clock import DemoClock
from water2.domain.access import Action, Actor
from water2.domain.duty import Duty
from water2.domain.errors import Conflict, NotFound
from water2.domain.organisation import Utility
from water2.services.sweep import sweep
from water2.work import Runtime


async def move_clock(runtime: Runtime, actor: Actor, to: datetime) -> datetime:
    """Move the demonstration's clock ahead to an aware instant; return where it stands.

    The clock stops at each civil midnight on which some duty wakes and sweeps there, so that what
    opens, reminds and lapses bears the day on which it would have happened.

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
        raise Conflict("clock_set_back", {"now": clock().isoformat()})
    await sweep(runtime)
    while (midnight := await _next_midnight(runtime)) is not None and midnight < to:
        clock.set(midnight)
        await sweep(runtime)
    clock.set(to)
    await sweep(runtime)
    return clock()


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
