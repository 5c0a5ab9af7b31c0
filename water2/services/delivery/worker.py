"""The delivery worker: sends what is due of all utilities and channels at once, until nothing is.

Any number of workers may run: leases keep them apart, and whatever one leaves behind another takes
over. Nothing but the queue in SQL is the truth.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlmodel import select

from water2.domain.delivery import DeliveryState
from water2.domain.organisation import Utility
from water2.domain.sending import Gateway, SendingChannel
from water2.services.delivery.completing import LOST
from water2.services.delivery.doubts import resolve_doubt
from water2.services.delivery.due import channels_due, tending_due
from water2.services.delivery.escalating import open_next_channels
from water2.services.delivery.leases import settle_lapsed
from water2.services.delivery.patience import patiently
from water2.services.delivery.pump import UNWRITTEN, Pump
from water2.services.delivery.terms import Terms
from water2.work import Runtime, Work

LEASE = timedelta(minutes=2)
LOOK_SECONDS = 0.25  # how soon a channel that had nothing to do is begun with again
TEND_SECONDS = 5.0  # how often leases, deadlines and doubts are looked at
REST_SECONDS = 1.0  # how long a channel is left alone that gave nothing: its robots are silent
LONGEST_RUN_SECONDS = 1800.0  # after which a run ends, though more is due: the next one goes on
GRACE_SECONDS = 5.0  # how long what is under way may take to end when the worker is stopped


@dataclass(frozen=True)
class Delivered:
    """How many deliveries a run brought to which end; `lost` were another worker's by then."""

    accepted: int = 0
    retried: int = 0
    dead: int = 0
    in_doubt: int = 0
    expired: int = 0
    lost: int = 0
    unwritten: int = 0

    @classmethod
    def of(cls, counts: Counter[str]) -> "Delivered":
        """Name the counts of states."""
        return cls(
            counts[DeliveryState.done],
            counts[DeliveryState.ready],
            counts[DeliveryState.dead],
            counts[DeliveryState.in_doubt],
            counts[DeliveryState.expired],
            counts[LOST],
            counts[UNWRITTEN],
        )


class DeliveryWorker:
    """Sends through the gateways given; a channel without one waits, and the next one opens.

    `wall` is real time: leases and attempts go by it. `daily_cap` is how many SMS one number gets
    on a civil day. `lease` is how long a message may be under way before it is in doubt.
    """

    def __init__(
        self,
        runtime: Runtime,
        gateways: Mapping[SendingChannel, Gateway],
        *,
        wall: Callable[[], datetime],
        public_url: str | None,
        daily_cap: int,
        lease: timedelta = LEASE,
    ) -> None:
        self.runtime, self.gateways = runtime, gateways
        self.terms = Terms(runtime, wall, public_url, daily_cap, lease)
        self._slots = {
            channel: asyncio.Semaphore(gateway.connections) for channel, gateway in gateways.items()
        }
        self._utilities: dict[str, Utility] = {}
        self._pumps: dict[tuple[str, SendingChannel], Pump] = {}
        self._tasks: dict[tuple[str, str, str], asyncio.Task[Counter[str]]] = {}
        self._counts: Counter[str] = Counter()
        self._tended = -math.inf
        self._rested: dict[tuple[str, SendingChannel], float] = {}

    async def run_once(self) -> Delivered:
        """Send until nothing is due, or for half an hour; return what became of it all.

        Raises:
            SQLAlchemyError, OSError: the database stayed away; what is open is in doubt later.
        """
        self._counts, self._tended = Counter(), -math.inf
        ends = asyncio.get_running_loop().time() + LONGEST_RUN_SECONDS
        try:
            while await self._begin() and asyncio.get_running_loop().time() < ends:
                await asyncio.wait(
                    self._tasks.values(),
                    timeout=LOOK_SECONDS,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                self._collect()
        finally:
            await self._leave()
        return Delivered.of(self._counts)

    async def _begin(self) -> bool:
        """Begin whatever there is to do and is not being done; tell whether anything is."""
        now = asyncio.get_running_loop().time()
        if now - self._tended > TEND_SECONDS:
            self._tended = now
            await self._tend()
        for utility_id, channel in await patiently(self._channels_due, self.terms.patience):
            self._pump(utility_id, channel, now)
        return bool(self._tasks)

    async def _channels_due(self) -> list[tuple[str, SendingChannel]]:
        async with self.runtime.read() as work:
            return await channels_due(work, self.gateways.keys())

    async def _tend(self) -> None:
        """Look at leases and deadlines, and begin to find out about doubts."""
        utilities = await patiently(self._read_utilities, self.terms.patience)
        self._utilities = {utility.id: utility for utility in utilities}
        if not await patiently(self._tending_due, self.terms.patience):
            return
        await self._for_each(self._settle_lapsed)
        await self._for_each(open_next_channels)
        for utility in utilities:
            for channel, gateway in self.gateways.items():
                key = (utility.id, channel.value, "doubt")
                if key not in self._tasks:
                    self._start(key, resolve_doubt(self.terms, utility, gateway))

    async def _tending_due(self) -> bool:
        async with self.runtime.read() as work:
            return await tending_due(work, self.terms.wall(), self.gateways.keys())

    async def _for_each(self, act: Callable[[Work, str], Awaitable[int]]) -> None:
        for utility_id in self._utilities:
            await patiently(partial(self._do, act, utility_id), self.terms.patience)

    async def _do(self, act: Callable[[Work, str], Awaitable[int]], utility_id: str) -> None:
        async with self.runtime.work() as work:
            await act(work, utility_id)

    async def _settle_lapsed(self, work: Work, utility_id: str) -> int:
        return await settle_lapsed(work, utility_id, self.terms.wall())

    async def _read_utilities(self) -> list[Utility]:
        async with self.runtime.read() as work:
            return list(await work.session.exec(select(Utility).order_by(Utility.id)))

    def _pump(self, utility_id: str, channel: SendingChannel, now: float) -> None:
        key = (utility_id, channel.value, "send")
        rests = now - self._rested.get((utility_id, channel), -math.inf) < REST_SECONDS
        if rests or key in self._tasks or utility_id not in self._utilities:
            return
        pump = Pump(
            self.terms,
            self._utilities[utility_id],
            self.gateways[channel],
            self._slots[channel],
        )
        self._pumps[utility_id, channel] = pump
        self._start(key, pump.run())

    def _start(self, key: tuple[str, str, str], act: Coroutine[Any, Any, Counter[str]]) -> None:
        self._tasks[key] = asyncio.create_task(act)

    def _collect(self) -> None:
        for key, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[key]
                counts = task.result()
                self._counts += counts
                if key[2] == "send" and not counts:
                    silent = (key[0], SendingChannel(key[1]))
                    self._rested[silent] = asyncio.get_running_loop().time()

    async def _leave(self) -> None:
        """Let what is under way end, for some seconds; what still is then will be in doubt."""
        if not self._tasks:
            return
        for pump in self._pumps.values():
            pump.stop()
        tasks = list(self._tasks.values())
        self._tasks.clear()
        await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Counter):
                self._counts += ended


async def anything_to_deliver(
    runtime: Runtime,
    at: datetime,
    channels: Collection[SendingChannel] = tuple(SendingChannel),
) -> bool:
    """Tell whether a worker has anything to do; `at` is real time, `channels` have a gateway."""
    async with runtime.read() as work:
        return bool(await channels_due(work, channels)) or await tending_due(work, at, channels)
