"""Readings of online instruments: stored once, judged in their own order, one entry a facility."""

import json
from datetime import date, timedelta
from hashlib import sha256
from random import Random

import pytest
from sqlmodel import select

from tests.builders import a_facility
from tests.instruments import (
    CALIBRATED,
    MINUTE,
    NOW,
    Seen,
    an_instrument,
    excursions_of,
    readings_of,
    seen,
    sent,
)
from tests.instruments import rows as series
from tests.ledgers import entries_of
from water2.domain.anomaly import Anomaly, AnomalyCause, AnomalySource
from water2.domain.errors import NotPermitted
from water2.domain.instrument import ReadingBatch
from water2.rules.flags import FlagCode
from water2.services.facilities import EditFacility, edit_facility
from water2.services.instruments.given import RecordReadings
from water2.services.instruments.recording import record_readings
from water2.services.instruments.register import (
    AddCalibration,
    RegisterInstrument,
    add_calibration,
    register_instrument,
)
from water2.services.policy import set_policy

HOUR = timedelta(hours=1)
START = NOW - 3 * HOUR
GOOD, BAD = "0.35", "1.2"


@pytest.fixture
async def place(lishui):
    async with lishui.runtime.work() as work:
        return await a_facility(work, lishui.utility)


@pytest.fixture
async def meter(lishui, place):
    return await an_instrument(lishui, place)


async def anomalies(lishui) -> list[Anomaly]:
    async with lishui.runtime.read() as work:
        return list(await work.session.exec(select(Anomaly)))


def entry_types(entries) -> list[str]:
    return [json.loads(entry)["type"] for entry in entries]


async def test_readings_are_stored_as_they_came_with_their_verdict(lishui, meter):
    done = await sent(lishui, series(meter, START, ["0.350", "1.2", "<0.5", 0.5, 1]))
    assert (done.accepted, done.duplicate, done.refused) == (5, 0, [])
    stored = await readings_of(lishui, meter)
    assert [(one.raw, one.value, one.censored, one.verdict.value) for one in stored] == [
        ("0.350", "0.35", None, "pass"),
        ("1.2", "1.2", None, "fail"),
        ("<0.5", "0.5", "<", "pass"),
        ("0.5", "0.5", None, "pass"),
        ("1", "1", None, "pass"),
    ]
    assert all(one.flags == [] and one.received_at == NOW for one in stored)
    assert stored[0].taken_at == START


async def test_a_batch_of_one_facility_is_one_entry_with_the_hash_of_its_bytes(lishui, place):
    meters = [await an_instrument(lishui, place), await an_instrument(lishui, place, "ZD-2")]
    await entered(lishui, meters, place.ledger_id, place.id)


async def test_a_batch_of_several_is_one_entry_of_the_utility(lishui, place):
    async with lishui.runtime.work() as work:
        other = await a_facility(work, lishui.utility, "BY-002")
    meters = [await an_instrument(lishui, place), await an_instrument(lishui, other)]
    before = await entries_of(lishui.runtime, place.ledger_id)
    await entered(lishui, meters, lishui.utility.ledger_id, None)
    assert await entries_of(lishui.runtime, place.ledger_id) == before


async def entered(lishui, meters, ledger_id, facility_id):
    """Send four readings of two instruments; compare their bytes with the entry."""
    before = len(await entries_of(lishui.runtime, ledger_id))
    done = await sent(lishui, [row for one in meters for row in series(one, START, [GOOD, BAD])])
    assert done.accepted == 4
    async with lishui.runtime.read() as work:
        (batch,) = await work.session.exec(select(ReadingBatch))
    assert done.batch_ids == [batch.id]
    new = (await entries_of(lishui.runtime, ledger_id))[before:]
    assert entry_types(new) == ["readings.recorded"]
    told = json.loads(new[0])["data"]
    assert (told["batch"], batch.facility_id) == (batch.id, facility_id)
    assert told["count"] == batch.readings == len(json.loads(batch.body)["readings"]) == 4
    assert told["verdicts"] == {"fail": 2, "pass": 2}
    assert told["body_sha256"] == sha256(batch.body).hexdigest() == batch.body_sha256


async def test_an_equal_repeat_is_a_duplicate_and_another_value_is_refused(lishui, meter):
    given = series(meter, START, [GOOD, GOOD])
    repeated = [*given, {**given[0], "raw": "0.3500"}, {**given[1], "raw": "0.36"}]
    done = await sent(lishui, repeated)
    assert (done.accepted, done.duplicate) == (2, 1)
    assert [(row.index, row.reason) for row in done.refused] == [(3, "reading_conflicts")]
    done = await sent(lishui, [*repeated, *series(meter, START + HOUR, [GOOD])])
    assert (done.accepted, done.duplicate) == (1, 3)
    assert [(row.index, row.reason) for row in done.refused] == [(3, "reading_conflicts")]
    assert [one.raw for one in await readings_of(lishui, meter)] == [GOOD] * 3


async def test_a_batch_of_repeats_alone_adds_no_entry(lishui, place, meter):
    await sent(lishui, series(meter, START, [GOOD]))
    before = await entries_of(lishui.runtime, place.ledger_id)
    done = await sent(lishui, series(meter, START, [GOOD]))
    assert (done.accepted, done.duplicate) == (0, 1)
    assert await entries_of(lishui.runtime, place.ledger_id) == before


async def test_a_bad_row_costs_no_good_one_and_says_why(lishui, place, meter):
    ph = await an_instrument(lishui, place, "PH-1", parameter="ph")
    good = series(meter, START, [GOOD])[0]
    acid = {**good, "instrument": ph.id}
    bad = [
        ({**good, "instrument": "nobody"}, "instrument", "unknown_instrument"),
        ({**good, "taken_at": (NOW + MINUTE).isoformat()}, "taken_at", "in_future"),
        ({**good, "taken_at": "yesterday"}, "taken_at", "instant_unreadable"),
        ({**good, "taken_at": "2026-02-30T00:00:00Z"}, "taken_at", "instant_unreadable"),
        ({**good, "taken_at": 1764000000}, "taken_at", "instant_unreadable"),
        ({**good, "taken_at": "2025-12-31T00:00:00Z"}, "taken_at", "before_installation"),
        ({**good, "unit": "mg/L"}, "unit", "unit_differs"),
        ({**good, "raw": "-0.1"}, "raw", "impossible"),
        ({**good, "raw": "O.3O"}, "raw", "unreadable"),
        ({**good, "raw": "\x00"}, "raw", "unreadable"),
        ({**good, "raw": ""}, "raw", "missing"),
        ({**good, "raw": True}, "raw", "unreadable"),
        ({**good, "raw": 10**30}, "raw", "unreadable"),
        ({**acid, "raw": "71"}, "raw", "impossible"),
        ({**good, "value": 1}, "value", "extra_forbidden"),
        ({"taken_at": good["taken_at"], "raw": GOOD}, "instrument", "missing"),
        ({**good, "instrument": "\ud800"}, "instrument", "unknown_instrument"),
        ("0.3", None, "reading_unreadable"),
    ]
    fitting = {**acid, "unit": "pH", "raw": "7.1"}
    coded = {**good, "instrument": "ZD-1", "facility_id": place.id, "unit": "ntu"}
    done = await sent(lishui, [*(row for row, _, _ in bad), coded, fitting])
    assert [(row.index, row.column, row.reason) for row in done.refused] == [
        (index, column, reason) for index, (_, column, reason) in enumerate(bad)
    ]
    assert done.accepted == 2


async def test_a_time_without_offset_is_read_in_the_utilitys_zone(lishui, meter):
    await sent(lishui, [{"instrument": meter.id, "taken_at": "2026-11-23T08:59", "raw": GOOD}])
    (stored,) = await readings_of(lishui, meter)
    assert stored.taken_at == NOW - MINUTE


async def test_who_may_not_work_posts_nothing_and_an_outsider_finds_no_instrument(lishui, meter):
    given = series(meter, START, [GOOD])
    with pytest.raises(NotPermitted):
        await sent(lishui, given, lishui.inspector)
    done = await sent(lishui, given, lishui.outsider)
    assert [row.reason for row in done.refused] == ["unknown_instrument"]


async def test_a_spike_is_no_anomaly(lishui, meter):
    done = await sent(lishui, series(meter, START, [GOOD] * 5 + [BAD] * 2 + [GOOD] * 20))
    assert done.opened == []
    assert await seen(lishui, meter) == []


async def test_a_sustained_excursion_opens_one_anomaly_and_further_readings_none(lishui, meter):
    opened = []
    for n in range(40):
        done = await sent(lishui, series(meter, START + n * MINUTE, ["1.5" if n == 20 else BAD]))
        opened += [n] * len(done.opened)
    assert opened == [15]  # exactly the window
    await sent(lishui, series(meter, START + 40 * MINUTE, [GOOD]))
    end = START + 40 * MINUTE
    assert await seen(lishui, meter) == [Seen(START, end - MINUTE, end, "1.5", True)]
    (anomaly,) = await anomalies(lishui)
    assert anomaly.source is AnomalySource.instrument
    async with lishui.runtime.read() as work:
        (cause,) = await work.session.exec(select(AnomalyCause))
    assert (cause.instrument_id, cause.parameter) == (meter.id, "turbidity")
    assert (cause.found_at, cause.point.value) == (START, "outlet")


async def test_what_an_excursion_was_is_told_in_the_ledger_once(lishui, place, meter):
    before = len(await entries_of(lishui.runtime, place.ledger_id))
    for n, value in enumerate([BAD] * 20 + [GOOD] * 3):
        await sent(lishui, series(meter, START + n * MINUTE, [value]))
    types = entry_types((await entries_of(lishui.runtime, place.ledger_id))[before:])
    assert [one for one in types if one != "readings.recorded"] == [
        "excursion.began",
        "anomaly.opened",
        "anomaly.cause_linked",
        "excursion.made_anomaly",
        "excursion.ended",
    ]


VALUES = (
    [GOOD] * 4
    + [BAD] * 8
    + [GOOD]
    + [BAD] * 25
    + [None] * 3
    + ["1.9"] * 6
    + [None] * 9
    + [BAD] * 17
    + [GOOD] * 30
)


@pytest.mark.parametrize("seed", range(4))
async def test_late_and_mixed_up_readings_give_what_their_own_order_gives(lishui, place, seed):
    in_order = await an_instrument(lishui, place, "A")
    mixed = await an_instrument(lishui, place, "B", point="terminal")
    await sent(lishui, series(in_order, START, VALUES))
    random = Random(seed)
    late = series(mixed, START, VALUES)
    random.shuffle(late)
    while late:
        size = random.randint(1, 25)
        await sent(lishui, late[:size])
        late = late[size:]
    wanted = await seen(lishui, in_order)
    assert [(one.began_at, one.last_at) for one in wanted] == [
        (START + 13 * MINUTE, START + 46 * MINUTE),
        (START + 56 * MINUTE, START + 72 * MINUTE),
    ]
    assert await seen(lishui, mixed) == wanted


async def test_a_late_reading_that_fills_a_gap_makes_one_excursion_of_two(lishui, meter):
    await sent(lishui, series(meter, START, [BAD] * 20 + [None] * 9 + [BAD] * 20 + [GOOD]))
    assert len(await seen(lishui, meter)) == 2
    await sent(lishui, series(meter, START + 24 * MINUTE, [BAD]))  # 5 minutes on either side
    end = START + 49 * MINUTE
    assert await seen(lishui, meter) == [Seen(START, end - MINUTE, end, BAD, True)]
    assert len(await anomalies(lishui)) == 1


async def test_a_late_good_reading_cuts_an_excursion_and_its_anomaly_stays(lishui, place, meter):
    values = [BAD] * 18 + [GOOD] * 3
    values[8] = None
    await sent(lishui, series(meter, START, values))
    assert len(await seen(lishui, meter)) == 1
    await sent(lishui, series(meter, START + 8 * MINUTE, [GOOD]))
    assert await seen(lishui, meter) == []
    assert len(await anomalies(lishui)) == 1
    types = entry_types(await entries_of(lishui.runtime, place.ledger_id))
    assert types[-1] == "excursion.withdrawn"


async def test_an_uncalibrated_instrument_opens_nothing_and_is_flagged(lishui, place):
    meter = await an_instrument(lishui, place, calibrated=False)
    done = await sent(lishui, series(meter, START, [BAD] * 20))
    assert done.opened == []
    (excursion,) = await excursions_of(lishui, meter)
    assert excursion.flags == [FlagCode.out_of_calibration]
    assert excursion.anomaly_id is None
    stored = await readings_of(lishui, meter)
    assert all(one.flags == [FlagCode.out_of_calibration] for one in stored)


async def test_a_certificate_that_comes_late_lets_the_excursion_count(lishui, place):
    meter = await an_instrument(lishui, place, calibrated=False)
    await sent(lishui, series(meter, START, [BAD] * 20))
    late = AddCalibration(
        calibrated_on=date(2026, 11, 1), valid_to=date(2026, 11, 30), certificate_number="JD-9"
    )
    async with lishui.runtime.work(lishui.manager) as work:
        await add_calibration(work, meter.id, late)
    (excursion,) = await excursions_of(lishui, meter)
    assert excursion.flags == []
    assert excursion.anomaly_id is not None
    assert all(one.flags == [] for one in await readings_of(lishui, meter))


async def test_what_is_older_than_thirty_days_is_history(lishui, meter):
    old = NOW - timedelta(days=40)
    done = await sent(lishui, series(meter, old, [BAD] * 20 + [GOOD]))
    assert done.opened == []
    (excursion,) = await excursions_of(lishui, meter)
    assert (excursion.flags, excursion.anomaly_id) == ([FlagCode.historical], None)


async def test_the_limit_of_the_point_and_of_the_disinfectant_in_use_is_what_counts(lishui, place):
    terminal = await an_instrument(
        lishui, place, "CL-1", parameter="free_chlorine", point="terminal"
    )
    outlet = await an_instrument(lishui, place, "CL-2", parameter="free_chlorine")
    other = await an_instrument(lishui, place, "CD-1", parameter="chlorine_dioxide")
    for one in (terminal, outlet, other):
        await sent(lishui, series(one, START, ["0.04"]))
    verdicts = [(await readings_of(lishui, one))[0].verdict for one in (terminal, outlet, other)]
    assert verdicts == ["fail", "pass", "not_judged"]


async def test_what_the_utility_sets_stricter_holds_for_the_very_next_reading(lishui, meter):
    await sent(lishui, series(meter, START, ["0.8"]))
    async with lishui.runtime.work() as work:
        await set_policy(work, lishui.utility, "water.standard", "turbidity.upper", "0.5")
    await sent(lishui, series(meter, START + MINUTE, ["0.8"]))
    assert [one.verdict for one in await readings_of(lishui, meter)] == ["pass", "fail"]


async def test_another_disinfectant_in_use_holds_for_the_very_next_reading(lishui, place):
    one = await an_instrument(lishui, place, "CD-1", parameter="chlorine_dioxide")
    await sent(lishui, series(one, START, ["0.9"]))
    async with lishui.runtime.work(lishui.manager) as work:
        await edit_facility(work, place.id, EditFacility(disinfectant="chlorine_dioxide"), None)
    await sent(lishui, series(one, START + MINUTE, ["0.9"]))
    assert [row.verdict for row in await readings_of(lishui, one)] == ["not_judged", "fail"]


async def test_a_change_that_was_rolled_back_judges_nothing(lishui, meter):
    bad = RecordReadings(readings=series(meter, START, ["0.8"]))

    async def change_and_break() -> None:
        async with lishui.runtime.work() as work:
            await set_policy(work, lishui.utility, "water.standard", "turbidity.upper", "0.5")
            await record_readings(work, bad)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_and_break()
    await sent(lishui, bad.readings)
    assert [one.verdict for one in await readings_of(lishui, meter)] == ["pass"]


async def test_an_instrument_whose_entry_was_rolled_back_is_unknown(lishui, place):
    given = RegisterInstrument(
        facility_id=place.id,
        code="ZD-9",
        parameter="turbidity",
        point="outlet",
        interval_seconds=60,
        installed_on=date(2026, 1, 1),
    )

    async def enter_and_break() -> None:
        async with lishui.runtime.work(lishui.manager) as work:
            one = await register_instrument(work, given)
            await work.session.flush()
            await add_calibration(work, one.id, CALIBRATED)
            await record_readings(work, RecordReadings(readings=[reading]))
            raise ZeroDivisionError

    reading = {"instrument": "ZD-9", "facility_id": place.id, "taken_at": START.isoformat()}
    reading["raw"] = GOOD
    with pytest.raises(ZeroDivisionError):
        await enter_and_break()
    done = await sent(lishui, [reading])
    assert [row.reason for row in done.refused] == ["unknown_instrument"]
