"""Duties derived anew where the rules changed: an edition's first day, or another rulebook file."""

from collections.abc import Sequence
from datetime import date
from itertools import zip_longest

from sqlmodel import select

from water2.domain.facility import Facility
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.rules.book import load_book
from water2.services.duties import rederive
from water2.services.rows import fetch
from water2.work import Runtime, Work

AT_ONCE = 200  # facilities, and people, in one transaction: other writers wait no longer than that


async def apply_rule_changes(runtime: Runtime, utility: Utility, today: date) -> None:
    """Derive all duties of a utility anew, once, where the rules in force are no longer the same.

    Interrupted, it begins again: only the last unit of work leaves the mark.
    """
    mark = load_book(utility.place).mark_on(today)
    if mark == utility.rules_mark:
        return
    async with runtime.read() as work:
        facilities, people = await _subject_ids(work, utility)
    for facility_ids, staff_ids in zip_longest(_cut(facilities), _cut(people), fillvalue=()):
        async with runtime.work() as work:
            await rederive(work, utility, facility_ids=facility_ids, staff_ids=staff_ids)
    async with runtime.work() as work:
        await rederive(work, utility, itself=True)
        held = await fetch(work, Utility, utility.id, lock=True)
        if held.rules_mark != mark:  # another worker may have been here
            held.rules_mark = mark
            _record(work, held)


async def derive_all(work: Work, utility: Utility) -> None:
    """Derive every duty of a utility anew in this one unit: dates may have moved with a value."""
    facilities, people = await _subject_ids(work, utility)
    await rederive(work, utility, facility_ids=facilities, staff_ids=people, itself=True)


async def _subject_ids(work: Work, utility: Utility) -> tuple[Sequence[str], Sequence[str]]:
    facilities = await work.session.exec(
        select(Facility.id).where(Facility.utility_id == utility.id).order_by(Facility.id)
    )
    people = await work.session.exec(
        select(Staff.id).where(Staff.utility_id == utility.id).order_by(Staff.id)
    )
    return facilities.all(), people.all()


def _cut(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[i : i + AT_ONCE] for i in range(0, len(ids), AT_ONCE)]


def _record(work: Work, utility: Utility) -> None:
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="rules.applied",
            subject=f"utility:{utility.id}",
            occurred_at=work.now,
            data={"place": utility.place, "mark": utility.rules_mark},
        )
    )
