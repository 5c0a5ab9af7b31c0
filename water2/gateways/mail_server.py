"""Which mail server to use and how, read from a URL; and connections to it."""

import ssl
from dataclasses import dataclass, field
from email.utils import parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib

from water2.gateways.addresses import Allowed, resolve
from water2.gateways.http_pool import tls_context

_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in and in whose name; the password never shows."""

    host: str
    port: int
    sender: str
    tls_from_start: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> "MailServer":
        """Read `smtp://user:password@host:587?from=…`, or `smtps://…`; `from` may have a name.

        What is special in user, password and `from` is percent-encoded.

        Raises:
            ValueError: it is not so, or names no sender.
        """
        parts = urlsplit(url)
        sender = parse_qs(parts.query).get("from", [""])[0]
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError("smtp://host or smtps://host")
        address = parseaddr(sender)[1]
        if not address.isascii() or not all(address.rpartition("@")):
            raise ValueError("?from= is lacking, or beyond ASCII")
        return cls(
            parts.hostname,
            parts.port or _PORTS[parts.scheme],
            sender,
            parts.scheme == "smtps",
            parts.username and unquote(parts.username),
            parts.password and unquote(parts.password),
        )

    @property
    def address(self) -> str:
        """Return the sender's address without its name."""
        return parseaddr(self.sender)[1]

    @property
    def domain(self) -> str:
        """Return what the identities of our mails end in."""
        return self.address.rpartition("@")[2]


async def connect(server: MailServer, allowed: Allowed, timeout: float) -> aiosmtplib.SMTP:  # noqa: ASYNC109 - of each step
    """Open a connection and sign in, under TLS unless the host itself is on the allow list.

    Such a host is taken without TLS where it offers none, and under TLS that proves nothing where
    its certificate is its own: that is still better than none.

    Raises:
        Invalid: `url_private_network`, `url_unresolvable`.
        aiosmtplib.SMTPException, ssl.SSLError: it did not work.
    """
    await resolve(server.host, server.port, allowed)
    lenient = allowed.has_host(server.host) and not server.tls_from_start
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        local_hostname=server.domain,
        timeout=timeout,
        use_tls=server.tls_from_start,
        start_tls=None if lenient else not server.tls_from_start,
        tls_context=_any_certificate() if lenient else tls_context(),
    )
    await client.connect()
    if client.is_ehlo_or_helo_needed:
        await client.ehlo()
    return client


def _any_certificate() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
