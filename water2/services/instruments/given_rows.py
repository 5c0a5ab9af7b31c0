"""Rows given to a statement that is built once: to build one costs more than to run it."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, DateTime, FromClause, String, bindparam, func
from sqlalchemy import cast as cast_sql
from sqlalchemy import select as select_columns

from water2.services.rows import on_postgresql
from water2.work import Work

_ROWS = "given_rows"


def given_rows(postgresql: bool, *names: str) -> FromClause:
    """Return a table of text columns whose rows `given` gives when the statement runs."""
    if postgresql:
        arrays = [bindparam(f"given_{name}", type_=ARRAY(String)) for name in names]
        return func.unnest(*arrays).table_valued(*names).render_derived()
    row = func.json_each(bindparam(_ROWS)).table_valued("value").c.value
    cells = (func.json_extract(row, f"$[{n}]").label(name) for n, name in enumerate(names))
    return select_columns(*cells).subquery()


def given(work: Work, **columns: Sequence[str | None]) -> dict[str, Any]:
    """Return the parameters that hold the rows, by columns of one length."""
    if on_postgresql(work):
        return {f"given_{name}": list(values) for name, values in columns.items()}
    return {_ROWS: json.dumps(list(zip(*columns.values(), strict=True)))}


def as_instant(postgresql: bool, column: Any) -> Any:
    """Return a column of such texts as `instant_text` writes as the instants they are."""
    return cast_sql(column, DateTime(timezone=True)) if postgresql else column
