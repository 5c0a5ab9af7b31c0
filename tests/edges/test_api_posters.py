"""Posters over HTTP: as JSON or as a form with the photo, and where one must hang."""

import asyncio
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256

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
from tests.estate import accept_all, an_estate

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
JPEG = b"\xff\xd8\xff\xe0" + bytes(500_000)
HUNG = (NOW - timedelta(minutes=1)).isoformat()


@pytest.fixture
async def estate(api):
    return await an_estate(api.installation)


@pytest.fixture
async def outage(api, estate, clock):
    outage = await published(api, estate)
    clock.set(NOW + timedelta(hours=1))
    return outage


def a_poster(estate, building="2幢", **changes):
    given = {"building_id": estate.buildings[building].id, "posted_at": NOW.isoformat()}
    return given | changes


async def hand_in(client, outage, status=201, **body):
    answer = await client.post(f"/outages/{outage['id']}/posters", **body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_poster_is_evidence_for_all_households_of_its_building(api, estate, outage):
    assert (await shown(api.crew, outage))["notified"]["told"] == 0
    poster = await hand_in(api.crew, outage, json=a_poster(estate))
    assert (poster["revision"], poster["photo_sha256"]) == (1, None)
    assert (await shown(api.crew, outage))["notified"]["told"] == 3
    assert (await shown(api.health, outage, "/posters"))["items"] == [poster]
    assert await entries(api, "poster.recorded") == ["poster.recorded"]


async def test_a_photo_comes_in_base64_or_as_a_file_of_a_form(api, estate, outage):
    written = a_poster(estate, photo=b64encode(PNG).decode())
    first = await hand_in(api.crew, outage, json=written)
    files = {"photo": ("1幢.jpg", JPEG, "image/jpeg")}
    second = await hand_in(api.crew, outage, data=a_poster(estate, "1幢"), files=files)
    for poster, content, media_type in ((first, PNG, "image/png"), (second, JPEG, "image/jpeg")):
        assert poster["photo_sha256"] == sha256(content).hexdigest()
        photo = await api.water.get(f"/posters/{poster['id']}/photo")
        assert (photo.content, photo.headers["content-type"]) == (content, media_type)


async def test_a_photo_is_seen_by_whoever_sees_the_utility_alone(api, estate, outage):
    poster = await hand_in(api.crew, outage, json=a_poster(estate, photo=b64encode(PNG).decode()))
    place = f"/posters/{poster['id']}/photo"
    assert (await api.anybody.get(place)).status_code == 401
    assert (await api.outsider.get(place)).status_code == 404
    bare = await hand_in(api.crew, outage, json=a_poster(estate, "1幢"))
    assert (await api.crew.get(f"/posters/{bare['id']}/photo")).status_code == 404


async def test_the_same_form_with_the_same_key_is_one_poster(api, estate, outage):
    async def send(photo):
        return await api.crew.post(
            f"/outages/{outage['id']}/posters",
            data=a_poster(estate),
            files={"photo": ("2幢.png", photo, "image/png")},
            headers={"Idempotency-Key": "poster-1"},
        )

    first, again = await send(PNG), await send(PNG)
    assert (first.status_code, again.json()) == (201, first.json())
    assert (await send(PNG + b"x")).status_code == 422
    assert len((await shown(api.crew, outage, "/posters"))["items"]) == 1


async def test_a_poster_recorded_twice_is_one(api, estate, outage):
    first = await hand_in(api.crew, outage, json=a_poster(estate))
    assert await hand_in(api.crew, outage, json=a_poster(estate)) == first
    assert await entries(api, "poster.recorded") == ["poster.recorded"]


async def test_two_posters_at_once_are_each_recorded(api, estate, outage):
    await asyncio.gather(
        *(hand_in(api.crew, outage, json=a_poster(estate, code)) for code in ("1幢", "2幢"))
    )
    assert (await shown(api.crew, outage))["notified"]["missing"] == 0


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"posted_at": HUNG}, "posted_at", "before_publishing"),
        ({"posted_at": (NOW + timedelta(hours=2)).isoformat()}, "posted_at", "in_future"),
        ({"building_id": "9幢"}, "building_id", "unknown_building"),
        ({"photo": "not base64!"}, "photo", "base64_unreadable"),
        ({"photo": b64encode(b"GIF89a").decode()}, "photo", "photo_unreadable"),
        ({"when": "now"}, "when", "extra_forbidden"),
        ({"posted_at": None}, "posted_at", "instant_unreadable"),
    ],
)
async def test_a_poster_that_cannot_be_is_refused_and_nothing_is_kept(
    api, estate, outage, changes, field, code
):
    told = await hand_in(api.crew, outage, 422, json=a_poster(estate) | changes)
    assert told["facts"]["fields"] == {field: code}
    assert told["errors"][0]["detail"] != code
    assert (await shown(api.crew, outage, "/posters"))["items"] == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'"poster"', b""])
async def test_what_is_no_object_of_json_is_refused(api, outage, body):
    headers = {"content-type": "application/json"}
    told = await hand_in(api.crew, outage, 422, content=body, headers=headers)
    assert [*told["facts"]["fields"]] == ["body"]


@pytest.mark.parametrize(
    ("files", "field", "code"),
    [
        ([("photo", ("a.gif", b"GIF89a", "image/gif"))], "photo", "photo_unreadable"),
        ([("photo", ("a.png", PNG + bytes(10 << 20), "image/png"))], "photo", "file_too_large"),
        ([("scan", ("a.png", PNG, "image/png"))], "scan", "extra_forbidden"),
        ([("photo", ("a.png", PNG, "image/png"))] * 2, "photo", "repeated"),
    ],
    ids=["no photo", "too large", "under another name", "two of them"],
)
async def test_a_form_with_another_file_than_one_photo_is_refused(
    api, estate, outage, files, field, code
):
    told = await hand_in(api.crew, outage, 422, data=a_poster(estate), files=files)
    assert told["facts"]["fields"] == {field: code}


async def test_a_photo_past_the_limit_of_json_is_to_come_as_a_file(api, estate, outage):
    body = a_poster(estate, photo=b64encode(bytes(1 << 20)).decode())
    told = await hand_in(api.crew, outage, 413, json=body)
    assert told["reason"] == "body_too_large"


async def test_a_poster_by_somebody_who_is_not_on_the_register_is_not_kept(api, estate, outage):
    told = await hand_in(api.crew, outage, 404, json=a_poster(estate, posted_by="LS999"))
    assert told["facts"] == {"kind": "staff", "id": "LS999"}
    assert (await shown(api.crew, outage, "/posters"))["items"] == []


async def test_who_may_not_run_outages_hangs_nothing(api, estate, outage):
    for client, status in ((api.health, 403), (api.outsider, 404), (api.anybody, 401)):
        await hand_in(client, outage, status, json=a_poster(estate))


async def test_a_poster_of_what_was_never_published_is_refused(api, estate):
    draft = await created(api.manager, a_plan(estate))
    told = await hand_in(api.crew, draft, 409, json=a_poster(estate))
    assert told["reason"] == "outage_state"


async def test_a_poster_must_hang_where_households_are_not_told(api, estate, outage):
    await accept_all(api.installation.runtime)
    (task,) = (await shown(api.crew, outage, "/poster-tasks"))["items"]
    assert task == {
        "outage_id": outage["id"],
        "number": outage["number"],
        "starts_at": outage["starts_at"],
        "building_id": estate.buildings["2幢"].id,
        "building_code": "2幢",
        "missing": 1,
        "hang_by": "2026-11-24T01:00:00Z",
    }
    assert (await api.crew.get("/poster-tasks")).json()["items"] == [task]
    assert (await api.outsider.get("/poster-tasks")).json()["items"] == []
    await hand_in(api.crew, outage, json=a_poster(estate))
    assert (await api.crew.get("/poster-tasks")).json()["items"] == []


async def test_an_emergencys_posters_have_no_deadline_and_end_with_it(api, estate, clock):
    outage = await created(api.manager, an_emergency(estate))
    tasks = (await shown(api.crew, outage, "/poster-tasks"))["items"]
    assert [(one["missing"], one["hang_by"]) for one in tasks] == [(3, None), (3, None)]
    clock.set(STARTS)
    await done(api.crew, outage, "restore")
    assert (await api.crew.get("/poster-tasks")).json()["items"] == []
