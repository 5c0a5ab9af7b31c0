"""Receipts that are pushed: read into values, and told from forged ones."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from tests.gateways.messages import NOW
from water2.domain.errors import Invalid
from water2.domain.sending import Outcome, Receipt
from water2.gateways.receipts import read_aliyun_receipts, read_generic_receipts
from water2.gateways.signatures import SignatureVerdict, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = datetime(2026, 11, 23, 1, 0, 30, tzinfo=UTC)
ALIYUN = {
    "phone_number": "13812345678",
    "send_time": "2026-11-23 09:00:00",
    "report_time": "2026-11-23 09:00:30",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "932702304080415357^0",
    "out_id": "a" * 32,
}
GENERIC = {"id": "a" * 32, "status": "delivered", "at": "2026-11-23T09:00:30+08:00", "code": "OK"}


def pushed(*receipts: object) -> bytes:
    return json.dumps(receipts, ensure_ascii=False).encode()


def test_aliyuns_receipts_are_read_in_beijing_time():
    failed = ALIYUN | {"success": False, "err_code": "MOBILE_NOT_ON_SERVICE", "out_id": ""}
    assert read_aliyun_receipts(pushed(ALIYUN, failed)) == [
        Receipt(Outcome.delivered, AT, "DELIVERED", "a" * 32, "932702304080415357^0"),
        Receipt(Outcome.failed, AT, "MOBILE_NOT_ON_SERVICE", None, "932702304080415357^0"),
    ]


def test_generic_receipts_come_alone_or_as_a_list():
    one = Receipt(Outcome.delivered, AT, "OK", "a" * 32)
    assert read_generic_receipts(json.dumps(GENERIC).encode()) == [one]
    failed = GENERIC | {"status": "failed", "code": 27}
    assert read_generic_receipts(pushed(GENERIC, failed)) == [
        one,
        Receipt(Outcome.failed, AT, "27", "a" * 32),
    ]
    assert read_generic_receipts(b"[]") == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": None},
        {"id": ""},
        {"id": "x" * 101},
        {"id": "a\x00b"},
        {"id": ["a"]},
        {"status": "sent"},
        {"status": None},
        {"at": "2026-11-23T09:00:30"},
        {"at": "yesterday"},
        {"at": 1795395630},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"code": {"a": 1}},
    ],
)
def test_a_generic_receipt_that_cannot_be_read_is_refused(change):
    with pytest.raises(Invalid) as caught:
        read_generic_receipts(pushed(GENERIC, GENERIC | change))
    assert (caught.value.problems[0].field, caught.value.problems[0].code) == (
        "receipt",
        "receipt_unreadable",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"success": "true"},
        {"success": None},
        {"report_time": "2026-11-23T09:00:30"},
        {"report_time": None},
        {"report_time": "0001-01-01 00:00:00"},
        {"out_id": None, "biz_id": None},
        {"err_code": "x" * 101},
    ],
)
def test_a_receipt_of_aliyuns_that_cannot_be_read_is_refused(change):
    with pytest.raises(Invalid):
        read_aliyun_receipts(pushed(ALIYUN | change))


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"null", b'"a"', b"[1]", b"[" * 100_000, b"9" * 10_000, b"{}"]
)
def test_what_is_no_receipt_at_all_is_refused(body):
    for read in (read_generic_receipts, read_aliyun_receipts):
        with pytest.raises(Invalid):
            read(body)


def signed(body: bytes, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    return {
        "webhook-id": "receipt-1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("receipt-1", at, body.decode()),
    }


def test_a_signature_of_the_standards_own_package_is_genuine():
    body = pushed(GENERIC)
    assert verify(signed(body), body, SECRET, NOW) is SignatureVerdict.genuine


def test_our_signature_is_that_of_the_standards_own_package():
    timestamp = str(int(NOW.timestamp()))
    theirs = Webhook(SECRET).sign("id", NOW, "停水")
    assert sign(SECRET, "id", timestamp, "停水".encode()) == theirs


def test_a_touched_body_id_or_timestamp_is_forged():
    body = pushed(GENERIC)
    headers = signed(body)
    assert verify(headers, body + b" ", SECRET, NOW) is SignatureVerdict.forged
    moved = headers | {"webhook-timestamp": str(int(NOW.timestamp()) + 1)}
    assert verify(moved, body, SECRET, NOW) is SignatureVerdict.forged
    renamed = headers | {"webhook-id": "receipt-2"}
    assert verify(renamed, body, SECRET, NOW) is SignatureVerdict.forged
    other = signed(body, secret="whsec_" + "A" * 32)
    assert verify(other, body, SECRET, NOW) is SignatureVerdict.forged
    foreign = headers | {"webhook-signature": "v1,签名 v2,x"}
    assert verify(foreign, body, SECRET, NOW) is SignatureVerdict.forged


def test_one_genuine_signature_among_several_suffices():
    body = pushed(GENERIC)
    headers = signed(body)
    headers["webhook-signature"] = f"v1a,xx v1,AAAA {headers['webhook-signature']}"
    assert verify(headers, body, SECRET, NOW) is SignatureVerdict.genuine


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [
        (300, SignatureVerdict.genuine),
        (-300, SignatureVerdict.genuine),
        (301, SignatureVerdict.stale),
        (-301, SignatureVerdict.stale),
    ],
)
def test_a_replay_is_stale_after_five_minutes(seconds, verdict):
    body = pushed(GENERIC)
    headers = signed(body)
    assert verify(headers, body, SECRET, NOW + timedelta(seconds=seconds)) is verdict


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_lacks_leaves_it_unsigned(name):
    body = pushed(GENERIC)
    headers = signed(body)
    del headers[name]
    assert verify(headers, body, SECRET, NOW) is SignatureVerdict.unsigned


@pytest.mark.parametrize("timestamp", ["now", "-1", "1.5", "１２"])
def test_a_timestamp_that_is_none_leaves_it_unsigned(timestamp):
    body = pushed(GENERIC)
    headers = signed(body) | {"webhook-timestamp": timestamp}
    assert verify(headers, body, SECRET, NOW) is SignatureVerdict.unsigned


def test_a_secret_that_cannot_be_used_is_our_own_fault():
    with pytest.raises(ValueError, match="secret"):
        verify(signed(b"[]"), b"[]", "whsec_", NOW)
