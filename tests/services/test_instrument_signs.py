"""Signs of instruments begin once and end once; a watch with none due costs one look."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from tests.builders import a_facility
from tests.instruments import MINUTE, NOW, an_instrument, rows, sent
from tests.ledgers import entries_of
from water2.domain.errors import Conflict, Invalid, NotPermitted
from water2.domain.instrument import InstrumentSign, SignKind
from water2.rules.flags import FlagCode
from water2.services.instruments.queries import shown_of
from water2.services.instruments.register import (
    EditInstrument,
    RegisterInstrument,
    RemoveInstrument,
    edit_instrument,
    register_instrument,
    remove_instrument,
)
from water2.services.instruments.signs import watch_instruments
from water2.services.watch import keep_watch

HOUR = timedelta(hours=1)


@pytest.fixture
async def place(lishui):
    async with lishui.runtime.work() as work:
        return await a_facility(work, lishui.utility)


@pytest.fixture
async def meter(lishui, place):
    return await an_instrument(lishui, place, installed_on=date(2026, 11, 23))


async def signs(lishui) -> list[InstrumentSign]:
    async with lishui.runtime.read() as work:
        return list(await work.session.exec(select(InstrumentSign)))


async def told(lishui, place) -> list[tuple[str, str]]:
    entries = [json.loads(one) for one in await entries_of(lishui.runtime, place.ledger_id)]
    return [
        (one["type"], one["data"]["sign"])
        for one in entries
        if one["type"].startswith("instrument.sign")
    ]


async def flags(lishui, meter) -> list[FlagCode]:
    async with lishui.runtime.read(lishui.manager) as work:
        return (await shown_of(work, [meter]))[meter.id].flags


async def test_missing_readings_are_told_once_and_once_when_they_come_again(
    lishui, place, meter, clock
):
    await sent(lishui, rows(meter, NOW - 10 * MINUTE, ["0.3", "0.4"] * 5))
    assert await watch_instruments(lishui.runtime) == 0
    clock.set(NOW + 4 * MINUTE)
    assert await watch_instruments(lishui.runtime) == 0
    clock.set(NOW + 5 * MINUTE)
    assert (await keep_watch(lishui.runtime)).signs == 1
    for minutes in (5, 6, 20):
        clock.set(NOW + minutes * MINUTE)
        assert await watch_instruments(lishui.runtime) == 0
    (sign,) = await signs(lishui)
    assert (sign.kind, sign.began_at, sign.ended_at) == (SignKind.missing, NOW - MINUTE, None)
    assert await flags(lishui, meter) == [FlagCode.readings_missing]
    await sent(lishui, rows(meter, NOW + 19 * MINUTE, ["0.3"]))
    (sign,) = await signs(lishui)
    assert sign.ended_at == NOW + 19 * MINUTE
    assert await flags(lishui, meter) == []
    assert await told(lishui, place) == [
        ("instrument.sign_began", "missing"),
        ("instrument.sign_ended", "missing"),
    ]


async def test_late_readings_alone_do_not_end_it(lishui, meter, clock):
    clock.set(NOW + HOUR)
    assert await watch_instruments(lishui.runtime) == 1
    await sent(lishui, rows(meter, NOW, ["0.3"]))
    assert [one.ended_at for one in await signs(lishui)] == [None]


async def test_an_instrument_that_never_sent_is_missing_since_it_was_installed(lishui, meter):
    assert await watch_instruments(lishui.runtime) == 1
    (sign,) = await signs(lishui)
    assert sign.began_at == NOW - 9 * HOUR  # midnight in Lishui


async def test_a_flat_line_is_told_once_and_ends_when_it_moves(lishui, place, meter, clock):
    clock.set(NOW + 359 * MINUTE)
    await sent(lishui, rows(meter, NOW - MINUTE, ["0.31", *["0.3", "0.30"] * 180]))
    assert await watch_instruments(lishui.runtime) == 0  # one minute short of six hours
    clock.set(NOW + 368 * MINUTE)
    await sent(lishui, rows(meter, NOW + 360 * MINUTE, ["0.3"] * 9))
    assert await watch_instruments(lishui.runtime) == 1
    (sign,) = await signs(lishui)
    assert (sign.kind, sign.began_at) == (SignKind.flat, NOW)
    assert await flags(lishui, meter) == [FlagCode.flat_line]
    clock.set(NOW + 370 * MINUTE)
    await sent(lishui, rows(meter, NOW + 370 * MINUTE, ["0.32"]))
    assert [one.ended_at for one in await signs(lishui)] == [NOW + 370 * MINUTE]
    assert await told(lishui, place) == [
        ("instrument.sign_began", "flat"),
        ("instrument.sign_ended", "flat"),
    ]


async def test_what_may_stand_still_is_never_flat(lishui, place, clock):
    meter = await an_instrument(lishui, place, parameter="nitrate_n")
    await sent(lishui, rows(meter, NOW - 7 * HOUR, ["3"] * 420))
    clock.set(NOW + 4 * MINUTE)
    assert await watch_instruments(lishui.runtime) == 0


async def test_a_watch_with_nothing_due_asks_once(lishui, meter, clock):
    await sent(lishui, rows(meter, NOW - MINUTE, ["0.3"]))
    await watch_instruments(lishui.runtime)
    asked = []
    engine = lishui.runtime.database.reader.sync_engine
    listener = lambda *given: asked.append(given[2])  # noqa: E731 - removed below
    event.listen(engine, "before_cursor_execute", listener)
    assert await watch_instruments(lishui.runtime) == 0
    event.remove(engine, "before_cursor_execute", listener)
    assert len([one for one in asked if one.startswith("SELECT")]) == 1


async def test_a_removed_instrument_takes_no_later_readings_and_loses_its_signs(
    lishui, meter, clock
):
    assert await watch_instruments(lishui.runtime) == 1
    async with lishui.runtime.work(lishui.manager) as work:
        await remove_instrument(work, meter.id, RemoveInstrument(on=date(2026, 11, 23)))
    clock.set(NOW + 24 * HOUR)
    assert await watch_instruments(lishui.runtime) == 1
    assert [one.ended_at is not None for one in await signs(lishui)] == [True]
    done = await sent(lishui, rows(meter, NOW + 23 * HOUR, ["0.3"]))
    assert [row.reason for row in done.refused] == ["after_removal"]
    assert await watch_instruments(lishui.runtime) == 0
    async with lishui.runtime.work(lishui.manager) as work:
        with pytest.raises(Conflict):
            await remove_instrument(work, meter.id, RemoveInstrument(on=date(2026, 11, 23)))


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        pytest.param({"parameter": "nobody"}, "parameter", "unknown_parameter", id="parameter"),
        pytest.param({"parameter": "e_coli"}, "parameter", "not_measured_online", id="a culture"),
        pytest.param({"unit": "mg/L"}, "unit", "unit_differs", id="unit"),
        pytest.param({"installed_on": "2026-11-24"}, "installed_on", "in_future", id="tomorrow"),
    ],
)
async def test_an_instrument_that_cannot_be_is_refused(lishui, place, changes, field, code):
    given = {
        "facility_id": place.id,
        "code": "X",
        "parameter": "turbidity",
        "point": "outlet",
        "interval_seconds": 60,
        "installed_on": "2026-01-01",
    }
    command = RegisterInstrument.model_validate(given | changes)
    async with lishui.runtime.work(lishui.manager) as work:
        with pytest.raises(Invalid) as refused:
            await register_instrument(work, command)
    assert [(one.field, one.code) for one in refused.value.problems] == [(field, code)]


async def test_a_code_is_one_instruments_of_a_facility(lishui, place, meter):
    with pytest.raises(Conflict):
        await an_instrument(lishui, place, meter.code)
    async with lishui.runtime.work() as work:
        other = await a_facility(work, lishui.utility, "BY-002")
    await an_instrument(lishui, other, meter.code)


async def test_the_register_is_the_managers(lishui, meter):
    async with lishui.runtime.work(lishui.crew) as work:
        with pytest.raises(NotPermitted):
            await edit_instrument(work, meter.id, EditInstrument(interval_seconds=300), None)


async def test_what_an_edit_changes_holds_for_the_next_batch(lishui, meter):
    await sent(lishui, rows(meter, NOW - HOUR, ["0.3"]))  # it is known from now on
    async with lishui.runtime.work(lishui.manager) as work:
        edit = EditInstrument(installed_on=date(2026, 11, 22), interval_seconds=300)
        changed = await edit_instrument(work, meter.id, edit, meter.version)
    assert changed.version == meter.version + 1
    done = await sent(lishui, rows(meter, NOW - 20 * HOUR, ["0.3"]))
    assert done.accepted == 1
