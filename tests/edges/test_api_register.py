"""The register over HTTP: the contract of design.md section 8."""

import asyncio

import pytest
from sqlalchemy import text

FACILITY = {
    "code": "BY-001",
    "name": "听松苑",
    "kind": "high_rise_residential",
    "address": "古城路202号",
    "accepted_on": "2023-09-03",
    "handed_over_on": "2023-10-22",
    "in_service_on": "2023-11-18",
}
TANK = {"code": "1#", "volume_m3": 50, "isolable": True}


async def added(client, path, body, **more):
    answer = await client.post(path, json=body, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def a_registered_place(api) -> dict[str, str]:
    """A facility with a tank, building, household and person; their ids by part of the path."""
    facility = await added(api.manager, "/facilities", FACILITY)
    inside = f"/facilities/{facility['id']}"
    tank = await added(api.manager, f"{inside}/tanks", TANK)
    building = await added(api.manager, f"{inside}/buildings", {"code": "1幢"})
    household = await added(
        api.manager,
        "/households",
        {"code": "3000000001", "building_id": building["id"], "unit": "1", "room": "602"},
    )
    person = await added(
        api.manager,
        "/staff",
        {"code": "LS001", "name": "周行", "employer": "瓯城供水", "handles_water": True},
    )
    return {
        "/facilities": facility["id"],
        "/tanks": tank["id"],
        "/buildings": building["id"],
        "/households": household["id"],
        "/staff": person["id"],
        "/ledgers": facility["ledger_id"],
    }


async def test_a_facility_with_a_tank_owes_its_cleaning_as_soon_as_it_is_entered(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    assert (facility["in_scope"], facility["scope_clause"]) == (True, "2.1")
    tank = await added(api.manager, f"/facilities/{facility['id']}/tanks", TANK)
    assert tank["facility_id"] == facility["id"]
    duties = (await api.manager.get("/duties", params={"obligation": "cleaning"})).json()
    (duty,) = duties["items"]
    assert duty["subject"] == {"type": "tank", "id": tank["id"], "code": "1#"}
    assert (duty["due_on"], duty["state"], duty["facility_code"]) == (
        "2024-05-18",
        "overdue",
        "BY-001",
    )
    assert duty["missed_halves"] == ["2024-H1", "2024-H2", "2025-H1", "2025-H2", "2026-H1"]


async def test_a_facility_built_before_the_rules_and_not_handed_over_is_outside(api):
    old = FACILITY | {"accepted_on": "2015-05-01", "handed_over_on": None, "in_service_on": None}
    facility = await added(api.manager, "/facilities", old)
    assert (facility["in_scope"], facility["scope_clause"]) == (False, "2.1")
    version = {"If-Match": '"1"'}
    taken_over = {"handed_over_on": "2024-03-01"}
    answer = await api.manager.patch(
        f"/facilities/{facility['id']}", json=taken_over, headers=version
    )
    assert answer.json()["in_scope"] is True


async def test_fire_systems_are_outside_and_say_by_which_clause(api):
    fire = await added(api.manager, "/facilities", FACILITY | {"kind": "fire"})
    assert fire["in_scope"] is False
    assert fire["scope_clause"]
    await added(api.manager, f"/facilities/{fire['id']}/tanks", TANK)
    of_the_place = await api.manager.get("/duties", params={"facility": fire["code"]})
    assert of_the_place.json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"handed_over_on": "2023-09-02"}, "handed_over_on", "before_start"),
        ({"accepted_on": "2026-11-24", "handed_over_on": None}, "accepted_on", "in_future"),
        ({"longitude": 181}, "longitude", "less_than_equal"),
        (
            {"contacts": [{"channel": "phone", "address": "1990578O12X"}]},
            "contacts.0.address",
            "phone_letters",
        ),
        ({"manager": "LS999"}, "manager", "unknown_person"),
        ({"tankless": "no"}, "tankless", "bool_type"),
        ({"in_service_on": "2023/11/18"}, "in_service_on", "day_unreadable"),
        ({"name": "x" * 201}, "name", "string_too_long"),
    ],
)
async def test_what_cannot_be_true_is_refused_with_its_field(api, changes, field, code):
    answer = await api.manager.post("/facilities", json=FACILITY | changes)
    assert answer.status_code == 422
    assert answer.json()["facts"]["fields"] == {field: code}
    assert (await api.manager.get("/facilities")).json()["items"] == []


async def test_a_planned_first_day_in_use_may_lie_ahead(api):
    facility = await added(api.manager, "/facilities", FACILITY | {"in_service_on": "2027-01-01"})
    shown = (await api.manager.get(f"/facilities/{facility['id']}")).json()
    assert "not_in_use" in shown["flags"]


async def test_what_a_facility_lacks_is_flagged_alone_and_in_lists_until_it_is_there(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    (listed,) = (await api.health.get("/facilities")).json()["items"]
    assert facility["flags"] == listed["flags"] == ["no_manager", "no_contact", "no_meter"]
    given = {
        "manager_name": "周行",
        "contacts": [{"channel": "phone", "address": "19905780108"}],
        "electricity_meter": "001",
    }
    place = f"/facilities/{facility['id']}"
    mended = await api.manager.patch(place, json=given, headers={"If-Match": "*"})
    (listed,) = (await api.health.get("/facilities")).json()["items"]
    assert mended.json()["flags"] == listed["flags"] == []


async def test_a_facility_out_of_scope_is_flagged_for_nothing(api):
    fire = await added(api.manager, "/facilities", FACILITY | {"kind": "fire"})
    assert fire["flags"] == []


async def test_an_older_facility_may_have_been_in_use_before_it_was_handed_over(api):
    body = FACILITY | {"accepted_on": "2010-01-01", "in_service_on": "2010-02-01"}
    facility = await added(api.manager, "/facilities", body)
    assert facility["in_scope"] is True


async def test_codes_are_unique_within_a_utility_alone(api):
    await added(api.manager, "/facilities", FACILITY)
    again = await api.manager.post("/facilities", json=FACILITY)
    assert (again.status_code, again.json()["facts"]) == (409, {"field": "code", "code": "BY-001"})
    await added(api.outsider, "/facilities", FACILITY)


async def test_an_edit_needs_the_version_it_is_made_on(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    place = f"/facilities/{facility['id']}"
    assert (await api.manager.get(place)).headers["ETag"] == '"1"'
    change = {"name": "听松苑二期"}
    assert (await api.manager.patch(place, json=change)).status_code == 428
    edited = await api.manager.patch(place, json=change, headers={"If-Match": '"1"'})
    assert (edited.status_code, edited.headers["ETag"]) == (200, '"2"')
    stale = await api.manager.patch(place, json=change, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["facts"]["version"]) == (412, 2)
    anyway = await api.manager.patch(place, json=change, headers={"If-Match": "*"})
    assert anyway.status_code == 200


async def test_of_two_edits_at_once_on_one_version_one_is_refused(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    edits = [
        api.manager.patch(
            f"/facilities/{facility['id']}",
            json={"name": f"苑{n}"},
            headers={"If-Match": '"1"'},
        )
        for n in range(4)
    ]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*edits))
    assert statuses == [200, 412, 412, 412]


async def test_a_field_that_must_be_filled_cannot_be_emptied(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    place, version = f"/facilities/{facility['id']}", {"If-Match": '"1"'}
    refused = await api.manager.patch(place, json={"name": None}, headers=version)
    assert refused.json()["facts"]["fields"] == {"name": "missing"}
    emptied = await api.manager.patch(place, json={"address": None}, headers=version)
    assert emptied.json()["address"] is None


async def test_an_edit_enters_old_and_new_value_and_of_a_person_that_it_changed(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    change = {"name": "听松苑二期", "manager_name": "王伟杰"}
    await api.manager.patch(
        f"/facilities/{facility['id']}", json=change, headers={"If-Match": '"1"'}
    )
    entries = (await api.manager.get(f"/ledgers/{facility['ledger_id']}/entries")).json()["items"]
    assert entries[-1]["entry"]["type"] == "facility.updated"
    assert entries[-1]["entry"]["data"] == {
        "changed": {
            "manager_name": "changed",
            "name": {"new": "听松苑二期", "old": "听松苑"},
        }
    }


async def test_contacts_are_normalised_masked_and_kept_sealed(api):
    contacts = [
        {"channel": "phone", "address": "１９９ 0578 0108"},
        {"channel": "phone", "address": "199-0578-0108"},
        {"channel": "mail", "address": "Pump@Example.COM"},
    ]
    facility = await added(api.manager, "/facilities", FACILITY | {"contacts": contacts})
    assert facility["contacts"] == [
        {"channel": "mail", "address": "P***@example.com"},
        {"channel": "phone", "address": "199****0108"},
    ]
    async with api.installation.runtime.read() as work:
        rows = await work.session.execute(text("SELECT sealed FROM contact"))
        assert not any(b"0108" in bytes(sealed) for sealed in rows.scalars())
        bodies = await work.session.execute(text("SELECT body FROM ledger_entry"))
        assert not any(b"0108" in bytes(body) for body in bodies.scalars())


async def test_channels_go_by_two_names_and_are_stored_under_one(api):
    given = [
        {"channel": "sms", "address": "19905780108"},
        {"channel": "email", "address": "pump@example.com"},
    ]
    facility = await added(api.manager, "/facilities", FACILITY | {"contacts": given})
    assert [one["channel"] for one in facility["contacts"]] == ["mail", "phone"]
    pigeon = FACILITY | {"code": "2", "contacts": [{"channel": "pigeon", "address": "coo"}]}
    assert (await api.manager.post("/facilities", json=pigeon)).status_code == 422
    schema = (await api.anybody.get("/openapi.json")).json()["components"]["schemas"]
    channel = schema["GivenContact"]["properties"]["channel"]
    assert set(channel["enum"]) == {"phone", "sms", "mail", "email"}


async def test_service_begins_today_unless_a_day_is_given(api, clock):
    clock.set(clock.now.replace(hour=17))  # the next day in Lishui
    body = FACILITY | {"in_service_on": None}
    facility = await added(api.manager, "/facilities", body)
    begun = await api.manager.post(f"/facilities/{facility['id']}/put-into-service")
    assert (begun.status_code, begun.json()["in_service_on"]) == (200, "2026-11-24")


async def test_service_begins_only_after_acceptance_and_handover(api):
    body = {key: value for key, value in FACILITY.items() if not key.endswith("_on")}
    facility = await added(api.manager, "/facilities", body)
    place, begin = f"/facilities/{facility['id']}", {"on": "2026-11-23"}

    async def refusal():
        answer = await api.manager.post(f"{place}/put-into-service", json=begin)
        return answer.status_code, answer.json()["type"], answer.json()["article"]

    assert await refusal() == (409, "urn:water2:refused:acceptance", "9")
    accepted = {"accepted_on": "2026-11-01"}
    await api.manager.patch(place, json=accepted, headers={"If-Match": "*"})
    assert await refusal() == (409, "urn:water2:refused:handover", "10")
    back_door = {"in_service_on": "2026-11-23"}
    refused = await api.manager.patch(place, json=back_door, headers={"If-Match": "*"})
    assert refused.json()["type"] == "urn:water2:refused:handover"
    handed_over = {"handed_over_on": "2026-11-10"}
    await api.manager.patch(place, json=handed_over, headers={"If-Match": "*"})
    begun = await api.manager.post(f"{place}/put-into-service", json=begin)
    assert (begun.status_code, begun.json()["in_service_on"]) == (200, "2026-11-23")
    again = await api.manager.post(f"{place}/put-into-service", json=begin)
    assert (again.status_code, again.json()["reason"]) == (409, "already_in_service")


async def test_a_tank_out_of_use_owes_nothing_more(api):
    ids = await a_registered_place(api)
    end = {"on": "2026-11-20", "reason": "out_of_use"}
    ended = await api.manager.post(f"/tanks/{ids['/tanks']}/end", json=end)
    assert ended.json()["out_of_use_on"] == "2026-11-20"
    duties = (await api.manager.get("/duties", params={"subject": ids["/tanks"]})).json()["items"]
    assert {(duty["state"], duty["ended_on"]) for duty in duties} == {("withdrawn", "2026-11-20")}
    again = await api.manager.post(f"/tanks/{ids['/tanks']}/end", json=end)
    assert (again.status_code, again.json()["reason"]) == (409, "out_of_use_already")


async def test_a_facility_merged_into_another_ends_with_its_tanks(api):
    ids = await a_registered_place(api)
    other = await added(api.manager, "/facilities", FACILITY | {"code": "BY-002"})
    end = {"on": "2026-11-20", "reason": "merged"}
    place = f"/facilities/{ids['/facilities']}/end"
    refused = await api.manager.post(place, json=end)
    assert refused.json()["facts"]["fields"] == {"merged_into": "merged_needs_target"}
    for wrong in (ids["/facilities"], "0" * 32):
        refused = await api.manager.post(place, json=end | {"merged_into": wrong})
        assert refused.json()["facts"]["fields"] == {"merged_into": "merged_into_unknown"}
    ended = await api.manager.post(place, json=end | {"merged_into": other["id"]})
    assert ended.json()["merged_into_id"] == other["id"]
    filters = {"facility": ids["/facilities"]}
    duties = (await api.manager.get("/duties", params=filters)).json()["items"]
    assert {duty["end_reason"] for duty in duties} == {"merged"}
    refused = await api.manager.post(
        f"/facilities/{ids['/facilities']}/tanks", json=TANK | {"code": "2#"}
    )
    assert refused.json()["reason"] == "facility_out_of_use"


@pytest.mark.parametrize("on", ["2026-11-24", "2023-11-17"], ids=["tomorrow", "before its use"])
async def test_an_end_lies_between_the_first_day_and_today(api, on):
    ids = await a_registered_place(api)
    end = {"on": on, "reason": "out_of_use"}
    refused = await api.manager.post(f"/facilities/{ids['/facilities']}/end", json=end)
    assert list(refused.json()["facts"]["fields"]) == ["on"]


async def test_a_household_belongs_to_a_building_and_moves_out_once(api):
    ids = await a_registered_place(api)
    household = f"/households/{ids['/households']}"
    moved = await api.manager.post(f"{household}/move-out", json={"on": "2026-11-20"})
    assert moved.json()["moved_out_on"] == "2026-11-20"
    again = await api.manager.post(f"{household}/move-out", json={"on": "2026-11-21"})
    assert (again.status_code, again.json()["reason"]) == (409, "moved_out_already")
    gone = (await api.manager.get("/households", params={"moved_out": True})).json()["items"]
    assert [one["code"] for one in gone] == ["3000000001"]
    assert (await api.manager.get("/households", params={"moved_out": False})).json()["items"] == []


async def test_no_flat_holder_or_contact_enters_a_ledger(api):
    ids = await a_registered_place(api)
    body = {
        "code": "3000000002",
        "building_id": ids["/buildings"],
        "unit": "9",
        "room": "60299",
        "holder": "刘伟程",
        "contacts": [{"channel": "phone", "address": "19905781000"}],
    }
    household = await added(api.manager, "/households", body)
    change = {"room": "70199", "holder": "吕建"}
    edited = await api.manager.patch(
        f"/households/{household['id']}", json=change, headers={"If-Match": '"1"'}
    )
    assert edited.json()["room"] == "70199"
    async with api.installation.runtime.read() as work:
        bodies = (await work.session.execute(text("SELECT body FROM ledger_entry"))).scalars()
        told = b"".join(bytes(body) for body in bodies).decode()
    for personal in ("60299", "70199", "刘伟程", "吕建", "19905781000", "周行"):
        assert personal not in told


async def test_zones_named_by_a_building_are_the_facilitys(api):
    ids = await a_registered_place(api)
    inside = f"/facilities/{ids['/facilities']}"
    await added(api.manager, f"{inside}/zones", {"name": "低区"})
    body = {"code": "2幢", "name": "二幢", "zones": ["低区", "高区"]}
    await added(api.manager, f"{inside}/buildings", body)
    zones = (await api.manager.get(f"{inside}/zones")).json()["items"]
    assert sorted(zone["name"] for zone in zones) == ["低区", "高区"]
    taken = await api.manager.post(f"{inside}/zones", json={"name": "高区"})
    assert taken.status_code == 409


async def test_lists_are_paged_by_an_opaque_cursor(api):
    for n in range(5):
        await added(api.manager, "/facilities", FACILITY | {"code": f"BY-00{n}"})
    codes, cursor = [], None
    for _ in range(3):
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await api.manager.get("/facilities", params=params)).json()
        codes += [facility["code"] for facility in page["items"]]
        cursor = page["next"]
    assert (codes, cursor) == ([f"BY-00{n}" for n in range(5)], None)


async def test_a_facility_is_found_by_its_code_too(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    assert (await api.manager.get("/facilities/BY-001")).json()["id"] == facility["id"]
    found = (await api.manager.get("/facilities", params={"code": "BY-001"})).json()["items"]
    assert [one["id"] for one in found] == [facility["id"]]
