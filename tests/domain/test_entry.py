"""The bytes of an entry."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from water2.domain.entry import FIELDS, MAX_ENTRY_BYTES, canonical, encode_entry, parse_entry
from water2.domain.errors import Invalid
from water2.domain.ledger import LedgerKind, PendingEntry

NOW = datetime(2026, 3, 1, 8, 30, tzinfo=timezone(timedelta(hours=8)))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KEY = st.text(st.characters(max_codepoint=127))
SCALAR = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
VALUE = st.recursive(
    SCALAR, lambda inner: st.lists(inner) | st.dictionaries(KEY, inner), max_leaves=20
)


def an_entry(**changes):
    told = {
        "ledger_id": "a" * 32,
        "type": "cleaning.completed",
        "subject": "tank:t1",
        "occurred_at": NOW,
        "data": {"volume_m3": "12.50", "note": "冲洗"},
    }
    return PendingEntry(**told | changes)


def encode(entry, seq=0):
    return encode_entry(entry, recorded_at=NOW, actor_id="u1", idempotency_key=None).numbered(seq)


@given(VALUE)
def test_every_value_of_the_model_is_written_as_rfc_8785_demands(value):
    assert canonical(value) == rfc8785.dumps(value)


@given(st.dictionaries(KEY, VALUE), TEXT, st.integers(0, 2**53 - 1), st.none() | TEXT)
def test_an_entry_put_together_from_its_parts_is_one_canonical_object(data, subject, seq, ref):
    body = encode(an_entry(data=data, subject=subject, ref=ref), seq)
    told = parse_entry(body)
    assert body == rfc8785.dumps(told)
    assert (told["data"], told["subject"], told["seq"], told["ref"]) == (data, subject, seq, ref)


def test_an_entry_has_the_fields_of_the_design_and_its_instants_in_utc():
    told = parse_entry(encode(an_entry(files=["ab" * 32]), 7))
    assert told.keys() == FIELDS
    assert told == {
        "version": 1,
        "ledger": "a" * 32,
        "seq": 7,
        "type": "cleaning.completed",
        "schema": 1,
        "subject": "tank:t1",
        "occurred": "2026-03-01T00:30:00.000000Z",
        "recorded": "2026-03-01T00:30:00.000000Z",
        "actor": "u1",
        "data": {"volume_m3": "12.50", "note": "冲洗"},
        "commitments": [],
        "files": ["ab" * 32],
        "ref": None,
        "idempotency_key": None,
    }


@pytest.mark.parametrize(
    ("value", "code", "where"),
    [
        (1.5, "not_an_entry_value", "data.x"),
        (float("nan"), "not_an_entry_value", "data.x"),
        (Decimal("1.5"), "not_an_entry_value", "data.x"),
        (datetime(2026, 1, 1, tzinfo=UTC), "not_an_entry_value", "data.x"),
        (b"bytes", "not_an_entry_value", "data.x"),
        ({1, 2}, "not_an_entry_value", "data.x"),
        (2**53, "integer_too_large", "data.x"),
        (-(2**53), "integer_too_large", "data.x"),
        ({"水": 1}, "key_not_ascii", "data.x"),
        ({1: 1}, "key_not_ascii", "data.x"),
        ([{"deep": [0.5]}], "not_an_entry_value", "data.x.0.deep.0"),
        ("\ud800", "lone_surrogate", "data"),
    ],
)
def test_what_the_model_does_not_hold_is_refused_and_named(value, code, where):
    with pytest.raises(Invalid) as refused:
        encode(an_entry(data={"x": value}))
    assert (refused.value.problems[0].code, refused.value.problems[0].field) == (code, where)


def test_the_longest_entry_is_taken_and_one_byte_more_refused():
    longest = 2**53 - 1
    room = MAX_ENTRY_BYTES - len(encode(an_entry(data={"x": ""}), longest))
    assert len(encode(an_entry(data={"x": "a" * room}), longest)) == MAX_ENTRY_BYTES
    with pytest.raises(Invalid) as refused:
        encode(an_entry(data={"x": "a" * (room + 1)}))
    assert refused.value.problems[0].code == "entry_too_long"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[1]",
        b'{"a": 1}',
        b'{"b":1,"a":1}',
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":NaN}',
        b'{"a":"\\u0041"}',
        b'{"a":9007199254740992}',
        b'{"a":"\\ud800"}',
        b'{"a":1}\n',
        b"\xff",
        b"[" * 60_000,
    ],
)
def test_bytes_that_are_not_the_one_way_of_writing_an_object_are_no_entry(body):
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is the parser's
        parse_entry(body)


def test_a_naive_instant_is_refused():
    with pytest.raises(ValueError, match="aware"):
        encode(an_entry(occurred_at=NOW.replace(tzinfo=None)))


def test_the_hour_a_clock_goes_through_twice_is_told_apart():
    first = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    entries = [an_entry(occurred_at=first), an_entry(occurred_at=first.replace(fold=1))]
    assert [parse_entry(encode(entry, 0))["occurred"] for entry in entries] == [
        "2026-11-01T05:30:00.000000Z",
        "2026-11-01T06:30:00.000000Z",
    ]


def test_a_string_enumeration_is_written_as_its_value():
    assert json.loads(canonical({"kind": LedgerKind.rollup})) == {"kind": "rollup"}
