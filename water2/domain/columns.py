"""Column types that behave alike on SQLite and PostgreSQL."""

import zlib
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from water2.domain.ids import new_id

# Named constraints: batch migrations on SQLite find them by name.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class ExactDecimal(sa.types.TypeDecorator[Decimal]):
    """A decimal kept exactly: NUMERIC on PostgreSQL, a scaled 64-bit integer on SQLite.

    SQLite's own NUMERIC is a float. At most 18 digits in all.
    """

    impl = sa.Numeric
    cache_ok = True

    def __init__(self, precision: int = 18, scale: int = 6) -> None:
        super().__init__(precision, scale)
        self.precision, self.scale = precision, scale

    def load_dialect_impl(self, dialect: sa.Dialect) -> Any:
        """Choose the dialect's type."""
        exact = (
            sa.BigInteger() if dialect.name == "sqlite" else sa.Numeric(self.precision, self.scale)
        )
        return dialect.type_descriptor(cast("Any", exact))

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> Any:
        """Round to the scale and write."""
        if value is None:
            return None
        rounded = Decimal(value).quantize(Decimal(1).scaleb(-self.scale))
        return int(rounded.scaleb(self.scale)) if dialect.name == "sqlite" else rounded

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Decimal | None:
        """Read back exactly."""
        if value is None or dialect.name != "sqlite":
            return cast("Decimal | None", value)
        return Decimal(int(value)).scaleb(-self.scale)


def deflated(content: bytes) -> bytes:
    """Return bytes as a `Deflated` column holds them, for a statement that goes past the types."""
    return zlib.compress(content, level=1)


class Deflated(sa.types.TypeDecorator[bytes]):
    """Bytes kept deflated (RFC 1950): a third of the space, and as little to write."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, _dialect: sa.Dialect) -> bytes | None:
        """Deflate."""
        return None if value is None else deflated(value)

    def process_result_value(self, value: bytes | None, _dialect: sa.Dialect) -> bytes | None:
        """Inflate."""
        return None if value is None else zlib.decompress(value)


def id_field() -> Any:
    """Return the primary key every table but the ledger's entries has."""
    return Field(default_factory=new_id, primary_key=True, max_length=32)


def reference(table: str, *, index: bool = True) -> Any:
    """Return a required reference to another table's row."""
    return Field(foreign_key=f"{table}.id", index=index, max_length=32)


def optional_reference(table: str, *, index: bool = True) -> Any:
    """Return a reference that may be empty."""
    return Field(default=None, foreign_key=f"{table}.id", index=index, max_length=32)


def enum_field(members: type[StrEnum], *, default: Any = ..., index: bool = False) -> Any:
    """Return a column that stores an enum's values (not its member names) as text."""
    kind = sa.Enum(
        members, native_enum=False, length=40, values_callable=lambda e: [m.value for m in e]
    )
    if default is ...:
        return Field(sa_type=cast("Any", kind), index=index)
    return Field(default=default, sa_type=cast("Any", kind), index=index)


def json_field(default_factory: Any = dict) -> Any:
    """Return a JSON column (JSONB on PostgreSQL). Replace its value, never change it in place."""
    kind = sa.JSON().with_variant(JSONB(), "postgresql")
    return Field(default_factory=default_factory, sa_type=cast("Any", kind))


def decimal_field(precision: int = 18, scale: int = 6) -> Any:
    """Return an optional exact decimal column."""
    return Field(default=None, sa_type=cast("Any", ExactDecimal(precision, scale)))
