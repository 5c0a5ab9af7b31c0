"""What the benchmarks of sending share: a bulk in the queue, the product's loop, the sink's record.

The gateway is `tests.sinks.http_gateway` in a process of its own. It is not what limits: asked by
bare sockets over 100 connections it took 22,000 messages a second without latency, and 966 of the
1,000 that 100 connections can get at a latency of 100 ms.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from sqlmodel import col, func, select
from uvicorn.loops.auto import auto_loop_factory

from tests.benchmarks.stage import Figure, analyse
from tests.builders import Installation
from tests.delivery.builders import Estate, queue
from tests.sinks import HttpSink
from water2.config import Settings
from water2.database import open_database
from water2.domain.delivery import Delivery
from water2.domain.sending import SendingChannel
from water2.work import Runtime

T = TypeVar("T")
LATENCY_MS = 100
CONNECTIONS = 100  # the product's to an SMS gateway
_AT_ONCE = 1000


def settings_of(sink: HttpSink, folder: Path) -> Settings:
    """Return the settings of an installation whose SMS gateway is the sink."""
    return Settings(data_dir=folder, sms_url=f"{sink.url}/sms", allowed_networks="127.0.0.1")


async def queue_bulk(installation: Installation, estate: Estate, first: int, rows: int) -> None:
    """Queue a notice to as many households, each with a telephone, numbered from `first` on."""
    async with installation.runtime.work() as work:
        for start in range(first, first + rows, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, first + rows))
            await queue(work, estate, *(f"138{number:08}" for number in numbers))
    await analyse(installation)


async def in_a_loop_of_its_own(act: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run in a thread, on the event loop that the command line gives the product's processes."""

    def there() -> T:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            return runner.run(act())

    return await asyncio.to_thread(there)


async def with_own_connections(
    runtime: Runtime, act: Callable[[Runtime], Coroutine[Any, Any, T]]
) -> T:
    """Act over connections of its own to the database, as another process would."""
    database = open_database(runtime.database.url)
    try:
        return await act(Runtime(database, runtime.clock, runtime.contacts))
    finally:
        await database.dispose()


async def states(installation: Installation) -> dict[str, int]:
    """Return how many SMS are in which state."""
    async with installation.runtime.read() as work:
        rows = await work.session.exec(
            select(Delivery.state, func.count())
            .where(Delivery.channel == SendingChannel.sms)
            .group_by(col(Delivery.state))
        )
        return {str(state): count for state, count in rows}


class Record:
    """What the sink accepted, read as it grows; its file is written line by line."""

    def __init__(self, sink: HttpSink) -> None:
        self._path = sink.state / "accepted.jsonl"
        self._read = 0
        self._rest = b""

    def more(self) -> list[dict[str, Any]]:
        """Return what was accepted since the last look."""
        with self._path.open("rb") as file:
            file.seek(self._read)
            found = file.read()
        self._read += len(found)
        *lines, self._rest = (self._rest + found).split(b"\n")
        return [json.loads(line) for line in lines]

    def grew(self) -> bool:
        """Tell whether anything was accepted since the last look."""
        return self._path.stat().st_size > self._read


def within(name: str, database: str, seconds: float, limit: float) -> Figure:
    """Return the figure of a time that shall be kept to, both in milliseconds."""
    return Figure(f"{name}, ms", database, seconds * 1000, limit * 1000, seconds / limit, 1.0, True)
