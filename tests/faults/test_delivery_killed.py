"""A worker killed between acceptance and commit loses nothing; doubles come of doubt alone."""

import pytest

from tests.delivery.killing import kill_often
from tests.sinks import http_gateway

KILLS = 10


@pytest.mark.parametrize("can_be_asked", [1, 0], ids=["asked", "not-asked"])
async def test_killed_ten_times_it_loses_nothing_and_doubles_only_what_was_in_doubt(
    lishui, database_url, can_be_asked
):
    lishui.runtime.clock.set(lishui.runtime.clock.now.replace(year=2020))  # all is due
    with http_gateway(latency_ms=30, can_be_asked=can_be_asked) as sink:
        outcome = await kill_often(lishui, database_url, sink, KILLS)
    assert outcome.kills_in_flight > KILLS // 2
    assert outcome.lost == set()
    assert outcome.left == 0
    assert outcome.doubted
    assert outcome.doubled <= outcome.doubted
    assert set(outcome.recorded) == outcome.queued
    assert set(outcome.recorded.values()) == {1}
    if can_be_asked:
        assert outcome.doubled == set()
