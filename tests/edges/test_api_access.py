"""Who may do what, and that outsiders learn nothing: the matrix of design.md section 8."""

import pytest
from sqlmodel import select

from tests.edges.test_api_register import FACILITY, TANK, a_registered_place, added
from tests.edges.test_api_staff import HEALTH, PERSON
from water2.domain.access import SYSTEM
from water2.domain.organisation import Jurisdiction
from water2.services.facilities import RegisterFacility, register_facility
from water2.services.installation import FoundUtility, found_utility

SIGNED_IN = ("administrator", "manager", "crew", "health", "water")
READ_BY_ALL = (
    "/facilities",
    "/households",
    "/staff",
    "/duties",
    "/obligations",
    "/work-orders",
    "/cleanings",
    "/inspections",
    "/samples",
    "/lab-reports",
    "/patrols",
    "/emergency-plans",
    "/drills",
    "/drill-findings",
    "/sampling-plans",
    "/ledgers",
    "/organisations",
)
FOR_MANAGERS = {
    "/facilities": FACILITY | {"code": "BY-777"},
    "/staff": PERSON | {"code": "LS777"},
    "/facilities/{/facilities}/tanks": TANK | {"code": "7#"},
    "/facilities/{/facilities}/zones": {"name": "低区"},
    "/facilities/{/facilities}/buildings": {"code": "7幢"},
    "/staff/{/staff}/certificates": HEALTH,
    "/households": {"code": "37", "building_id": "{/buildings}", "room": "1"},
    "/work-orders": {"kind": "cleaning", "facility_id": "{/facilities}"},
    "/sampling-plans": {
        "facility_id": "{/facilities}",
        "point": "outlet",
        "purpose": "routine",
        "months": 1,
    },
    "/emergency-plans": {
        "title": "应急预案",
        "text": "一、组织与分工",
        "issued_on": "2026-11-20",
        "approved_by": "LS001",
    },
    "/tanks/{/tanks}/end": {"on": "2026-11-20"},
    "/facilities/{/facilities}/end": {"on": "2026-11-20"},
    "/staff/{/staff}/leave": {"on": "2026-11-20"},
    "/households/{/households}/move-out": {"on": "2026-11-20"},
}
FOR_ADMINISTRATORS = {
    "/users": {"username": "new", "role": "crew", "password": "a long password"},
}
FOR_CREWS_TOO = {
    "/patrols": {"facility_id": "{/facilities}", "patrolled_at": "2026-11-23T08:00:00+08:00"},
    "/samples": {
        "facility_id": "{/facilities}",
        "point": "terminal",
        "purpose": "routine",
        "sampled_at": "2026-11-23T08:00:00+08:00",
    },
}


def filled(text: str, ids: dict[str, str]) -> str:
    for part, id_ in ids.items():
        text = text.replace(f"{{{part}}}", id_)
    return text


async def posted(client, path, body, ids):
    body = {key: filled(v, ids) if isinstance(v, str) else v for key, v in body.items()}
    return await client.post(filled(path, ids), json=body)


@pytest.mark.parametrize("path", READ_BY_ALL)
async def test_everybody_of_the_utility_and_its_inspectors_reads(api, path):
    for part in SIGNED_IN:
        answer = await getattr(api, part).get(path)
        assert answer.status_code == 200, (part, answer.text)
    assert (await api.anybody.get(path)).status_code == 401


@pytest.mark.parametrize("path", FOR_MANAGERS)
async def test_the_register_is_kept_by_managers_alone(api, path):
    ids = await a_registered_place(api)
    for part in ("administrator", "crew", "health", "water"):
        refused = await posted(getattr(api, part), path, FOR_MANAGERS[path], ids)
        assert refused.status_code == 403, (part, refused.text)
    done = await posted(api.manager, path, FOR_MANAGERS[path], ids)
    assert done.status_code in (200, 201), done.text


@pytest.mark.parametrize("path", FOR_CREWS_TOO)
async def test_what_crews_do_managers_may_do(api, path):
    ids = await a_registered_place(api)
    for part in ("administrator", "health", "water"):
        refused = await posted(getattr(api, part), path, FOR_CREWS_TOO[path], ids)
        assert refused.status_code == 403, (part, refused.text)
    for part in ("crew", "manager"):
        done = await posted(getattr(api, part), path, FOR_CREWS_TOO[path], ids)
        assert done.status_code == 201, (part, done.text)


@pytest.mark.parametrize("path", FOR_ADMINISTRATORS)
async def test_users_are_the_administrators(api, path):
    for part in ("manager", "crew", "health", "water"):
        client = getattr(api, part)
        assert (await client.post(path, json=FOR_ADMINISTRATORS[path])).status_code == 403
        assert (await client.get(path)).status_code == 403
    assert (await api.administrator.get(path)).status_code == 200


@pytest.mark.parametrize("part", ["/facilities", "/tanks", "/buildings", "/households", "/staff"])
async def test_an_outsider_finds_nothing_of_another_utility(api, part):
    ids = await a_registered_place(api)
    place = f"{part}/{ids[part]}"
    assert (await api.outsider.get(place)).status_code == 404
    edited = await api.outsider.patch(place, json={}, headers={"If-Match": "*"})
    assert edited.status_code == 404


@pytest.mark.parametrize("path", [path for path in FOR_MANAGERS if "{" in path])
async def test_an_outsider_changes_nothing_of_another_utility(api, path):
    ids = await a_registered_place(api)
    assert (await posted(api.outsider, path, FOR_MANAGERS[path], ids)).status_code == 404


@pytest.mark.parametrize("path", ["/households", "/work-orders", *FOR_CREWS_TOO])
async def test_an_outsider_cannot_name_another_utilitys_things(api, path):
    ids = await a_registered_place(api)
    body = {**FOR_MANAGERS, **FOR_CREWS_TOO}[path]
    assert (await posted(api.outsider, path, body, ids)).status_code == 404


@pytest.mark.parametrize("path", ["/facilities", "/households", "/staff", "/duties"])
async def test_an_outsiders_lists_hold_nothing_of_another_utility(api, path):
    await a_registered_place(api)
    found = (await api.outsider.get(path)).json()["items"]
    own = {"emergency.plan", "emergency.plan.drill"}  # what the outsider's own utility owes
    assert [one for one in found if one.get("obligation") not in own] == []
    utility = {"utility": api.installation.utility.id}
    assert (await api.outsider.get(path, params=utility)).status_code == 404


async def test_an_outsider_reads_no_ledger(api):
    ids = await a_registered_place(api)
    for path in ("", "/entries", "/checkpoint", "/proofs/inclusion?seq=0"):
        answer = await api.outsider.get(f"/ledgers/{ids['/ledgers']}{path}")
        assert answer.status_code == 404


async def test_inspectors_read_every_record_of_the_utility_under_them(api):
    ids = await a_registered_place(api)
    for inspector in (api.health, api.water):
        for part in ("/facilities", "/tanks", "/households", "/staff", "/ledgers"):
            assert (await inspector.get(f"{part}/{ids[part]}")).status_code == 200


async def test_who_sees_several_utilities_lists_the_duties_of_all_page_by_page(api):
    me = (await api.health.get("/me")).json()
    async with api.installation.runtime.work(SYSTEM) as work:
        third = await found_utility(work, FoundUtility("QT", "青田供水", "lishui"))
        await work.session.flush()
        work.session.add(Jurisdiction(organisation_id=me["organisation_id"], utility_id=third.id))
        utilities = (api.installation.utility.id, third.id)
        for utility in utilities:
            given = {**FACILITY, "utility_id": utility}
            await register_facility(work, RegisterFacility.model_validate(given))
    wanted: list[str] = []
    for utility in sorted(utilities):
        page = (await api.health.get("/duties", params={"utility": utility})).json()
        assert page["items"]
        wanted += [duty["id"] for duty in page["items"]]
    assert [one["id"] for one in (await api.health.get("/duties")).json()["items"]] == wanted
    for limit in (1, len(wanted) // 2, len(wanted)):
        assert await ids_page_by_page(api.health, limit) == wanted


async def ids_page_by_page(client, limit) -> list[str]:
    found, cursor = [], {}
    while True:
        page = (await client.get("/duties", params={"limit": limit} | cursor)).json()
        assert len(page["items"]) <= limit
        found += [one["id"] for one in page["items"]]
        if page["next"] is None:
            return found
        assert page["items"]
        cursor = {"cursor": page["next"]}


async def test_who_sees_no_utility_gets_an_empty_page_of_duties(api):
    async with api.installation.runtime.work(SYSTEM) as work:
        for one in await work.session.exec(select(Jurisdiction)):
            await work.session.delete(one)
    assert (await api.health.get("/duties")).json() == {"items": [], "next": None}


async def test_a_cursor_of_nobody_is_refused(api):
    refused = await api.health.get("/duties", params={"cursor": "bm9uZQ=="})
    assert refused.json()["facts"]["fields"] == {"cursor": "cursor_unknown"}


async def test_who_sees_several_utilities_names_one_where_it_matters(api):
    me = (await api.health.get("/me")).json()
    async with api.installation.runtime.work(SYSTEM) as work:
        third = await found_utility(work, FoundUtility("QT", "青田供水", "hubei"))
        await work.session.flush()
        work.session.add(Jurisdiction(organisation_id=me["organisation_id"], utility_id=third.id))
    await added(api.manager, "/facilities", FACILITY)
    assert len((await api.health.get("/facilities")).json()["items"]) == 1
    refused = await api.health.get("/obligations")
    assert refused.json()["facts"]["fields"] == {"utility_id": "utility_ambiguous"}
    law = (await api.health.get("/obligations", params={"utility": third.id})).json()
    assert law["place"] == "hubei"
