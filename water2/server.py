"""The server: API and pages as one application, answering until it is stopped.

Apart from `main`, for it takes a second to load and most commands serve nobody.
"""

import gc
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from functools import partial

import uvicorn
from fastapi import FastAPI

from water2.api.app import create_api
from water2.clock import DemoClock, wall_clock
from water2.config import Settings
from water2.domain.access import SYSTEM
from water2.jobs import deliver_due
from water2.main import on_stop, opened
from water2.scheduler import Scheduler
from water2.services.demo.clock import move_clock
from water2.web.app import add_pages
from water2.work import Runtime


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
