"""Messages to send, each with an identity of its own."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.sinks import Sink
from water2.domain.sending import Message, SendingChannel

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Beijing


def clock() -> datetime:
    return NOW


def message(channel: SendingChannel, address: str, **more: Any) -> Message:
    given = {
        "id": uuid4().hex,
        "title": "停水通知",
        "text": "听松苑1幢将于11月25日8时至12时停水，请储水。",
        "short": "听松苑1幢25日8-12时停水",
        "sent_at": NOW,
    }
    return Message(channel=channel, address=address, **(given | more))


def sms(**more: Any) -> Message:
    return message(SendingChannel.sms, **({"address": "13812345678"} | more))


def taken(sink: Sink, sent: Message) -> list[dict[str, Any]]:
    """Return what a sink recorded of a message."""
    return [one for one in sink.accepted if one["id"] == sent.id]
