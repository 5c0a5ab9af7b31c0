"""What anybody may see of outages, as values: the seam between public queries and their edges."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PublicNotice:
    """One published revision. `kind` is a NoticeKind's value; texts are in Chinese and English.

    `buildings` are the codes of its own extent, empty: the whole estate.
    """

    number: str
    revision: int
    kind: str
    published_at: datetime
    starts_at: datetime
    ends_at: datetime | None
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    text_sha256: str
    buildings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicEstate:
    """A facility as its residents know it: the estate it supplies. `phone` is the hotline."""

    id: str
    code: str
    name: str
    address: str | None
    district: str | None
    utility: str
    timezone: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class PublicOutage:
    """One published outage with all its revisions, the first first; nothing of who lives where.

    `kind`, `state`, `reason` are the enums' values. `buildings` are codes, empty: the whole estate.
    Instants are UTC; `timezone` is the utility's zone (days are shown in it).
    """

    number: str
    utility: str
    timezone: str
    facility_id: str
    facility: str
    address: str | None
    district: str | None
    kind: str
    state: str
    reason: str
    buildings: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime | None
    started_at: datetime | None
    restored_at: datetime | None
    cancelled_at: datetime | None
    updated_at: datetime
    latitude: str | None
    longitude: str | None
    phone: str | None
    notices: tuple[PublicNotice, ...]

    @property
    def latest(self) -> PublicNotice:
        """Return the last revision."""
        return self.notices[-1]
