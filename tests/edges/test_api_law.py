"""The law in force over HTTP, and the stricter values a utility sets."""

import pytest

from tests.edges.test_api_register import FACILITY, TANK, added


async def law(api, **params):
    answer = await api.crew.get("/obligations", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_obligation_bears_its_article_and_words(api):
    told = await law(api)
    assert (told["place"], told["on"]) == ("lishui", "2026-11-23")
    cleaning = {one["id"]: one for one in told["items"]}["cleaning"]
    assert cleaning["article"] == "17(4)"
    assert "每半年" in cleaning["quote"]
    assert (cleaning["basis"], cleaning["status"]) == ("law", "encoded")
    assert cleaning["values"]["months"]["value"] == 6
    assert len(told["articles"]) == 21


async def test_the_law_shows_the_fields_each_record_asks_for(api):
    forms = {form["name"]: form["fields"] for form in (await law(api))["forms"]}
    fields = {field["key"]: field for field in forms["cleaning"]}
    assert (fields["owner_witnesses"]["kind"], fields["owner_witnesses"]["maximum"]) == (
        "list",
        "2",
    )
    assert fields["residual_mg_l"]["flag_above"] == "2"
    assert {field["key"]: field["apart_from"] for field in forms["confined_space_permit"]}[
        "watchers"
    ] == "inside"


async def test_features_of_later_issues_say_so(api):
    items = {one["id"]: one for one in (await law(api))["items"]}
    assert items["complaints"]["status"] == "later"
    assert items["complaints"]["reason"]


async def test_before_the_rules_day_nothing_of_theirs_is_in_force(api):
    items = {one["id"] for one in (await law(api, on="2022-11-08"))["items"]}
    assert "cleaning" not in items


async def test_a_stricter_value_moves_duties_and_a_looser_one_is_refused(api):
    facility = {**FACILITY, "in_service_on": "2026-10-31"}
    place = await added(api.manager, "/facilities", facility)
    await added(api.manager, f"/facilities/{place['id']}/tanks", TANK)

    async def due():
        params = {"obligation": "cleaning"}
        return (await api.crew.get("/duties", params=params)).json()["items"][0]["due_on"]

    assert await due() == "2027-04-30"
    for months, due_on in ((4, "2027-02-28"), (5, "2027-03-31")):
        answer = await api.administrator.put("/policy/cleaning/months", json={"value": months})
        assert answer.status_code == 200, answer.text
        assert await due() == due_on
    refused = await api.administrator.put("/policy/cleaning/months", json={"value": 7})
    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (409, "urn:water2:refused:cleaning")
    assert (problem["article"], problem["facts"]["held"], problem["facts"]["wanted"]) == (
        "17(4)",
        6,
        7,
    )
    assert await due() == "2027-03-31"


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("cleaning/colour", 1, "key"),
        ("nothing/months", 1, "key"),
        ("cleaning/months", "soon", "value"),
        ("cleaning/months", 0, "value"),
        ("cleaning/months", {"n": 1}, "value"),
    ],
)
async def test_what_cannot_be_set_is_malformed(api, path, value, field):
    refused = await api.administrator.put(f"/policy/{path}", json={"value": value})
    assert refused.status_code == 422
    assert list(refused.json()["facts"]["fields"]) == [field]


async def test_values_are_set_by_the_administrator(api):
    for client in (api.manager, api.crew, api.health):
        refused = await client.put("/policy/cleaning/months", json={"value": 5})
        assert refused.status_code == 403
