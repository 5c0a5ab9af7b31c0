"""Sampling plans over the API."""

import pytest

from tests.edges.test_api_register import a_registered_place, added

PLAN = {"point": "terminal", "purpose": "routine", "months": 1}


@pytest.fixture
async def facility(api) -> str:
    return (await a_registered_place(api))["/facilities"]


async def test_a_plan_is_a_duty_of_its_facility_until_it_ends(api, facility):
    plan = await added(api.manager, "/sampling-plans", PLAN | {"facility_id": facility})
    assert (plan["item_set"], plan["from_on"]) == ("routine", "2026-11-23")
    asked = {"obligation": "testing.plan", "facility": facility}
    (duty,) = (await api.health.get("/duties", params=asked)).json()["items"]
    assert duty["subject"] == {
        "type": "sampling_plan",
        "id": plan["id"],
        "code": duty["facility_code"],
    }
    ended = await api.manager.post(f"/sampling-plans/{plan['id']}/end", json={})
    assert ended.json()["ended_on"] == "2026-11-23"
    (duty,) = (await api.health.get("/duties", params=asked)).json()["items"]
    assert (duty["state"], duty["end_reason"]) == ("withdrawn", "plan_ended")
    again = await api.manager.post(f"/sampling-plans/{plan['id']}/end", json={})
    assert again.status_code == 409
    for query, count in (({"ended": "false"}, 0), ({"ended": "true"}, 1), ({"point": "inlet"}, 0)):
        listed = await api.water.get("/sampling-plans", params={"facility_id": facility} | query)
        assert len(listed.json()["items"]) == count


async def test_a_looser_plan_is_refused_with_the_article(api, facility):
    refused = await api.manager.post(
        "/sampling-plans", json=PLAN | {"facility_id": facility, "months": 6}
    )
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:water2:refused:testing"
    assert refused.json()["article"] == "17(4)"


@pytest.mark.parametrize(
    "changes", [{"purpose": "after_cleaning"}, {"months": 0}, {"point": "roof"}, {"months": True}]
)
async def test_what_is_no_plan_is_malformed(api, facility, changes):
    bad = await api.manager.post("/sampling-plans", json=PLAN | {"facility_id": facility} | changes)
    assert bad.status_code == 422


async def test_plans_are_the_managers_and_no_outsider_sees_them(api, facility):
    body = PLAN | {"facility_id": facility}
    for part in (api.administrator, api.crew, api.health):
        assert (await part.post("/sampling-plans", json=body)).status_code == 403
    assert (await api.outsider.post("/sampling-plans", json=body)).status_code == 404
    plan = await added(api.manager, "/sampling-plans", body)
    assert (await api.outsider.get(f"/sampling-plans/{plan['id']}")).status_code == 404
    assert (await api.outsider.get("/sampling-plans")).json()["items"] == []
    assert (await api.health.get(f"/sampling-plans/{plan['id']}")).json() == plan
