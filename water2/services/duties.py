"""Duties derived from facts: the same chain whatever the order in which the facts arrived."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, update
from sqlmodel import col, select

from water2.domain.duty import Duty, EndReason
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.domain.waking import Watch, first_wake
from water2.rules.cadence import Link, chain
from water2.rules.calendar import period_keys
from water2.rules.obligation import Obligation
from water2.services.duty_histories import History, read_histories
from water2.services.rows import chunks
from water2.services.rulebooks import OwnRules, rules_of
from water2.services.subjects import (
    Subject,
    subject_utility,
    subjects_of_facilities,
    subjects_of_staff,
)
from water2.services.testing_subjects import TESTS_SATISFY, subjects_of_testing
from water2.work import Work

DUTIES: Any = Duty.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it


@dataclass(frozen=True)
class Derivation:
    """What a derivation stands on: the utility, its rules, today."""

    utility: Utility
    rules: OwnRules
    today: date


async def rederive(
    work: Work,
    utility: Utility,
    *,
    facility_ids: Sequence[str] = (),
    staff_ids: Sequence[str] = (),
    itself: bool = False,
    evidence: Collection[str] | None = None,
) -> None:
    """Derive the duties of facilities (with all their tanks) and of people anew from all facts.

    `itself`: and those of the utility.

    Call it in the act that changed a fact, after flushing the change. Repeating it changes nothing.
    `evidence` names the kinds of it that changed (keys of `LOADERS`), where no day of use, end or
    value of the rulebook did: only the duties they satisfy are looked at.
    """
    await work.session.flush()
    today = work.today(utility.timezone)
    on = Derivation(utility, await rules_of(work, utility), today)
    book = on.rules.on(today)
    # the utility first, as an import holds it, and people before places, as a plan holds them: none
    # waits for another in a circle
    subjects = [await subject_utility(work, utility)] if itself else []
    subjects += await subjects_of_staff(work, staff_ids)
    places = await subjects_of_facilities(work, book, facility_ids)
    subjects += places
    if evidence is None or TESTS_SATISFY.intersection(evidence):
        subjects += await subjects_of_testing(work, utility, facility_ids, places)
    for obligation in book.obligations_on(today):
        concerned = [s for s in subjects if s.may_bear(obligation.subject)]
        touched = evidence is None or obligation.evidence in evidence
        if concerned and touched and obligation.evidence and obligation.cadence:
            await _rederive_obligation(work, on, obligation, concerned)


async def _rederive_obligation(
    work: Work, on: Derivation, obligation: Obligation, subjects: Sequence[Subject]
) -> None:
    ids = [subject.id for subject in subjects]
    histories = await read_histories(work, on.rules.editions(obligation.id, on.today), ids)
    stored = await _stored(work, obligation.id, ids)
    changes = _Changes()
    for subject in subjects:
        links = stored.get(subject.id, {})
        if subject.runs_from is not None and subject.bears(obligation.subject):
            changes.compare(links, _wanted(on, obligation, subject, histories))
        else:
            changes.end(links, on.today, subject.why_none)
    await changes.write(work)


async def _stored(
    work: Work, obligation: str, ids: Sequence[str]
) -> dict[str, dict[int, Mapping[str, Any]]]:
    """Return the duties on record as subject → ordinal → columns."""
    found: dict[str, dict[int, Mapping[str, Any]]] = defaultdict(dict)
    table = DUTIES
    for chunk in chunks(ids):
        rows = await work.session.execute(
            select(table).where(col(Duty.obligation) == obligation, col(Duty.subject_id).in_(chunk))
        )
        for row in rows.mappings():
            found[row["subject_id"]][row["ordinal"]] = row
    return found


def _wanted(
    on: Derivation, obligation: Obligation, subject: Subject, histories: Sequence[History]
) -> list[dict[str, Any]]:
    """Return the columns of all links a subject's chain should have."""
    if subject.runs_from is None:
        return []
    eras = [history.era(subject.id, subject.runs_from, subject.cadence) for history in histories]
    done = [act.on for era in eras for act in era.evidences]
    periods = sorted(period_keys(done, obligation.period)) if obligation.period else []
    links = chain(eras, subject.runs_from, on.today)
    return [_columns(on, obligation, subject, link, periods) for link in links]


def _columns(
    on: Derivation,
    obligation: Obligation,
    subject: Subject,
    link: Link,
    periods: list[str],
) -> dict[str, Any]:
    opens_on = link.due_on - timedelta(days=obligation.opens_ahead_days)
    unsatisfied = link.satisfied_on is None
    ended = subject.ends_on if unsatisfied else None
    watch = Watch(link.due_on, opens_on, on.utility.first_day_on)
    awake = unsatisfied and ended is None
    return {
        "utility_id": on.utility.id,
        "obligation": obligation.id,
        "subject_type": subject.type,
        "subject_id": subject.id,
        "facility_id": subject.facility_id,
        "ordinal": link.ordinal,
        "due_on": link.due_on,
        "opens_on": opens_on,
        "runs_from": subject.runs_from,
        "satisfied_on": link.satisfied_on,
        "satisfied_by": link.satisfied_by,
        "ended_on": ended,
        "end_reason": subject.end_reason if ended else None,
        "covered_periods": periods if unsatisfied else [],
        "wake_on": first_wake(watch, obligation, on.today) if awake else None,
    }


class _Changes:
    """The difference between the duties on record and those wanted, written set-wise."""

    def __init__(self) -> None:
        self.new: list[dict[str, Any]] = []
        self.changed: dict[str, dict[str, Any]] = {}
        self.gone: list[str] = []

    def compare(
        self, stored: Mapping[int, Mapping[str, Any]], wanted: Iterable[dict[str, Any]]
    ) -> None:
        """Note what has to change in one subject's chain."""
        ordinals = set()
        for columns in wanted:
            ordinals.add(columns["ordinal"])
            row = stored.get(columns["ordinal"])
            if row is None:
                self.new.append({"id": new_id(), "opened_at": None, **columns})
            elif difference := _difference(row, columns):
                self.changed[row["id"]] = difference
        self.gone += [row["id"] for ordinal, row in stored.items() if ordinal not in ordinals]

    def end(self, stored: Mapping[int, Mapping[str, Any]], on: date, reason: EndReason) -> None:
        """Note that nothing is demanded of a subject any more; what it did stays."""
        for row in stored.values():
            if row["satisfied_on"] is None and row["ended_on"] is None:
                self.changed[row["id"]] = {"ended_on": on, "end_reason": reason, "wake_on": None}

    async def write(self, work: Work) -> None:
        """Write it; what is no longer unsatisfied goes first, to make room under the unique key."""
        for chunk in chunks(self.gone):
            await work.session.execute(delete(Duty).where(col(Duty.id).in_(chunk)))
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
        for id_, difference in self.changed.items():
            by_columns[tuple(sorted(difference))].append({"row_id": id_, **difference})
        for names in sorted(by_columns, key=lambda names: "satisfied_on" not in names):
            statement = update(DUTIES).where(DUTIES.c.id == bindparam("row_id"))
            await work.session.execute(
                statement.values({name: bindparam(name) for name in names}),
                # a satisfied link makes room for the unsatisfied one that follows it
                sorted(by_columns[names], key=lambda row: row.get("satisfied_on") is None),
            )
        for rows in chunks(self.new):
            # the table, not the class: the ORM would send rows with other empty columns one by one
            await work.session.execute(insert(DUTIES), list(rows))


_DATES = {"due_on", "opens_on", "satisfied_on", "ended_on"}


def _difference(row: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that differ; the sweep's own marks stay while the dates do."""
    changed = {key: value for key, value in wanted.items() if row[key] != value}
    if not _DATES & set(changed):
        changed.pop("wake_on", None)
    if "due_on" in changed or ("satisfied_on" in changed and wanted["satisfied_on"] is None):
        changed["opened_at"] = None  # another day, or owed again: it opens, and reminds, anew
    return changed
