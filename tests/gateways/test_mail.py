"""Mail over a real SMTP server: what is sent, what its answers mean, and connections used again."""

import asyncio
import email
import email.policy
import hashlib
import socket
from email.message import EmailMessage

import pytest

from tests.gateways.messages import clock, message
from tests.sinks import SmtpSink, smtp_server
from water2.domain.sending import Message, Outcome, Reply, SendingChannel
from water2.gateways.addresses import Allowed
from water2.gateways.mail import MailGateway
from water2.gateways.mail_server import MailServer

FROM = "from=%E7%93%AF%E5%9F%8E%E4%BE%9B%E6%B0%B4%20<notice@water.example>"
LENIENT = Allowed.parse("127.0.0.1")
STRICT = Allowed.parse("127.0.0.0/8,::1")  # allows where `localhost` leads, not the host itself


def mail(**more) -> Message:
    return message(SendingChannel.mail, **({"address": "zhang@home.example"} | more))


def gateway_of(
    sink: SmtpSink, *, user: str = "", scheme: str = "smtp", host: str = "127.0.0.1"
) -> MailGateway:
    server = MailServer.parse(f"{scheme}://{user}{host}:{sink.port}?{FROM}")
    allowed = LENIENT if host == "127.0.0.1" else STRICT
    return MailGateway(server, clock, allowed, timeout=2)


async def send_one(sink: SmtpSink, **how) -> Reply:
    gateway = gateway_of(sink, **how)
    reply = await gateway.send(mail())
    await gateway.close()
    return reply


def parsed(record: dict) -> EmailMessage:
    return email.message_from_string(record["content"], policy=email.policy.default)


async def test_a_mail_arrives_as_plain_text_with_all_its_headers():
    text = "停水通知\n.一行以点开头\n" + "长" * 600
    with smtp_server() as sink:
        gateway = gateway_of(sink)
        sent = mail(text=text, title="停水\n通知", end_url="https://water.example/end/1")
        reply = await gateway.send(sent)
        await gateway.close()
        (record,) = sink.accepted
    assert (reply.outcome, reply.code) == (Outcome.accepted, "250 2.0.0")
    assert reply.body_sha256 == hashlib.sha256(b"250 2.0.0 OK: queued").hexdigest()
    assert (record["from"], record["to"]) == ("notice@water.example", ["zhang@home.example"])
    got = parsed(record)
    assert got.get_content_type() == "text/plain"
    assert got.get_content().splitlines() == text.splitlines()
    assert {name: str(got[name]) for name in got} == {
        "From": "瓯城供水 <notice@water.example>",
        "To": "zhang@home.example",
        "Subject": "停水 通知",
        "Date": "Mon, 23 Nov 2026 01:00:00 +0000",
        "Message-ID": f"<{sent.id}@water.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "zh",
        "List-Unsubscribe": "<https://water.example/end/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "base64",
        "MIME-Version": "1.0",
    }


async def test_a_long_link_or_address_stays_whole():
    link = "https://water.example/end/" + "t0ken" * 60
    address = f"{'long' * 15}@{'sub.' * 20}example"
    with smtp_server() as sink:
        gateway = gateway_of(sink)
        await gateway.send(mail(end_url=link, address=address))
        await gateway.close()
        content = sink.accepted[0]["content"]
    assert f"\nList-Unsubscribe: <{link}>\r\n" in content
    assert content.startswith(f"To: {address}\r\n")


async def test_a_mail_nobody_subscribed_to_offers_no_end():
    with smtp_server() as sink:
        await send_one(sink)
        assert parsed(sink.accepted[0])["List-Unsubscribe"] is None


async def test_lines_that_begin_with_a_dot_arrive_as_they_were():
    text = ".\n..two\n.one\nplain, in English"
    with smtp_server() as sink:
        gateway = gateway_of(sink)
        await gateway.send(mail(text=text))
        await gateway.close()
        assert parsed(sink.accepted[0]).get_content().splitlines() == text.splitlines()


async def test_the_message_id_is_the_same_at_every_attempt():
    with smtp_server(drop_after_data=1) as sink:
        gateway, sent = gateway_of(sink), mail()
        assert (await gateway.send(sent)).outcome is Outcome.in_doubt
        assert (await gateway.send(sent)).outcome is Outcome.accepted
        first, second = (parsed(record)["Message-ID"] for record in sink.accepted)
        assert first == second == f"<{sent.id}@water.example>"
        await gateway.close()


async def test_a_connection_is_used_again():
    with smtp_server() as sink:
        gateway = gateway_of(sink)
        for _ in range(5):
            assert (await gateway.send(mail())).outcome is Outcome.accepted
        await gateway.close()
        assert {record["connection"] for record in sink.accepted} == {1}


async def test_a_few_connections_carry_many_mails():
    with smtp_server(latency_ms=20) as sink:
        gateway = gateway_of(sink)
        replies = await asyncio.gather(*(gateway.send(mail()) for _ in range(24)))
        await gateway.close()
        assert {reply.outcome for reply in replies} == {Outcome.accepted}
        assert len({record["connection"] for record in sink.accepted}) == gateway.connections == 4


@pytest.mark.parametrize("fault", ["drop_when_idle", "busy_when_used"])
async def test_a_connection_the_server_gave_up_is_replaced_within_the_attempt(fault):
    with smtp_server(**{fault: 1}) as sink:
        gateway = gateway_of(sink)
        for _ in range(3):
            assert (await gateway.send(mail())).outcome is Outcome.accepted
            await asyncio.sleep(0.1)
        await gateway.close()
        assert [record["connection"] for record in sink.accepted] == [1, 2, 3]


@pytest.mark.parametrize(
    ("behaviour", "outcome", "code"),
    [
        ({"recipient_reply": "550 5.1.1 no such user"}, Outcome.permanent, "550 5.1.1"),
        ({"recipient_reply": "451 4.7.1 greylisted"}, Outcome.retry, "451 4.7.1"),
        ({"recipient_reply": "530 5.7.0 sign in first"}, Outcome.misconfigured, "530 5.7.0"),
        ({"sender_reply": "553 5.7.1 not yours"}, Outcome.misconfigured, "553 5.7.1"),
        ({"sender_reply": "452 too busy"}, Outcome.retry, "452"),
        ({"data_reply": "554 5.7.1 spam"}, Outcome.blocked, "554 5.7.1"),
        ({"data_reply": "550 5.1.1 no such user"}, Outcome.permanent, "550 5.1.1"),
        ({"data_reply": "451 4.3.0 later"}, Outcome.retry, "451 4.3.0"),
        ({"drop_before_data": 1}, Outcome.retry, "connection_failed"),
        ({"drop_after_data": 1}, Outcome.in_doubt, "connection_lost"),
        ({"latency_ms": 4000}, Outcome.in_doubt, "connection_lost"),
    ],
)
async def test_each_answer_has_its_outcome(behaviour, outcome, code):
    with smtp_server(**behaviour) as sink:
        reply = await send_one(sink)
    assert (reply.outcome, reply.code) == (outcome, code)


async def test_a_refused_recipient_spoils_nothing_for_the_next():
    with smtp_server(recipient_reply="550 5.1.1 no", recipient_suffix="9") as sink:
        gateway = gateway_of(sink)
        outcomes = [
            (await gateway.send(mail(address=address))).outcome
            for address in ("a@x.example", "b9@x.example", "c@x.example")
        ]
        await gateway.close()
        assert outcomes == [Outcome.accepted, Outcome.permanent, Outcome.accepted]
        assert {record["connection"] for record in sink.accepted} == {1}


async def test_nobody_listening_means_try_again():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    server = MailServer.parse(f"smtp://127.0.0.1:{port}?{FROM}")
    reply = await MailGateway(server, clock, LENIENT).send(mail())
    assert reply == Reply(Outcome.retry, "connection_failed")


async def test_the_right_password_signs_in():
    with smtp_server(auth="u:p@ss") as sink:
        assert (await send_one(sink, user="u:p%40ss@")).outcome is Outcome.accepted
        assert sink.accepted[0]["user"] == "u"


@pytest.mark.parametrize("user", ["u:wrong@", ""])
async def test_a_wrong_password_or_none_is_a_setting_at_fault(user):
    with smtp_server(auth="u:right") as sink:
        assert (await send_one(sink, user=user)).outcome is Outcome.misconfigured
        assert sink.accepted == []


async def test_tls_is_used_where_it_is_offered():
    with smtp_server(starttls=1) as sink:
        assert (await send_one(sink)).outcome is Outcome.accepted
        assert sink.accepted[0]["tls"] is True


async def test_a_host_that_is_not_on_the_list_itself_must_offer_tls():
    with smtp_server() as sink:
        reply = await send_one(sink, host="localhost")
        assert reply == Reply(Outcome.misconfigured, "server_unusable")
        assert sink.accepted == []


@pytest.mark.parametrize(
    ("behaviour", "how"),
    [({"starttls": 1}, {"host": "localhost"}), ({"tls": 1}, {"scheme": "smtps"})],
)
async def test_a_certificate_nobody_vouches_for_is_refused(behaviour, how):
    with smtp_server(**behaviour) as sink:
        reply = await send_one(sink, **how)
        assert reply == Reply(Outcome.misconfigured, "tls_failed")
        assert sink.accepted == []


async def test_a_server_in_a_network_that_is_not_allowed_is_a_setting_at_fault():
    server = MailServer.parse(f"smtp://localhost:25?{FROM}")
    reply = await MailGateway(server, clock).send(mail())
    assert reply == Reply(Outcome.misconfigured, "url_private_network")


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@b.example\nBcc: c@d.example",
        "a@b.example> SIZE=1",
        "张@b.example",
        "a@b\x00.example",
    ],
)
async def test_an_address_that_is_none_is_never_tried(address):
    server = MailServer.parse(f"smtp://127.0.0.1:1?{FROM}")
    reply = await MailGateway(server, clock, LENIENT).send(mail(address=address))
    assert reply == Reply(Outcome.permanent, "mail_malformed")


async def test_mail_cannot_be_asked_for():
    server = MailServer.parse(f"smtp://127.0.0.1:1?{FROM}")
    assert await MailGateway(server, clock, LENIENT).ask(mail()) is None


def test_the_url_of_a_server_is_read_with_its_defaults():
    server = MailServer.parse("smtps://u%40x:p%2Fw@mail.example?from=a@water.example")
    assert (server.host, server.port, server.tls_from_start) == ("mail.example", 465, True)
    assert (server.user, server.password) == ("u@x", "p/w")
    assert MailServer.parse("smtp://mail.example?from=a@b.example").port == 587
    assert "p/w" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example?from=a@b.example",
        "smtp://mail.example",
        "smtp://mail.example?from=nobody",
        "smtp://mail.example:port?from=a@b.example",
        "smtp://?from=a@b.example",
    ],
)
def test_a_url_that_names_no_server_or_no_sender_is_refused(url):
    with pytest.raises(ValueError, match=r"smtp|from|[Pp]ort"):
        MailServer.parse(url)
