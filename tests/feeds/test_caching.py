"""Answers asked for anew: when 304, by the precedence of RFC 9110, section 13.2.2."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from water2.edge.caching import Cached, answer

CHANGED = datetime(2026, 6, 1, 2, 0, 15, 900_000, tzinfo=UTC)
WRITTEN = "Mon, 01 Jun 2026 02:00:15 GMT"
LATER, EARLIER = "Mon, 01 Jun 2026 02:00:16 GMT", "Mon, 01 Jun 2026 02:00:14 GMT"
FEED = Cached(b"<feed/>", "application/atom+xml", CHANGED, 60)
TAG = FEED.etag


def status(headers):
    return answer(headers, FEED)[0]


def test_all_is_given_with_what_is_needed_to_ask_anew():
    code, headers, body = answer({}, FEED)
    assert (code, body) == (200, b"<feed/>")
    assert headers == {
        "Content-Type": "application/atom+xml",
        "ETag": TAG,
        "Last-Modified": WRITTEN,
        "Cache-Control": "public, max-age=60",
    }


def test_a_tag_is_strong_and_that_of_the_bytes():
    other = Cached(b"<feed />", FEED.media_type, CHANGED, 60)
    assert TAG.startswith('"')
    assert len(TAG) == 66
    assert other.etag != TAG
    assert Cached(b"<feed/>", "text/plain", CHANGED + timedelta(1), 9).etag == TAG


def test_not_changed_has_no_body_and_the_headers_a_cache_needs():
    varied = Cached(b"<feed/>", "application/atom+xml", CHANGED, 60, vary="Accept-Language")
    code, headers, body = answer({"If-None-Match": TAG}, varied)
    assert (code, body) == (304, b"")
    assert headers == {
        "ETag": TAG,
        "Last-Modified": WRITTEN,
        "Cache-Control": "public, max-age=60",
        "Vary": "Accept-Language",
    }


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (TAG, 304),
        (f"W/{TAG}", 304),
        ("*", 304),
        (" * ", 304),
        (f'"a,b", W/"c" ,{TAG}', 304),
        (f'"x",,{TAG}', 304),
        ('"x"', 200),
        ("", 200),
        ('""', 200),
        (TAG.strip('"'), 200),
        (TAG.upper(), 200),
        (f'"{TAG}"', 200),
        ('"*"', 200),
    ],
)
def test_if_none_match_compares_weakly_any_of_a_list(given, code):
    assert status({"If-None-Match": given}) == code


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (WRITTEN, 304),
        (LATER, 304),
        (EARLIER, 200),
        ("Monday, 01-Jun-26 02:00:15 GMT", 304),
        ("Monday, 01-Jun-26 02:00:14 GMT", 200),
        ("Mon Jun  1 02:00:15 2026", 304),
        ("Mon Jun  1 02:00:14 2026", 200),
        ("Mon, 01 Jun 2026 10:00:15 +0800", 200),
        ("2026-06-01T02:00:15Z", 200),
        ("Mon, 31 Jun 2026 02:00:15 GMT", 200),
        (f"{LATER}, {LATER}", 200),
        ("", 200),
        ("tomorrow", 200),
    ],
)
def test_if_modified_since_is_judged_by_the_second_and_passed_over_where_it_is_no_date(given, code):
    assert status({"If-Modified-Since": given}) == code


@pytest.mark.parametrize(
    ("tag", "since", "code"),
    [('"x"', LATER, 200), ("", LATER, 200), (TAG, EARLIER, 304), ("*", "tomorrow", 304)],
)
def test_a_date_counts_only_where_no_tag_is_given(tag, since, code):
    assert status({"If-None-Match": tag, "If-Modified-Since": since}) == code


def test_names_of_headers_are_read_in_any_case_and_on_several_lines():
    assert status({"if-none-match": TAG}) == 304
    assert status({"IF-MODIFIED-SINCE": WRITTEN}) == 304
    assert status({"If-None-Match": '"x"', "if-none-match": TAG}) == 304


def test_the_date_is_told_in_gmt_whatever_zone_it_was_given_in():
    at = CHANGED.astimezone(timezone(timedelta(hours=8)))
    assert answer({}, Cached(b"", "text/plain", at, 0))[1]["Last-Modified"] == WRITTEN
