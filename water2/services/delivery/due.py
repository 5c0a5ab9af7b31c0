"""What there is to do: a few probes of the queue's indexes, however long the queue is."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import col, func, select

from water2.domain.delivery import Delivery, DeliveryState, Lane
from water2.domain.sending import SendingChannel
from water2.services.delivery.statements import INSTANT, Statement
from water2.work import Work

_LANES = ", ".join(f"({lane.value})" for lane in Lane)
_CHANNELS = ", ".join(f"('{channel.value}')" for channel in SendingChannel)
# (VALUES …) names its column alike on both databases; the least of a lane is the index's first row,
# where PostgreSQL would make of EXISTS a scan of the whole queue
_FIRST_DUE = f"""
SELECT u.id, c.column1 AS channel, EXISTS (SELECT 1 FROM channel_stop AS s
    WHERE s.utility_id = u.id AND s.channel = c.column1) AS stopped,
  (SELECT MIN(d.due_at) FROM delivery AS d WHERE d.state = 'ready' AND d.utility_id = u.id
    AND d.channel = c.column1 AND d.lane = l.column1 AND d.due_at <= :now) AS due_at
FROM utility AS u CROSS JOIN (VALUES {_CHANNELS}) AS c CROSS JOIN (VALUES {_LANES}) AS l"""  # noqa: S608 - names of ours
FIRST_DUE = Statement(_FIRST_DUE, _FIRST_DUE, columns={"due_at": INSTANT})

_ANY = "any"
_TENDING = f"""
SELECT c.column1 AS what FROM (VALUES {_CHANNELS}) AS c WHERE EXISTS (
  SELECT 1 FROM utility AS u JOIN delivery AS d ON d.utility_id = u.id
  WHERE d.state = 'in_doubt' AND d.channel = c.column1 AND d.due_at <= :now
    AND (d.leased_until IS NULL OR d.leased_until < :at))
UNION ALL SELECT '{_ANY}' AS what WHERE
  EXISTS (SELECT 1 FROM delivery AS d WHERE d.state = 'leased' AND d.leased_until < :at)
  OR EXISTS (SELECT 1 FROM utility AS u JOIN delivery AS d ON d.utility_id = u.id
    WHERE d.state = 'held' AND d.due_at <= :now)"""  # noqa: S608 - names of ours
TENDING = Statement(_TENDING, _TENDING, ("now", "at"))


async def _first_due(work: Work) -> list[Any]:
    rows = await FIRST_DUE.run(work, now=work.now)
    return [row for row in rows if row.due_at is not None]


async def oldest_due(work: Work) -> datetime | None:
    """Return since when the oldest message that is due waits to be sent; None: none does.

    One of a stopped channel, or of one without a gateway, counts: somebody is not told by it.
    """
    return min((row.due_at for row in await _first_due(work)), default=None)


async def channels_due(
    work: Work, channels: Collection[SendingChannel]
) -> list[tuple[str, SendingChannel]]:
    """Return which channels of which utilities have something to send now."""
    found = {(str(row.id), row.channel) for row in await _first_due(work) if not row.stopped}
    return sorted((id_, SendingChannel(one)) for id_, one in found if one in channels)


async def tending_due(work: Work, at: datetime, channels: Collection[SendingChannel]) -> bool:
    """Tell whether a lease ran out, a held delivery's time came, or a doubt can be looked into.

    `at` is real time; a doubt of a channel that is not among these stays one.
    """
    found = (await TENDING.run(work, now=work.now, at=at)).scalars()
    return any(one == _ANY or one in channels for one in found)


async def next_due(work: Work) -> datetime | None:
    """Return the next instant, by the installation's clock, at which a message becomes due."""
    rows = await work.session.exec(
        select(func.min(Delivery.due_at)).where(
            col(Delivery.state).in_([DeliveryState.ready, DeliveryState.held]),
            col(Delivery.due_at) > work.now,
        )
    )
    return rows.one()
