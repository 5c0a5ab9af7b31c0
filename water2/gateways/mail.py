"""Mail by SMTP, over a few connections that are used again."""

import asyncio
import hashlib
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib import SMTPResponse

from water2.clock import Clock
from water2.domain.errors import Invalid
from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.gateways.addresses import Allowed
from water2.gateways.mail_server import MailServer, connect
from water2.gateways.mail_text import mail_of

_START_INPUT = 354
_UNAVAILABLE = 421  # the server closes: RFC 5321, 4.2.2
_NEEDS_SIGN_IN = 530
_TRUSTED_IDLE_SECONDS = 10.0  # a connection idle for longer is asked whether it still stands
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")  # RFC 3463
_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(slots=True)
class _Connection:
    client: aiosmtplib.SMTP
    used: bool = False
    idle_since: float = 0.0


class _Dropped(Exception):
    """A connection that was used before is gone, and nothing of this mail was sent over it."""


class MailGateway:
    """Hands mail to one server; at most `connections` at once."""

    channel = SendingChannel.mail

    def __init__(
        self,
        server: MailServer,
        clock: Clock,
        allowed: Allowed | None = None,
        connections: int = 4,
        timeout: float = 30.0,
    ) -> None:
        """Use `server`; `timeout` in seconds, of each step."""
        self._server, self._clock, self._allowed = server, clock, allowed or Allowed()
        self._timeout, self.connections = timeout, connections
        self._idle: list[_Connection] = []
        self._places = asyncio.Semaphore(connections)

    async def send(self, message: Message) -> Reply:
        """Hand in one mail; its `Message-ID` is the same at every attempt."""
        server = self._server
        at = message.sent_at or self._clock()
        try:
            mail = mail_of(message, server.sender, server.domain, at)
        except ValueError:
            return Reply(Outcome.permanent, "mail_malformed")
        async with self._places:
            try:
                return await self._hand_in(message.address, mail)
            except _Dropped:
                self._drop_idle()  # the others are as old
                return await self._hand_in(message.address, mail, fresh=True)

    async def ask(self, message: Message) -> Reply | None:  # noqa: ARG002 - the seam has it
        """Return None: a mail server cannot be asked."""
        return None

    async def close(self) -> None:
        """Take leave of the server."""
        idle, self._idle = self._idle, []
        for connection in idle:
            try:
                await connection.client.quit(timeout=1)
            except aiosmtplib.SMTPException:
                connection.client.close()

    async def _hand_in(self, address: str, mail: bytes, *, fresh: bool = False) -> Reply:
        try:
            async with self._connection(fresh=fresh) as connection:
                return await self._transact(connection, address, mail)
        except Invalid as refusal:
            code = refusal.problems[0].code
            unresolved = code == "url_unresolvable"
            return Reply(Outcome.retry if unresolved else Outcome.misconfigured, code)
        except (aiosmtplib.SMTPException, ssl.SSLError, OSError) as error:
            return _of_failure(error)

    @asynccontextmanager
    async def _connection(self, *, fresh: bool) -> AsyncIterator[_Connection]:
        """Lend a connection; it is kept if it still stands at the end."""
        connection = None if fresh else await self._idle_one()
        if connection is None:
            client = await connect(self._server, self._allowed, self._timeout)
            connection = _Connection(client)
        try:
            yield connection
        except BaseException:
            connection.client.close()
            raise
        if connection.client.is_connected:
            connection.used, connection.idle_since = True, asyncio.get_running_loop().time()
            self._idle.append(connection)

    async def _idle_one(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            idle = asyncio.get_running_loop().time() - connection.idle_since
            if not connection.client.is_connected:
                continue
            if idle < _TRUSTED_IDLE_SECONDS:
                return connection
            try:
                await connection.client.noop()
            except aiosmtplib.SMTPException:
                connection.client.close()
            else:
                return connection
        return None

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.client.close()

    async def _transact(self, connection: _Connection, address: str, mail: bytes) -> Reply:
        client = connection.client
        try:
            said = await client.execute_command(b"MAIL", f"FROM:<{self._server.address}>".encode())
        except aiosmtplib.SMTPServerDisconnected:
            if connection.used:
                raise _Dropped from None
            raise
        if said.code == _UNAVAILABLE and connection.used:
            raise _Dropped
        if said.code >= 300:
            return await self._given_up(client, _refused(said, Outcome.misconfigured))
        said = await client.execute_command(b"RCPT", f"TO:<{address}>".encode())
        if said.code >= 300:
            wrong = said.code == _NEEDS_SIGN_IN
            outcome = Outcome.misconfigured if wrong else Outcome.permanent
            return await self._given_up(client, _refused(said, outcome))
        said = await client.execute_command(b"DATA")
        if said.code != _START_INPUT:
            return await self._given_up(client, _refused(said, Outcome.blocked))
        return await self._transfer(client, mail)

    async def _transfer(self, client: aiosmtplib.SMTP, mail: bytes) -> Reply:
        """Send the mail with its final dot; from here on a lost connection leaves it in doubt."""
        protocol = client.protocol
        if protocol is None:
            raise aiosmtplib.SMTPServerDisconnected("gone before the mail was sent")
        protocol.write(_dotted(mail))
        try:
            said = await protocol.read_response(timeout=self._timeout)
        except (aiosmtplib.SMTPException, OSError):
            client.close()
            return Reply(Outcome.in_doubt, "connection_lost")
        if said.code < 300:
            return _reply(said, Outcome.accepted)
        unknown = said.message.startswith("5.1.")  # only now does it say so of the address
        return _refused(said, Outcome.permanent if unknown else Outcome.blocked)

    async def _given_up(self, client: aiosmtplib.SMTP, reply: Reply) -> Reply:
        """Make the connection ready for the next mail, or let it go."""
        try:
            await client.rset()
        except aiosmtplib.SMTPException:
            client.close()
        return reply


def _dotted(mail: bytes) -> bytes:
    """Return a mail as DATA has it: a dot that begins a line doubled, one alone at the end."""
    lines = _LINE_END.split(mail.rstrip(b"\r\n"))
    doubled = (b"." + line if line.startswith(b".") else line for line in lines)
    return b"\r\n".join(doubled) + b"\r\n.\r\n"


def _reply(said: SMTPResponse, outcome: Outcome) -> Reply:
    """Return a reply with the code and the enhanced code: the text may name the address."""
    enhanced = _ENHANCED.match(said.message)
    code = f"{said.code} {enhanced[0]}" if enhanced else str(said.code)
    line = f"{said.code} {said.message}".encode("utf-8", "surrogateescape")
    return Reply(outcome, code, body_sha256=hashlib.sha256(line).hexdigest())


def _refused(said: SMTPResponse, lasting: Outcome) -> Reply:
    """Judge a refusal: 4xx is for now, anything else lasts and means `lasting`."""
    return _reply(said, Outcome.retry if 400 <= said.code < 500 else lasting)


def _of_failure(error: Exception) -> Reply:
    """Judge what kept a mail from being sent at all."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refused(SMTPResponse(error.code, error.message), Outcome.misconfigured)
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError):
        return Reply(Outcome.misconfigured, "tls_failed")
    if isinstance(error, OSError):  # refused, lost or too slow, by aiosmtplib's names as well
        return Reply(Outcome.retry, "connection_failed")
    return Reply(Outcome.misconfigured, "server_unusable")  # no STARTTLS, no way to sign in
