"""Sending to 10,000 households over an SMS gateway that takes 100 ms, beside bare httpx.

Run: `.venv/bin/python -m tests.benchmarks.bench_send_bulk`. Ours is `deliver_due` from its call to
its return: it claims, opens the addresses, words, sends over 100 connections, and writes what
became of each message with its evidence and its entries in the ledger. The bare side posts the very
same bodies to the same gateway by ten clients of ten connections, and keeps nothing. Both run on
the product's event loop. The second line's baseline is what 100 connections can do at that latency.
The third tells how long after the call the gateway had accepted the first message, and the time to
be kept to.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx

from tests.benchmarks.gateways_stage import (
    CONNECTIONS,
    LATENCY_MS,
    Record,
    in_a_loop_of_its_own,
    queue_bulk,
    settings_of,
    states,
    with_own_connections,
    within,
)
from tests.benchmarks.stage import Figure, Stage, compare, run
from tests.builders import Installation
from tests.delivery.builders import an_estate, until
from tests.sinks import HttpSink, http_gateway
from water2.jobs import deliver_due
from water2.services.delivery.worker import Delivered

ROWS = 10_000
TURNS = 3
CLIENTS = 10
TARGET = 0.85
FIRST_SECONDS = 0.5
_HEADERS = {"Content-Type": "application/json"}


async def measure(
    stage: Stage, dialect: str, rows: int = ROWS, turns: int = TURNS, latency_ms: int = LATENCY_MS
) -> list[Figure]:
    """Send a bulk on each side, in turns, each turn by a gateway of its own."""
    ours, firsts, bare = [], [], []
    async with stage.installation(dialect) as (installation, _):
        async with installation.runtime.work() as work:
            estate = await an_estate(work, installation)
        for turn in range(turns):
            with http_gateway(latency_ms=latency_ms) as sink:
                await queue_bulk(installation, estate, turn * rows, rows)
                seconds, first = await _ours(installation, sink, rows)
                bodies = _sent_once(sink, rows)
                bare.append(rows / await in_a_loop_of_its_own(partial(_bare, sink.url, bodies)))
                assert sink.counts["accepted"] == 2 * rows
            ours.append(rows / seconds)
            firsts.append(first)
        assert await states(installation) == {"done": turns * rows}
    ideal = 1000 * CONNECTIONS / latency_ms
    return [
        compare("send a bulk, httpx", dialect, list(zip(ours, bare, strict=True)), TARGET),
        compare("send a bulk, ideal", dialect, [(rate, ideal) for rate in ours], TARGET),
        within("first of a bulk", dialect, median(firsts), FIRST_SECONDS),
    ]


async def _ours(installation: Installation, sink: HttpSink, rows: int) -> tuple[float, float]:
    """Return the seconds that all took, and those until the first message was accepted."""
    runtime, record = installation.runtime, Record(sink)
    with TemporaryDirectory() as folder:
        deliver = partial(deliver_due, settings=settings_of(sink, Path(folder)))
        began = time.perf_counter()
        sending = asyncio.create_task(
            in_a_loop_of_its_own(partial(with_own_connections, runtime, deliver))
        )
        await until(record.grew)
        first = time.perf_counter() - began
        assert await sending == Delivered(accepted=rows)
    return time.perf_counter() - began, first


def _sent_once(sink: HttpSink, rows: int) -> list[bytes]:
    """Return the bodies that were sent; none is missing, and none was sent twice."""
    accepted = sink.accepted
    assert len({message["id"] for message in accepted}) == len(accepted) == rows
    return [message["raw"].encode() for message in accepted]


async def _bare(url: str, bodies: Sequence[bytes]) -> float:
    each = CONNECTIONS // CLIENTS
    limits = httpx.Limits(max_connections=each, max_keepalive_connections=each)
    clients = [httpx.AsyncClient(limits=limits, timeout=10) for _ in range(CLIENTS)]
    left = iter(bodies)
    began = time.perf_counter()
    await asyncio.gather(
        *(_post(client, f"{url}/sms", left) for client in clients for _ in range(each))
    )
    seconds = time.perf_counter() - began
    for client in clients:
        await client.aclose()
    return seconds


async def _post(client: httpx.AsyncClient, url: str, bodies: Iterator[bytes]) -> None:
    for body in bodies:
        answer = await client.post(url, content=body, headers=_HEADERS)
        assert answer.json()["code"] == 0


if __name__ == "__main__":
    run(measure)
