"""A mail server that records what it accepts: `python -m tests.sinks.smtp_server`.

It prints its port.
"""

import asyncio
import json
import ssl
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.sinks.behaviours import SmtpBehaviour, read_flags


class Mailbox:
    """Decides on each command, and records."""

    def __init__(self, behaviour: SmtpBehaviour, folder: Path) -> None:
        self.behaviour = behaviour
        self.file = (folder / "accepted.jsonl").open("a", encoding="utf-8", buffering=1)
        self.numbers = count(1)
        self.dropped_before = self.dropped_after = 0

    async def handle_MAIL(  # noqa: N802 - the name is the library's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.behaviour.busy_when_used and hasattr(session, "number"):
            return "421 4.3.2 closing"
        if self.behaviour.sender_reply:
            return self.behaviour.sender_reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the name is the library's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        behaviour = self.behaviour
        if behaviour.recipient_reply and address.partition("@")[0].endswith(
            behaviour.recipient_suffix
        ):
            return behaviour.recipient_reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the name is the library's
        self, server: Any, session: Any, envelope: Envelope
    ) -> str:
        behaviour = self.behaviour
        await asyncio.sleep(behaviour.latency_ms / 1000)
        if behaviour.data_reply:
            return behaviour.data_reply
        if not hasattr(session, "number"):
            session.number = next(self.numbers)
        self.record(session, envelope)
        if self.dropped_after < behaviour.drop_after_data:
            self.dropped_after += 1
            server.transport.abort()
        if behaviour.drop_when_idle:
            asyncio.get_running_loop().call_later(0.05, server.transport.abort)
        return "250 2.0.0 OK: queued"

    def record(self, session: Any, envelope: Envelope) -> None:
        mail = {
            "connection": session.number,
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "user": session.auth_data,
            "content": envelope.content.decode("ascii"),
        }
        self.file.write(json.dumps(mail, ensure_ascii=False) + "\n")

    def authenticate(self, server: Any, session: Any, envelope: Any, how: str, data: Any):
        given = f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(
            success=given == self.behaviour.auth, handled=False, auth_data=data.login.decode()
        )


class Server(SMTP):
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the name is the library's
        mailbox = self.event_handler
        if mailbox.dropped_before < mailbox.behaviour.drop_before_data:
            mailbox.dropped_before += 1
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


def own_certificate(folder: Path) -> ssl.SSLContext:
    """Return a context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)  # noqa: TID251 - a sink stands outside
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


async def serve() -> None:
    behaviour, port, folder = read_flags(
        SmtpBehaviour, "A mail server that records what it accepts."
    )
    mailbox = Mailbox(behaviour, folder)
    context = own_certificate(folder) if behaviour.starttls or behaviour.tls else None
    options: dict[str, Any] = {"hostname": "sink"}
    if behaviour.starttls:
        options["tls_context"] = context
    if behaviour.auth:
        options |= {
            "authenticator": mailbox.authenticate,
            "auth_required": True,
            "auth_require_tls": False,
        }
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Server(mailbox, loop=loop, **options),
        "127.0.0.1",
        port,
        ssl=context if behaviour.tls else None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
