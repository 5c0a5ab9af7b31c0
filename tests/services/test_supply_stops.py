"""A stop of supply without an outage in effect is a violation, whoever finds it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.estate import an_estate
from tests.services.test_outages import act, emergency
from water2.domain.errors import Conflict, Invalid, NotPermitted
from water2.domain.outage import StopSource, StopState
from water2.services.outages.supply_stops import (
    CloseStop,
    ExplainStop,
    ReportStop,
    close_stop,
    explain_stop,
    report_stop,
)
from water2.services.outages.transitions import RestoreSupply, restore_supply

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def found(lishui, estate, began_at=NOW, source=StopSource.complaint, **changes):
    command = ReportStop(
        facility_id=estate.facility.id, source=source, began_at=began_at, **changes
    )
    return await act(lishui, report_stop, command, actor=lishui.crew)


@pytest.mark.parametrize("source", [*StopSource])
async def test_whoever_finds_it_it_is_a_violation(lishui, estate, source):
    stop = await found(lishui, estate, source=source)
    assert (stop.state, stop.outage_id) == (StopState.open, None)


async def test_an_outage_in_effect_covers_it(lishui, estate, clock):
    outage = await emergency(lishui, estate, building_ids=["1幢"])
    within = await found(lishui, estate, building_ids=["1幢"])
    assert (within.state, within.outage_id) == (StopState.covered, outage.id)
    beyond = await found(lishui, estate, building_ids=["1幢", "2幢"])
    assert beyond.state is StopState.open
    before = await found(lishui, estate, began_at=NOW - HOUR, building_ids=["1幢"])
    assert before.state is StopState.open
    clock.set(NOW + HOUR)
    await act(lishui, restore_supply, outage.id, RestoreSupply())
    clock.set(NOW + 2 * HOUR)
    after = await found(lishui, estate, began_at=NOW + 2 * HOUR, building_ids=["1幢"])
    assert after.state is StopState.open


async def test_an_outage_covers_no_longer_than_it_lasted(lishui, estate, clock):
    outage = await emergency(lishui, estate)
    clock.set(NOW + HOUR)
    await act(lishui, restore_supply, outage.id, RestoreSupply())
    clock.set(NOW + 3 * HOUR)
    within = await found(lishui, estate, ended_at=NOW + HOUR)
    assert within.state is StopState.covered
    for ended_at in (NOW + HOUR + timedelta(seconds=1), None):
        assert (await found(lishui, estate, ended_at=ended_at)).state is StopState.open


async def test_an_explanation_cannot_end_it_before_it_began(lishui, estate):
    stop = await found(lishui, estate)
    explain = ExplainStop(explanation="阀门误关", ended_at=NOW - HOUR)
    with pytest.raises(Invalid):
        await act(lishui, explain_stop, stop.id, explain)


async def test_it_stays_open_until_explained_and_closed(lishui, estate):
    stop = await found(lishui, estate)
    with pytest.raises(Conflict):
        await act(lishui, close_stop, stop.id, CloseStop(note="不解释"))
    explain = ExplainStop(explanation="阀门误关", ended_at=NOW)
    explained = await act(lishui, explain_stop, stop.id, explain, actor=lishui.crew)
    assert explained.state is StopState.explained
    with pytest.raises(NotPermitted):
        await act(lishui, close_stop, stop.id, CloseStop(note="已处理"), actor=lishui.crew)
    closed = await act(lishui, close_stop, stop.id, CloseStop(note="已加锁"))
    assert closed.state is StopState.closed
    with pytest.raises(Conflict):
        await act(lishui, explain_stop, stop.id, explain)


async def test_a_stop_in_the_future_or_that_ends_before_it_began_cannot_be(lishui, estate):
    for changes in ({"began_at": NOW + HOUR}, {"ended_at": NOW - HOUR}):
        with pytest.raises(Invalid):
            await found(lishui, estate, **changes)
