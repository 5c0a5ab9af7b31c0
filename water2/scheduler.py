"""The alarm clock: it rings the jobs of this process and decides nothing.

Any number of workers may run at once; runs may be late, doubled or skipped: all state is in SQL.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any, Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from water2.clock import wall_clock
from water2.config import Settings
from water2.jobs import JOBS, Job, open_gateways, run_job
from water2.work import Runtime

logger = logging.getLogger(__name__)

PATIENCE = 3  # pauses without a beat after which the watchdog takes the scheduler for dead
STUCK_AFTER = timedelta(hours=1)  # a run longer than this is cut off; what it committed stays
LEAVE_SECONDS = 10  # how long a running job is waited for when the process ends


@dataclass
class _Beat:
    """When a job of this process last began, by the loop's own clock, and whether it is running."""

    began: float
    running: bool = False
    rang: bool = False


@dataclass
class Scheduler:
    """Runs the jobs in this process until it is left, and a watchdog beside them.

    The watchdog looks at this process's own beats, not at the last sweep in SQL: with several
    workers another's sweeps would hide that this one is dead.
    """

    runtime: Runtime
    settings: Settings
    restarts: int = 0
    alarm: AsyncIOScheduler | None = None
    _watchdog: asyncio.Task[None] | None = None
    _beats: dict[str, _Beat] = field(default_factory=dict)
    _running: set["asyncio.Task[Any]"] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        async with open_gateways(self.runtime, self.settings):
            pass  # a setting that is wrong is refused now, not when the first message is due
        self._start()
        self._watchdog = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._watchdog:
            self._watchdog.cancel()
            with suppress(asyncio.CancelledError):
                await self._watchdog
        if self.alarm:
            self.alarm.pause()  # nothing more begins; what has begun may end
        if self._running:
            await asyncio.wait(self._running, timeout=LEAVE_SECONDS)
        self._stop()
        if self._running:  # cut off: let them roll back before the database is closed
            await asyncio.wait(self._running, timeout=LEAVE_SECONDS)

    def _start(self) -> None:
        # it warns at each ring that a job still runs: the watchdog tells when one runs for too long
        logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)
        alarm = AsyncIOScheduler(timezone=UTC)
        now = asyncio.get_running_loop().time()
        for job in JOBS.values():
            self._beats[job.name] = _Beat(now)
            alarm.add_job(
                self._ring,
                IntervalTrigger(
                    seconds=int(job.pause(self.settings).total_seconds()), timezone=UTC
                ),
                args=[job.name],
                id=job.name,
                next_run_time=wall_clock(),
                coalesce=True,
                max_instances=1,
                misfire_grace_time=None,  # the default drops a job that is a second late
            )
        alarm.start()
        self.alarm = alarm

    def _stop(self) -> None:
        with suppress(Exception):  # it may be the broken one that is stopped
            if self.alarm:
                self.alarm.shutdown(wait=False)
        self.alarm = None

    async def _ring(self, name: str) -> None:
        """Run a job; whatever it fails of is logged and tried again at the next ring."""
        beat = self._beats[name]
        beat.began, beat.running = asyncio.get_running_loop().time(), True
        task = asyncio.current_task()
        if task:
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        try:
            if await self._is_idle(JOBS[name], beat):
                return
            answer: Any = await run_job(self.runtime, self.settings, name)
            beat.rang = True
            logger.debug("%s: %s", name, answer)
        except asyncio.CancelledError:
            logger.warning("job %s was cut off; what it committed stays", name)
        except Exception:
            logger.exception("job %s failed; it is tried again at its next run", name)
        finally:
            # the pause to the next ring counts from here: a long run that ended is no dead job
            beat.began, beat.running = asyncio.get_running_loop().time(), False

    async def _is_idle(self, job: Job, beat: _Beat) -> bool:
        """Tell whether a job that asks has nothing to do; its first ring runs all the same."""
        return (
            beat.rang and job.asks is not None and not await job.asks(self.runtime, self.settings)
        )

    def is_dead(self) -> bool:
        """Tell whether a job has not begun for long, or runs for too long."""
        now = asyncio.get_running_loop().time()
        return any(self._is_late(JOBS[name], beat, now) for name, beat in self._beats.items())

    def _is_late(self, job: Job, beat: _Beat, now: float) -> bool:
        pause = job.pause(self.settings)
        patience = max(STUCK_AFTER, pause) if beat.running else PATIENCE * pause
        return now - beat.began > patience.total_seconds()

    async def _watch(self) -> None:
        """Restart the scheduler when it died: one error in its own books stops it for good."""
        while True:
            await asyncio.sleep(self.settings.sweep_seconds)
            if self.is_dead():
                logger.error("the scheduler died; it is started anew")
                self._stop()
                self.restarts += 1
                self._start()
