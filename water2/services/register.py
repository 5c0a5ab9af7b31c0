"""What every edit of the register shares: its version, what it changed, its entry."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from sqlmodel import SQLModel, col, select

from water2.domain.access import Role
from water2.domain.errors import Conflict, FieldProblem, Invalid
from water2.domain.facility import Tank
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.services.rows import fetch
from water2.work import Work


async def chosen_utility(work: Work, utility_id: str | None = None) -> Utility:
    """Return the utility named, or the only one the actor sees.

    Raises:
        NotFound: the named one is not the actor's to see.
        Invalid: none is named, and the actor sees several or none.
    """
    if utility_id is not None:
        return await fetch(work, Utility, utility_id)
    if len(work.actor.utility_ids) == 1:
        return await fetch(work, Utility, work.actor.utility_ids[0])
    found = await seen_utilities(work)
    if len(found) != 1:
        raise Invalid.one("utility_id", "utility_ambiguous" if found else "utility_missing")
    return found[0]


async def seen_utilities(work: Work) -> Sequence[Utility]:
    """Return the utilities the actor sees, by id."""
    statement = select(Utility).order_by(Utility.id)
    if work.actor.role is not Role.system:
        statement = statement.where(col(Utility.id).in_(work.actor.utility_ids))
    return (await work.session.exec(statement)).all()


def require_version(row: Any, expected: int | None) -> None:
    """Refuse an edit made on an older version; `None` edits whatever stands.

    Raises:
        Conflict: somebody edited it meanwhile.
    """
    if expected is not None and row.version != expected:
        raise Conflict("version_changed", {"version": row.version, "expected": expected})


async def require_free(work: Work, table: type[SQLModel], field: str, **identity: Any) -> None:
    """Refuse an identity that is taken.

    Raises:
        Conflict: names the field and what it holds.
    """
    conditions = [getattr(table, key) == value for key, value in identity.items()]
    taken = await work.session.exec(select(table).where(*conditions).limit(1))
    if taken.first() is not None:
        raise Conflict("code_taken", {"field": field, field: identity[field]})


def apply_changes(
    row: SQLModel,
    command: BaseModel,
    *,
    private: Collection[str] = (),
    ignored: Collection[str] = (),
) -> dict[str, object]:
    """Set what a command gives on a row; return what changed, as an entry tells it.

    Of a `private` field an entry tells only that it changed: it is personal data.

    Raises:
        Invalid: a field is emptied that may not be.
    """
    changed: dict[str, object] = {}
    columns = type(row).__table__.columns  # type: ignore[attr-defined]  # SQLModel does not declare it
    for field in sorted(command.model_fields_set - set(ignored)):
        old, new = getattr(row, field), getattr(command, field)
        if new is None and not columns[field].nullable:
            raise Invalid.one(field, "missing")
        if old != new:
            setattr(row, field, new)
            told = {"old": entry_value(old), "new": entry_value(new)}
            changed[field] = "changed" if field in private else told
    return changed


def entry_value(value: Any) -> object:
    """Return a column's value as an entry may hold it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value


def entry_data(row: SQLModel, fields: Collection[str]) -> dict[str, object]:
    """Return some columns of a new row as its entry tells them; empty ones are left out."""
    values = {field: entry_value(getattr(row, field)) for field in fields}
    return {field: value for field, value in values.items() if value is not None}


def record_act(
    work: Work,
    ledger_id: str,
    type_: str,
    subject: str,
    data: Mapping[str, object],
    occurred_at: datetime | None = None,
) -> None:
    """Put an edit of the register on a ledger; it occurred now unless said otherwise."""
    work.record(
        PendingEntry(
            ledger_id=ledger_id,
            type=type_,
            subject=subject,
            occurred_at=occurred_at or work.now,
            data=data,
        )
    )


def require_order(*days: tuple[str, date | None]) -> None:
    """Refuse days that cannot be true because a later one lies before an earlier one.

    Raises:
        Invalid: names the field of each day that lies before one it must follow.
    """
    known = [(field, day) for field, day in days if day is not None]
    problems = [
        FieldProblem(later, "before_start", day.isoformat(), {"start": earlier, "on": first})
        for (earlier, first), (later, day) in pairwise(known)
        if day < first
    ]
    if problems:
        raise Invalid(problems)


def require_in_use(field: str, tank: Tank, on: date) -> None:
    """Refuse what is said to have happened at a tank before its first day in use or after its last.

    Raises:
        Invalid: names the field.
    """
    fault = out_of_use(tank.in_use_on, tank.out_of_use_on, on)
    if fault is not None:
        raise Invalid.one(field, fault[0], on, **fault[1])


def out_of_use(
    first: date | None, last: date | None, on: date
) -> tuple[str, dict[str, str]] | None:
    """Return why a tank was not in use on a day, with the facts; None where it was."""
    if first is not None and on < first:
        return "tank_not_in_use_yet", {"since": first.isoformat()}
    if last is not None and on > last:
        return "tank_out_of_use", {"until": last.isoformat()}
    return None


def require_past(field: str, day: date | None, today: date) -> None:
    """Refuse a day that tells of what happened and lies ahead.

    Raises:
        Invalid: names the field.
    """
    if day is not None and day > today:
        raise Invalid.one(field, "in_future", day.isoformat(), today=today.isoformat())
