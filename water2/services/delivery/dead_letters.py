"""What was given up: listed with masked addresses, sent again, or waived with a reason."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command, Text
from water2.domain.contacts import masked
from water2.domain.delivery import Delivery, DeliverySource, DeliveryState, Endpoint
from water2.domain.errors import Conflict
from water2.domain.evidence import level_of
from water2.domain.organisation import Utility
from water2.domain.sending import SendingChannel
from water2.services.delivery.recording import ledger_of
from water2.services.delivery.superseding import superseded_among
from water2.services.paging import Page, PageAsked, read_page
from water2.services.register import record_act
from water2.services.rows import among, fetch
from water2.work import Work


@dataclass(frozen=True)
class DeliveryFilters:
    """Which deliveries to list; empty fields do not narrow."""

    state: DeliveryState | None = None
    channel: SendingChannel | None = None
    source_id: str | None = None


class WaiveDelivery(Command):
    """Why a delivery that was given up need not be made."""

    reason: Text


async def list_deliveries(
    work: Work, filters: DeliveryFilters, asked: PageAsked
) -> Page[dict[str, Any]]:
    """Return a page of deliveries of the actor's utilities; no address is shown in full.

    Raises:
        NotFound: the utility is not the actor's to see.
    """
    work.require(Action.read)
    wanted = asked.utility
    seen = [(await fetch(work, Utility, wanted)).id] if wanted else work.actor.utility_ids
    statement = select(Delivery).where(col(Delivery.utility_id).in_(seen))
    for field in ("state", "channel", "source_id"):
        if (value := getattr(filters, field)) is not None:
            statement = statement.where(getattr(Delivery, field) == value)
    page = await read_page(work, statement, [Delivery.id], asked.limit, asked.cursor)
    hosts = await _hosts(work, page.items)
    return Page([_shown(work, row, hosts) for row in page.items], page.next)


async def _hosts(work: Work, rows: list[Delivery]) -> dict[str, str]:
    ids = {row.endpoint_id for row in rows if row.endpoint_id}
    found = await work.session.exec(
        select(Endpoint.id, Endpoint.host).where(among(work, Endpoint.id, ids))
    )
    return dict(found.all())


def _shown(work: Work, row: Delivery, hosts: dict[str, str]) -> dict[str, Any]:
    # an endpoint's address holds its token: of it the host alone may be seen
    to = hosts.get(row.endpoint_id) if row.endpoint_id else _masked(work, row)
    return {
        "id": row.id,
        "source": row.source.value,
        "source_id": row.source_id,
        "channel": row.channel.value,
        "address": to,
        "state": row.state.value,
        "level": level_of(row).value,
        "attempts": row.attempts,
        "code": row.code,
        "due_at": row.due_at,
        "attempted_at": row.attempted_at,
        "accepted_at": row.accepted_at,
        "delivered_at": row.delivered_at,
        "failed_at": row.failed_at,
        "settled_at": row.settled_at,
        "waived_by": row.waived_by,
        "waived_reason": row.waived_reason,
    }


def _masked(work: Work, row: Delivery) -> str | None:
    return masked(work.contacts.open(row.sealed)) if row.sealed else None  # None: erased


async def requeue(work: Work, id_: str) -> Delivery:
    """Send again what was given up or waived: as if it had never been tried.

    Raises:
        NotFound: no such delivery, or another utility's.
        Conflict: it is neither dead nor waived, of no use any more, or a later notice holds.
    """
    await _require_last_notice(work, await fetch(work, Delivery, id_))
    row = await _given_up(work, id_, DeliveryState.dead, DeliveryState.waived)
    if row.expires_at is not None and row.expires_at <= work.now:
        raise Conflict("delivery_expired", {"expires_at": row.expires_at})
    row.state, row.attempts, row.due_at, row.settled_at = DeliveryState.ready, 0, work.now, None
    row.accepted_at = row.delivered_at = row.failed_at = None
    row.code = row.waived_by = row.waived_reason = None
    work.session.add(row)
    told = {"delivery": row.id, "channel": row.channel.value}
    record_act(work, await ledger_of(work, row), "delivery.requeued", _subject(row), told)
    return row


async def _require_last_notice(work: Work, row: Delivery) -> None:
    """Refuse the words of an earlier revision; the outage is locked before the delivery."""
    of_notice = row.source is DeliverySource.notice
    if of_notice and await superseded_among(work, [row.source_id]):
        raise Conflict("delivery_superseded")


async def waive(work: Work, id_: str, command: WaiveDelivery) -> Delivery:
    """Let a delivery that was given up be, for a reason that is kept with who gave it.

    Raises:
        NotFound: no such delivery, or another utility's.
        Conflict: it is not dead.
    """
    row = await _given_up(work, id_, DeliveryState.dead)
    row.state, row.settled_at = DeliveryState.waived, work.now
    row.waived_by, row.waived_reason = work.actor.user_id, command.reason
    work.session.add(row)
    # what people wrote may name somebody: it stays out of the ledger
    told = {"delivery": row.id, "channel": row.channel.value}
    record_act(work, await ledger_of(work, row), "delivery.waived", _subject(row), told)
    return row


async def _given_up(work: Work, id_: str, *states: DeliveryState) -> Delivery:
    work.require(Action.keep_deliveries)
    row = await fetch(work, Delivery, id_, lock=True)
    if row.state not in states:
        raise Conflict("delivery_state", {"state": row.state.value})
    return row


def _subject(row: Delivery) -> str:
    return f"{row.source.value}:{row.source_id}"
