"""Outages over HTTP: their life, who may act, and what is refused with which words."""

from datetime import timedelta

import pytest

from tests.conftest import NOW
from tests.edges.outages import (
    STARTS,
    a_plan,
    an_emergency,
    created,
    done,
    entries,
    published,
    shown,
)
from tests.estate import FLATS, accept_all, an_estate
from water2.domain.errors import RuleViolation
from water2.edge.facts import zone_named
from water2.edge.problems import problem_of
from water2.rules.book import load_book
from water2.rules.notice import Told, judge_start, notice_demand
from water2.words import words

ENGLISH = {"lang": "en"}
QUOTE = "提前24小时"


@pytest.fixture
async def estate(api):
    return await an_estate(api.installation)


async def hung(api, estate, outage, building="2幢"):
    body = {"building_id": estate.buildings[building].id, "posted_at": NOW.isoformat()}
    answer = await api.crew.post(f"/outages/{outage['id']}/posters", json=body)
    assert answer.status_code == 201, answer.text


async def announced(api, estate, clock):
    """Published, every household proved told, and the announced start come."""
    outage = await published(api, estate)
    await accept_all(api.installation.runtime)
    await hung(api, estate, outage)
    clock.set(STARTS)
    return outage


async def refused(client, outage, act, body=None, status=409, **more):
    answer = await client.post(f"/outages/{outage['id']}/{act}", json=body, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_planned_outage_from_draft_to_restored(api, estate, clock):
    draft = await created(api.manager, a_plan(estate))
    assert (draft["state"], draft["revision"], draft["number"][:8]) == ("draft", 0, "TS261123")
    outage = await done(api.manager, draft, "publish")
    assert (outage["state"], outage["revision"]) == ("published", 1)
    assert outage["notified"] == {"households": 6, "told": 0, "missing": 6, "late": 0}
    await accept_all(api.installation.runtime)
    assert (await shown(api.crew, outage))["notified"]["told"] == 5
    await hung(api, estate, outage)
    clock.set(STARTS)
    started = await done(api.crew, outage, "start")
    assert (started["state"], started["started_at"]) == ("in_effect", "2026-11-25T01:00:00Z")
    later = (STARTS + timedelta(hours=6)).isoformat()
    extended = await done(api.crew, outage, "extend", {"ends_at": later})
    assert (extended["ends_at"], extended["revision"]) == ("2026-11-25T07:00:00Z", 2)
    clock.set(STARTS + timedelta(hours=5))
    restored = await done(api.crew, outage, "restore")
    assert (restored["state"], restored["overran"]) == ("restored", False)
    assert await entries(api, *LIFE) == [*LIFE]


LIFE = ("outage.drafted", "outage.started", "outage.extended", "outage.restored")


async def test_an_outage_says_how_many_are_told_and_from_when_on_it_may_start(api, estate, clock):
    draft = await created(api.manager, a_plan(estate))
    assert draft["summary"] == "尚未公告，6 户待告知；此刻公告，最早可于 2026-11-25 09:00 停水。"
    outage = await done(api.manager, draft, "publish")
    await accept_all(api.installation.runtime)
    assert (await shown(api.health, outage))["summary"] == (
        "6 户中已告知 5 户，最早可于 2026-11-25 09:00 停水。"
    )
    clock.set(STARTS - timedelta(hours=23))
    late = (await api.health.get(f"/outages/{outage['number']}", params=ENGLISH)).json()
    assert late["summary"] == "5 of 6 told, earliest lawful start 2026-11-25 10:00."
    assert late["earliest_lawful_start"] == "2026-11-25T02:00:00Z"


@pytest.mark.parametrize(("hours", "warnings"), [(37, []), (36, [36]), (30, [36, 30])])
async def test_it_warns_as_the_hours_pass_with_households_missing(
    api, estate, clock, hours, warnings
):
    outage = await published(api, estate)
    clock.set(STARTS - timedelta(hours=hours))
    seen = await shown(api.manager, outage)
    assert seen["warnings"] == warnings
    assert ("households_not_told" in seen["flags"]) == bool(warnings)


async def test_an_outage_is_found_by_its_number_and_has_its_version(api, estate):
    outage = await created(api.manager, a_plan(estate))
    answer = await api.water.get(f"/outages/{outage['number']}")
    assert (answer.json(), answer.headers["ETag"]) == (outage, '"1"')
    changed = await done(api.manager, {"id": outage["number"]}, "publish")
    assert changed["version"] == 2


@pytest.mark.parametrize("act", ["publish", "start", "restore"])
async def test_an_act_repeated_is_answered_alike_and_done_once(api, estate, clock, act):
    outage = await created(api.manager, a_plan(estate))
    for before in ("publish", "start", "restore"):
        if before == "start":
            await accept_all(api.installation.runtime)
            await hung(api, estate, outage)
            clock.set(STARTS)
        first = await done(api.manager, outage, before)
        if before == act:
            break
    recorded = await entries(api)
    assert await done(api.manager, outage, act) == first
    assert await entries(api) == recorded


async def test_the_same_key_gets_the_first_answer_and_another_body_is_refused(api, estate):
    key = {"Idempotency-Key": "plan-1"}
    body = a_plan(estate)
    first = await api.manager.post("/outages", json=body, headers=key)
    again = await api.manager.post("/outages", json=body, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    other = await api.manager.post("/outages", json=body | {"detail": "x"}, headers=key)
    assert other.status_code == 422
    assert len((await api.manager.get("/outages")).json()["items"]) == 1


async def test_publishing_under_24_hours_before_the_start_is_refused_with_article_and_quote(
    api, estate, clock
):
    outage = await created(api.manager, a_plan(estate))
    clock.set(STARTS - timedelta(hours=24) + timedelta(seconds=1))
    problem = await refused(api.manager, outage, "publish")
    assert problem["type"] == "urn:water2:refused:outage.planned"
    assert (problem["article"], problem["reason"]) == ("15", "notice_too_late")
    assert QUOTE in problem["quote"]
    assert problem["facts"] == {
        "starts_at": "2026-11-25T01:00:00Z",
        "notice_hours": 24,
        "earliest": "2026-11-25T01:00:01Z",
    }
    assert problem["detail"] == (
        "定于 2026-11-25 09:00 停水，告知不足 24 小时；"
        "此刻告知，最早可于 2026-11-25 09:00:01 停水。"
    )
    assert await entries(api, "notice.published") == []


async def test_starting_is_refused_with_whoever_is_not_told_and_the_earliest_lawful_start(
    api, estate, clock
):
    outage = await published(api, estate)
    await accept_all(api.installation.runtime)
    clock.set(STARTS)
    problem = await refused(api.crew, outage, "start", params=ENGLISH)
    assert (problem["article"], problem["reason"]) == ("15", "households_not_told")
    assert problem["facts"] == {
        "households": 6,
        "told": 5,
        "missing": ["BY-001-2102"],
        "missing_count": 1,
        "told_by": "2026-11-24T01:00:00Z",
        "earliest": "2026-11-26T01:00:00Z",
    }
    assert problem["detail"] == (
        "1 of 6 households are not proven told by 2026-11-24 09:00: BY-001-2102. "
        "The earliest lawful start is 2026-11-26 09:00; after the announced end it must be "
        "rescheduled first."
    )
    assert (await shown(api.crew, outage))["state"] == "published"


def test_a_sentence_names_the_first_of_many_households_and_counts_the_others():
    demand = notice_demand(load_book("lishui"), NOW.date())
    told = Told(20_000, 19_000, missing=tuple(f"H{n:03}" for n in range(500)))
    verdict = judge_start(demand, now=STARTS, starts_at=STARTS, ends_at=None, told=told)
    problem = problem_of(RuleViolation(verdict), words("en"), zone_named("Asia/Shanghai"))
    assert "H000, H001" in problem.detail
    assert "H009 and 990 more" in problem.detail
    assert len(problem.body()["facts"]["missing"]) == 500


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (STARTS - timedelta(hours=1), "before_announced_start"),
        (STARTS + timedelta(hours=4), "window_over"),
    ],
)
async def test_an_outage_starts_within_its_announced_window_alone(api, estate, clock, at, reason):
    outage = await announced(api, estate, clock)
    clock.set(at)
    problem = await refused(api.crew, outage, "start")
    assert (problem["article"], problem["reason"]) == ("15", reason)
    assert QUOTE in problem["quote"]
    assert reason not in problem["detail"]
    assert "2026-11-25" in problem["detail"]


async def test_a_wider_extent_begins_a_new_24_hours_for_those_added(api, estate, clock):
    one, both = (
        [estate.buildings[code].id for code in codes] for codes in (["1幢"], ["1幢", "2幢"])
    )
    outage = await published(api, estate, building_ids=one)
    assert outage["notified"]["households"] == 3
    clock.set(STARTS - timedelta(hours=23))
    problem = await refused(api.manager, outage, "extend", {"building_ids": both})
    assert (problem["article"], problem["reason"]) == ("15", "notice_too_late")
    assert (await shown(api.manager, outage))["revision"] == 1


async def test_who_is_added_while_the_water_is_off_has_had_no_notice(api, estate, clock):
    one, both = (
        [estate.buildings[code].id for code in codes] for codes in (["1幢"], ["1幢", "2幢"])
    )
    outage = await published(api, estate, building_ids=one)
    await accept_all(api.installation.runtime)
    clock.set(STARTS)
    await done(api.crew, outage, "start")
    problem = await refused(api.crew, outage, "extend", {"building_ids": both})
    assert (problem["article"], problem["reason"]) == ("15", "widened_in_effect")
    assert "24" in problem["detail"]


async def test_an_act_that_does_not_fit_the_state_names_it_in_words(api, estate):
    outage = await created(api.manager, a_plan(estate))
    problem = await refused(api.crew, outage, "start")
    assert (problem["reason"], problem["facts"]) == ("outage_state", {"state": "draft"})
    assert problem["detail"] == "停水状态为草稿，不能这样做。"
    problem = await refused(api.crew, outage, "restore", params=ENGLISH)
    assert problem["detail"] == "The outage is a draft; that cannot be done."


async def test_an_emergency_is_published_and_in_effect_at_once(api, estate):
    outage = await created(api.manager, an_emergency(estate))
    assert (outage["state"], outage["revision"]) == ("in_effect", 1)
    assert outage["earliest_lawful_start"] is None
    assert outage["summary"] == "6 户中已告知 0 户。"
    assert {"notice_impossible_unexplained", "authority_report_missing"} <= {*outage["flags"]}
    progress = await done(api.crew, outage, "extend", {"detail": "正在更换水泵"})
    assert (progress["revision"], progress["detail"]) == (2, "正在更换水泵")


async def test_a_cancelled_outage_keeps_why(api, estate):
    outage = await published(api, estate)
    cancelled = await done(api.manager, outage, "cancel", {"reason": "改期"})
    assert (cancelled["state"], cancelled["cancel_reason"]) == ("cancelled", "改期")
    kinds = [one["kind"] for one in (await shown(api.health, outage, "/notices"))["items"]]
    assert kinds == ["planned", "cancelled"]


async def test_a_draft_is_moved_and_a_published_one_is_told_of_anew(api, estate):
    outage = await created(api.manager, a_plan(estate))
    window = {"starts_at": "2026-11-26T09:00", "ends_at": "2026-11-26T12:00"}
    moved = await done(api.manager, outage, "reschedule", window)
    assert (moved["starts_at"], moved["revision"]) == ("2026-11-26T01:00:00Z", 0)
    await done(api.manager, outage, "publish")
    window = {"starts_at": "2026-11-27T09:00", "ends_at": "2026-11-27T12:00"}
    moved = await done(api.manager, outage, "reschedule", window)
    assert (moved["starts_at"], moved["revision"]) == ("2026-11-27T01:00:00Z", 2)


async def test_crew_run_outages_and_managers_plan_them(api, estate, clock):
    body = a_plan(estate)
    assert (await api.crew.post("/outages", json=body)).status_code == 403
    outage = await created(api.manager, body)
    window = {name: body[name] for name in ("starts_at", "ends_at")}
    acts = {"publish": None, "reschedule": window, "cancel": {"reason": "x"}}
    for act, given in acts.items():
        problem = await refused(api.crew, outage, act, given, status=403)
        assert problem["facts"] == {"action": "plan_outages"}
    assert "计划停水" in problem["detail"]
    for client in (api.health, api.water, api.administrator):
        assert (await client.post("/outages", json=body)).status_code == 403
        await refused(client, outage, "start", status=403)
        assert (await shown(client, outage))["id"] == outage["id"]


@pytest.mark.parametrize(
    "part", ["", "/missing", "/notices", "/preview", "/proof", "/posters", "/poster-tasks"]
)
async def test_an_outsider_learns_nothing_and_nobody_unsigned_does(api, estate, part):
    outage = await published(api, estate)
    assert (await api.outsider.get(f"/outages/{outage['id']}{part}")).status_code == 404
    assert (await api.outsider.get(f"/outages/{outage['number']}{part}")).status_code == 404
    assert (await api.anybody.get(f"/outages/{outage['id']}{part}")).status_code == 401
    await refused(api.outsider, outage, "cancel", {"reason": "x"}, status=404)
    assert (await api.outsider.get("/outages")).json()["items"] == []


def ahead(**hours):
    return (NOW + timedelta(**hours)).isoformat()


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"ends_at": ahead(hours=47)}, "ends_at", "before"),
        ({"starts_at": ahead(hours=-1)}, "starts_at", "in_past"),
        ({"ends_at": ahead(days=7)}, "ends_at", "window_too_long"),
        ({"ends_at": None}, "ends_at", "missing"),
        ({"building_ids": []}, "building_ids", "extent_of_nobody"),
        ({"building_ids": ["9幢"]}, "building_ids", "unknown_building"),
        ({"zones": ["中区"]}, "zones", "unknown_zone"),
        ({"reason": "holiday"}, "reason", "enum"),
        ({"starts_at": "tomorrow"}, "starts_at", "instant_unreadable"),
        ({"state": "published"}, "state", "extra_forbidden"),
        ({"detail": "a\x00b"}, "body", "text_unstorable"),
    ],
)
async def test_a_plan_that_cannot_be_is_refused_and_nothing_is_half_done(
    api, estate, changes, field, code
):
    answer = await api.manager.post("/outages", json=a_plan(estate) | changes)
    problem = answer.json()
    assert (answer.status_code, problem["facts"]["fields"]) == (422, {field: code})
    assert problem["errors"][0]["detail"] != code
    assert (await api.manager.get("/outages")).json()["items"] == []
    assert await entries(api, "outage.drafted") == []


async def test_a_plan_for_a_building_where_nobody_lives_concerns_nobody(api, estate):
    place = f"/facilities/{estate.facility.id}/buildings"
    empty = (await api.manager.post(place, json={"code": "3幢"})).json()
    answer = await api.manager.post("/outages", json=a_plan(estate, building_ids=[empty["id"]]))
    assert answer.json()["facts"]["fields"] == {"building_ids": "extent_of_nobody"}


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"cause": None}, "cause", "missing"),
        ({"starts_at": ahead(hours=1)}, "starts_at", "in_future"),
        ({"ends_at": ahead(hours=-1)}, "ends_at", "before"),
    ],
)
async def test_an_emergency_that_cannot_be_is_refused(api, estate, changes, field, code):
    answer = await api.manager.post("/outages", json=an_emergency(estate) | changes)
    assert (answer.status_code, answer.json()["facts"]["fields"]) == (422, {field: code})
    assert await entries(api, "outage.declared", "notice.published") == []


async def test_an_end_cannot_be_brought_forward_nor_an_extent_narrowed(api, estate):
    outage = await published(api, estate)
    sooner = {"ends_at": (STARTS + timedelta(hours=2)).isoformat()}
    problem = await refused(api.crew, outage, "extend", sooner, status=422)
    assert problem["facts"]["fields"] == {"ends_at": "end_not_later"}
    narrower = {"building_ids": [estate.buildings["1幢"].id]}
    problem = await refused(api.crew, outage, "extend", narrower, status=422)
    assert problem["facts"]["fields"] == {"building_ids": "extent_narrower"}
    assert (await shown(api.crew, outage))["revision"] == 1


async def test_a_restoration_lies_neither_ahead_nor_before_the_start(api, estate):
    outage = await created(api.manager, an_emergency(estate))
    for at, code in ((ahead(hours=1), "in_future"), (ahead(hours=-1), "before")):
        problem = await refused(api.crew, outage, "restore", {"restored_at": at}, status=422)
        assert problem["facts"]["fields"] == {"restored_at": code}


async def test_outages_are_listed_the_newest_first_and_narrowed(api, estate, clock):
    first = await created(api.manager, a_plan(estate))
    clock.set(NOW + timedelta(minutes=1))
    second = await created(api.manager, an_emergency(estate))

    async def ids(**params):
        listed = (await api.health.get("/outages", params=params)).json()
        return [one["id"] for one in listed["items"]]

    assert await ids() == [second["id"], first["id"]]
    assert await ids(kind="planned") == await ids(state="draft") == [first["id"]]
    assert await ids(facility_id=estate.facility.id) == [second["id"], first["id"]]
    assert await ids(facility_id="none") == []
    page = (await api.health.get("/outages", params={"limit": 1})).json()
    assert [one["id"] for one in page["items"]] == [second["id"]]
    assert await ids(limit=1, cursor=page["next"]) == [first["id"]]


async def test_households_not_told_are_listed_with_how_far_their_messages_have_come(api, estate):
    outage = await published(api, estate)
    await accept_all(api.installation.runtime, channel="sms")
    listed = (await shown(api.crew, outage, "/missing"))["items"]
    assert [(one["code"], one["building_code"], one["channels"]) for one in listed] == [
        ("BY-001-1201", "1幢", [{"channel": "mail", "level": "queued"}]),
        ("BY-001-2102", "2幢", []),
    ]
    page = (await api.crew.get(f"/outages/{outage['id']}/missing", params={"limit": 1})).json()
    assert [one["code"] for one in page["items"]] == ["BY-001-1201"]
    params = {"limit": 1, "cursor": page["next"]}
    page = (await api.crew.get(f"/outages/{outage['id']}/missing", params=params)).json()
    assert ([one["code"] for one in page["items"]], page["next"]) == (["BY-001-2102"], None)


async def test_of_a_draft_nobody_is_missing_and_nothing_is_published(api, estate):
    outage = await created(api.manager, a_plan(estate))
    assert (await shown(api.crew, outage, "/missing"))["items"] == []
    assert (await shown(api.crew, outage, "/notices"))["items"] == []


async def test_the_words_of_a_notice_are_seen_before_anybody_gets_them(api, estate):
    outage = await created(api.manager, a_plan(estate))
    seen = await shown(api.manager, outage, "/preview")
    assert (seen["kind"], seen["revision"]) == ("planned", 1)
    await done(api.manager, outage, "publish")
    (notice,) = (await shown(api.manager, outage, "/notices"))["items"]
    for words_of in ("title_zh", "title_en", "text_zh", "text_en", "short_zh"):
        assert notice[words_of] == seen[words_of]
    seen = await shown(api.manager, outage, "/preview?kind=cancelled")
    assert (seen["kind"], seen["revision"]) == ("cancelled", 2)
    assert (await shown(api.manager, outage))["revision"] == 1


def texts_in(value):
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item)]
    return [str(value)]


async def test_a_proof_tells_who_was_told_and_nobody_who_lives_where(api, estate, clock):
    outage = await announced(api, estate, clock)
    await done(api.crew, outage, "start")
    proof = await shown(api.health, outage, "/proof")
    assert proof["outage"]["number"] == outage["number"]
    assert proof["notified"] == {
        "households": 6,
        "told": 6,
        "missing": 0,
        "late": 0,
        "told_by": "2026-11-24T01:00:00Z",
        "delivered_required": False,
    }
    by_way = sorted((one["building"], one["level"]) for one in proof["households"])
    assert by_way.count(("2幢", "poster")) >= 1
    assert by_way.count(("1幢", "accepted")) == 3
    types = [entry["type"] for entry in proof["entries"]]
    assert types == ["outage.drafted", "notice.published", "poster.recorded", "outage.started"]
    told = "\n".join(texts_in(proof))
    for _, _, phone, mail in FLATS:
        assert phone is None or phone not in told
        assert mail is None or mail not in told
    assert not [code for code in ("2102", "1201") if f"BY-001-{code}" in told]
    assert {name for one in proof["households"] for name in one} == {
        "household",
        "building",
        "since_revision",
        "told_at",
        "in_time",
        "level",
        "channel",
        "messages",
    }


async def test_an_unknown_outage_is_not_there(api, estate):
    for path in ("/outages/none", "/outages/none/proof", "/outages/TS261123-AAAAAA"):
        assert (await api.manager.get(path)).status_code == 404
    await refused(api.manager, {"id": "none"}, "publish", status=404)
