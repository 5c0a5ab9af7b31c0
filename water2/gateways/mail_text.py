"""A message as mail: plain text, one identity for all attempts, one click to end it."""

import re
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from water2.domain.sending import Message

# what would end a command or a header early stands in no address
_ADDRESS = re.compile(r"[!-;=?-~]{1,320}@[!-;=?-~]{1,255}")
_LINK = re.compile(r"[!-;=?-~]{1,900}")
_POLICY = SMTP.clone(cte_type="7bit")  # not every server on the way takes eight bits


def mail_of(message: Message, sender: str, domain: str, at: datetime) -> bytes:
    """Return the mail as it is transferred; `Message-ID` comes from our id and stays the same.

    `Auto-Submitted` (RFC 3834) keeps answering machines quiet; `List-Unsubscribe-Post` (RFC 8058)
    lets a mail program end the subscription itself.

    Raises:
        ValueError: the address, or the link that ends it all, is none or beyond ASCII.
    """
    mail = EmailMessage(policy=_POLICY)
    mail.set_content(message.text, charset="utf-8")
    mail["Content-Language"] = message.language
    mail["From"] = sender
    mail["Subject"] = " ".join(message.title.split())
    mail["Date"] = format_datetime(at)
    mail["Auto-Submitted"] = "auto-generated"
    lines = [*_unfolded(message, domain), ""]
    return "\r\n".join(lines).encode("ascii") + mail.as_bytes()


def _unfolded(message: Message, domain: str) -> list[str]:
    """Return the headers that must stay on one line: folding would break a long link or address."""
    if not _ADDRESS.fullmatch(message.address):
        raise ValueError("no address")
    lines = [f"To: {message.address}", f"Message-ID: <{message.id}@{domain}>"]
    if message.end_url:
        if not _LINK.fullmatch(message.end_url):
            raise ValueError("no link")
        lines += [
            f"List-Unsubscribe: <{message.end_url}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    return lines
