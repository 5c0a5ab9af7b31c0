"""The ledger's tables and what a use-case hands over to be appended.

The hashed bytes stand in `ledger_entry.body`; every other column is a convenience for queries and
is never hashed. All tables here are append-only (`water2.domain.guards`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from water2.domain.columns import enum_field, id_field
from water2.domain.ids import new_id

CORRECTED = "entry.corrected"
HEAD_CHANGED = "head.changed"
SETBACK_ACCEPTED = "setback.accepted"


class LedgerKind(StrEnum):
    """What a ledger is about."""

    facility = "facility"
    utility = "utility"
    rollup = "rollup"


class Ledger(SQLModel, table=True):
    """One Merkle tree. Its root follows from `frontier` and is therefore not stored."""

    __tablename__ = "ledger"
    __table_args__ = (
        sa.UniqueConstraint("utility_id", "kind", "subject_id"),
        # room on the page for the row's next versions: no index is touched when a ledger grows
        {"postgresql_with": {"fillfactor": 50}},
    )

    id: str = id_field()
    utility_id: str = Field(index=True, max_length=32)
    kind: LedgerKind = enum_field(LedgerKind)
    subject_id: str = Field(max_length=32)
    """The facility of a facility's ledger, the utility of the two others."""
    size: int = Field(default=0, sa_type=sa.BigInteger)
    frontier: bytes = Field(default=b"", sa_type=sa.LargeBinary)
    """Hashes of the perfect subtrees that make up the tree, the largest first, 32 bytes each."""


class LedgerEntry(SQLModel, table=True):
    """One entry: the exact bytes that were hashed, and the hashes they completed."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        sa.Index(
            "ix_ledger_entry_corrections",
            "ledger_id",
            "subject",
            postgresql_where=sa.text(f"type = '{CORRECTED}'"),
            sqlite_where=sa.text(f"type = '{CORRECTED}'"),
        ),
        sa.Index(
            "ix_ledger_entry_setbacks",
            "ledger_id",
            "seq",
            postgresql_where=sa.text(f"type = '{SETBACK_ACCEPTED}'"),
            sqlite_where=sa.text(f"type = '{SETBACK_ACCEPTED}'"),
        ),
    )

    # No foreign key: the guards refuse an entry without its ledger, at less cost per row.
    ledger_id: str = Field(primary_key=True, max_length=32)
    seq: int = Field(primary_key=True, sa_type=sa.BigInteger)
    body: bytes = Field(sa_type=sa.LargeBinary)
    hashes: bytes = Field(sa_type=sa.LargeBinary)
    """The leaf hash, then each perfect subtree this leaf completes, the smallest first."""

    type: str = Field(max_length=80)
    subject: str = Field(max_length=200)
    recorded_at: datetime


class LedgerCheckpoint(SQLModel, table=True):
    """A signed head of a ledger, as it was handed out."""

    __tablename__ = "ledger_checkpoint"

    ledger_id: str = Field(primary_key=True, foreign_key="ledger.id", max_length=32)
    size: int = Field(primary_key=True, sa_type=sa.BigInteger)
    root: bytes = Field(sa_type=sa.LargeBinary)
    note: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class PendingEntry:
    """An act to be appended to a ledger when its transaction commits.

    `data` holds strings, booleans, None, integers below 2⁵³, lists and objects; decimals, dates and
    instants go in as strings. `subject` is "kind:id" ("tank:9f…"), `files` are SHA-256 in hex. No
    name, telephone, address of a flat or identity number may enter any of it.
    """

    ledger_id: str
    type: str
    subject: str
    occurred_at: datetime
    data: Mapping[str, object]
    files: Sequence[str] = ()
    ref: str | None = None
    schema: int = 1


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an entry came to stand, and its leaf hash."""

    ledger_id: str
    seq: int
    leaf: bytes


def new_ledger(utility_id: str, kind: LedgerKind, subject_id: str) -> Ledger:
    """Return an empty ledger, to be added to the session of the act that founds its subject."""
    return Ledger(id=new_id(), utility_id=utility_id, kind=kind, subject_id=subject_id)
