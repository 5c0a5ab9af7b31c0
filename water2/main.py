"""The composition root: Settings → Runtime. All processes begin here, the server in `server`."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from water2.clock import Clock, clock_of, wall_clock
from water2.config import Settings
from water2.database import open_database
from water2.scheduler import Scheduler
from water2.services.keys import read_contact_box
from water2.services.presence import present
from water2.services.upgrading import (
    require_current_schema,
    require_installation,
    upgrade_schema,
)
from water2.work import Runtime


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Runtime]:
    """Open the installation of the settings, for one process, until it is left.

    The embedded database is upgraded by itself, after a backup; PostgreSQL's is not: several nodes
    may run on it, and somebody has to choose the moment.

    Raises:
        Conflict: there is no installation, its schema is newer or older, a key is missing, or a
            backup is being restored.
    """
    await require_installation(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with present(settings.data_dir):
        if settings.database_url is None:
            await upgrade_schema(settings, now=wall_clock())
        else:
            await require_current_schema(settings)
        runtime = build_runtime(settings)
        gc.freeze()  # what is loaded stays: looking through it again cost a sweep a third
        try:
            yield runtime
        finally:
            await runtime.database.dispose()


def build_runtime(settings: Settings, clock: Clock | None = None) -> Runtime:
    """Return the runtime over the database of the settings, which is used as it is.

    The clock is the data folder's own unless one is given.
    """
    database = open_database(
        settings.url, pool_size=settings.database_pool_size, pooler=settings.database_pooler
    )
    return Runtime(database, clock or clock_of(settings.data_dir), read_contact_box(settings.keys))


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` when the process is asked to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


async def work_until_stopped(settings: Settings) -> None:
    """Run the jobs until a signal comes."""
    async with opened(settings) as runtime, Scheduler(runtime, settings):
        stopped = asyncio.Event()
        on_stop(stopped.set)
        await stopped.wait()
