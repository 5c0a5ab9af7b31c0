"""What anybody sees without an account: outages, notices, estates; nothing of who lives where."""

from datetime import datetime, timedelta

import httpx
import pytest

from tests.conftest import NOW
from tests.edges.conftest import client_of
from tests.estate import FLATS, an_estate
from tests.published import ENDS, STARTS, announced, call_off, change, plan, stop_and_restore
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.services.outages.changing import RescheduleOutage, reschedule_outage
from water2.services.rows import fetch

PRIVATE = {
    *(phone for _, _, phone, _ in FLATS if phone),
    *(mail for _, _, _, mail in FLATS if mail),
    *(f"BY-001-{building[0]}{room}" for building, room, _, _ in FLATS),
    '"room"',
    "household",
}


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


@pytest.fixture
async def anybody(app, lishui, estate):
    async with lishui.runtime.work() as work:
        facility = await fetch(work, Facility, estate.facility.id)
        facility.address, facility.district = "丽阳街 1_号 ABC", "莲都区"
        (await fetch(work, Utility, facility.utility_id)).hotline = "0578-2112345"
    async with client_of(app) as client:
        yield client


def found(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item.get("number") or item["code"] for item in answer.json()["items"]]


async def test_outages_to_come_and_in_effect_are_shown_and_drafts_never_are(
    lishui, estate, anybody
):
    draft = await plan(lishui, estate)
    coming = await announced(lishui, estate, building_ids=["1幢"])
    assert found(await anybody.get("public/outages")) == [coming.number]
    shown = (await anybody.get(f"public/outages/{coming.number}")).json()
    assert shown["state"] == "published"
    assert shown["buildings"] == shown["notices"][0]["buildings"] == ["1幢"]
    assert shown["phone"] == "0578-2112345"
    for path in ("outages", "notices"):
        assert (await anybody.get(f"public/{path}/{draft.number}")).status_code == 404
    await call_off(lishui, draft)
    assert found(await anybody.get("public/outages")) == [coming.number]
    assert (await anybody.get(f"public/notices/{draft.number}")).status_code == 404


async def test_an_ended_outage_is_listed_for_seven_days_and_its_notice_shown_for_good(
    lishui, estate, anybody, clock
):
    restored = await announced(lishui, estate)
    await stop_and_restore(lishui, restored, clock)
    cancelled = await announced(lishui, estate, starts_at=clock.now + timedelta(days=3))
    await call_off(lishui, cancelled)
    clock.set(clock.now + timedelta(days=7, seconds=-1))
    assert found(await anybody.get("public/outages")) == [restored.number, cancelled.number]
    assert found(await anybody.get("public/outages?state=restored")) == [restored.number]
    clock.set(clock.now + timedelta(seconds=1))
    assert found(await anybody.get("public/outages")) == []
    assert (await anybody.get(f"public/notices/{restored.number}")).json()["genuine"] is True


async def test_outages_are_narrowed_by_estate_and_by_what_it_is_called(lishui, estate, anybody):
    other = await an_estate(lishui, "BY-002")
    here = await announced(lishui, estate)
    there = await announced(lishui, other)
    ask = "public/outages?facility_id="
    assert found(await anybody.get(ask + estate.facility.id)) == [here.number]
    assert found(await anybody.get("public/outages?q=by-002")) == [there.number]
    assert found(await anybody.get("public/outages?q=nowhere")) == []
    assert (await anybody.get("public/outages?state=draft")).status_code == 422
    assert (await anybody.get("public/outages?household=1")).status_code == 422


async def test_outages_are_read_a_page_at_a_time(lishui, estate, anybody):
    for hours in (5, 1, 3):
        await announced(lishui, estate, starts_at=STARTS + timedelta(hours=hours))
    starts, cursor = [], ""
    while cursor is not None:
        page = (await anybody.get(f"public/outages?limit=1&cursor={cursor}")).json()
        starts += [item["starts_at"] for item in page["items"]]
        cursor = page["next"]
    assert len(starts) == 3
    assert starts == sorted(starts)


async def test_a_notice_is_genuine_under_its_number_however_it_was_typed(lishui, estate, anybody):
    outage = await announced(lishui, estate)
    for typed in (
        outage.number,
        outage.number.lower(),
        f" {outage.number[:4]} {outage.number[4:]}",
    ):
        answer = (await anybody.get(f"public/notices/{typed}")).json()
        assert answer["genuine"] is True
        assert (answer["number"], answer["revision"]) == (outage.number, 1)
    assert answer["text_zh"].startswith("尊敬的用户")
    assert len(answer["text_sha256"]) == 64
    assert answer["outage"]["state"] == "published"


async def test_an_old_revision_is_genuine_and_superseded(lishui, estate, anybody):
    outage = await announced(lishui, estate)
    moved = RescheduleOutage(starts_at=STARTS + timedelta(days=1), ends_at=ENDS + timedelta(days=1))
    await change(lishui, reschedule_outage, outage, moved)
    first = (await anybody.get(f"public/notices/{outage.number}-1")).json()
    last = (await anybody.get(f"public/notices/{outage.number}")).json()
    assert (first["revision"], first["superseded"]) == (1, True)
    assert (last["revision"], last["superseded"]) == (2, False)
    assert datetime.fromisoformat(first["starts_at"]) == STARTS
    assert [one["kind"] for one in last["revisions"]] == ["planned", "rescheduled"]
    assert (await anybody.get(f"public/notices/{outage.number}-3")).status_code == 404


@pytest.mark.parametrize(
    "number", ["TS261123-ZZZZZZ", "0", "-1", "１", "a%01b", "x" * 500, "\u202e"]
)
async def test_a_number_never_published_is_plainly_told_to_be_none(anybody, number):
    answer = await anybody.get(f"public/notices/{number}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["reason"] == "notice_not_genuine"
    assert "没有发布过" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("q", "count"),
    [
        ("听松", 2),
        ("丽阳街", 1),
        ("莲都 听松", 1),
        ("abc", 1),
        ("by-00", 2),
        ("ＢＹ-001", 1),
        ("1_号", 1),
        ("2_号", 0),
        ("听松 nowhere", 0),
        ("%", 0),
        ("_", 1),
        ("\\", 0),
        ("", 2),
    ],
)
async def test_an_estate_is_found_by_any_words_of_it_and_no_wild_card(lishui, anybody, q, count):
    await an_estate(lishui, "BY-002")
    answer = await anybody.get("public/facilities", params={"q": q})
    assert len(found(answer)) == count


async def test_an_estate_out_of_use_is_not_found(lishui, estate, anybody):
    async with lishui.runtime.work() as work:
        (await fetch(work, Facility, estate.facility.id)).out_of_use_on = NOW.date()
    assert found(await anybody.get("public/facilities")) == []
    assert (await anybody.get(f"public/facilities/{estate.facility.id}")).status_code == 404


async def test_an_estate_shows_its_buildings_outages_and_whom_to_call(lishui, estate, anybody):
    outage = await announced(lishui, estate)
    shown = (await anybody.get(f"public/facilities/{estate.facility.id}")).json()
    assert shown["buildings"] == ["1幢", "2幢"]
    assert shown["phone"] == "0578-2112345"
    assert [one["number"] for one in shown["outages"]] == [outage.number]


async def test_no_answer_tells_who_lives_where(lishui, estate, anybody):
    outage = await announced(lishui, estate)
    paths = [
        "/api/v1/public/facilities",
        f"/api/v1/public/facilities/{estate.facility.id}",
        "/api/v1/public/outages",
        f"/api/v1/public/outages/{outage.number}",
        f"/api/v1/public/notices/{outage.number}",
        "/feeds/outages.atom",
        "/feeds/cap.atom",
        f"/feeds/cap/{outage.number}-1.xml",
        "/feeds/outages.ics",
    ]
    for path in paths:
        answer = await anybody.get(f"http://water2{path}")
        assert answer.status_code == 200, path
        assert [secret for secret in PRIVATE if secret in answer.text] == [], path


async def test_answers_may_be_kept_for_a_minute_and_asked_for_anew(lishui, estate, anybody):
    outage = await announced(lishui, estate)
    tags = {}
    for path in (
        "public/facilities",
        "public/outages",
        f"public/facilities/{estate.facility.id}",
        f"public/outages/{outage.number}",
        f"public/notices/{outage.number}",
    ):
        first = await anybody.get(path)
        assert first.headers["cache-control"] == "public, max-age=60"
        tags[path] = {"If-None-Match": first.headers["etag"]}
        again = await anybody.get(path, headers=tags[path])
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["etag"] == first.headers["etag"]
    await call_off(lishui, outage)
    changed = [(await anybody.get(path, headers=tag)).status_code for path, tag in tags.items()]
    assert changed == [304, 200, 200, 200, 200]


async def test_what_is_not_public_is_kept_nowhere(anybody):
    for path in ("facilities", "public/facilities/none", "public/outages?q=%01"):
        answer = await anybody.get(path)
        assert answer.status_code >= 400
        assert answer.headers["cache-control"] == "no-store"
