"""Feeds over HTTP: read back by real parsers, kept for a minute, of one estate or of all."""

from datetime import timedelta
from xml.etree import ElementTree

import feedparser
import icalendar
import pytest

from tests.conftest import NOW
from tests.edges.conftest import client_of
from tests.estate import an_estate
from tests.feeds.reading import schema, value
from tests.published import ENDS, STARTS, an_emergency, announced, call_off, change, plan
from water2.api.state import ApiState
from water2.config import Settings
from water2.services.outages.changing import RescheduleOutage, reschedule_outage

FEEDS = ("/feeds/outages.atom", "/feeds/cap.atom", "/feeds/outages.ics")


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


@pytest.fixture
async def site(app, estate):
    async with client_of(app) as client:
        client.base_url = "http://water2"
        yield client


async def atom(site, path):
    answer = await site.get(path)
    assert answer.headers["content-type"] == "application/atom+xml"
    read = feedparser.parse(answer.content)
    assert not read.bozo
    return read


async def alert(site, number, revision=1):
    answer = await site.get(f"/feeds/cap/{number}-{revision}.xml")
    assert answer.headers["content-type"] == "application/cap+xml"
    schema().validate(answer.text)
    return ElementTree.fromstring(answer.content)


async def test_the_last_announced_comes_first_and_a_draft_is_in_no_feed(
    lishui, estate, site, clock
):
    first = await announced(lishui, estate)
    clock.set(NOW + timedelta(hours=1))
    second = await announced(lishui, estate, starts_at=STARTS + timedelta(hours=9))
    draft = await plan(lishui, estate)
    read = await atom(site, "/feeds/outages.atom")
    assert [one.link.rpartition("/")[2] for one in read.entries] == [second.number, first.number]
    for path in FEEDS:
        assert draft.number not in (await site.get(path)).text


async def test_an_alert_stays_as_it_was_when_the_extent_grows(lishui, estate, site):
    outage = await announced(lishui, estate, building_ids=["1幢"])
    before = (await site.get(f"/feeds/cap/{outage.number}-1.xml")).content
    wider = RescheduleOutage(
        starts_at=STARTS, ends_at=ENDS + timedelta(hours=1), building_ids=["1幢", "2幢"]
    )
    await change(lishui, reschedule_outage, outage, wider)
    assert (await site.get(f"/feeds/cap/{outage.number}-1.xml")).content == before
    first, second = await alert(site, outage.number), await alert(site, outage.number, 2)
    assert "2幢" not in value(first, "info/area/areaDesc")
    assert "2幢" in value(second, "info/area/areaDesc")
    assert value(second, "msgType") == "Update"
    assert value(first, "sender") == "water2"
    assert value(first, "status") == "Actual"


@pytest.mark.parametrize("file", ["{0}-2.xml", "{0}-1", "{0}.xml", "none-1.xml", "{0}-0.xml", "x"])
async def test_an_alert_never_sent_is_not_found(lishui, estate, site, file):
    outage = await announced(lishui, estate)
    answer = await site.get(f"/feeds/cap/{file.format(outage.number)}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_demonstrations_alerts_are_exercises(app, lishui, estate, site, tmp_path):
    outage = await an_emergency(lishui, estate)

    async def move(to):
        raise AssertionError(to)

    app.state.api = ApiState(lishui.runtime, Settings(data_dir=tmp_path), lishui.runtime.now, move)
    root = await alert(site, outage.number)
    assert value(root, "status") == "Exercise"


async def test_a_cancelled_outage_stays_in_the_calendar_as_cancelled(lishui, estate, site):
    outage = await announced(lishui, estate)
    await call_off(lishui, outage)
    answer = await site.get("/feeds/outages.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    (event,) = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert event["uid"] == f"{outage.number}@water2"
    assert (event["status"], event["sequence"]) == ("CANCELLED", 1)
    assert event.decoded("dtstart") == STARTS


async def test_a_feed_of_one_estate_is_a_feed_of_its_own(lishui, estate, site):
    other = await an_estate(lishui, "BY-002")
    here, there = await announced(lishui, estate), await announced(lishui, other)
    whole = await atom(site, "/feeds/outages.atom")
    own = await atom(site, f"/feeds/outages.atom?facility={estate.facility.id}&lang=en")
    assert len(whole.entries) == 2
    assert own.feed.id != whole.feed.id
    assert "听松苑" in own.feed.title
    links = {link.rel: link.href for link in own.feed.links}
    assert links["self"].endswith(f"?facility={estate.facility.id}&lang=en")
    for path in FEEDS:
        text = (await site.get(f"{path}?facility={estate.facility.id}")).text
        assert here.number in text
        assert there.number not in text
        assert (await site.get(f"{path}?facility=none")).status_code == 404
        assert (await site.get(f"{path}?estate=1")).status_code == 422


@pytest.mark.parametrize("path", FEEDS)
async def test_a_feed_is_asked_for_anew_at_the_price_of_a_header(lishui, estate, site, path, clock):
    empty = await site.get(path)
    assert empty.headers["cache-control"] == "public, max-age=60"
    clock.set(NOW + timedelta(minutes=5))
    same = {"If-None-Match": empty.headers["etag"]}
    assert (await site.get(path, headers=same)).status_code == 304
    await announced(lishui, estate)
    full = await site.get(path, headers=same)
    assert full.status_code == 200
    head = await site.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(full.content))
    assert head.headers["etag"] == full.headers["etag"]


async def test_addresses_are_those_residents_use_where_the_settings_say_so(
    app, lishui, estate, site, tmp_path, wall
):
    outage = await announced(lishui, estate)
    settings = Settings(data_dir=tmp_path, public_url="https://water.example/")
    app.state.api = ApiState(lishui.runtime, settings, wall)
    read = await atom(site, "/feeds/outages.atom")
    assert read.entries[0].link == f"https://water.example/notices/{outage.number}"
    assert value(await alert(site, outage.number), "sender") == "water.example"


@pytest.mark.parametrize("host", ["a,b", "a&b", "[::1]:8080", "", "a b", "<x>", "é"])
async def test_a_host_made_up_by_a_request_is_no_fault(lishui, estate, site, host):
    outage = await announced(lishui, estate)
    for path in (*FEEDS, f"/feeds/cap/{outage.number}-1.xml"):
        answer = await site.get(path, headers={"Host": host.encode("latin-1")})
        assert answer.status_code < 500, path
