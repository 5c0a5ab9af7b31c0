"""By what a worker goes: clocks, limits, leases."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from water2.work import Runtime

BATCH = 100


@dataclass(frozen=True)
class Terms:
    """What all that a worker does shares; `wall` is real time."""

    runtime: Runtime
    wall: Callable[[], datetime]
    public_url: str | None
    daily_cap: int
    lease: timedelta

    @property
    def patience(self) -> float:
        """For how many seconds a database that is away is waited for."""
        return self.lease.total_seconds() / 2
