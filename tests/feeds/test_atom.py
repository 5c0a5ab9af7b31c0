"""Outages in Atom, read back by a reader's parser."""

from datetime import timedelta
from xml.etree import ElementTree

import feedparser
import pytest

from tests.feeds.public import ANNOUNCED, notice, outage
from water2.domain.outage import PUBLIC_STATES, OutageKind
from water2.edge.feeds.atom import outages_atom

BASE = "https://water.example"
UPDATED = ANNOUNCED + timedelta(days=1)


def read(*outages, base_url=BASE, language="zh"):
    parsed = feedparser.parse(
        outages_atom(outages, base_url=base_url, updated=UPDATED, language=language)
    )
    assert not parsed.bozo
    assert parsed.version == "atom10"
    return parsed


def test_a_feed_knows_itself():
    feed = read(outage("planned")).feed
    assert feed.title == "停水公告"
    assert feed.updated == "2026-06-02T02:00:15.250000Z"
    assert feed.id == "tag:water.example,2026:feeds/outages.atom"
    assert {link.rel: link.href for link in feed.links} == {
        "self": f"{BASE}/feeds/outages.atom",
        "alternate": f"{BASE}/",
    }


def test_a_feed_of_no_outage_is_a_feed():
    assert read().entries == []


def test_an_entry_tells_the_last_notice_and_leads_to_its_page_and_alert():
    shown = outage("planned", "rescheduled")
    (entry,) = read(shown).entries
    assert entry.title == shown.latest.title_zh
    assert entry.published == "2026-06-01T02:00:15.250000Z"
    assert entry.updated == "2026-06-01T03:00:15.250000Z"
    assert entry.author == "丽水供水"
    assert {link.rel: (link.type, link.href) for link in entry.links} == {
        "alternate": ("text/html", f"{BASE}/notices/LS-2026-0007"),
        "related": ("application/cap+xml", f"{BASE}/feeds/cap/LS-2026-0007-2.xml"),
    }


def test_an_entry_keeps_its_id_while_it_changes():
    ids = {
        read(outage("planned", *kinds)).entries[0].id
        for kinds in ((), ("rescheduled",), ("rescheduled", "cancelled"))
    }
    assert len(ids) == 1


def test_ids_of_installations_differ():
    shown = outage("planned")
    homes = (BASE, "https://other.example", "https://other.example/city", "http://[::1]:8080")
    ids = [read(shown, base_url=home).entries[0].id for home in homes]
    assert len({*ids}) == len(homes)
    assert ids[-1].startswith("tag:--1,2026:")


@pytest.mark.parametrize("state", sorted(PUBLIC_STATES))
@pytest.mark.parametrize("kind", OutageKind)
def test_every_state_and_kind_is_a_category_with_words(state, kind):
    (entry,) = read(outage("planned", state=state, kind=kind)).entries
    terms = {tag.scheme: (tag.term, tag.label) for tag in entry.tags}
    assert terms["urn:water2:outage-state"][0] == state
    assert terms["urn:water2:outage-kind"][0] == kind
    assert all(label and label != term for term, label in terms.values())


def test_chinese_stands_above_english_and_below_it_where_english_is_asked_for():
    shown = outage("planned")
    told = shown.latest
    chinese, english = read(shown), read(shown, language="en")
    text, asked = chinese.entries[0].content[0].value, english.entries[0].content[0].value
    assert text.index(told.text_zh) < text.index(told.text_en)
    assert asked.index(told.text_en) < asked.index(told.text_zh)
    assert english.entries[0].title == told.title_en
    assert [english.feed.language, chinese.feed.language] == ["en", "zh-CN"]
    (itself,) = (link.href for link in english.feed.links if link.rel == "self")
    assert itself == f"{BASE}/feeds/outages.atom?lang=en"


def test_a_base_with_a_slash_at_its_end_makes_the_same_addresses():
    shown = outage("planned")
    given = {"updated": UPDATED}
    assert outages_atom([shown], base_url=BASE, **given) == outages_atom(
        [shown], base_url=f"{BASE}/", **given
    )


def test_a_number_is_quoted_in_an_address():
    (entry,) = read(outage("planned", number="停水/1 号")).entries
    assert entry.link == f"{BASE}/notices/%E5%81%9C%E6%B0%B4%2F1%20%E5%8F%B7"


def test_markup_in_a_text_is_text_and_forbidden_characters_are_gone():
    told = notice(1, "planned", title_zh="<script>\x00&amp;", text_zh="a\x08b]]>")
    body = outages_atom([outage(notices=(told,))], base_url=BASE, updated=UPDATED)
    root = ElementTree.fromstring(body)
    entry = "{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}"
    assert root.findtext(f"{entry}title") == "<script>&amp;"
    assert root.findtext(f"{entry}content").startswith("ab]]>\n")
