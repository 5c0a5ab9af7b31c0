"""Stops of supply over HTTP: recorded by whoever finds them, explained, closed."""

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.edges.outages import an_emergency, created, entries
from tests.estate import an_estate

BEGAN = NOW - timedelta(hours=2)


@pytest.fixture
async def estate(api):
    return await an_estate(api.installation)


def a_stop(estate, **changes):
    given = {"source": "telemetry", "began_at": BEGAN.isoformat(), "note": "出口压力为零"}
    return {"facility_id": estate.facility.id} | given | changes


async def found(client, body):
    answer = await client.post("/supply-stops", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def acted(client, stop, act, body, status=200):
    answer = await client.post(f"/supply-stops/{stop['id']}/{act}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_stop_without_an_outage_is_open_until_it_is_explained_and_closed(api, estate):
    stop = await found(api.crew, a_stop(estate))
    assert (stop["state"], stop["outage_id"]) == ("open", None)
    explained = await acted(api.crew, stop, "explain", {"explanation": "水泵跳闸"})
    assert (explained["state"], explained["explanation"]) == ("explained", "水泵跳闸")
    closed = await acted(api.manager, stop, "close", {"note": "已整改"})
    assert (closed["state"], closed["closing_note"]) == ("closed", "已整改")
    assert (await api.health.get(f"/supply-stops/{stop['id']}")).json() == closed
    types = [f"supply_stop.{act}" for act in ("found", "explained", "closed")]
    assert await entries(api, *types) == types


async def test_a_stop_that_an_outage_had_announced_is_covered(api, estate, clock):
    outage = await created(api.manager, an_emergency(estate))
    clock.set(NOW + timedelta(hours=1))
    stop = await found(api.crew, a_stop(estate, began_at=(NOW + timedelta(minutes=5)).isoformat()))
    assert (stop["state"], stop["outage_id"]) == ("covered", outage["id"])
    told = await acted(api.crew, stop, "explain", {"explanation": "x"}, 409)
    assert told["reason"] == "supply_stop_state"
    assert told["detail"] == "这次断水状态为有公告的停水，不能这样做。"


async def test_what_nobody_explained_is_not_closed(api, estate):
    stop = await found(api.crew, a_stop(estate))
    told = await acted(api.manager, stop, "close", {"note": "x"}, 409)
    assert (told["reason"], told["facts"]) == ("supply_stop_state", {"state": "open"})
    assert "未说明" in told["detail"]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"began_at": (NOW + timedelta(minutes=1)).isoformat()}, "began_at", "in_future"),
        ({"ended_at": (BEGAN - timedelta(hours=1)).isoformat()}, "ended_at", "before"),
        ({"building_ids": ["9幢"]}, "building_ids", "unknown_building"),
        ({"source": "rumour"}, "source", "enum"),
    ],
)
async def test_a_stop_that_cannot_be_is_refused_with_its_field(api, estate, changes, field, code):
    answer = await api.crew.post("/supply-stops", json=a_stop(estate) | changes)
    assert (answer.status_code, answer.json()["facts"]["fields"]) == (422, {field: code})
    assert (await api.crew.get("/supply-stops")).json()["items"] == []


async def test_a_stop_is_explained_by_an_outage_of_its_own_facility_alone(api, estate):
    other = await an_estate(api.installation, "BY-002")
    outage = await created(api.manager, an_emergency(other))
    stop = await found(api.crew, a_stop(estate))
    body = {"explanation": "抢修", "outage_id": outage["id"]}
    told = await acted(api.crew, stop, "explain", body, 422)
    assert told["facts"]["fields"] == {"outage_id": "unknown_outage"}


async def test_stops_are_listed_narrowed_and_seen_within_the_utility(api, estate):
    stop = await found(api.crew, a_stop(estate))
    for params in ({}, {"state": "open"}, {"facility_id": estate.facility.id}):
        assert (await api.water.get("/supply-stops", params=params)).json()["items"] == [stop]
    assert (await api.water.get("/supply-stops", params={"state": "closed"})).json()["items"] == []
    assert (await api.outsider.get(f"/supply-stops/{stop['id']}")).status_code == 404
    await acted(api.health, stop, "explain", {"explanation": "x"}, 403)
    await acted(api.crew, stop, "close", {"note": "x"}, 403)
