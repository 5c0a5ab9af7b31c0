"""The alarm clock: which jobs run how often. It decides nothing; every job is a use-case.

Any number of workers may run at once; runs may be late, doubled or skipped: all state is in SQL.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any, Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from water2.clock import wall_clock
from water2.config import Settings
from water2.domain.errors import Conflict, NotFound
from water2.services.housekeeping import keep_house
from water2.services.job_runs import SWEEP, begin_job, fail_job, finish_job
from water2.services.ledger_heads import UNDER_WAY
from water2.services.ledger_signing import checkpoint_ledgers
from water2.services.sweep import sweep
from water2.work import Runtime

logger = logging.getLogger(__name__)

PATIENCE = 3  # pauses without a beat after which the watchdog takes the scheduler for dead
STUCK_AFTER = timedelta(hours=1)  # a run longer than this is cut off; what it committed stays
LEAVE_SECONDS = 10  # how long a running job is waited for when the process ends


@dataclass(frozen=True)
class Job:
    """A use-case and the pause between two runs of it, in real time."""

    name: str
    pause: Callable[[Settings], timedelta]
    run: Callable[[Runtime, Settings], Awaitable[object]]


async def _sweep(runtime: Runtime, _settings: Settings) -> object:
    return await sweep(runtime)


async def _checkpoints(runtime: Runtime, settings: Settings) -> object:
    try:
        run = await checkpoint_ledgers(runtime, settings)
    except Conflict as conflict:
        if conflict.code == UNDER_WAY:  # another process of this folder is at it
            return None
        raise
    for refused in run.refused:
        logger.error("ledger %s was not signed: %s", refused.ledger_id, refused.code)
    return run


async def _housekeeping(runtime: Runtime, _settings: Settings) -> object:
    async with runtime.work() as work:
        return await keep_house(work, wall_clock())


JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        Job(SWEEP, lambda settings: timedelta(seconds=settings.sweep_seconds), _sweep),
        Job(
            "checkpoints",
            lambda settings: timedelta(minutes=settings.checkpoint_minutes),
            _checkpoints,
        ),
        Job("housekeeping", lambda _settings: timedelta(hours=1), _housekeeping),
    )
}


async def run_job(runtime: Runtime, settings: Settings, name: str) -> object:
    """Run a job now and return its answer; how it went is kept for the health endpoint.

    Raises:
        NotFound: there is no job of that name.
    """
    job = JOBS.get(name)
    if job is None:
        raise NotFound("job", name)
    async with runtime.work() as work:
        await begin_job(work, name, wall_clock())
    try:
        answer = await job.run(runtime, settings)
    except Exception as error:
        with suppress(Exception):  # the database that failed the job may fail this, too
            async with runtime.work() as work:
                await fail_job(work, name, repr(error))
        raise
    async with runtime.work() as work:
        await finish_job(work, name, wall_clock())
    return answer


@dataclass
class _Beat:
    """When a job of this process last began, by the loop's own clock, and whether it is running."""

    began: float
    running: bool = False


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
            answer: Any = await run_job(self.runtime, self.settings, name)
            logger.debug("%s: %s", name, answer)
        except asyncio.CancelledError:
            logger.warning("job %s was cut off; what it committed stays", name)
        except Exception:
            logger.exception("job %s failed; it is tried again at its next run", name)
        finally:
            beat.running = False

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
