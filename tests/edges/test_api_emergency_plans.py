"""The emergency plan over the API: versions, drills, the open list."""

import pytest

from tests.edges.test_api_register import added
from tests.edges.test_api_staff import PERSON

PLAN = {
    "title": "应急预案",
    "text": "一、组织与分工",
    "issued_on": "2026-11-20",
    "approved_by": "LS001",
}
DRILL = {
    "held_on": "2026-11-23",
    "scenario": "水箱受污染",
    "participants": ["LS001"],
    "findings": [{"finding": "缺钥匙", "to_do": "配钥匙箱"}, {"finding": "慢", "to_do": "练"}],
}


@pytest.fixture
async def plan(api):
    await added(api.manager, "/staff", PERSON)
    return await added(api.manager, "/emergency-plans", PLAN)


async def test_a_version_is_read_with_its_words_by_inspectors_and_by_no_outsider(api, plan):
    for part in (api.health, api.water, api.crew):
        shown = (await part.get(f"/emergency-plans/{plan['id']}")).json()
        assert (shown["version"], shown["text"]) == (1, PLAN["text"])
    assert (await api.outsider.get(f"/emergency-plans/{plan['id']}")).status_code == 404
    assert (await api.outsider.get("/emergency-plans")).json()["items"] == []


async def test_versions_are_listed_the_latest_first_and_the_duty_shows_them(api, plan):
    second = await added(api.manager, "/emergency-plans", PLAN | {"changes": "换了电话"})
    listed = (await api.health.get("/emergency-plans")).json()["items"]
    assert sorted(one["version"] for one in listed) == [1, 2]
    assert all("text" not in one for one in listed)
    duties = await api.health.get("/duties", params={"obligation": "emergency.plan"})
    states = [(one["state"], one["facility_code"]) for one in duties.json()["items"]]
    assert states == [("satisfied", None), ("upcoming", None)]
    assert second["version"] == 2


async def test_a_plan_handed_in_as_a_form_keeps_its_file(api):
    await added(api.manager, "/staff", PERSON)
    fields = {key: value for key, value in PLAN.items() if key != "text"}
    file = {"file": ("应急预案.pdf", b"%PDF-1.7 words", "application/pdf")}
    made = await api.manager.post("/emergency-plans", data=fields, files=file)
    assert made.status_code == 201, made.text
    assert made.json()["file_name"] == "应急预案.pdf"
    got = await api.water.get(f"/emergency-plans/{made.json()['id']}/file")
    assert (got.content, got.headers["content-type"]) == (b"%PDF-1.7 words", "application/pdf")


async def test_a_plan_without_a_file_has_none_to_show(api, plan):
    assert (await api.health.get(f"/emergency-plans/{plan['id']}/file")).status_code == 404


async def test_drills_leave_findings_on_the_open_list_until_they_are_done(api, plan):
    drill = await added(api.manager, f"/emergency-plans/{plan['id']}/drills", DRILL)
    assert [one["number"] for one in drill["findings"]] == [1, 2]
    done = await api.manager.post(f"/drills/{drill['id']}/findings/1/done", json={"note": "已配"})
    assert done.json()["done_on"] == "2026-11-23"
    left = (await api.health.get("/drill-findings", params={"done": "false"})).json()["items"]
    assert [one["number"] for one in left] == [2]
    again = await api.manager.post(f"/drills/{drill['id']}/findings/1/done", json={})
    assert again.status_code == 409
    assert (
        await api.manager.post(f"/drills/{drill['id']}/findings/9/done", json={})
    ).status_code == 404
    shown = (await api.health.get(f"/drills/{drill['id']}")).json()
    assert shown["findings"][0]["done_note"] == "已配"
    listed = (await api.health.get("/drills", params={"plan_id": plan["id"]})).json()["items"]
    assert [one["id"] for one in listed] == [drill["id"]]


@pytest.mark.parametrize("part", ["administrator", "crew", "health", "outsider"])
async def test_drills_and_findings_are_the_managers(api, plan, part):
    drill = await added(api.manager, f"/emergency-plans/{plan['id']}/drills", DRILL)
    client = getattr(api, part)
    status = 404 if part == "outsider" else 403
    for path, body in (
        (f"/emergency-plans/{plan['id']}/drills", DRILL),
        (f"/drills/{drill['id']}/findings/1/done", {}),
    ):
        assert (await client.post(path, json=body)).status_code == status


async def test_bad_input_is_named_by_its_field(api, plan):
    await added(api.manager, "/emergency-plans", PLAN | {"changes": "a"})
    bad = await api.manager.post(
        "/emergency-plans", json=PLAN | {"issued_on": "2026-11-24", "changes": "b"}
    )
    assert bad.status_code == 422
    assert "issued_on" in bad.text
