"""Outages over HTTP, for the tests of each of their parts."""

from datetime import timedelta

from sqlmodel import col, select

from tests.conftest import NOW
from water2.domain.ledger import LedgerEntry

STARTS = NOW + timedelta(hours=48)


def a_plan(estate, **changes):
    """A planned outage of the whole estate, 48 hours ahead and 4 hours long."""
    return {
        "kind": "planned",
        "facility_id": estate.facility.id,
        "reason": "tank_cleaning",
        "starts_at": STARTS.isoformat(),
        "ends_at": (STARTS + timedelta(hours=4)).isoformat(),
    } | changes


def an_emergency(estate, **changes):
    return {
        "kind": "emergency",
        "facility_id": estate.facility.id,
        "reason": "equipment_repair",
        "starts_at": NOW.isoformat(),
        "ends_at": (NOW + timedelta(hours=3)).isoformat(),
        "cause": "水泵故障",
    } | changes


async def created(client, body):
    answer = await client.post("/outages", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def done(client, outage, act, body=None, **more):
    answer = await client.post(f"/outages/{outage['id']}/{act}", json=body, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def published(api, estate, **changes):
    return await done(api.manager, await created(api.manager, a_plan(estate, **changes)), "publish")


async def shown(client, outage, part=""):
    answer = await client.get(f"/outages/{outage['id']}{part}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def entries(api, *types):
    """The types of the ledger's entries, in their order, or those of some types."""
    async with api.installation.runtime.read() as work:
        rows = await work.session.exec(
            select(LedgerEntry.type).order_by(LedgerEntry.recorded_at, col(LedgerEntry.seq))
        )
        return [type_ for type_ in rows if not types or type_ in types]
