"""The jobs: which use-cases run how often. Every job is repeatable; run late, twice or not at all.

Any number of workers may run at once: all state is in SQL.
"""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from water2.clock import DemoClock, wall_clock
from water2.config import Settings
from water2.domain.errors import Conflict, NotFound
from water2.domain.sending import Gateway, SendingChannel
from water2.gateways.build import build_gateways, channels_of
from water2.services.delivery.polling import poll_receipts
from water2.services.delivery.worker import Delivered, DeliveryWorker, anything_to_deliver
from water2.services.housekeeping import keep_house
from water2.services.job_runs import SWEEP, begin_job, fail_job, finish_job
from water2.services.ledger_heads import UNDER_WAY
from water2.services.ledger_signing import checkpoint_ledgers
from water2.services.sweep import sweep
from water2.services.watch import keep_watch
from water2.work import Runtime

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """A use-case and the pause between two runs of it, in real time."""

    name: str
    pause: Callable[[Settings], timedelta]
    run: Callable[[Runtime, Settings], Awaitable[object]]
    asks: Callable[[Runtime, Settings], Awaitable[bool]] | None = None
    """Tells by a cheap look whether there is anything to do: a job that rings often asks first."""


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


async def _reminders(runtime: Runtime, _settings: Settings) -> object:
    return await keep_watch(runtime)


async def deliver_due(runtime: Runtime, settings: Settings) -> Delivered:
    """Send what is due until nothing is, by gateways that are open for that long.

    Raises:
        Conflict: `setting_unusable`; a gateway's setting makes no sense.
    """
    async with open_gateways(runtime, settings) as gateways:
        worker = DeliveryWorker(
            runtime,
            gateways,
            wall=wall_clock,
            public_url=settings.public_url,
            daily_cap=settings.sms_daily_cap,
        )
        return await worker.run_once()


@asynccontextmanager
async def open_gateways(
    runtime: Runtime, settings: Settings
) -> AsyncIterator[Mapping[SendingChannel, Gateway]]:
    """Open the gateways of the settings; a worker does it once as it begins, to refuse in time.

    Raises:
        Conflict: `setting_unusable`; a gateway's setting makes no sense.
    """
    demo = isinstance(runtime.clock, DemoClock)
    gateways = build_gateways(settings, clock=wall_clock, demo=demo)
    try:
        yield gateways
    finally:
        for gateway in gateways.values():
            await gateway.close()


async def _receipts(runtime: Runtime, settings: Settings) -> object:
    async with open_gateways(runtime, settings) as gateways:
        sms = gateways.get(SendingChannel.sms)
        return await poll_receipts(runtime, sms, wall_clock) if sms else None


async def _is_polled(_runtime: Runtime, settings: Settings) -> bool:
    """Tell whether anybody must ask for receipts: without a secret no provider can push them."""
    pushed = settings.sms_receipt_secret is not None
    asked = not pushed if settings.sms_poll is None else settings.sms_poll
    return asked and SendingChannel.sms in channels_of(settings)


async def _anything_due(runtime: Runtime, settings: Settings) -> bool:
    return await anything_to_deliver(runtime, wall_clock(), channels_of(settings))


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
        Job("reminders", lambda settings: timedelta(seconds=settings.sweep_seconds), _reminders),
        Job(
            "deliveries",
            lambda settings: timedelta(seconds=settings.delivery_seconds),
            deliver_due,
            _anything_due,
        ),
        Job(
            "receipts",
            lambda settings: timedelta(seconds=settings.sweep_seconds),
            _receipts,
            _is_polled,
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
