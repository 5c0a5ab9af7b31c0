"""People sent on work orders: who is fit on the day, and who is withdrawn."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import or_, update
from sqlmodel import col, select

from water2.domain.errors import NotFound
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.staff import CertificateKind, Staff
from water2.domain.work_order import Assignment, WithdrawnBecause, WorkOrder, WorkOrderState
from water2.rules.book import Rulebook
from water2.rules.fitness import Fitness, judge_crew, judge_fitness
from water2.rules.flags import FlagCode
from water2.services.duty_evidence import certificates_of, health_certificate, training_of
from water2.services.rows import chunks, ledgers_of
from water2.services.rulebooks import book_of
from water2.services.verdicts import require_allowed
from water2.work import Work

WITHDRAWABLE = (WorkOrderState.open, WorkOrderState.planned)


async def fitness_on(
    work: Work, book: Rulebook, people: Sequence[Staff], on: date
) -> dict[str, Fitness]:
    """Judge each person's training and health check as of a day (art. 17(2)), by person's code."""
    ids = [person.id for person in people]
    health = await certificates_of(work, CertificateKind.health, ids)
    training = await certificates_of(work, CertificateKind.training, ids)
    return {
        person.code: judge_fitness(
            on,
            [training_of(card) for card in training.get(person.id, [])],
            [health_certificate(card) for card in health.get(person.id, [])],
            book,
        )
        for person in people
    }


async def people_by_code(
    work: Work, utility: Utility, codes: Sequence[str], *, lock: bool = False
) -> list[Staff]:
    """Return people by 工号, or by the id that answers give them.

    `lock` keeps them as they are until the act ends: who revokes a certificate, or notes that
    somebody left, waits for it and sees whom it sent; or comes first, and it sees that.

    Raises:
        NotFound: one of the codes is nobody's.
    """
    found = (
        select(Staff)
        .where(
            Staff.utility_id == utility.id,
            or_(col(Staff.code).in_(codes), col(Staff.id).in_(codes)),
        )
        .order_by(Staff.id)
    )
    if lock:  # shared: two plans for the same people need not wait for each other
        found = found.with_for_update(read=True).execution_options(populate_existing=True)
    rows = await work.session.exec(found)
    people = {name: person for person in rows for name in (person.id, person.code)}
    for code in codes:
        if code not in people:
            raise NotFound("staff", code)
    return [people[code] for code in codes]


async def staff_ids(work: Work, utility: Utility, names: Sequence[str]) -> dict[str, str]:
    """Return the id of each of some names that is a 工号; others may be anything."""
    found: dict[str, str] = {}
    for chunk in chunks(list(names)):
        rows = await work.session.exec(
            select(Staff.code, Staff.id).where(
                Staff.utility_id == utility.id, col(Staff.code).in_(chunk)
            )
        )
        found |= dict(rows.all())
    return found


async def require_fit(work: Work, utility: Utility, people: Sequence[Staff], on: date) -> None:
    """Refuse people without valid training or health check on a day, or who left before it.

    Raises:
        RuleViolation: names each person, what lacks, and the article.
    """
    left = {
        person.code: person.left_on for person in people if person.left_on and person.left_on < on
    }
    book = await book_of(work, utility, on)
    verdict = judge_crew(await fitness_on(work, book, people, on), on, book, left)
    require_allowed(verdict, utility)


async def unfit_people(
    work: Work, utility: Utility, book: Rulebook, codes: Sequence[str], on: date
) -> tuple[list[dict[str, object]], list[FlagCode]]:
    """Judge who did the work, by 工号: the violations with their article, and flags.

    A code that is nobody's is flagged, not refused: what did happen can be recorded.
    """
    rows = await work.session.exec(
        select(Staff).where(Staff.utility_id == utility.id, col(Staff.code).in_(codes))
    )
    people = list(rows)
    unknown = set(codes) - {person.code for person in people}
    ids = {person.code: person.id for person in people}
    violations: list[dict[str, object]] = [
        {
            "obligation": reason.provision.obligation,
            "article": reason.provision.article,
            "person": ids[code],
            "reason": reason.code,
        }
        for code, fitness in sorted((await fitness_on(work, book, people, on)).items())
        for reason in fitness.reasons
    ]
    flags = [FlagCode.person_unfit] if violations else []
    return violations, [*flags, *([FlagCode.unknown_person] if unknown else [])]


async def withdraw_assignments(
    work: Work,
    staff_ids: Sequence[str],
    because: WithdrawnBecause,
    *,
    not_before: date | None = None,
) -> int:
    """Withdraw people from work not yet started, and name each on the ledger; returns how many.

    `not_before` spares work planned on an earlier day. Work under way is not touched: what
    happens is recorded, and marked where a person was not fit.
    """
    found = await _withdrawable(work, staff_ids, not_before)
    await _withdraw(work, [assignment.id for assignment, _ in found], because)
    ledgers = await ledgers_of(work, [order.facility_id for _, order in found])
    for assignment, order in found:
        work.record(
            PendingEntry(
                ledger_id=ledgers[order.facility_id],
                type="assignment.withdrawn",
                subject=f"work_order:{order.id}",
                occurred_at=work.now,
                data={"because": because.value, "person": assignment.staff_id},
            )
        )
    return len(found)


async def _withdrawable(
    work: Work, staff_ids: Sequence[str], not_before: date | None
) -> list[tuple[Assignment, WorkOrder]]:
    found: list[tuple[Assignment, WorkOrder]] = []
    for chunk in chunks(staff_ids):
        rows = await work.session.exec(
            select(Assignment, WorkOrder)
            .join(WorkOrder, col(WorkOrder.id) == Assignment.work_order_id)
            .where(
                col(Assignment.staff_id).in_(chunk),
                col(Assignment.withdrawn_at).is_(None),
                col(WorkOrder.state).in_(WITHDRAWABLE),
            )
            .order_by(WorkOrder.id, Assignment.id)
            # the order first, as every act on it: one that begins meanwhile keeps its people
            .with_for_update(of=(WorkOrder, Assignment), key_share=True)
            .execution_options(populate_existing=True)
        )
        found += rows.all()
    first = not_before or date.min
    return [(a, order) for a, order in found if (order.planned_on or date.max) >= first]


async def _withdraw(work: Work, ids: Sequence[str], because: WithdrawnBecause) -> None:
    for chunk in chunks(ids):
        await work.session.execute(
            update(Assignment)
            .where(col(Assignment.id).in_(chunk))
            .values(withdrawn_at=work.now, withdrawn_because=because)
        )
