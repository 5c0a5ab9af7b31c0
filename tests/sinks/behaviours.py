"""How a sink is told to behave: each field of a dataclass is a flag of its command line."""

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass
class HttpBehaviour:
    """Of the HTTP gateway. Zero and empty: not at all."""

    latency_ms: int = 0
    status: int = 200
    body: str = ""  # answered to whatever is posted, which is then not accepted
    reset_first: int = 0  # that many are accepted, then cut off without an answer
    reset_every: int = 0
    drop_first: int = 0  # that many are cut off without being accepted
    hang_first: int = 0  # that many are accepted and never answered
    throttle_first: int = 0
    per_second: int = 0  # beyond it: 429
    retry_after: str = "1"
    token: str = ""  # the only bearer token taken, else 401
    location: str = ""  # of a redirect
    padding: int = 0  # bytes put before the body
    can_be_asked: int = 1
    ask_status: str = "accepted"  # what an accepted message is said to be, when asked
    receipts_url: str = ""
    receipts_secret: str = ""
    receipts_style: str = "generic"  # or aliyun
    receipts_delay_ms: int = 0
    receipts_copies: int = 1
    receipts_early: int = 0  # sent, and answered for, before the message itself is answered
    receipts_status: str = "delivered"


@dataclass
class SmtpBehaviour:
    """Of the mail server. Zero and empty: not at all. A reply is like `550 5.1.1 no such user`."""

    sender_reply: str = ""
    recipient_reply: str = ""
    recipient_suffix: str = ""  # of the local part: whom `recipient_reply` is for; empty: all
    data_reply: str = ""  # after the final dot; what was sent is not accepted then
    drop_before_data: int = 0  # that many connections are cut at the command DATA
    drop_after_data: int = 0  # that many mails are accepted, then cut off without an answer
    drop_when_idle: int = 0  # each connection is closed a little after its first mail
    busy_when_used: int = 0  # 421 to the second mail of a connection
    latency_ms: int = 0
    starttls: int = 0
    tls: int = 0
    auth: str = ""  # the only user:password taken


def read_flags(kind: type[T], description: str) -> tuple[T, int, Path]:
    """Return the behaviour, the port (0: any free one) and the folder it writes into."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True)
    for field in fields(kind):
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=type(field.default), default=field.default)
    given = vars(parser.parse_args())
    port, state = given.pop("port"), given.pop("state")
    state.mkdir(parents=True, exist_ok=True)
    return kind(**given), port, state
