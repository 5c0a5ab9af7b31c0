"""Whatever an outage holds, each feed is what its standard says."""

from datetime import UTC, datetime
from xml.etree import ElementTree

import feedparser
import icalendar
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.feeds.public import notice, outage
from tests.feeds.reading import BASE, alert, value
from water2.domain.notice import NoticeKind
from water2.domain.outage import PUBLIC_STATES, OutageKind
from water2.edge.feeds.atom import outages_atom
from water2.edge.feeds.calendar import outages_ics
from water2.edge.feeds.cap import cap_atom

ZONES = ["Asia/Shanghai", "Asia/Urumqi", "Asia/Kathmandu", "America/New_York", "UTC"]
NOW = datetime(2026, 6, 1, tzinfo=UTC)
texts = st.text(st.characters(), max_size=60)  # controls and lone surrogates, too
maybe_texts = st.none() | texts
instants = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001 - made aware by the strategy
    datetime(2099, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)
kinds = st.sampled_from(NoticeKind)
degrees = st.none() | st.decimals(-200, 200, places=6).map(str) | texts


@st.composite
def outages(draw):
    number = draw(st.text(min_size=1, max_size=20))
    notices = tuple(
        notice(
            revision,
            kind.value,
            number=number,
            published_at=draw(instants),
            starts_at=draw(instants),
            ends_at=draw(st.none() | instants),
            title_zh=draw(texts),
            title_en=draw(texts),
            text_zh=draw(texts),
            text_en=draw(texts),
            buildings=draw(st.tuples() | st.tuples(texts, texts)),
        )
        for revision, kind in enumerate(draw(st.lists(kinds, min_size=1, max_size=4)), 1)
    )
    return outage(
        number=number,
        notices=notices,
        kind=draw(st.sampled_from(OutageKind)).value,
        state=draw(st.sampled_from(sorted(PUBLIC_STATES))).value,
        timezone=draw(st.sampled_from(ZONES)),
        utility=draw(texts),
        facility=draw(texts),
        address=draw(maybe_texts),
        district=draw(maybe_texts),
        started_at=draw(st.none() | instants),
        restored_at=draw(st.none() | instants),
        latitude=draw(degrees),
        longitude=draw(degrees),
        phone=draw(maybe_texts),
    )


@given(outages())
@settings(max_examples=150, deadline=None)
def test_every_revision_is_an_alert_valid_by_the_schema(shown):
    sent = []
    for one in shown.notices:
        root = alert(shown, one.revision)
        references = (value(root, "references") or "").split()
        assert references == sent
        named = ("sender", "identifier", "sent")
        sent.append(",".join(value(root, part) for part in named))


@given(st.lists(outages(), max_size=3))
@settings(max_examples=100, deadline=None)
def test_every_feed_is_read_without_complaint(shown):
    for write in (outages_atom, cap_atom):
        body = write(shown, base_url=BASE, updated=NOW)
        ElementTree.fromstring(body)
        read = feedparser.parse(body)
        assert not read.bozo
        told = len(shown) if write is outages_atom else sum(len(one.notices) for one in shown)
        assert len(read.entries) == told


@given(st.lists(outages(), max_size=3))
@settings(max_examples=100, deadline=None)
def test_every_calendar_is_read_with_all_its_events(shown):
    body = outages_ics(shown, base_url=BASE, domain="water.example")
    calendar = icalendar.Calendar.from_ical(body)
    assert calendar.errors == []
    assert calendar.get_missing_tzids() == set()
    for one, event in zip(shown, calendar.events, strict=True):
        assert event.errors == []
        assert event["SEQUENCE"] == one.latest.revision - 1
        assert event.start <= event.end
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
