"""The words of notices over HTTP, and the telephone that stands in them."""

import pytest

from tests.edges.outages import a_plan, created, entries, shown
from tests.estate import an_estate


async def templates(client):
    listed = (await client.get("/notice-templates")).json()["items"]
    return {(one["kind"], one["language"]): one for one in listed}


def words_of(template, **changes):
    return {name: template[name] for name in ("title", "text", "short")} | changes


PLANNED = "/notice-templates/planned/zh"


async def test_every_kind_of_notice_has_a_template_in_both_languages(api):
    found = await templates(api.health)
    assert len(found) == 2 * len({kind for kind, _ in found}) == 16
    planned = found["planned", "zh"]
    assert (planned["version"], planned["set_at"]) == (0, None)
    assert "store" in planned["required"]["text"]
    assert "number" in planned["required"]["short"]
    assert set(planned["required"]["text"]) <= set(planned["known"])
    english = found["planned", "en"]
    assert ([*english["required"]], english["short"]) == (["text"], None)


async def test_a_template_that_is_set_holds_for_notices_from_then_on(api):
    estate = await an_estate(api.installation)
    outage = await created(api.manager, a_plan(estate))
    planned = (await templates(api.manager))["planned", "zh"]
    body = words_of(planned, title="瓯城供水告知：{facility}停水")
    answer = await api.manager.put(PLANNED, json=body)
    assert (answer.status_code, answer.json()["version"]) == (200, 1), answer.text
    assert (await templates(api.manager))["planned", "zh"] == answer.json()
    seen = await shown(api.manager, outage, "/preview")
    assert seen["title_zh"] == "瓯城供水告知：听松苑停水"
    again = await api.manager.put(PLANNED, json=body)
    assert again.json()["version"] == 2
    assert await entries(api, "notice_template.set") == ["notice_template.set"] * 2


@pytest.mark.parametrize(
    ("changes", "part", "code", "named"),
    [
        ({"text": "{facility}停水"}, "text", "template_field_missing", "store"),
        ({"short": None}, "short", "template_field_missing", "number"),
        ({"title": "{facility}{owner}"}, "title", "template_field_unknown", "owner"),
        ({"title": "{facility"}, "title", "template_unreadable", ""),
        ({"title": "{facility.id}"}, "title", "template_unreadable", ""),
        ({"title": "{facility!r:>9}"}, "title", "template_unreadable", ""),
    ],
)
async def test_a_template_without_what_it_must_hold_is_refused_and_none_is_set(
    api, changes, part, code, named
):
    planned = (await templates(api.manager))["planned", "zh"]
    answer = await api.manager.put(PLANNED, json=words_of(planned) | changes)
    problem = answer.json()
    assert (answer.status_code, problem["facts"]["fields"]) == (422, {part: code})
    assert named in problem["errors"][0]["detail"]
    assert (await templates(api.manager))["planned", "zh"] == planned


async def test_there_are_no_templates_of_other_kinds_or_languages(api):
    for path in ("/notice-templates/party/zh", "/notice-templates/planned/fr"):
        assert (await api.manager.put(path, json={})).status_code == 422


async def test_managers_set_templates_and_everybody_of_the_utility_reads_them(api):
    planned = (await templates(api.crew))["planned", "zh"]
    for client in (api.crew, api.health, api.administrator):
        answer = await client.put(PLANNED, json=words_of(planned))
        assert answer.json()["facts"] == {"action": "keep_deliveries"}


async def test_the_hotline_is_kept_as_it_is_typed_and_stands_in_notices(api):
    estate = await an_estate(api.installation)
    outage = await created(api.manager, a_plan(estate))
    assert (await api.crew.get("/hotline")).json()["phone"] is None
    for _ in range(2):
        answer = await api.manager.put("/hotline", json={"phone": "0578-222 0119"})
        assert (answer.status_code, answer.json()["phone"]) == (200, "0578-222 0119")
    assert await entries(api, "utility.hotline_set") == ["utility.hotline_set"]
    assert "0578-222 0119" in (await shown(api.manager, outage, "/preview"))["text_zh"]
    gone = await api.manager.put("/hotline", json={"phone": None})
    assert gone.json()["phone"] is None


@pytest.mark.parametrize(
    ("phone", "code"), [("0578-222o119", "phone_letters"), ("12", "phone_malformed")]
)
async def test_a_hotline_that_is_no_telephone_is_refused(api, phone, code):
    answer = await api.manager.put("/hotline", json={"phone": phone})
    assert (answer.status_code, answer.json()["facts"]["fields"]) == (422, {"phone": code})
    assert (await api.crew.put("/hotline", json={"phone": "0578-2220119"})).status_code == 403
