"""The sweep: looks at the duties whose day to wake has come. Repeating it changes nothing.

It opens duties ahead of their due day, reminds, and withdraws assignments of people whose
certificate lapsed. Late, doubled or skipped runs change nothing but latency.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, cast

from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.duty import Duty, SubjectType
from water2.domain.facility import Facility
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.waking import Watch, next_wake
from water2.domain.work_order import WithdrawnBecause
from water2.rules.book import Rulebook
from water2.rules.fitness import HEALTH_CHECK
from water2.services.assignments import withdraw_assignments
from water2.services.order_opening import open_work_orders
from water2.services.reminders import record_reminders
from water2.services.rows import among
from water2.services.rule_changes import apply_rule_changes
from water2.services.rulebooks import book_of
from water2.work import Runtime, Work

_DUTY = cast("Any", Duty).__table__
BATCH = 2000  # duties in one transaction: other writers wait no longer than this takes


@dataclass(frozen=True)
class SweepResult:
    """What one sweep did."""

    looked_at: int = 0
    opened: int = 0
    withdrawn: int = 0

    def __add__(self, other: "SweepResult") -> "SweepResult":
        return SweepResult(
            self.looked_at + other.looked_at,
            self.opened + other.opened,
            self.withdrawn + other.withdrawn,
        )


async def sweep(runtime: Runtime) -> SweepResult:
    """Sweep all utilities, each in units of its own, until nothing is left that is due to wake."""
    async with runtime.read() as work:
        utilities = list(await work.session.exec(select(Utility).order_by(Utility.id)))
        today = {utility.id: work.today(utility.timezone) for utility in utilities}
    total = SweepResult()
    for utility in utilities:
        await apply_rule_changes(runtime, utility, today[utility.id])
        while await _anything_awake(runtime, utility):
            async with runtime.work() as work:
                done = await sweep_batch(work, utility)
            total += done
            if not done.looked_at:  # another worker holds the rest
                break
    return total


async def _anything_awake(runtime: Runtime, utility: Utility) -> bool:
    """Ask without taking the right to write: an idle sweep disturbs nobody."""
    async with runtime.read() as work:
        found = await work.session.exec(
            select(Duty.id)
            .where(
                Duty.utility_id == utility.id,
                col(Duty.wake_on) <= work.today(utility.timezone),
            )
            # by the index, whatever the planner believes of how many wake: there may be none
            .order_by(col(Duty.wake_on))
            .limit(1)
        )
        return found.first() is not None


_COLUMNS = (
    col(Duty.id),
    col(Duty.obligation),
    col(Duty.subject_type),
    col(Duty.subject_id),
    col(Duty.facility_id),
    col(Duty.ordinal),
    col(Duty.due_on),
    col(Duty.opens_on),
    col(Duty.opened_at),
    # looked up for each, whatever the planner believes: a join might read all facilities
    select(Facility.ledger_id)
    .where(Facility.id == Duty.facility_id)
    .scalar_subquery()
    .label("ledger_id"),
)


async def sweep_batch(work: Work, utility: Utility) -> SweepResult:
    """Look at the next duties due to wake; two workers never look at the same ones."""
    today = work.today(utility.timezone)
    book = await book_of(work, utility)
    rows = (
        await work.session.execute(
            select_columns(*_COLUMNS)
            .where(col(Duty.utility_id) == utility.id, col(Duty.wake_on) <= today)
            .order_by(col(Duty.wake_on), col(Duty.facility_id))
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
    ).all()
    rows = await _undisturbed(work, rows, today)
    opening = [row for row in rows if _opens(row, today)]
    orders = await open_work_orders(work, utility, opening)
    _record_openings(work, utility, opening, orders)
    await record_reminders(work, utility, book, rows)
    withdrawn = await _withdraw_lapsed(work, rows, today)
    await _put_to_sleep(work, utility, book, rows, today)
    return SweepResult(len(rows), len(opening), withdrawn)


def _opens(row: Any, today: date) -> bool:
    return row.opened_at is None and row.opens_on <= today


async def _undisturbed(work: Work, rows: Sequence[Any], today: date) -> Sequence[Any]:
    """Hold the facilities where duties open; leave to the next run those somebody acts on just now.

    Whoever sends a crew, plans or records holds the facility, and then asks for its duties, which
    are held here: to wait for each other would be a circle.
    """
    asked = {row.facility_id for row in rows if _opens(row, today) and row.facility_id}
    held = await work.session.exec(
        select(Facility.id)
        .where(among(work, Facility.id, asked))
        .with_for_update(skip_locked=True, key_share=True)
    )
    busy = asked.difference(held)
    return [row for row in rows if row.facility_id not in busy or not _opens(row, today)]


def _record_openings(
    work: Work, utility: Utility, opening: Sequence[Any], orders: Mapping[str, str]
) -> None:
    for row in opening:
        work.record(
            PendingEntry(
                ledger_id=row.ledger_id or utility.ledger_id,
                type="duty.opened",
                subject=f"{row.subject_type.value}:{row.subject_id}",
                occurred_at=work.now,
                data={
                    "duty": row.id,
                    "due": row.due_on.isoformat(),
                    "obligation": row.obligation,
                    "ordinal": row.ordinal,
                    "work_order": orders.get(row.subject_id),
                },
            )
        )


async def _withdraw_lapsed(work: Work, rows: Sequence[Any], today: date) -> int:
    lapsed = [
        row.subject_id
        for row in rows
        if row.obligation == HEALTH_CHECK
        and row.subject_type is SubjectType.person
        and row.due_on < today
    ]
    return await withdraw_assignments(work, lapsed, WithdrawnBecause.certificate_lapsed)


async def _put_to_sleep(
    work: Work, utility: Utility, book: Rulebook, rows: Sequence[Any], today: date
) -> None:
    """Mark what was opened and set the next day of waking, one statement per such pair."""

    @cache  # a day's duties are many, their dates few
    def wake_after(obligation_id: str, due_on: date, opens_on: date) -> date | None:
        obligation = book.obligation(obligation_id, today)
        watch = Watch(due_on, opens_on, utility.first_day_on)
        return next_wake(watch, obligation, today) if obligation else None

    groups: dict[tuple[bool, date | None], list[str]] = defaultdict(list)
    for row in rows:
        opens = _opens(row, today)
        groups[opens, wake_after(row.obligation, row.due_on, row.opens_on)].append(row.id)
    for (opens, wake_on), ids in groups.items():
        values = {"wake_on": wake_on} | ({"opened_at": work.now} if opens else {})
        await work.session.execute(
            _DUTY.update().where(among(work, _DUTY.c.id, ids)).values(values)
        )
