"""What goes out and what comes back, as values: the seam between delivery and the gateways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class SendingChannel(StrEnum):
    """By what way a message goes out; the robots publish, they reach no household for sure."""

    sms = "sms"
    mail = "mail"
    webhook = "webhook"
    dingtalk = "dingtalk"
    wecom = "wecom"
    feishu = "feishu"


ROBOTS = frozenset({SendingChannel.dingtalk, SendingChannel.wecom, SendingChannel.feishu})
ENDPOINT_CHANNELS = ROBOTS | {SendingChannel.webhook}
"""Channels whose addresses a utility enters itself, rather than households."""
REPORT_CHANNELS = frozenset({SendingChannel.webhook, SendingChannel.mail})
"""Channels a report to a regulator goes by: a group's robot is no receipt."""


class Outcome(StrEnum):
    """What became of an attempt.

    `accepted`: the provider's own body says so. `delivered`, `failed`: its word on an earlier one.
    `retry`: try again later. `permanent`: this address, never. `blocked`: not now by this channel,
    use another. `misconfigured`: the channel itself; stop it and tell a person. `in_doubt`: it may
    or may not have been taken. `unknown`: the provider knows nothing of it.
    """

    accepted = "accepted"
    delivered = "delivered"
    failed = "failed"
    retry = "retry"
    permanent = "permanent"
    blocked = "blocked"
    misconfigured = "misconfigured"
    in_doubt = "in_doubt"
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one address. `id` is ours, 32 hex digits, the same at every attempt.

    `short` is the text of an SMS, `text` the whole one. `links` are lines with addresses: a mail's
    text has them, an SMS takes them where the provider does. `data` is the body of a webhook.
    `secret` signs for webhooks and robots. `end_url` ends a subscription by one click.
    """

    id: str
    channel: SendingChannel
    address: str
    title: str
    text: str
    short: str
    language: str = "zh"
    secret: str | None = None
    end_url: str | None = None
    links: tuple[str, ...] = ()
    sent_at: datetime | None = None  # the instant of the attempt, real time
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider said: its code in its own words, its id of the message, its body's hash.

    `at` is the instant the provider names, where it names one. `wait_seconds`: it asked to wait.
    `body` is what it answered when it was asked: a receipt is kept as it came.
    """

    outcome: Outcome
    code: str = ""
    provider_id: str | None = None
    body_sha256: str | None = None
    at: datetime | None = None
    wait_seconds: int | None = None
    body: bytes | None = None


class Gateway(Protocol):
    """A way out. It never raises for what a provider or the network does: that is a Reply."""

    channel: SendingChannel
    connections: int
    """How many messages it sends at once."""

    async def send(self, message: Message) -> Reply:
        """Send one message."""
        ...

    async def ask(self, message: Message) -> Reply | None:
        """Ask what became of a message in doubt by our id; None: this provider cannot be asked."""
        ...

    async def close(self) -> None:
        """Close what is open."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """A provider's later word on a message: by our id, or by its own."""

    outcome: Outcome
    at: datetime
    code: str = ""
    message_id: str | None = None
    provider_id: str | None = None


Receipts = Sequence[Receipt]
