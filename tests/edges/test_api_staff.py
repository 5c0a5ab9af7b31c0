"""People, their certificates, and who is fit on a day (art. 17(2))."""

import pytest

from tests.edges.test_api_register import added

PERSON = {"code": "LS001", "name": "周行", "employer": "瓯城供水", "handles_water": True}
HEALTH = {
    "kind": "health",
    "number": "JK2026001",
    "issuer": "丽水市疾控中心",
    "examined_on": "2026-02-28",
    "valid_to": "2027-02-27",
}
TRAINING = {
    "kind": "training",
    "number": "PX2023-1456",
    "issuer": "丽水市疾控中心",
    "trained_on": "2023-04-12",
}


async def a_person(api, *certificates):
    person = await added(api.manager, "/staff", PERSON)
    for certificate in certificates:
        await added(api.manager, f"/staff/{person['id']}/certificates", certificate)
    return person


async def fitness(api, person, on=None):
    params = {"on": on} if on else {}
    answer = await api.manager.get(f"/staff/{person['id']}/fitness", params=params)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["fit"], [reason["code"] for reason in told["reasons"]]


async def duties_of(api, person):
    answer = await api.manager.get("/duties", params={"subject": person["id"]})
    return {(duty["obligation"], duty["due_on"], duty["state"]) for duty in answer.json()["items"]}


async def test_who_handles_water_owes_training_and_health_check_at_once(api):
    person = await a_person(api)
    assert await fitness(api, person) == (False, ["never_trained", "never_examined"])
    assert await duties_of(api, person) == {
        ("staff.fitness", "2026-11-23", "due_soon"),
        ("staff.training", "2026-11-23", "due_soon"),
    }


async def test_with_both_a_person_is_fit_to_the_last_valid_day(api):
    person = await a_person(api, HEALTH, TRAINING)
    assert await fitness(api, person) == (True, [])
    assert await fitness(api, person, "2027-02-27") == (True, [])
    assert await fitness(api, person, "2027-02-28") == (False, ["health_check_lapsed"])
    assert await fitness(api, person, "2026-02-27") == (False, ["examined_after"])
    live = {duty for duty in await duties_of(api, person) if duty[2] != "satisfied"}
    assert live == {("staff.fitness", "2027-02-27", "upcoming")}


async def test_the_reasons_cite_the_article(api):
    person = await a_person(api)
    told = (await api.manager.get(f"/staff/{person['id']}/fitness")).json()
    assert told["on"] == "2026-11-23"
    assert {reason["article"] for reason in told["reasons"]} == {"17(2)"}
    assert all(reason["quote"] for reason in told["reasons"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"examined_on": "2026-11-24"}, "examined_on"),
        ({"valid_to": "2026-02-27"}, "valid_to"),
        ({"trained_on": "2026-02-28"}, "body"),
        ({"examined_on": None}, "body"),
        ({"kind": "vaccination"}, "kind"),
    ],
)
async def test_a_certificate_that_cannot_be_true_is_refused(api, changes, field):
    person = await a_person(api)
    refused = await api.manager.post(f"/staff/{person['id']}/certificates", json=HEALTH | changes)
    assert refused.status_code == 422
    assert list(refused.json()["facts"]["fields"]) == [field]


async def test_the_same_certificate_is_not_entered_twice(api):
    person = await a_person(api, HEALTH)
    again = await api.manager.post(f"/staff/{person['id']}/certificates", json=HEALTH)
    assert (again.status_code, again.json()["facts"]["field"]) == (409, "number")


async def test_a_revoked_certificate_no_longer_counts(api):
    person = await a_person(api, HEALTH, TRAINING)
    listed = (await api.manager.get(f"/staff/{person['id']}/certificates")).json()["items"]
    assert [card["kind"] for card in listed] == ["health", "training"]
    revoke = {"on": "2026-11-01", "reason": "体检机构更正"}
    place = f"/certificates/{listed[0]['id']}/revoke"
    revoked = await api.manager.post(place, json=revoke)
    assert revoked.json()["revoked_on"] == "2026-11-01"
    assert await fitness(api, person) == (False, ["health_check_revoked"])
    assert await fitness(api, person, "2026-10-31") == (True, [])
    again = await api.manager.post(place, json=revoke)
    assert (again.status_code, again.json()["reason"]) == (409, "revoked_already")
    training = await api.manager.post(f"/certificates/{listed[1]['id']}/revoke", json=revoke)
    assert training.json()["reason"] == "training_does_not_lapse"


async def test_a_person_who_left_owes_nothing(api):
    person = await a_person(api)
    left = await api.manager.post(f"/staff/{person['id']}/leave", json={"on": "2026-11-20"})
    assert left.json()["left_on"] == "2026-11-20"
    states = {state for _, _, state in await duties_of(api, person)}
    assert states == {"withdrawn"}
    again = await api.manager.post(f"/staff/{person['id']}/leave", json={"on": "2026-11-20"})
    assert again.json()["reason"] == "left_already"


async def test_who_begins_to_handle_water_owes_the_check_from_then_on(api):
    person = await added(api.manager, "/staff", PERSON | {"handles_water": False})
    assert await duties_of(api, person) == set()
    change = {"handles_water": True}
    place = f"/staff/{person['id']}"
    await api.manager.patch(place, json=change, headers={"If-Match": '"1"'})
    assert {obligation for obligation, _, _ in await duties_of(api, person)} == {
        "staff.fitness",
        "staff.training",
    }
    change = {"handles_water": False}
    await api.manager.patch(place, json=change, headers={"If-Match": '"2"'})
    assert {state for _, _, state in await duties_of(api, person)} == {"withdrawn"}


async def test_whoever_was_examined_is_known_from_the_first_card_of_either_kind(api):
    person = await added(api.manager, "/staff", PERSON)

    async def since():
        return (await api.manager.get(f"/staff/{person['id']}")).json()["since_on"]

    place, known = f"/staff/{person['id']}/certificates", []
    for card in (TRAINING, HEALTH):
        await added(api.manager, place, card)
        known.append(await since())
    assert known == ["2026-11-23", "2023-04-12"]
