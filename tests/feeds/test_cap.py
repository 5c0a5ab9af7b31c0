"""Alerts of CAP 1.2: valid by the schema, and chained so that a reader can follow an outage."""

from datetime import timedelta
from xml.etree import ElementTree

import feedparser
import pytest
import xmlschema

from tests.feeds.public import ANNOUNCED, ENDS, STARTS, notice, outage
from tests.feeds.reading import BASE, SENDER, alert, schema, value, values
from water2.domain.notice import NoticeKind
from water2.domain.outage import PUBLIC_STATES
from water2.edge.feeds.cap import cap_alert, cap_atom

IN_EFFECT = STARTS + timedelta(hours=1)


def test_the_schema_refuses_what_the_standard_does():
    """Else the other tests would prove nothing."""
    right = cap_alert(outage("planned"), 1, sender=SENDER, base_url=BASE).decode()
    for wrong in (
        right.replace(">Infra<", ">Water<"),
        right.replace("10:00:15+08:00", "02:00:15Z"),
        right.replace("<scope>Public</scope>", ""),
    ):
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            schema().validate(wrong)


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("state", sorted(PUBLIC_STATES))
def test_every_kind_and_state_is_valid_in_both_languages(kind, state):
    for shown in (outage(kind), outage("planned", kind), outage("emergency", kind)):
        root = alert(shown, shown.latest.revision)
        assert values(root, "info/language") == ["zh-CN", "en"]
        assert value(root, "status") == "Actual"
        assert value(root, "scope") == "Public"


def test_a_chain_of_revisions_refers_to_all_before_it():
    shown = outage("planned", "rescheduled", "cancelled")
    first, second, third = (alert(shown, revision) for revision in (1, 2, 3))
    types = [value(one, "msgType") for one in (first, second, third)]
    assert types == ["Alert", "Update", "Cancel"]

    def named(root):
        return ",".join(value(root, part) for part in ("sender", "identifier", "sent"))

    assert value(first, "references") is None
    assert value(second, "references") == named(first)
    assert value(third, "references") == f"{named(first)} {named(second)}"
    assert {value(one, "incidents") for one in (first, second, third)} == {shown.number}


def test_an_alert_stays_as_it_was_when_revisions_follow():
    before = cap_alert(outage("planned"), 1, sender=SENDER, base_url=BASE)
    wider = notice(2, "rescheduled", buildings=())
    after = outage(notices=(notice(1, "planned"), wider, notice(3, "restored", buildings=())))
    assert cap_alert(after, 1, sender=SENDER, base_url=BASE) == before


@pytest.mark.parametrize(
    ("kinds", "published_at", "judged"),
    [
        (("planned",), ANNOUNCED, "Prepare Future Minor Likely"),
        (("planned", "rescheduled"), ANNOUNCED, "Prepare Future Minor Likely"),
        (("planned", "extended"), IN_EFFECT, "Monitor Immediate Minor Observed"),
        (("emergency",), STARTS, "Monitor Immediate Moderate Observed"),
        (("emergency", "update"), IN_EFFECT, "Monitor Immediate Moderate Observed"),
        (("quality",), IN_EFFECT, "Monitor Immediate Severe Observed"),
        (("planned", "restored"), ENDS, "AllClear Past Minor Observed"),
        (("planned", "cancelled"), ANNOUNCED, "AllClear Past Minor Unlikely"),
    ],
)
def test_a_notice_is_weighed_by_its_kind_and_whether_the_water_is_off(kinds, published_at, judged):
    notices = tuple(
        notice(revision, kind, published_at=published_at) for revision, kind in enumerate(kinds, 1)
    )
    root = alert(outage(notices=notices), len(kinds))
    parts = ("responseType", "urgency", "severity", "certainty")
    assert " ".join(value(root, f"info/{part}") for part in parts) == judged


def test_bad_water_concerns_health_until_the_outage_ends():
    shown = outage("quality", "update", "restored")
    for revision in (1, 2, 3):
        root = alert(shown, revision)
        assert values(root, "info/category") == ["Infra", "Health"] * 2
        assert value(root, "info/event") == "水质异常停水"
    assert values(alert(outage("emergency", "quality"), 1), "info/category") == ["Infra"] * 2


def test_a_restoration_updates_and_tells_to_flush():
    root = alert(outage("planned", "restored"), 2)
    assert value(root, "msgType") == "Update"
    assert "1–5 分钟" in value(root, "info/instruction")
    assert value(root, "info/expires") == "2026-06-02T11:00:15+08:00"  # a day after it


def test_instants_are_in_the_utilitys_zone_with_a_numeric_offset():
    root = alert(outage("planned"), 1)
    assert value(root, "sent") == value(root, "info/effective") == "2026-06-01T10:00:15+08:00"
    assert value(root, "info/onset") == "2026-06-03T08:00:00+08:00"
    assert value(root, "info/expires") == "2026-06-03T12:00:00+08:00"
    assert value(alert(outage("planned", timezone="UTC"), 1), "sent") == "2026-06-01T02:00:15-00:00"


def test_the_civil_day_is_that_of_the_zone_around_midnight():
    late = notice(1, "planned", starts_at=STARTS.replace(hour=15, minute=59, second=59))
    next_day = notice(1, "planned", starts_at=STARTS.replace(hour=16))
    onset = [value(alert(outage(notices=(one,)), 1), "info/onset") for one in (late, next_day)]
    assert onset == ["2026-06-03T23:59:59+08:00", "2026-06-04T00:00:00+08:00"]


def test_a_cancellation_is_shown_until_nobody_waits_for_the_stop():
    assert value(alert(outage("planned", "cancelled"), 2), "info/expires").startswith("2026-06-03")


@pytest.mark.parametrize("ends_at", [None, ANNOUNCED])
def test_an_end_that_nobody_knows_does_not_expire(ends_at):
    shown = outage(notices=(notice(1, "emergency", ends_at=ends_at),))
    assert value(alert(shown, 1), "info/expires") is None


def test_an_area_names_the_place_and_circles_it_where_coordinates_are_known():
    root = alert(outage("planned"), 1)
    assert value(root, "info/area/areaDesc") == "丽水花园，丽阳街 1 号，莲都区，楼栋 1、2"
    assert value(root, "info/area/circle") == "28.4676,119.9229 1"
    whole = (notice(1, "planned", buildings=()),)
    plain = alert(outage(notices=whole, address=None, district=None, latitude=None), 1)
    assert values(plain, "info/area/areaDesc") == ["丽水花园，全部楼栋", "丽水花园, all buildings"]
    assert value(plain, "info/area/circle") is None


@pytest.mark.parametrize("latitude", ["91", "NaN", "north", "", "-Infinity"])
def test_coordinates_that_are_on_no_globe_are_left_out(latitude):
    assert value(alert(outage("planned", latitude=latitude), 1), "info/area/circle") is None


def test_coordinates_are_written_without_an_exponent():
    shown = outage("planned", latitude="1E-5", longitude="-0.5")
    assert value(alert(shown, 1), "info/area/circle") == "0.00001,-0.5 1"


def test_a_demonstration_is_an_exercise_and_says_so():
    root = alert(outage("planned"), 1, status="Exercise")
    assert value(root, "status") == "Exercise"
    assert value(root, "note").startswith("演示")


def test_characters_that_xml_forbids_are_dropped_and_markup_is_text():
    told = notice(
        1, "planned", title_zh="停\x00水\x1f\ufffe <b>&", text_zh="一\r\n二\r三\t四\ud800"
    )
    root = alert(outage(notices=(told,), phone="<\x0b>"), 1)
    assert value(root, "info/headline") == "停水 <b>&"
    assert value(root, "info/description") == "一\n二\n三\t四"
    assert value(root, "info/contact") == "<>"


def test_an_identifier_holds_no_character_that_cap_restricts():
    numbers = ["停水 1", "停水,1", "a<b", "a&b", "a/b", "a%2Fb"]
    shown = [alert(outage("planned", number=number), 1) for number in numbers]
    found = [value(root, "identifier") for root in shown]
    assert not any({*identifier} & {*" ,<&/"} for identifier in found)
    assert len({*found}) == len(numbers)


@pytest.mark.parametrize("sender", ["", "water 2", "a,b", "a<b", "a&b"])
def test_a_sender_that_cap_forbids_is_refused(sender):
    with pytest.raises(ValueError, match="not a CAP sender"):
        cap_alert(outage("planned"), 1, sender=sender, base_url=BASE)


def test_a_revision_that_is_none_is_not_made_up():
    with pytest.raises(LookupError):
        cap_alert(outage("planned"), 2, sender=SENDER, base_url=BASE)


def test_the_index_leads_to_every_alert_the_last_published_first():
    shown = [outage("planned", "cancelled"), outage("emergency", number="E-1")]
    body = cap_atom(shown, base_url=BASE, updated=ANNOUNCED)
    read = feedparser.parse(body)
    assert not read.bozo
    files = [
        link.href
        for entry in read.entries
        for link in entry.links
        if link.type == "application/cap+xml"
    ]
    ids = ["LS-2026-0007-2", "E-1-1", "LS-2026-0007-1"]
    assert {*files} == {f"{BASE}/feeds/cap/{one}.xml" for one in ids}
    assert files[0] == f"{BASE}/feeds/cap/{ids[0]}.xml"
    assert read.entries[0].updated == "2026-06-01T03:00:15.250000Z"
    assert len({entry.id for entry in read.entries}) == 3
    assert ElementTree.fromstring(body).tag == "{http://www.w3.org/2005/Atom}feed"
