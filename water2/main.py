"""The composition root: Settings → Runtime → application. All processes begin here."""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial

import uvicorn
from fastapi import FastAPI

from water2.api.app import create_api
from water2.clock import Clock, DemoClock, clock_of, wall_clock
from water2.config import Settings
from water2.database import open_database
from water2.domain.access import SYSTEM
from water2.jobs import deliver_due
from water2.scheduler import Scheduler
from water2.services.demo.clock import move_clock
from water2.services.keys import read_contact_box
from water2.services.presence import present
from water2.services.upgrading import (
    require_current_schema,
    require_installation,
    upgrade_schema,
)
from water2.web.app import add_pages
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


def build_app(runtime: Runtime, settings: Settings, *, with_worker: bool) -> FastAPI:
    """Return API and pages as one application; a settable clock makes it a demonstration."""
    deliver = partial(deliver_due, runtime, settings)

    async def move(to: datetime) -> None:
        await move_clock(runtime, SYSTEM, to, deliver)

    app = create_api(
        runtime,
        settings,
        wall_clock=wall_clock,
        move_clock=move if isinstance(runtime.clock, DemoClock) else None,
        worker_expected=with_worker,
    )
    add_pages(app, runtime, settings, deliver)
    return app


class _Server(uvicorn.Server):
    """A server that leaves the signals to us: its own way ends the process before its clean-up."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def on_stop(stop: Callable[[], None]) -> None:
    """Call `stop` when the process is asked to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


async def serve(
    settings: Settings, *, with_worker: bool, ready: Callable[[], None] = lambda: None
) -> None:
    """Answer requests until a signal comes; `with_worker`: run the jobs in this process, too.

    `ready` is called once requests are answered.
    """
    async with AsyncExitStack() as stack:
        runtime = await stack.enter_async_context(opened(settings))
        config = uvicorn.Config(
            build_app(runtime, settings, with_worker=with_worker),
            host=settings.host,
            port=settings.port,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=20,
        )
        gc.freeze()  # and the routes with their models
        server = _Server(config, ready)
        on_stop(lambda: setattr(server, "should_exit", True))
        if with_worker:
            await stack.enter_async_context(Scheduler(runtime, settings))
        listening = stack.enter_context(_listening(settings))
        await server.serve(sockets=[listening])


def _listening(settings: Settings) -> socket.socket:
    """Take the port before anything is promised; the server's own way ends the process instead.

    Raises:
        OSError: the port is taken, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=2048)


async def work_until_stopped(settings: Settings) -> None:
    """Run the jobs until a signal comes."""
    async with opened(settings) as runtime, Scheduler(runtime, settings):
        stopped = asyncio.Event()
        on_stop(stopped.set)
        await stopped.wait()
