"""Reminders of duties, coalesced per person into one digest a day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.duty import SubjectType
from water2.domain.facility import Facility
from water2.domain.ids import new_id
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.reminder import Digest, Reminder
from water2.domain.waking import Watch, reminder_step
from water2.rules.book import Rulebook
from water2.services.rows import among, insert_or_pass, insert_rows
from water2.work import Work

MANAGERS = "managers"  # the recipient that stands for the utility's managers


async def record_reminders(
    work: Work, utility: Utility, book: Rulebook, duties: Sequence[Any]
) -> None:
    """Write down who is reminded of what today; what was written before is not written again."""
    today = work.today(utility.timezone)

    @cache  # a day's duties are many, their dates few
    def step_on(obligation_id: str, due_on: date, opens_on: date) -> str | None:
        obligation = book.obligation(obligation_id, today)
        watch = Watch(due_on, opens_on, utility.first_day_on)
        return reminder_step(watch, obligation, today) if obligation else None

    reached = {duty.id: step_on(duty.obligation, duty.due_on, duty.opens_on) for duty in duties}
    steps = {id_: step for id_, step in reached.items() if step}
    due = [duty for duty in duties if duty.id in steps]
    if not due:
        return
    in_charge = await _managers_in_charge(work, [d.facility_id for d in due if d.facility_id])
    sent = await _already(work, steps)
    by_recipient: dict[str, list[Any]] = defaultdict(list)
    for duty in due:
        for recipient in _recipients(duty, in_charge):
            if (duty.id, recipient, duty.due_on, steps[duty.id]) not in sent:
                by_recipient[recipient].append(duty)
    await _write(work, utility, by_recipient, steps)


def _recipients(duty: Any, in_charge: dict[str, str]) -> list[str]:
    """A person is reminded of the own certificate, and the managers with them."""
    if duty.subject_type is SubjectType.person:
        return [duty.subject_id, MANAGERS]
    return [in_charge.get(duty.facility_id, MANAGERS)]


async def _managers_in_charge(work: Work, facility_ids: Sequence[str]) -> dict[str, str]:
    rows = await work.session.exec(
        select(Facility.id, Facility.manager_staff_id).where(
            among(work, Facility.id, set(facility_ids)),
            col(Facility.manager_staff_id).is_not(None),
        )
    )
    return {facility: person for facility, person in rows if person}


async def _already(work: Work, steps: Mapping[str, str]) -> set[tuple[Any, ...]]:
    """Return what was written before of today's steps: an overdue duty has one for each day."""
    rows = await work.session.execute(
        select_columns(
            col(Reminder.duty_id), col(Reminder.recipient), col(Reminder.due_on), col(Reminder.step)
        ).where(
            among(work, Reminder.duty_id, steps), col(Reminder.step).in_(sorted({*steps.values()}))
        )
    )
    return {tuple(row) for row in rows}


async def _write(
    work: Work, utility: Utility, by_recipient: dict[str, list[Any]], steps: dict[str, str]
) -> None:
    digests = await _digests_of_today(work, utility, list(by_recipient))
    rows = [
        {
            "id": new_id(),
            "duty_id": duty.id,
            "due_on": duty.due_on,
            "digest_id": digests[recipient],
            "recipient": recipient,
            "step": steps[duty.id],
        }
        for recipient, duties in by_recipient.items()
        for duty in duties
    ]
    await insert_rows(work, Reminder, rows)
    if rows:
        work.record(
            PendingEntry(
                ledger_id=utility.ledger_id,
                type="reminders.recorded",
                subject=f"utility:{utility.id}",
                occurred_at=work.now,
                data={"digests": sorted(digests.values()), "reminders": len(rows)},
            )
        )


async def _digests_of_today(
    work: Work, utility: Utility, recipients: Sequence[str]
) -> dict[str, str]:
    """Return today's digest of each recipient, making those that lack.

    Two workers may make one at once: the unique key lets one win, and both read the winner's.
    """
    today = work.today(utility.timezone)
    digests = [
        {
            "id": new_id(),
            "utility_id": utility.id,
            "recipient": recipient,
            "staff_id": None if recipient == MANAGERS else recipient,
            "made_on": today,
            "made_at": work.now,
        }
        for recipient in sorted(recipients)
    ]
    if digests:
        await work.session.execute(insert_or_pass(work, Digest), digests)
    rows = await work.session.exec(
        select(Digest.recipient, Digest.id).where(
            Digest.utility_id == utility.id,
            Digest.made_on == today,
            among(work, Digest.recipient, recipients),
        )
    )
    return dict(rows.all())
