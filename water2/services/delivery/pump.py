"""A pump: claims, sends and completes the messages of one channel of one utility.

The three go on at once, so that the gateway's connections are never idle: while some messages are
under way the next batch is claimed, and outcomes are written in batches. No transaction is open
while a message is sent.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from water2.domain.delivery import Lane
from water2.domain.organisation import Utility
from water2.domain.sending import Gateway, Message, Outcome, Reply, SendingChannel
from water2.services.delivery.caps import over_cap
from water2.services.delivery.claiming import Claimed, claim
from water2.services.delivery.completing import Settled, complete
from water2.services.delivery.contents import contents_of
from water2.services.delivery.patience import patiently
from water2.services.delivery.terms import BATCH, Terms

logger = logging.getLogger(__name__)

SMALLEST_BATCH = 20
FULL = 50  # outcomes that are written at once; fewer wait for others a moment
GATHER_SECONDS = 0.05
LEFT = "worker_left"
UNWRITTEN = "unwritten"
POLL_SECONDS = 0.2  # how often the queue is looked at while messages are under way


@dataclass
class Pump:
    """Runs until nothing is due and nothing under way; `stop` lets only what is under way end."""

    terms: Terms
    utility: Utility
    gateway: Gateway
    slots: asyncio.Semaphore  # the gateway's connections, shared by all utilities
    counts: Counter[str] = field(default_factory=Counter)
    _waiting: asyncio.PriorityQueue[tuple[int, int, Claimed, Message, datetime]] = field(
        default_factory=asyncio.PriorityQueue
    )
    _numbers: "count[int]" = field(default_factory=count)
    _results: list[Settled] = field(default_factory=list)
    _open: int = 0  # claimed and not completed
    _looked: float = 0.0  # when the queue was claimed from last
    _urgent: int = 0  # emergencies that wait for a connection
    _stopping: bool = False
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)
    _sending: set["asyncio.Task[None]"] = field(default_factory=set)

    def stop(self) -> None:
        """Claim no more, and give back what was not sent yet."""
        self._stopping = True
        self._moved.set()

    async def run(self) -> Counter[str]:
        """Pump; return how many deliveries came to which state.

        Raises:
            SQLAlchemyError, OSError: the database stayed away; nothing is under way any more.
        """
        tasks = [asyncio.create_task(self._dispatch()), asyncio.create_task(self._settle())]
        try:
            await self._claim_all()
        finally:
            await self._leave(tasks)
        return self.counts

    async def _leave(self, tasks: Sequence["asyncio.Task[None]"]) -> None:
        dispatching, settling = tasks
        dispatching.cancel()
        try:
            if self._sending:
                await asyncio.wait(self._sending)
            self._give_back()
            while self._open and not settling.done():
                self._moved.clear()
                await asyncio.wait([settling], timeout=GATHER_SECONDS)
        finally:
            for task in (*tasks, *self._sending):
                task.cancel()
            with suppress(asyncio.CancelledError):
                await settling

    def _give_back(self) -> None:
        while not self._waiting.empty():
            claimed = self._waiting.get_nowait()[2]
            self._answer(Settled(claimed, Reply(Outcome.retry, LEFT), sent=False))

    @property
    def _size(self) -> int:
        """How many are claimed at once: what the connections take in two turns."""
        return min(BATCH, max(SMALLEST_BATCH, 2 * self.gateway.connections))

    async def _claim_all(self) -> None:
        while not self._stopping:
            while self._waiting.qsize() > self._size // 2 and not self._stopping:
                await self._something_moves(POLL_SECONDS)
                await self._let_emergencies_pass()
            if self._stopping:
                return
            if not await self._claim_batch():
                if not self._open:
                    return
                await self._something_moves(POLL_SECONDS)

    async def _let_emergencies_pass(self) -> None:
        """Claim what may not wait, though what is claimed already keeps the connections busy."""
        now = asyncio.get_running_loop().time()
        few = self._urgent <= self._size // 2
        if few and now - self._looked >= POLL_SECONDS and not self._stopping:
            await self._claim_batch(Lane.emergency)

    async def _something_moves(self, seconds: float) -> None:
        self._moved.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), seconds)

    async def _claim_batch(self, last: Lane = Lane.routine) -> int:
        self._looked = asyncio.get_running_loop().time()
        until = self.terms.wall() + self.terms.lease
        claimed = await patiently(lambda: self._claim(until, last), self.terms.patience)
        self._open += len(claimed)
        messages: dict[str, Message] = {}
        if claimed:
            messages, held_back = await patiently(
                lambda: self._prepare(claimed), self.terms.patience
            )
            for one in held_back:
                self._answer(one)
        for row in claimed:
            if (message := messages.get(row.id)) is not None:
                self._waiting.put_nowait((row.lane, next(self._numbers), row, message, until))
                self._urgent += row.lane == Lane.emergency
        return len(claimed)

    async def _claim(self, until: datetime, last: Lane) -> list[Claimed]:
        async with self.terms.runtime.work() as work:
            return await claim(
                work,
                self.utility.id,
                self.gateway.channel,
                self._size,
                leased_until=until,
                at=self.terms.wall(),
                last=last,
            )

    async def _prepare(
        self, claimed: Sequence[Claimed]
    ) -> tuple[dict[str, Message], list[Settled]]:
        """Return the messages to be sent, and what becomes of the others."""
        async with self.terms.runtime.read() as work:
            messages = await contents_of(
                work, self.utility, claimed, public_url=self.terms.public_url
            )
            held_back = [
                Settled(one, Reply(Outcome.permanent, "nothing_to_send"), sent=False)
                for one in claimed
                if one.id not in messages
            ]
            if self.gateway.channel is SendingChannel.sms:
                held_back += await over_cap(
                    work,
                    self.utility,
                    [one for one in claimed if one.id in messages],
                    self.terms.daily_cap,
                )
        for one in held_back:
            messages.pop(one.claimed.id, None)
        return messages, held_back

    async def _dispatch(self) -> None:
        while True:
            _, _, claimed, message, until = await self._waiting.get()
            self._urgent -= claimed.lane == Lane.emergency
            self._moved.set()
            try:
                await self.slots.acquire()
            except asyncio.CancelledError:
                self._answer(Settled(claimed, Reply(Outcome.retry, LEFT), sent=False))
                raise
            task = asyncio.create_task(self._send(claimed, message, until))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, claimed: Claimed, message: Message, until: datetime) -> None:
        try:
            now = self.terms.wall()
            if until - now < self.terms.lease / 4:
                # it waited so long that another may take it before the answer is here
                self._answer(Settled(claimed, Reply(Outcome.retry, "lease_short"), sent=False))
                return
            reply = await self.gateway.send(replace(message, sent_at=now))
        except Exception as error:
            # a fault of ours; its text may hold the address
            logger.error(
                "the %s gateway raised %s for delivery %s",
                self.gateway.channel.value,
                type(error).__name__,
                claimed.id,
            )
            reply = Reply(Outcome.in_doubt, "gateway_raised")
        finally:
            self.slots.release()
        self._answer(Settled(claimed, reply))

    def _answer(self, settled: Settled) -> None:
        self._results.append(settled)
        self._answered.set()

    async def _settle(self) -> None:
        while True:
            await self._answered.wait()
            if len(self._results) < FULL:
                await asyncio.sleep(GATHER_SECONDS)
            batch, self._results = self._results[:BATCH], self._results[BATCH:]
            if not self._results:
                self._answered.clear()
            await self._write(batch)
            self._open -= len(batch)
            self._moved.set()

    async def _write(self, batch: Sequence[Settled]) -> None:
        try:
            self.counts += await patiently(lambda: self._complete(batch), self.terms.patience)
        except Exception as error:
            # their leases run out, and then they are in doubt; the error's text may hold addresses
            logger.error("%d outcomes were not written: %s", len(batch), type(error).__name__)
            self.counts[UNWRITTEN] += len(batch)

    async def _complete(self, batch: Sequence[Settled]) -> Counter[str]:
        async with self.terms.runtime.work() as work:
            return await complete(work, batch)
