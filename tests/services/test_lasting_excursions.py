"""An instrument that reads bad on: no re-test outweighs it, and water let go is bad again."""

import json
from datetime import UTC, date, datetime

import pytest
from sqlmodel import col, select

from tests.estate import an_estate
from tests.instruments import MINUTE, NOW, an_instrument, excursions_of, rows, sent
from tests.ledgers import entries_of
from water2.domain.anomaly import Anomaly, AnomalyCause, AnomalyState
from water2.domain.errors import RuleViolation
from water2.domain.water import Point, Purpose
from water2.services.anomalies.handling import AssessDanger, assess_danger
from water2.services.anomalies.resuming import CloseAnomaly, close_anomaly, resume_supply
from water2.services.instruments.register import (
    AddCalibration,
    RemoveInstrument,
    add_calibration,
    remove_instrument,
)
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample

START = NOW - 60 * MINUTE
GOOD, BAD = "0.35", "1.2"


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


@pytest.fixture
async def meter(lishui, estate):
    return await an_instrument(lishui, estate.facility)


async def act(lishui, use_case, *arguments):
    async with lishui.runtime.work(lishui.manager) as work:
        return await use_case(work, *arguments)


async def read(lishui, meter, minute, *values):
    return await sent(lishui, rows(meter, START + minute * MINUTE, list(values)))


async def retest(lishui, estate, at):
    for point in (Point.outlet, Point.terminal):
        command = RecordSample(
            facility_id=estate.facility.id,
            tank_id=estate.tank.id if point is Point.outlet else None,
            point=point,
            purpose=Purpose.retest,
            sampled_at=at,
            results=[GivenResult(parameter="turbidity", raw="0.3")],
        )
        await act(lishui, record_sample, command)


async def anomalies(lishui) -> list[Anomaly]:
    async with lishui.runtime.read() as work:
        statement = select(Anomaly).order_by(col(Anomaly.opened_at), Anomaly.id)
        return list(await work.session.exec(statement))


async def causes(lishui) -> list[tuple[str, int]]:
    """The instruments that told of anomalies, and in which minute it failed."""
    async with lishui.runtime.read() as work:
        statement = select(AnomalyCause).order_by(col(AnomalyCause.found_at))
        return [
            (str(one.instrument_id), (one.found_at - START) // MINUTE)
            for one in await work.session.exec(statement)
        ]


async def refused(lishui, anomaly) -> tuple[str, object]:
    with pytest.raises(RuleViolation) as raised:
        await act(lishui, resume_supply, anomaly.id)
    verdict = raised.value.refused
    assert verdict.provision.article == "18.2"
    return verdict.reason, verdict.facts


async def test_a_retest_taken_while_the_instrument_reads_bad_proves_nothing(lishui, estate, meter):
    await read(lishui, meter, 0, *[BAD] * 20)
    (anomaly,) = await anomalies(lishui)
    await retest(lishui, estate, START + 20 * MINUTE)
    await read(lishui, meter, 20, *[BAD] * 10, GOOD)
    reason, _ = await refused(lishui, anomaly)
    assert reason == "retest_outstanding"
    await retest(lishui, estate, START + 30 * MINUTE)
    assert (await act(lishui, resume_supply, anomaly.id)).state is AnomalyState.resumed


async def test_supply_stays_off_until_the_instrument_reads_well(lishui, estate, meter):
    other = await an_instrument(lishui, estate.facility, "PH-1", parameter="ph")
    await read(lishui, meter, 0, *[BAD] * 20)
    await read(lishui, other, 0, *["7.1"] * 20)
    (anomaly,) = await anomalies(lishui)
    await retest(lishui, estate, START + 25 * MINUTE)
    assert await refused(lishui, anomaly) == ("excursion_lasting", {"instruments": ["ZD-1"]})
    await read(lishui, meter, 26, GOOD)
    assert (await act(lishui, resume_supply, anomaly.id)).state is AnomalyState.resumed


async def test_an_excursion_of_another_anomaly_of_the_facility_counts_too(lishui, estate, meter):
    other = await an_instrument(lishui, estate.facility, "PH-1", parameter="ph")
    await read(lishui, meter, 0, *[BAD] * 20, GOOD)
    await read(lishui, other, 0, *["9.2"] * 20)
    first, second = await anomalies(lishui)
    await retest(lishui, estate, START + 25 * MINUTE)
    for anomaly in (first, second):
        reason, facts = await refused(lishui, anomaly)
        assert (reason, {one["parameter"] for one in facts["missing"]}) == (
            "retest_outstanding",
            {"ph"},
        )


async def test_removing_the_instrument_ends_what_it_read(lishui, estate, meter):
    await read(lishui, meter, 0, *[BAD] * 20)
    (anomaly,) = await anomalies(lishui)
    before = len(await entries_of(lishui.runtime, estate.facility.ledger_id))
    await act(lishui, remove_instrument, meter.id, RemoveInstrument(on=NOW.date()))
    entries = (await entries_of(lishui.runtime, estate.facility.ledger_id))[before:]
    assert [json.loads(entry)["type"] for entry in entries] == [
        "instrument.removed",
        "excursion.ended",
    ]
    (excursion,) = await excursions_of(lishui, meter)
    assert excursion.ended_at == excursion.last_at == START + 19 * MINUTE
    await read(lishui, meter, 20, BAD, BAD)  # read before, sent late
    (excursion,) = await excursions_of(lishui, meter)
    assert excursion.ended_at == excursion.last_at == START + 21 * MINUTE
    await retest(lishui, estate, START + 20 * MINUTE)
    assert (await refused(lishui, anomaly))[0] == "retest_outstanding"
    await retest(lishui, estate, START + 25 * MINUTE)
    assert (await act(lishui, resume_supply, anomaly.id)).state is AnomalyState.resumed


async def let_go(lishui, estate, *meters, closed) -> None:
    """Let readings lack, so that one reading after them ends the excursion and supply resumes."""
    for one in meters:
        await read(lishui, one, 0, *[BAD] * 20)
        await read(lishui, one, 35, BAD)
    await retest(lishui, estate, START + 55 * MINUTE)
    (anomaly,) = await anomalies(lishui)
    await act(lishui, resume_supply, anomaly.id)
    if closed:
        harmless = AssessDanger(endangers_health=False, reason="未饮用")
        await act(lishui, assess_danger, anomaly.id, harmless)
        await act(lishui, close_anomaly, anomaly.id, CloseAnomaly(summary="完"))


async def states(lishui) -> list[str]:
    return sorted(one.state.value for one in await anomalies(lishui))


AGAIN = [
    pytest.param(False, ["open"], id="resumed: the same one is open again"),
    pytest.param(True, ["closed", "open"], id="closed: another one is opened"),
]


@pytest.mark.parametrize(("closed", "wanted"), AGAIN)
async def test_what_still_reads_bad_after_the_water_was_let_go_opens_it_again_once(
    lishui, estate, meter, clock, closed, wanted
):
    await let_go(lishui, estate, meter, closed=closed)
    clock.set(NOW + 10 * MINUTE)
    done = await read(lishui, meter, 20, *[BAD] * 15, None, *[BAD] * 29)
    assert [one.began_at for one in done.opened] == [START]
    assert await states(lishui) == wanted
    # the first reading after supply resumed tells of it, and no other one
    assert await causes(lishui) == [(meter.id, 0), (meter.id, 61)]
    assert (await read(lishui, meter, 65, BAD)).opened == []
    assert len(await causes(lishui)) == 2
    (again,) = [one for one in await anomalies(lishui) if one.state is AnomalyState.open]
    (excursion,) = await excursions_of(lishui, meter)
    assert excursion.anomaly_id == again.id
    await retest(lishui, estate, START + 66 * MINUTE)
    assert await refused(lishui, again) == ("excursion_lasting", {"instruments": ["ZD-1"]})


@pytest.mark.parametrize(("closed", "wanted"), AGAIN)
async def test_each_instrument_of_a_batch_tells_of_it_once(
    lishui, estate, meter, clock, closed, wanted
):
    other = await an_instrument(lishui, estate.facility, "ZD-2", point="terminal")
    await let_go(lishui, estate, meter, other, closed=closed)
    clock.set(NOW + 10 * MINUTE)
    batch = [
        row
        for one in (meter, other)
        for row in rows(one, START + 20 * MINUTE, [BAD] * 15 + [None] + [BAD] * 29)
    ]
    await sent(lishui, batch)
    assert await states(lishui) == wanted
    assert sorted(await causes(lishui)) == sorted(
        (one.id, minute) for one in (meter, other) for minute in (0, 61)
    )


async def test_late_readings_that_show_it_lasted_open_it_again(lishui, estate, meter):
    await let_go(lishui, estate, meter, closed=False)
    await read(lishui, meter, 20, *[BAD] * 15)
    assert await states(lishui) == ["open"]
    assert await causes(lishui) == [(meter.id, 0), (meter.id, 35)]


async def test_late_readings_of_what_was_over_before_supply_resumed_open_nothing(
    lishui, estate, meter
):
    await let_go(lishui, estate, meter, closed=False)
    await read(lishui, meter, 36, GOOD)
    await read(lishui, meter, 20, *[BAD] * 15)
    assert await states(lishui) == ["resumed"]
    assert len(await causes(lishui)) == 1


async def test_what_is_read_out_of_calibration_opens_nothing_again(lishui, estate, clock):
    meter = await an_instrument(lishui, estate.facility, calibrated=False)
    card = AddCalibration(
        calibrated_on=date(2026, 6, 1), valid_to=date(2026, 11, 23), certificate_number="JD-1"
    )
    await act(lishui, add_calibration, meter.id, card)
    begin = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # half an hour before it expires
    clock.set(begin + 60 * MINUTE)
    await sent(lishui, rows(meter, begin, [BAD] * 30))
    await sent(lishui, rows(meter, begin + 36 * MINUTE, [BAD]))
    (anomaly,) = await anomalies(lishui)
    await retest(lishui, estate, begin + 40 * MINUTE)
    await act(lishui, resume_supply, anomaly.id)
    await sent(lishui, rows(meter, begin + 33 * MINUTE, [BAD]))
    (excursion,) = await excursions_of(lishui, meter)
    assert (excursion.last_at, excursion.ended_at) == (begin + 36 * MINUTE, None)
    assert await states(lishui) == ["resumed"]
    harmless = AssessDanger(endangers_health=False, reason="未饮用")
    await act(lishui, assess_danger, anomaly.id, harmless)
    with pytest.raises(RuleViolation) as raised:
        await act(lishui, close_anomaly, anomaly.id, CloseAnomaly(summary="完"))
    assert raised.value.refused.reason == "excursion_lasting"


async def test_of_two_excursions_that_are_one_the_later_ones_anomaly_goes_on(lishui, estate, meter):
    await let_go(lishui, estate, meter, closed=True)
    await read(lishui, meter, 36, *[BAD] * 15)  # an excursion of its own, 35 to 50
    first, second = sorted(await anomalies(lishui), key=lambda one: one.state is AnomalyState.open)
    assert (first.state, second.state) == (AnomalyState.closed, AnomalyState.open)
    await read(lishui, meter, 20, *[BAD] * 15)
    (excursion,) = await excursions_of(lishui, meter)
    assert (excursion.began_at, excursion.anomaly_id) == (START, second.id)
    await retest(lishui, estate, START + 55 * MINUTE)
    assert await refused(lishui, second) == ("excursion_lasting", {"instruments": ["ZD-1"]})


async def test_an_excursion_ends_that_a_gap_and_other_bad_readings_followed(lishui, estate, meter):
    await read(lishui, meter, 0, *[BAD] * 16)
    (anomaly,) = await anomalies(lishui)
    await read(lishui, meter, 50, *[BAD] * 3)
    await read(lishui, meter, 53, *[GOOD] * 3)
    (first,) = await excursions_of(lishui, meter)
    assert first.ended_at == START + 50 * MINUTE
    await retest(lishui, estate, START + 56 * MINUTE)
    assert (await act(lishui, resume_supply, anomaly.id)).state is AnomalyState.resumed


async def test_an_excursion_ends_though_the_one_after_a_gap_is_sustained_at_once(lishui, meter):
    await read(lishui, meter, 0, *[BAD] * 16)
    await read(lishui, meter, 40, *[BAD] * 16)
    first, second = await excursions_of(lishui, meter)
    assert (first.ended_at, second.ended_at) == (START + 40 * MINUTE, None)
