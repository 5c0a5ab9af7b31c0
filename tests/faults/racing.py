"""Two acts at once on PostgreSQL: the second comes while the first is done and not yet committed.

What the server itself says of who waits is the proof; no pause is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import text

from tests.serving import LONGEST_SECONDS
from water2.domain.access import SYSTEM, Actor
from water2.domain.errors import DomainError
from water2.work import Runtime, Work

Act = Callable[[Work], Awaitable[Any]]
WAITING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def outcome(runtime: Runtime, act: Act, actor: Actor = SYSTEM) -> Any:
    """Do an act in a unit of its own; return what came of it, or how it was refused."""
    try:
        async with runtime.work(actor) as work:
            return await act(work)
    except DomainError as refusal:
        return refusal


async def race(runtime: Runtime, first: Act, second: Act) -> tuple[Any, Any, bool]:
    """Return what came of both, and whether the second waited for the first to be committed."""
    async with runtime.work() as work:
        done = await first(work)
        await work.session.flush()
        other = asyncio.create_task(outcome(runtime, second))
        waited = await waits(runtime, other)
    return done, await other, waited


async def waits(runtime: Runtime, task: "asyncio.Task[Any]") -> bool:
    """Return whether a task's statement came to wait for a lock, rather than to its end."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while not task.done():
            async with runtime.read() as work:
                if await work.session.scalar(text(WAITING)):
                    return True
            await asyncio.sleep(0.01)
    return False
