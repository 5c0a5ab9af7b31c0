"""Killing a worker between the provider's acceptance and its own commit, again and again."""

import asyncio
import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sqlmodel import col, func, select

from tests.builders import Installation
from tests.delivery.builders import an_estate, queue
from tests.sinks import HttpSink
from water2.domain.delivery import Delivery, DeliveryBatch, DeliveryState
from water2.domain.ledger import LedgerEntry
from water2.work import Runtime

ROOT = Path(__file__).parents[2]
PER_KILL = 40  # messages a worker gets through before it is killed
LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Outcome:
    """What was left: ids queued, sent how often, those once in doubt, those recorded accepted."""

    queued: frozenset[str]
    sent: Counter[str]
    doubted: frozenset[str]
    recorded: Counter[str]
    left: int
    kills_in_flight: int

    @property
    def lost(self) -> set[str]:
        return {id_ for id_ in self.queued if not self.sent[id_]}

    @property
    def doubled(self) -> set[str]:
        return {id_ for id_, count in self.sent.items() if count > 1}


def start(url: str, sink: HttpSink) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.worker_process", url, f"{sink.url}/sms"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def kill_often(installation: Installation, url: str, sink: HttpSink, times: int) -> Outcome:
    """Send a bulk with workers that are killed so many times; return what came of it."""
    runtime = installation.runtime
    ids = await _seed(installation, (times + 1) * PER_KILL)
    in_flight = 0
    for _ in range(times):
        process = start(url, sink)
        try:
            await _until_sent(process, sink, len(sink.accepted) + PER_KILL // 2)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        in_flight += len(sink.accepted) > await _count(runtime, DeliveryState.done)
    process = start(url, sink)
    try:
        await _until_done(runtime, process, len(ids))
    finally:
        process.kill()
        process.communicate()
    return await _outcome(runtime, ids, sink, in_flight)


async def _seed(installation: Installation, count: int) -> list[str]:
    ids: list[str] = []
    async with installation.runtime.work() as work:
        estate = await an_estate(work, installation)
        for first in range(0, count, 500):
            numbers = range(first, min(first + 500, count))
            ids += await queue(work, estate, *(f"139{number:08}" for number in numbers))
    return ids


async def _until_sent(process: subprocess.Popen[str], sink: HttpSink, count: int) -> None:
    for _ in range(LONGEST_SECONDS * 200):
        if len(sink.accepted) >= count:
            return
        assert process.poll() is None, process.communicate()[1]
        await asyncio.sleep(0.005)
    raise TimeoutError(f"{len(sink.accepted)} of {count} were sent")


async def _until_done(runtime: Runtime, process: subprocess.Popen[str], count: int) -> None:
    done = 0
    for _ in range(LONGEST_SECONDS * 10):
        assert process.poll() is None, process.communicate()[1]
        done = await _count(runtime, DeliveryState.done)
        if done == count:
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"{done} of {count} are done")


async def _count(runtime: Runtime, state: DeliveryState) -> int:
    async with runtime.read() as work:
        found = await work.session.exec(
            select(func.count()).select_from(Delivery).where(col(Delivery.state) == state)
        )
        return found.one()


async def _outcome(runtime: Runtime, ids: Sequence[str], sink: HttpSink, in_flight: int) -> Outcome:
    async with runtime.read() as work:
        batches = list(await work.session.exec(select(DeliveryBatch)))
        entries = await work.session.exec(
            select(LedgerEntry.body).where(LedgerEntry.type == "deliveries.settled")
        )
        hashes = {json.loads(body)["data"]["body_sha256"] for body in entries}
    assert {sha256(batch.body).hexdigest() for batch in batches} == hashes
    told = [row for batch in batches for row in json.loads(batch.body)]
    return Outcome(
        frozenset(ids),
        Counter(message["id"] for message in sink.accepted),
        frozenset(row[0] for row in told if row[1] == "in_doubt"),
        Counter(row[0] for row in told if row[1] == "accepted"),
        len(ids) - await _count(runtime, DeliveryState.done),
        in_flight,
    )
