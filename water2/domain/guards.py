"""What the database itself refuses, as DDL for the migrations.

The guards stop accidents, and on PostgreSQL an application that is not the owner of the tables; the
tree shows the rest. Batch migrations on SQLite drop a table's triggers: they must call
`guard_statements` again.
"""

from water2.domain.guards_postgresql import DROP as _DROP_POSTGRESQL
from water2.domain.guards_postgresql import GUARDS as _POSTGRESQL
from water2.domain.guards_postgresql import role_statements
from water2.domain.guards_sqlite import DROP as _DROP_SQLITE
from water2.domain.guards_sqlite import GUARDS as _SQLITE

__all__ = ["drop_statements", "guard_statements", "role_statements"]


def guard_statements(dialect: str) -> list[str]:
    """Return the DDL that guards the ledger's tables, in order, on `sqlite` or `postgresql`."""
    return list({"sqlite": _SQLITE, "postgresql": _POSTGRESQL}[dialect])


def drop_statements(dialect: str) -> list[str]:
    """Return the DDL that takes the guards away again."""
    return list({"sqlite": _DROP_SQLITE, "postgresql": _DROP_POSTGRESQL}[dialect])
