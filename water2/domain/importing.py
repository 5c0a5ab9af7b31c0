"""What an import keeps about itself, so that it can be looked up and taken back."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from water2.domain.columns import id_field, json_field, reference


class ImportRun(SQLModel, table=True):
    """One file that changed something. A file that changed nothing leaves no run."""

    __tablename__ = "import_run"
    __table_args__ = (Index("ix_import_run_utility", "utility_id", "imported_at"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    kind: str = Field(max_length=40)
    file_name: str = Field(max_length=300)
    file_sha256: str = Field(max_length=64, index=True)
    imported_at: datetime
    imported_by: str = Field(max_length=32)
    accepted: int
    updated: int
    duplicate: int
    rejected: int
    refused_rows_sealed: bytes | None = None  # their cells are personal data
    taken_back_at: datetime | None = None
    taken_back_by: str | None = Field(default=None, max_length=32)


class ImportCreated(SQLModel, table=True):
    """Rows an import created in one table, many to a row."""

    __tablename__ = "import_created"

    id: str = id_field()
    import_id: str = reference("import_run")
    table_name: str = Field(max_length=60)
    ids: list[str] = json_field(default_factory=list)


class ImportChanged(SQLModel, table=True):
    """A row an import changed: the changed columns before and after, as JSON values.

    Contacts and holders' names stand here sealed, as they do in their own tables.
    """

    __tablename__ = "import_changed"
    __table_args__ = (Index("ix_import_changed_row", "row_id"),)

    id: str = id_field()
    import_id: str = reference("import_run")
    table_name: str = Field(max_length=60)
    row_id: str = Field(max_length=32)
    before: dict[str, Any] = json_field()
    after: dict[str, Any] = json_field()
