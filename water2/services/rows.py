"""Small things every set-wise statement needs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Executable
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel, col, select

from water2.domain.errors import NotFound
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.work import Work

T = TypeVar("T")
Row = TypeVar("Row", bound=SQLModel)

CHUNK = 5000  # ids in one IN list; both databases take at least 32,000 parameters


def chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    """Cut a list into pieces short enough for one statement."""
    return (items[i : i + CHUNK] for i in range(0, len(items), CHUNK))


def insert_or_pass(work: Work, table: type[SQLModel], values: Mapping[str, Any]) -> Executable:
    """Return an INSERT that passes over a row whose unique key is taken."""
    postgres = work.session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if postgres else sqlite.insert
    return insert(table).values(**values).on_conflict_do_nothing()


async def ledgers_of(work: Work, facility_ids: Sequence[str]) -> dict[str, str]:
    """Return the ledgers of facilities."""
    rows = await work.session.exec(
        select(Facility.id, Facility.ledger_id).where(
            col(Facility.id).in_(sorted(set(facility_ids)))
        )
    )
    return dict(rows.all())


async def fetch(work: Work, table: type[Row], id_: str, *, lock: bool = False) -> Row:
    """Return a row of a utility the actor sees; `lock` holds it until the act ends.

    Raises:
        NotFound: no such row, or another utility's: an outsider learns nothing.
    """
    statement = select(table).where(table.id == id_)  # type: ignore[attr-defined]  # all have an id
    found = (await work.session.exec(statement.with_for_update() if lock else statement)).first()
    utility_id = getattr(found, "utility_id", getattr(found, "id", None))
    if found is None or not work.actor.sees(str(utility_id)):
        raise NotFound(str(table.__tablename__), id_)
    return found


async def utility_of(work: Work, row: Any) -> Utility:
    """Return the utility a row belongs to."""
    return await fetch(work, Utility, row.utility_id)
