"""Work orders, samples, patrols and laboratory reports over HTTP."""

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.edges.test_api_register import TANK, a_registered_place, added
from tests.edges.test_api_staff import HEALTH, PERSON, TRAINING
from tests.records import a_cleaning_record, routine_results

CREW = ("LS001", "LS002", "LS003")


@pytest.fixture
async def place(api):
    """A facility with a tank overdue for cleaning, and three people fit to clean it."""
    ids = await a_registered_place(api)
    for code in CREW:
        if code != "LS001":
            person = await added(api.manager, "/staff", PERSON | {"code": code})
            ids[code] = person["id"]
        inside = f"/staff/{ids.get(code, ids['/staff'])}/certificates"
        for card in (HEALTH, TRAINING):
            await added(api.manager, inside, card | {"number": f"{card['number']}{code}"})
    return ids


async def an_order(api, place):
    body = {"kind": "cleaning", "facility_id": place["/facilities"]}
    return await added(api.manager, "/work-orders", body)


async def acted(client, order, act, body=None):
    answer = await client.post(f"/work-orders/{order['id']}/{act}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


PLAN = {"on": "2026-11-23", "crew": list(CREW), "stops_supply": False}


def results(**changes):
    return [{"parameter": k, "raw": v} for k, v in (routine_results() | changes).items()]


def a_sample(place, **changes):
    return {
        "facility_id": place["/facilities"],
        "tank_id": place["/tanks"],
        "point": "outlet",
        "purpose": "after_cleaning",
        "sampled_at": "2026-11-23T08:30:00+08:00",
        "results": results(),
    } | changes


async def test_a_cleaning_from_order_to_credit(api, place, clock):
    order = await an_order(api, place)
    assert (order["state"], order["tank_ids"]) == ("open", [place["/tanks"]])
    planned = await acted(api.manager, order, "plan", PLAN)
    assert (planned["state"], planned["crew"]) == ("planned", list(CREW))
    assert (await acted(api.crew, order, "start"))["state"] == "started"
    clock.set(clock.now + timedelta(hours=8))
    record = {"record": a_cleaning_record(clock.now)}
    done = await acted(api.crew, order, "complete", record)
    assert done["state"] == "completed"
    (cleaning_id,) = done["cleaning_ids"]
    sampled_at = {"sampled_at": clock.now.isoformat()}
    sample = await added(api.crew, "/samples", a_sample(place, **sampled_at))
    assert (sample["verdict"], sample["cleaning_id"]) == ("pass", cleaning_id)
    cleaning = (await api.health.get(f"/cleanings/{cleaning_id}")).json()
    assert (cleaning["cleaned_on"], cleaning["credited_on"]) == ("2026-11-23", "2026-11-23")
    field_set = {"field_results": {"free_chlorine": "0.30", "turbidity": "0.3", "ph": "7.2"}}
    back = await api.crew.post(f"/cleanings/{cleaning_id}/return-to-service", json=field_set)
    assert back.status_code == 200, back.text
    params = {"obligation": "cleaning", "facility": "BY-001"}
    duties = (await api.manager.get("/duties", params=params)).json()["items"]
    assert [(duty["due_on"], duty["state"]) for duty in duties] == [
        ("2024-05-18", "satisfied"),
        ("2027-05-23", "upcoming"),
    ]


async def test_an_unfit_person_is_not_planned_and_named_with_the_article(api, place):
    order = await an_order(api, place)
    await added(api.manager, "/staff", PERSON | {"code": "LS009"})
    plan = PLAN | {"crew": ["LS001", "LS009"]}
    refused = await api.manager.post(f"/work-orders/{order['id']}/plan", json=plan)
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (409, "urn:water2:refused:staff.fitness")
    assert problem["article"] == "17(2)"
    assert [person["code"] for person in problem["facts"]["people"]] == ["LS009"]
    assert "LS009（未经卫生知识培训、从未健康检查）" in problem["detail"]


async def test_an_assignment_is_withdrawn_and_named_when_the_certificate_is_revoked(api, place):
    order = await an_order(api, place)
    await acted(api.manager, order, "plan", PLAN)
    cards = (await api.manager.get(f"/staff/{place['LS002']}/certificates")).json()["items"]
    revoke = {"on": "2026-11-23", "reason": "体检机构更正"}
    revoked = await api.manager.post(f"/certificates/{cards[0]['id']}/revoke", json=revoke)
    assert revoked.json()["withdrawn_assignments"] == 1
    shown = (await api.crew.get(f"/work-orders/{order['id']}")).json()
    assert shown["crew"] == ["LS001", "LS003"]
    assert shown["withdrawn"] == [{"code": "LS002", "because": "certificate_revoked"}]


async def test_who_leaves_is_withdrawn_from_work_planned_after_the_last_day(api, place):
    order = await an_order(api, place)
    await acted(api.manager, order, "plan", PLAN | {"on": "2026-11-25"})
    await api.manager.post(f"/staff/{place['LS003']}/leave", json={"on": "2026-11-23"})
    shown = (await api.crew.get(f"/work-orders/{order['id']}")).json()
    assert shown["withdrawn"] == [{"code": "LS003", "because": "left"}]


async def test_an_order_about_a_tank_out_of_use_is_cancelled(api, place):
    order = await an_order(api, place)
    await api.manager.post(f"/tanks/{place['/tanks']}/end", json={"on": "2026-11-23"})
    shown = (await api.crew.get(f"/work-orders/{order['id']}")).json()
    assert (shown["state"], shown["cancel_reason"]) == ("cancelled", "out_of_use")


async def test_a_record_that_lacks_fields_names_each_of_them(api, place, clock):
    order = await an_order(api, place)
    record = a_cleaning_record(clock.now)
    record.pop("disinfectant_batch")
    record["confined_space_permit"].pop("watchers")
    body = {"record": record}
    refused = await api.crew.post(f"/work-orders/{order['id']}/complete", json=body)
    assert refused.status_code == 422
    assert refused.json()["facts"]["fields"] == {
        "record.disinfectant_batch": "missing",
        "record.confined_space_permit.watchers": "missing",
    }


async def test_an_unknown_field_of_a_record_is_answered_with_the_known_ones(api, place, clock):
    order = await an_order(api, place)
    record = a_cleaning_record(clock.now) | {"witnesses": ["x"]}
    refused = await api.crew.post(f"/work-orders/{order['id']}/complete", json={"record": record})
    (error,) = refused.json()["errors"]
    assert (error["field"], error["code"]) == ("record.witnesses", "unknown")
    law = (await api.crew.get("/obligations")).json()
    form = {form["name"]: form for form in law["forms"]}["cleaning"]
    assert error["facts"]["known"] == [field["key"] for field in form["fields"]]
    assert "owner_witnesses" in error["facts"]["known"]


async def test_a_violation_names_the_person_by_code_beside_the_id(api, place, clock):
    order = await an_order(api, place)
    unfit = await added(api.manager, "/staff", PERSON | {"code": "LS009"})
    record = {"record": a_cleaning_record(clock.now, people=("LS001", "LS009"))}
    done = await acted(api.crew, order, "complete", record)
    (cleaning_id,) = done["cleaning_ids"]
    shown = (await api.health.get(f"/cleanings/{cleaning_id}")).json()
    assert {(one["person"], one["code"]) for one in shown["violations"]} == {(unfit["id"], "LS009")}
    assert (await api.health.get("/cleanings")).json()["items"] == [shown]


async def test_an_order_is_cancelled_with_its_reason_once(api, place):
    order = await an_order(api, place)
    assert (await acted(api.manager, order, "cancel", {"reason": "改期"}))["state"] == "cancelled"
    again = await api.manager.post(f"/work-orders/{order['id']}/cancel", json={"reason": "改期"})
    assert (again.status_code, again.json()["reason"]) == (409, "work_order_state")


async def test_a_sample_is_judged_item_by_item(api, place):
    sample = await added(
        api.crew, "/samples", a_sample(place, purpose="routine", results=results(turbidity="1.2"))
    )
    assert sample["verdict"] == "fail"
    (turbidity,) = [one for one in sample["results"] if one["parameter"] == "turbidity"]
    assert (turbidity["raw"], turbidity["value"], turbidity["verdict"]) == ("1.2", "1.2", "fail")
    assert turbidity["limit"]
    anomaly = (await api.health.get(f"/anomalies/{sample['anomaly_id']}")).json()
    assert [one["parameter"] for one in anomaly["causes"]] == ["turbidity"]


async def test_a_naive_time_is_read_in_the_utilitys_zone(api, place):
    body = a_sample(place, sampled_at="2026-11-23T08:30", results=[])
    sample = await added(api.crew, "/samples", body)
    assert sample["sampled_at"] == "2026-11-23T00:30:00Z"
    assert sample["verdict"] == "pending"


async def test_what_lies_ahead_did_not_happen(api, place):
    body = a_sample(place, sampled_at="2026-11-23T09:01")
    refused = await api.crew.post("/samples", json=body)
    assert refused.json()["facts"]["fields"] == {"sampled_at": "in_future"}


async def test_a_laboratorys_report_adds_results_and_brings_new_samples(api, place):
    waiting = await added(api.crew, "/samples", a_sample(place, results=[]))
    report = {
        "number": "LX202611001",
        "laboratory": "濯溪水质检测技术有限公司",
        "accreditation_number": "230000000303",
        "accreditation_valid_to": "2029-09-02",
        "issued_on": "2026-11-23",
        "samples": [
            {"sample_id": waiting["id"], "results": results()},
            a_sample(place, point="terminal", purpose="routine", tank_id=None),
        ],
    }
    told = await added(api.manager, "/lab-reports", report)
    assert [sample["verdict"] for sample in told["samples"]] == ["pass", "pass"]
    assert {sample["report_number"] for sample in told["samples"]} == {"LX202611001"}
    listed = (await api.health.get("/lab-reports")).json()["items"]
    assert [(one["number"], len(one["samples"])) for one in listed] == [("LX202611001", 2)]
    found = (await api.health.get("/lab-reports", params={"number": "none"})).json()["items"]
    assert found == []


async def test_a_report_about_a_sample_nobody_described_names_what_lacks(api, place):
    report = {"number": "LX1", "laboratory": "x", "samples": [{"results": results()}]}
    refused = await api.manager.post("/lab-reports", json=report)
    assert refused.json()["facts"]["fields"] == {"samples.0.facility_id": "missing"}


async def test_a_round_satisfies_the_months_duty(api, place):
    body = {
        "facility_id": place["/facilities"],
        "kind": "hygiene",
        "patrolled_at": "2026-11-23T08:00",
        "patrolled_by": "LS001",
        "record": {"lid_locked": "normal"},
    }
    patrol = await added(api.crew, "/patrols", body)
    assert patrol["patrolled_on"] == "2026-11-23"
    shown = (await api.health.get(f"/patrols/{patrol['id']}")).json()
    assert shown == patrol
    duties = (await api.manager.get("/duties", params={"obligation": "daily"})).json()["items"]
    assert [duty["due_on"] for duty in duties if duty["state"] != "satisfied"] == ["2026-12-23"]


async def test_duties_are_narrowed_by_facility_state_and_due_day(api, place):
    async def count(**params):
        return len((await api.manager.get("/duties", params=params)).json()["items"])

    everything = await count()
    assert await count(facility="BY-001") == await count(facility=place["/facilities"])
    assert 0 < await count(state="overdue") < everything
    assert await count(due_before="2023-01-01") == 0
    assert await count(due_before="2024-05-18", obligation="cleaning") == 0
    assert await count(due_before="2024-05-19", obligation="cleaning") == 1
    assert await count(facility="none") == 0


async def test_a_value_is_told_to_its_last_digit(api, place):
    given = results(turbidity="0.30", manganese="<0.00000005")
    sample = await added(api.crew, "/samples", a_sample(place, results=given))
    told = {one["parameter"]: (one["value"], one["censored"]) for one in sample["results"]}
    assert told["turbidity"] == ("0.30", None)
    assert told["manganese"] == ("0.00000005", "<")


async def test_a_laboratory_whose_accreditation_had_ended_serves_no_duty(api, place):
    lapsed = {"accreditation_number": "2200", "accreditation_valid_to": "2026-11-22"}
    sample = await added(api.crew, "/samples", a_sample(place, purpose="routine", **lapsed))
    assert (sample["verdict"], sample["counts"]) == ("pass", False)
    assert "accreditation_expired" in sample["flags"]
    on_its_last_day = {"accreditation_number": "2200", "accreditation_valid_to": "2026-11-23"}
    sample = await added(api.crew, "/samples", a_sample(place, **on_its_last_day))
    assert (sample["counts"], "accreditation_expired" in sample["flags"]) == (True, False)


@pytest.mark.parametrize(
    ("sampled_at", "code"),
    [("2023-11-17T08:00", "tank_not_in_use_yet"), ("2026-11-21T08:00", "tank_out_of_use")],
)
async def test_a_sample_of_a_tank_not_in_use_is_refused_with_which_side_it_lies_on(
    api, place, sampled_at, code
):
    tank = await added(
        api.manager,
        f"/facilities/{place['/facilities']}/tanks",
        TANK | {"code": "9#", "in_use_on": "2023-11-18"},
    )
    await api.manager.post(f"/tanks/{tank['id']}/end", json={"on": "2026-11-20"})
    body = a_sample(place, tank_id=tank["id"], sampled_at=sampled_at)
    refused = await api.crew.post("/samples", json=body)
    assert (refused.status_code, refused.json()["facts"]["fields"]) == (422, {"sampled_at": code})


STOPPING = PLAN | {"on": "2026-11-25", "stops_supply": True}


async def test_work_that_stops_the_supply_waits_for_its_notice_to_be_proven(api, place, clock):
    order = await an_order(api, place)
    planned = await acted(api.manager, order, "plan", STOPPING)
    outage_id = planned["outage_id"]
    draft = (await api.crew.get(f"/outages/{outage_id}")).json()
    assert (draft["state"], draft["reason"], draft["work_order_id"]) == (
        "draft",
        "tank_cleaning",
        order["id"],
    )
    assert (draft["starts_at"], draft["ends_at"]) == (
        "2026-11-25T01:00:00Z",
        "2026-11-25T09:00:00Z",
    )

    async def refused(reason):
        answer = await api.crew.post(f"/work-orders/{order['id']}/start")
        problem = answer.json()
        assert (answer.status_code, problem["type"]) == (409, "urn:water2:refused:outage.planned")
        assert (problem["article"], problem["reason"]) == ("15", reason)

    await refused("notice_too_late")
    published = await api.manager.post(f"/outages/{outage_id}/publish")
    assert published.status_code == 200, published.text
    clock.set(NOW + timedelta(hours=1))
    await refused("households_not_told")
    poster = {"building_id": place["/buildings"], "posted_at": clock.now.isoformat()}
    hung = await api.crew.post(f"/outages/{outage_id}/posters", json=poster)
    assert hung.status_code == 201, hung.text
    await refused("before_announced_start")
    clock.set(NOW + timedelta(hours=48))
    assert (await acted(api.crew, order, "start"))["state"] == "started"
    assert (await api.crew.get(f"/outages/{outage_id}")).json()["state"] == "in_effect"


async def test_work_that_leaves_the_supply_on_has_no_outage(api, place, clock):
    order = await an_order(api, place)
    outage_id = (await acted(api.manager, order, "plan", STOPPING))["outage_id"]
    planned = await acted(api.manager, order, "plan", PLAN)
    assert planned["outage_id"] is None
    assert (await api.crew.get(f"/outages/{outage_id}")).json()["state"] == "cancelled"
    assert (await acted(api.crew, order, "start"))["state"] == "started"
