"""Before the deadline is at risk the next channel opens by itself; what is useless is not sent."""

from typing import Any, cast

from sqlalchemy import CursorResult, and_, case, exists, select, update
from sqlmodel import col
from sqlmodel import select as select_rows

from water2.domain.delivery import Delivery, DeliverySource, DeliveryState
from water2.domain.evidence import evidence_instant
from water2.domain.notice import NoticeRecipient
from water2.domain.organisation import Utility
from water2.rules.notice import PLANNED
from water2.services.delivery.recording import Told, record_outcomes
from water2.services.delivery.statements import DELIVERY, Statement
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Runtime, Work

MOST_AT_ONCE = 1000
_RECIPIENT = cast("Any", NoticeRecipient).__table__

_EXPIRE = """
UPDATE delivery SET state = 'expired', settled_at = :now WHERE id IN (
  SELECT id FROM delivery WHERE utility_id = :utility AND state = '{state}' AND expires_at <= :now
  LIMIT :most{locked})
RETURNING id, utility_id, source, source_id, attempts"""
_EXPIRING = [  # one for each state: each has an index of its own
    Statement(
        _EXPIRE.format(state=state.value, locked=" FOR UPDATE SKIP LOCKED"),
        _EXPIRE.format(state=state.value, locked=""),
    )
    for state in (DeliveryState.ready, DeliveryState.held)
]


async def open_next_channels(work: Work, utility_id: str) -> int:
    """Open held deliveries whose time has come; return how many were looked at.

    Where every household that needs the address is told already by an earlier channel, nothing is
    sent: it is superseded.
    """
    utility = await fetch(work, Utility, utility_id)
    planned = (await book_of(work, utility)).obligation(PLANNED, work.today(utility.timezone))
    required = planned.values.get("delivered_required") if planned else None
    untold = _needed(delivered_required=bool(required and required.value))
    waiting = (
        select(DELIVERY.c.id)
        .where(
            DELIVERY.c.utility_id == utility_id,
            DELIVERY.c.state == DeliveryState.held,
            DELIVERY.c.due_at <= work.now,
        )
        .order_by(DELIVERY.c.due_at)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    opened = await work.session.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id.in_(waiting))
        .values(
            state=case((untold, DeliveryState.ready.value), else_=DeliveryState.superseded.value),
            settled_at=case((~untold, work.now)),
        )
        .returning(DELIVERY.c.id, DELIVERY.c.source, DELIVERY.c.source_id, DELIVERY.c.state)
    )
    rows = opened.all()
    await record_outcomes(work, [_told(utility_id, row) for row in rows])
    return len(rows)


def _told(utility_id: str, row: Any) -> Told:
    outcome = "opened" if row.state is DeliveryState.ready else "superseded"
    return Told(row.id, utility_id, DeliverySource(row.source), row.source_id, outcome)


def _needed(*, delivered_required: bool) -> Any:
    """Return whether a household of the row's address is not told by a channel before it."""
    mine, nearer = _RECIPIENT.alias("mine"), _RECIPIENT.alias("nearer")
    earlier = DELIVERY.alias("earlier")
    told = (
        exists()
        .select_from(
            nearer.join(
                earlier,
                and_(
                    earlier.c.source_id == nearer.c.notice_id,
                    earlier.c.channel == nearer.c.channel,
                    earlier.c.address_index == nearer.c.address_index,
                ),
            )
        )
        .where(
            nearer.c.notice_id == mine.c.notice_id,
            nearer.c.household_id == mine.c.household_id,
            nearer.c.rank < mine.c.rank,
            evidence_instant(earlier, delivered_required).is_not(None),
        )
    )
    return (
        exists()
        .where(
            mine.c.notice_id == DELIVERY.c.source_id,
            mine.c.channel == DELIVERY.c.channel,
            mine.c.address_index == DELIVERY.c.address_index,
            ~told,
        )
        .correlate(DELIVERY)
    )


async def expire(work: Work, utility_id: str) -> int:
    """Give up what is useless by now and was not sent; return how many."""
    rows: list[Any] = []
    for statement in _EXPIRING:
        found = await statement.run(work, now=work.now, utility=utility_id, most=MOST_AT_ONCE)
        rows += found.all()
    told = [
        Told(
            *(row.id, row.utility_id, DeliverySource(row.source), row.source_id),
            "expired",
            attempts=row.attempts,
        )
        for row in rows
    ]
    await record_outcomes(work, told)
    return len(rows)


async def expire_all(runtime: Runtime) -> int:
    """Give up what is useless of every utility, whether or not a worker has gateways for it."""
    async with runtime.read() as work:
        utilities = list(await work.session.exec(select_rows(Utility.id)))
    total = 0
    for utility_id in utilities:
        found = 1
        while found:
            async with runtime.work() as work:
                found = await expire(work, utility_id)
            total += found
    return total


async def supersede_of_endpoint(work: Work, endpoint_id: str) -> int:
    """Take back what has not been sent yet to an endpoint that is no longer used."""
    found = await work.session.execute(
        update(DELIVERY)
        .where(
            col(Delivery.endpoint_id) == endpoint_id,
            col(Delivery.state).in_([DeliveryState.ready, DeliveryState.held]),
        )
        .values(state=DeliveryState.superseded, settled_at=work.now)
    )
    return cast("CursorResult[Any]", found).rowcount
