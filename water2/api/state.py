"""What the routes find on the application: composed once, in `water2.server` or a test."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request

from water2.config import Settings
from water2.work import Runtime

MoveClock = Callable[[datetime], Awaitable[None]]


@dataclass(frozen=True)
class ApiState:
    """`wall_clock` is real time, for sessions, throttling and keys of repeated requests.

    `move_clock` sets the demonstration's clock and runs the sweeps it passes; None: no demo.
    `worker_expected`: this process holds the worker, so a sweep that is late is this one's fault.
    """

    runtime: Runtime
    settings: Settings
    wall_clock: Callable[[], datetime]
    move_clock: MoveClock | None = None
    worker_expected: bool = False

    @property
    def sweep_pause(self) -> timedelta:
        """Return the pause between two sweeps."""
        return timedelta(seconds=self.settings.sweep_seconds)


def state_of(request: Request) -> ApiState:
    """Return the application's state."""
    state: ApiState = request.app.state.api
    return state
