"""A job that fails is tried again, a scheduler that died is started anew; the process survives."""

import asyncio
import logging

import pytest
from sqlalchemy import text

from water2.config import Settings
from water2.domain.operation import JobRun
from water2.jobs import JOBS
from water2.scheduler import PATIENCE, Scheduler
from water2.services.ledger_keys import make_signing_key
from water2.work import Runtime

PATIENCE_SECONDS = 20


@pytest.fixture
def settings(tmp_path) -> Settings:
    make_signing_key(tmp_path / "keys")
    return Settings(data_dir=tmp_path, sweep_seconds=1)


async def run_of(runtime: Runtime, name: str = "sweep") -> JobRun | None:
    async with runtime.read() as work:
        return await work.session.get(JobRun, name)


async def until(condition) -> None:
    """Wait for a condition that is a coroutine function; real time passes here."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await condition():  # noqa: ASYNC110 - the database rings no bell
            await asyncio.sleep(0.05)


async def do(runtime: Runtime, statement: str) -> None:
    async with runtime.database.writing(), runtime.database.writer.begin() as connection:
        await connection.execute(text(statement))


async def test_every_job_runs_as_soon_as_the_scheduler_starts(runtime, lishui, settings):
    async def all_finished() -> bool:
        runs = [await run_of(runtime, name) for name in JOBS]
        return all(run is not None and run.finished_at is not None for run in runs)

    async with Scheduler(runtime, settings):
        await until(all_finished)


async def test_a_job_that_fails_is_tried_again_at_the_next_ring(runtime, lishui, settings, caplog):
    caplog.set_level(logging.CRITICAL, "water2.scheduler")  # the failure is meant
    await do(runtime, "ALTER TABLE duty RENAME TO duty_taken_away")

    async def failed() -> bool:
        run = await run_of(runtime)
        return run is not None and run.error is not None

    async def mended() -> bool:
        run = await run_of(runtime)
        return run is not None and run.error is None and run.finished_at is not None

    async with Scheduler(runtime, settings):
        await until(failed)
        assert (await run_of(runtime)).finished_at is None
        await do(runtime, "ALTER TABLE duty_taken_away RENAME TO duty")
        await until(mended)


async def test_a_scheduler_that_died_is_started_anew(runtime, lishui, settings, caplog):
    caplog.set_level(logging.CRITICAL, "water2.scheduler")  # the death is meant
    async with Scheduler(runtime, settings) as scheduler:
        await until(lambda: has_finished(runtime))
        kill(scheduler)
        before = (await run_of(runtime)).finished_at

        async def sweeps_again() -> bool:
            run = await run_of(runtime)
            return run is not None and run.finished_at is not None and run.finished_at > before

        await until(sweeps_again)
        assert scheduler.restarts == 1


async def test_a_long_run_that_has_ended_is_no_dead_scheduler(runtime, lishui, settings):
    async with Scheduler(runtime, settings) as scheduler:
        await until(lambda: has_finished(runtime))
        scheduler.alarm.pause()
        async with runtime.database.writing(), runtime.database.writer.begin() as connection:
            await connection.execute(text("UPDATE job_run SET name = name"))
            ringing = asyncio.create_task(scheduler._ring("sweep"))
            await asyncio.sleep(PATIENCE + 0.5)  # pauses of a second
        await ringing
        assert not scheduler._is_late(JOBS["sweep"], scheduler._beats["sweep"], now())


def now() -> float:
    return asyncio.get_running_loop().time()


async def has_finished(runtime: Runtime) -> bool:
    run = await run_of(runtime)
    return run is not None and run.finished_at is not None


def kill(scheduler: Scheduler) -> None:
    """Leave the alarm clock as an error in its own books does: running, with nothing to ring."""
    scheduler.alarm.remove_all_jobs()


async def test_a_scheduler_that_is_left_rings_no_more(runtime, lishui, settings):
    async with Scheduler(runtime, settings):
        await until(lambda: has_finished(runtime))
    last = (await run_of(runtime)).started_at
    await asyncio.sleep(1.5)
    assert (await run_of(runtime)).started_at == last
