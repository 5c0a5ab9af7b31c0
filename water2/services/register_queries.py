"""Reading the register: lists by code, a page at a time, of what the actor may see."""

from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import or_
from sqlmodel import SQLModel, col, select

from water2.domain.access import Action
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.services.paging import Page, PageAsked, read_page
from water2.services.rows import fetch
from water2.work import Work

Row = TypeVar("Row", bound=SQLModel)


async def list_rows(
    work: Work,
    table: type[Row],
    filters: Mapping[str, object],
    asked: PageAsked,
    *,
    newest_by: str | None = None,
) -> Page[Row]:
    """Return a page of one table of the actor's utilities, or of one of them.

    `filters` hold equal values by column; None does not narrow, except in columns that end in
    `_on`, where True means filled and False means empty. In the order of code or name, or the
    newest first by an instant.

    Raises:
        NotFound: the utility is not the actor's to see.
    """
    work.require(Action.read)
    wanted = asked.utility
    seen = [(await fetch(work, Utility, wanted)).id] if wanted else work.actor.utility_ids
    statement = select(table).where(getattr(table, "utility_id").in_(seen))  # noqa: B009 - any table
    for field, value in filters.items():
        if value is not None:
            statement = statement.where(_narrowed(getattr(table, field), field, value))
    order = newest_by or ("code" if hasattr(table, "code") else "name")
    keys = [getattr(table, order), getattr(table, "id")]  # noqa: B009 - any table
    descending = newest_by is not None
    return await read_page(work, statement, keys, asked.limit, asked.cursor, descending=descending)


def _narrowed(column: Any, field: str, value: object) -> Any:
    if field.endswith("_on") and isinstance(value, bool):
        return column.is_not(None) if value else column.is_(None)
    return column == value


async def facility_by(work: Work, id_or_code: str) -> Facility:
    """Return a facility the actor sees by its id or its code.

    Raises:
        NotFound: no such facility, or another utility's.
    """
    statement = select(Facility).where(
        or_(col(Facility.id) == id_or_code, col(Facility.code) == id_or_code),
        col(Facility.utility_id).in_(work.actor.utility_ids),
    )
    found = (await work.session.exec(statement.limit(1))).first()
    return found or await fetch(work, Facility, id_or_code)
