"""The register of online instruments and their calibrations."""

from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Name, Text
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility, Tank
from water2.domain.instrument import Instrument, InstrumentCalibration
from water2.domain.water import Point
from water2.rules.book import Rulebook
from water2.rules.online import measurable, unit_fits
from water2.services.instants import start_of_day
from water2.services.instruments.calibrated import judge_by_calibration
from water2.services.instruments.excursions import end_at_removal
from water2.services.instruments.stamps import stamp_register
from water2.services.register import (
    apply_changes,
    entry_data,
    record_act,
    require_free,
    require_order,
    require_past,
    require_version,
)
from water2.services.rows import fetch, utility_of
from water2.services.rulebooks import book_of
from water2.services.tanks import open_facility
from water2.work import Work

Seconds = Annotated[int, Field(strict=True, ge=1, le=86_400)]
Unit = Annotated[str, StringConstraints(max_length=40)]
_TOLD = (
    "code",
    "tank_id",
    "parameter",
    "point",
    "unit",
    "interval_seconds",
    "installed_on",
)


class RegisterInstrument(Command):
    """An online instrument; `interval_seconds` is how often a reading is expected."""

    facility_id: str
    code: Code
    parameter: str = Field(max_length=40, examples=["turbidity"])
    point: Point
    interval_seconds: Seconds
    installed_on: Day
    tank_id: str | None = None
    unit: Unit | None = None


class EditInstrument(Command):
    """What may change on an instrument: not what it measures, nor where; that is another one."""

    interval_seconds: Seconds | None = None
    installed_on: Day | None = None


class RemoveInstrument(Command):
    """The last day it measures."""

    on: Day
    reason: Text | None = None


class AddCalibration(Command):
    """A calibration certificate; both days count."""

    calibrated_on: Day
    valid_to: Day
    certificate_number: Code
    calibrated_by: Name | None = None


async def register_instrument(work: Work, command: RegisterInstrument) -> Instrument:
    """Enter an instrument; from now on readings are expected of it.

    Raises:
        Invalid: no such parameter, one that is not measured as a number, a unit that does not fit,
            a tank of another facility, a first day ahead.
        Conflict: the facility has an instrument of that code, or is out of use.
    """
    work.require(Action.keep_register)
    facility = await open_facility(work, command.facility_id)
    utility = await utility_of(work, facility)
    require_past("installed_on", command.installed_on, work.today(utility.timezone))
    unit = _unit(await book_of(work, utility), command)
    await _require_tank(work, facility, command.tank_id)
    await require_free(work, Instrument, "code", facility_id=facility.id, code=command.code)
    begins = start_of_day(command.installed_on, utility.timezone)
    instrument = Instrument(
        **command.model_dump(exclude={"unit"}),
        unit=unit,
        utility_id=utility.id,
        look_at=max(begins, work.now),
    )
    work.session.add(instrument)
    told = entry_data(instrument, _TOLD)
    await _record(work, facility, instrument, "instrument.registered", told)
    return instrument


def _unit(book: Rulebook, command: RegisterInstrument) -> str | None:
    parameter = book.parameters.get(command.parameter)
    if parameter is None:
        raise Invalid.one("parameter", "unknown_parameter", command.parameter)
    if not measurable(parameter):
        raise Invalid.one("parameter", "not_measured_online", command.parameter)
    if command.unit is not None and not unit_fits(parameter.unit, command.unit):
        raise Invalid.one("unit", "unit_differs", command.unit, wanted=parameter.unit or "—")
    return parameter.unit


async def _require_tank(work: Work, facility: Facility, tank_id: str | None) -> None:
    if tank_id is None:
        return
    tank = await fetch(work, Tank, tank_id)
    if tank.facility_id != facility.id:
        raise Invalid.one("tank_id", "unknown_tank", tank_id, facility=facility.code)


async def edit_instrument(
    work: Work, id_: str, command: EditInstrument, version: int | None
) -> Instrument:
    """Change how often it is read, or correct its first day.

    Raises:
        Invalid: the first day lies ahead, or after its last.
        Conflict: edited meanwhile.
    """
    work.require(Action.keep_register)
    facility, instrument = await hold_instrument(work, id_)
    require_version(instrument, version)
    changed = apply_changes(instrument, command)
    utility = await utility_of(work, facility)
    require_past("installed_on", instrument.installed_on, work.today(utility.timezone))
    last = instrument.removed_on
    require_order(("installed_on", instrument.installed_on), ("removed_on", last))
    instrument.version += 1
    if instrument.removed_on is None:
        instrument.look_at = work.now
    await _record(work, facility, instrument, "instrument.updated", {"changed": changed})
    return instrument


async def remove_instrument(work: Work, id_: str, command: RemoveInstrument) -> Instrument:
    """Take an instrument out of use; its readings stay, later ones are refused.

    What it read bad to the last ends with it.

    Raises:
        Conflict: it is removed already.
    """
    work.require(Action.keep_register)
    facility, instrument = await hold_instrument(work, id_)
    if instrument.removed_on is not None:
        raise Conflict("instrument_removed", {"on": instrument.removed_on.isoformat()})
    utility = await utility_of(work, facility)
    require_past("on", command.on, work.today(utility.timezone))
    require_order(("installed_on", instrument.installed_on), ("on", command.on))
    instrument.removed_on, instrument.removal_reason = command.on, command.reason
    instrument.look_at = work.now  # the watch ends its signs
    instrument.version += 1
    told: dict[str, object] = {
        "on": command.on.isoformat(),
        "reason_given": command.reason is not None,
    }
    await _record(work, facility, instrument, "instrument.removed", told)
    await end_at_removal(work, instrument)
    return instrument


async def add_calibration(work: Work, id_: str, command: AddCalibration) -> InstrumentCalibration:
    """Enter a calibration; what was flagged for want of it is judged anew.

    Raises:
        Invalid: its days are out of order, or it lies ahead.
        Conflict: the instrument has a certificate of that number.
    """
    work.require(Action.keep_register)
    facility, instrument = await hold_instrument(work, id_)
    utility = await utility_of(work, facility)
    require_past("calibrated_on", command.calibrated_on, work.today(utility.timezone))
    require_order(("calibrated_on", command.calibrated_on), ("valid_to", command.valid_to))
    number = command.certificate_number
    field = "certificate_number"
    await require_free(
        work, InstrumentCalibration, field, instrument_id=instrument.id, certificate_number=number
    )
    calibration = InstrumentCalibration(
        **command.model_dump(),
        utility_id=utility.id,
        instrument_id=instrument.id,
        recorded_at=work.now,
    )
    work.session.add(calibration)
    told = entry_data(calibration, ("calibrated_on", "valid_to", "certificate_number"))
    told["calibration"] = calibration.id
    await _record(work, facility, instrument, "instrument.calibrated", told)
    await judge_by_calibration(work, instrument, calibration)
    return calibration


async def hold_instrument(work: Work, id_: str) -> tuple[Facility, Instrument]:
    """Return an instrument and its facility, both locked, the facility first."""
    seen = await fetch(work, Instrument, id_)
    facility = await fetch(work, Facility, seen.facility_id, lock=True)
    return facility, await fetch(work, Instrument, id_, lock=True)


async def calibrations_of(work: Work, instrument: Instrument) -> list[InstrumentCalibration]:
    """Return an instrument's calibrations, the latest first."""
    rows = await work.session.exec(
        select(InstrumentCalibration)
        .where(InstrumentCalibration.instrument_id == instrument.id)
        .order_by(col(InstrumentCalibration.calibrated_on).desc(), InstrumentCalibration.id)
    )
    return list(rows)


async def _record(
    work: Work, facility: Facility, instrument: Instrument, type_: str, data: dict[str, object]
) -> None:
    await stamp_register(work, instrument.utility_id)
    record_act(work, facility.ledger_id, type_, f"instrument:{instrument.id}", data)
