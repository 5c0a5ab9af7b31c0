"""Receipts asked for: what became of SMS that were accepted, where the provider pushes nothing.

Only notices of outages that are announced or in effect are asked about, at growing pauses: the
evidence of their households rests on the answers, and nobody else's does.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.delivery import DeliverySource, DeliveryState
from water2.domain.notice import Notice
from water2.domain.organisation import Utility
from water2.domain.outage import CURRENT, Outage
from water2.domain.sending import Gateway, Message, Outcome, Receipt, Reply, SendingChannel
from water2.services.delivery.contents import open_address
from water2.services.delivery.receiving import receive
from water2.services.delivery.statements import DELIVERY
from water2.work import Runtime, Work

logger = logging.getLogger(__name__)

FIRST = timedelta(minutes=2)
"""How long after its acceptance a message is asked about, and the least pause from then on."""
LONGEST = timedelta(hours=72)
"""For how long it is asked about: what a provider tells at all it tells by then."""
MOST_AT_ONCE = 500
ASKED_AT_ONCE = 10
_ENDS = (Outcome.delivered, Outcome.failed)
_LATELY = LONGEST + timedelta(days=7)  # notices of before have no message that is asked about
POLLED = "polled"  # as what a receipt is kept that nobody pushed

_MOVE_ON = (
    DELIVERY.update().where(DELIVERY.c.id == bindparam("which")).values(due_at=bindparam("next"))
)


@dataclass(frozen=True)
class Polled:
    """How many messages were asked about, and of how many the provider told an end."""

    asked: int = 0
    told: int = 0


async def poll_receipts(runtime: Runtime, gateway: Gateway, wall: Callable[[], datetime]) -> Polled:
    """Ask what became of the messages whose time has come; `wall` is real time.

    A provider that cannot be asked is asked of one message and no more.
    """
    async with runtime.read() as work:
        utilities = list(await work.session.exec(select(Utility.id).order_by(Utility.id)))
    asked = told = 0
    for utility_id in utilities:
        while (messages := await _take(runtime, utility_id)) is not None:
            replies = await _ask_all(gateway, messages[:1])
            if messages and not replies:
                return Polled(asked, told)
            replies += await _ask_all(gateway, messages[1:])
            asked += len(messages)
            told += await _receive(runtime, replies, wall)
    return Polled(asked, told)


async def _take(runtime: Runtime, utility_id: str) -> list[Message] | None:
    """Take messages to be asked about, so that no other worker asks about them now; None: none."""
    async with runtime.work() as work:
        rows = (await work.session.execute(_waiting(work, utility_id))).all()
        if not rows:
            return None
        await work.session.execute(
            _MOVE_ON, [{"which": row.id, "next": _next(work.now, row)} for row in rows]
        )
        return [_message(row, address) for row in rows if (address := open_address(work, row))]


def _waiting(work: Work, utility_id: str) -> Select[Any]:
    row = DELIVERY.c
    notices = (
        select_columns(col(Notice.id))
        .join(Outage, col(Outage.id) == col(Notice.outage_id))
        .where(
            col(Outage.utility_id) == utility_id,
            col(Outage.state).in_(CURRENT),
            col(Notice.published_at) > work.now - _LATELY,
        )
    )
    return (
        select_columns(row.id, row.sealed, row.attempted_at, row.accepted_at)
        .where(
            row.source_id.in_(notices),
            row.source == DeliverySource.notice,
            row.channel == SendingChannel.sms,
            row.state == DeliveryState.done,
            row.delivered_at.is_(None),
            row.failed_at.is_(None),
            row.due_at <= work.now,
            row.accepted_at.between(work.now - LONGEST, work.now - FIRST),
        )
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )


def _next(now: datetime, row: Any) -> datetime:
    """Return when to ask again: after as long again as since the acceptance."""
    accepted_at: datetime = row.accepted_at
    return now + max(FIRST, now - accepted_at)


def _message(row: Any, address: str) -> Message:
    """Return what a provider is asked by: id, address and day; the words are not needed."""
    return Message(
        row.id, SendingChannel.sms, address, title="", text="", short="", sent_at=row.attempted_at
    )


async def _ask_all(gateway: Gateway, messages: Sequence[Message]) -> list[tuple[str, Reply]]:
    slots = asyncio.Semaphore(min(ASKED_AT_ONCE, gateway.connections))

    async def ask(message: Message) -> tuple[str, Reply | None]:
        async with slots:
            return message.id, await _ask(gateway, message)

    told = await asyncio.gather(*map(ask, messages))
    return [(id_, reply) for id_, reply in told if reply is not None]


async def _ask(gateway: Gateway, message: Message) -> Reply | None:
    try:
        return await gateway.ask(message)
    except Exception as error:
        # a fault of ours; its text may hold the address
        logger.error(
            "asked of delivery %s, the gateway raised %s", message.id, type(error).__name__
        )
        return Reply(Outcome.in_doubt, "gateway_raised")


async def _receive(
    runtime: Runtime, replies: Sequence[tuple[str, Reply]], wall: Callable[[], datetime]
) -> int:
    """Take the answers that tell an end, as one batch of receipts; return how many were new."""
    ends = [(id_, one) for id_, one in replies if one.outcome in _ENDS]
    if not ends:
        return 0
    at = wall()
    receipts = [Receipt(one.outcome, one.at or at, one.code, message_id=id_) for id_, one in ends]
    raw = b"\n".join(one.body or b"" for _, one in ends)
    async with runtime.work() as work:
        return (await receive(work, POLLED, raw, receipts, at)).applied
