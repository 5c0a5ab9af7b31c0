"""Sending reminders: each day's digest goes to its person, or to the managers and robots."""

from collections.abc import Collection, Sequence
from datetime import timedelta

from sqlmodel import col, select

from water2.domain.delivery import DeliverySource, Lane
from water2.domain.organisation import Utility
from water2.domain.reminder import Digest
from water2.domain.sending import ROBOTS
from water2.rules.notice import PLANNED
from water2.rules.outages import send_at
from water2.services.delivery.staff_addresses import (
    Address,
    addresses_of_managers,
    addresses_of_staff,
    endpoints_of,
    queue_to,
)
from water2.services.register import record_act
from water2.services.reminders import MANAGERS
from water2.services.rulebooks import book_of
from water2.work import Runtime, Work

USEFUL = timedelta(days=2)
"""Policy: an older digest says nothing that a newer one does not."""
MOST_AT_ONCE = 500


async def send_all_digests(runtime: Runtime) -> int:
    """Queue the digests of every utility that has any to send; return how many."""
    async with runtime.read() as work:
        rows = await work.session.exec(
            select(Utility)
            .join(Digest, col(Digest.utility_id) == Utility.id)
            .where(col(Digest.sent_at).is_(None))
            .distinct()
            .order_by(Utility.id)
        )
        utilities = rows.all()
    sent = 0
    for utility in utilities:
        async with runtime.work() as work:
            sent += await send_digests(work, utility)
    return sent


async def send_digests(work: Work, utility: Utility) -> int:
    """Queue digests that were not sent yet, for the morning in quiet hours; return how many.

    Older ones, and those whose person has no contact, are marked alone. Repeating it changes
    nothing.
    """
    found = await work.session.exec(
        select(Digest)
        .where(Digest.utility_id == utility.id, col(Digest.sent_at).is_(None))
        .order_by(col(Digest.made_at), Digest.id)
        .limit(MOST_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    digests: Sequence[Digest] = found.all()
    if not digests:
        return 0
    useful = [one for one in digests if one.made_at > work.now - USEFUL]
    addresses = await _addresses(work, utility, {one.recipient for one in useful})
    planned = (await book_of(work, utility)).obligation(PLANNED, work.today(utility.timezone))
    due_at = send_at(planned, work.now, None, utility.timezone)
    queued = [one for one in useful if addresses.get(one.recipient)]
    for one in queued:
        await queue_to(
            work,
            utility,
            DeliverySource.digest,
            one.id,
            addresses[one.recipient],
            lane=Lane.routine,
            due_at=due_at,
            expires_at=one.made_at + USEFUL,
        )
    for one in digests:
        one.sent_at = work.now
    told = {"digests": [one.id for one in queued], "passed_over": len(digests) - len(queued)}
    record_act(work, utility.ledger_id, "digests.queued", f"utility:{utility.id}", told)
    return len(queued)


async def _addresses(
    work: Work, utility: Utility, recipients: Collection[str]
) -> dict[str, list[Address]]:
    people = [one for one in recipients if one != MANAGERS]
    found = await addresses_of_staff(work, utility, people)
    if MANAGERS in recipients:
        managers = await addresses_of_managers(work, utility)
        found[MANAGERS] = [*managers, *await endpoints_of(work, utility.id, ROBOTS)]
    return found
