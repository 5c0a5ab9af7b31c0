"""What an import answers: counts, refused rows, changes and flags."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from water2.rules.flags import FlagCode
from water2.services.importing.rows import Rejection


@dataclass(frozen=True, slots=True)
class Change:
    """A stored value the file changes (or would); contacts and names are masked."""

    line: int
    subject: str
    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Flag:
    """Something to look at in a row that was taken."""

    line: int
    flag: FlagCode


@dataclass
class FileReport:
    """What came of one file. `problem` is set when the file could not be taken at all.

    `accepted` counts new and updated rows alike; `import_id` is empty when nothing changed.
    """

    name: str
    kind: str | None = None
    import_id: str | None = None
    accepted: int = 0
    updated: int = 0
    duplicate: int = 0
    header: Sequence[str] = ()
    rejections: list[Rejection] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    problem: str | None = None
    facts: dict[str, object] = field(default_factory=dict)

    @property
    def rejected(self) -> int:
        """Return how many rows were refused."""
        return len(self.rejections)


@dataclass
class ImportReport:
    """What came of all files, in the order they were taken."""

    dry_run: bool
    files: list[FileReport] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        """Return how many rows were taken, new or changed."""
        return sum(file.accepted for file in self.files)

    @property
    def updated(self) -> int:
        """Return how many stored things were changed."""
        return sum(file.updated for file in self.files)

    @property
    def duplicate(self) -> int:
        """Return how many rows said what was known already."""
        return sum(file.duplicate for file in self.files)

    @property
    def rejected(self) -> int:
        """Return how many rows were refused."""
        return sum(file.rejected for file in self.files)

    @property
    def complete(self) -> bool:
        """Tell whether every file and every row was taken."""
        return not self.rejected and not any(file.problem for file in self.files)

    def rows(self) -> Iterable[dict[str, object]]:
        """Return the refused rows as design.md section 8 names their fields."""
        return (
            {
                "file": file.name,
                "line": row.line,
                "column": row.column,
                "value": row.value,
                "reason": row.reason,
            }
            for file in self.files
            for row in file.rejections
        )
