"""Receipts that providers push to us, read into values; who pushed them is `signatures.verify`."""

import json
from datetime import datetime
from typing import Any

from water2.domain.errors import Invalid
from water2.domain.sending import Outcome, Receipt
from water2.gateways.aliyun_times import beijing_instant
from water2.gateways.sms_http import instant_of

_LONGEST = 100  # characters of an id or a code
_STATUSES = {
    "accepted": Outcome.accepted,
    "delivered": Outcome.delivered,
    "failed": Outcome.failed,
}


def read_generic_receipts(body: bytes) -> list[Receipt]:
    """Read what a gateway of the generic protocol pushes: one receipt, or a list of them.

    A receipt is `{"id": ours, "status": "accepted|delivered|failed", "at": RFC 3339, "code": …}`.

    Raises:
        Invalid: field `receipt`, `receipt_unreadable`: any one is not so; none is taken then.
    """
    return [_generic(one) for one in _objects(body)]


def read_aliyun_receipts(body: bytes) -> list[Receipt]:
    """Read what Aliyun pushes by SmsReport: a list; its times are Beijing's.

    Raises:
        Invalid: as `read_generic_receipts`.
    """
    return [_aliyun(one) for one in _objects(body)]


def _unreadable() -> Invalid:
    return Invalid.one("receipt", "receipt_unreadable")


def _objects(body: bytes) -> list[dict[str, Any]]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _unreadable() from None
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in listed):
        raise _unreadable()
    return listed


def _text(told: dict[str, Any], name: str) -> str | None:
    """Return a short text, or a number as its text; None where it lacks."""
    value = told.get(name)
    if value is None or value == "":
        return None
    text = str(value)
    if not isinstance(value, str | int) or len(text) > _LONGEST or not text.isprintable():
        raise _unreadable()
    return text


def _generic(told: dict[str, Any]) -> Receipt:
    outcome = _STATUSES.get(str(told.get("status")))
    at, identity = instant_of(told.get("at")), _text(told, "id")
    if outcome is None or at is None or identity is None:
        raise _unreadable()
    return Receipt(outcome, at, _text(told, "code") or "", message_id=identity)


def _aliyun(told: dict[str, Any]) -> Receipt:
    ours, theirs = _text(told, "out_id"), _text(told, "biz_id")
    delivered = told.get("success")
    if not isinstance(delivered, bool) or not (ours or theirs):
        raise _unreadable()
    outcome = Outcome.delivered if delivered else Outcome.failed
    return Receipt(outcome, _reported_at(told), _text(told, "err_code") or "", ours, theirs)


def _reported_at(told: dict[str, Any]) -> datetime:
    try:
        return beijing_instant(told.get("report_time"))
    except ValueError:
        raise _unreadable() from None
