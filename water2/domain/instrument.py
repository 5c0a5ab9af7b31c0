"""Online instruments (在线仪表), their calibrations, readings, and what the readings show."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from water2.domain.columns import (
    Deflated,
    enum_field,
    id_field,
    json_field,
    optional_reference,
    reference,
)
from water2.domain.water import Point
from water2.rules.flags import FlagCode

_OPEN_SIGN = text("ended_at IS NULL")
_LASTING = text("ended_at IS NULL AND withdrawn_at IS NULL")
_FAILING = text("verdict = 'fail'")


class ReadingVerdict(StrEnum):
    """What the limit of its day says of a reading; `pending`: it is not certain."""

    passed = "pass"
    failed = "fail"
    pending = "pending"
    not_judged = "not_judged"


class SignKind(StrEnum):
    """What an instrument's readings show about the instrument itself."""

    missing = "missing"
    flat = "flat"


class Instrument(SQLModel, table=True):
    """A meter that measures one parameter at one point and is read by a machine.

    `look_at` is when the watch must next ask whether readings are missing or flat; empty once it
    is removed. A healthy instrument is so looked at a few times an hour, and not written to when
    it is read.
    """

    __table_args__ = (
        UniqueConstraint("facility_id", "code"),
        Index("ix_instrument_listed", "utility_id", "code", "id"),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility", index=False)
    tank_id: str | None = optional_reference("tank", index=False)
    code: str = Field(max_length=60)
    parameter: str = Field(max_length=40)
    point: Point = enum_field(Point)
    unit: str | None = Field(default=None, max_length=40)
    interval_seconds: int
    installed_on: date
    removed_on: date | None = None
    removal_reason: str | None = Field(default=None, max_length=500)
    look_at: datetime | None = Field(default=None, index=True)
    version: int = 1


class InstrumentRegister(SQLModel, table=True):
    """A random stamp of a utility's instruments: another one after every act on what judges them.

    That is the register itself, a facility's disinfectant, and the values the utility sets.
    """

    __tablename__ = "instrument_register"

    utility_id: str = Field(foreign_key="utility.id", primary_key=True, max_length=32)
    stamp: str = Field(max_length=32)


class InstrumentCalibration(SQLModel, table=True):
    """A calibration (检定或校准), valid from its day to `valid_to`, both included."""

    __tablename__ = "instrument_calibration"
    __table_args__ = (UniqueConstraint("instrument_id", "certificate_number"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    instrument_id: str = reference("instrument", index=False)
    calibrated_on: date
    valid_to: date
    certificate_number: str = Field(max_length=60)
    calibrated_by: str | None = Field(default=None, max_length=200)
    recorded_at: datetime


class Reading(SQLModel, table=True):
    """What an instrument showed at an instant: never changed, never overwritten.

    `value` is the decimal without idle zeros, `raw` the text as it came. The key is the whole
    table, ordered as it is asked for; it refers to its instrument and batch without foreign keys,
    which would be looked up for each of a million rows a day. Neither is ever deleted.
    """

    __table_args__ = (
        Index(
            "ix_reading_failing",
            "taken_at",
            "instrument_id",
            sqlite_where=_FAILING,
            postgresql_where=_FAILING,
        ),
        {"sqlite_with_rowid": False},
    )

    instrument_id: str = Field(max_length=32, primary_key=True)
    taken_at: datetime = Field(primary_key=True)
    raw: str = Field(max_length=100)
    value: str | None = Field(default=None, max_length=100)
    censored: str | None = Field(default=None, max_length=1)  # "<" or ">"
    verdict: ReadingVerdict = enum_field(ReadingVerdict)
    flags: list[FlagCode] = json_field(default_factory=list)
    batch_id: str = Field(max_length=32)
    received_at: datetime


class ReadingBatch(SQLModel, table=True):
    """The readings of one utility in one request as canonical JSON: its entry holds their hash.

    The entry is on the facility's ledger where all are of one, and else on the utility's.
    """

    __tablename__ = "reading_batch"
    __table_args__ = (Index("ix_reading_batch_listed", "utility_id", "received_at", "id"),)

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str | None = optional_reference("facility", index=False)
    received_at: datetime
    readings: int
    body: bytes = Field(sa_type=Deflated)
    body_sha256: str = Field(max_length=64)


class Excursion(SQLModel, table=True):
    """A time for which readings were out of limit without a break, long enough to count.

    `ended_at` is the instant of the first reading after it, or of its last one where the
    instrument was removed. `withdrawn_at`: readings that came
    late show that it was none, or a part of another one; an anomaly it opened stays.
    """

    __table_args__ = (
        Index("ix_excursion_instrument", "instrument_id", "last_at"),
        Index("ix_excursion_listed", "utility_id", "began_at", "id"),
        Index(
            "ix_excursion_lasting",
            "utility_id",
            sqlite_where=_LASTING,
            postgresql_where=_LASTING,
        ),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    facility_id: str = reference("facility", index=False)
    instrument_id: str = reference("instrument", index=False)
    began_at: datetime
    last_at: datetime
    ended_at: datetime | None = None
    peak: str | None = Field(default=None, max_length=100)
    limit: str | None = Field(default=None, max_length=60)
    flags: list[FlagCode] = json_field(default_factory=list)
    anomaly_id: str | None = optional_reference("anomaly")
    noticed_at: datetime
    withdrawn_at: datetime | None = None


class InstrumentSign(SQLModel, table=True):
    """A time for which an instrument sent nothing, or the same value over and over."""

    __tablename__ = "instrument_sign"
    __table_args__ = (
        Index(
            "uq_instrument_sign_open",
            "instrument_id",
            "kind",
            unique=True,
            sqlite_where=_OPEN_SIGN,
            postgresql_where=_OPEN_SIGN,
        ),
    )

    id: str = id_field()
    utility_id: str = reference("utility", index=False)
    instrument_id: str = reference("instrument")
    kind: SignKind = enum_field(SignKind)
    began_at: datetime
    noticed_at: datetime
    ended_at: datetime | None = None
