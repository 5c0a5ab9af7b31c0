"""Outbound addresses: as they are written, as they resolve, and as they are dialled."""

import socket
from ipaddress import ip_address

import httpx
import pytest

from tests.gateways.conftest import ALLOWED
from water2.domain.errors import Invalid
from water2.domain.sending import Outcome, Reply
from water2.gateways.addresses import (
    Allowed,
    check_url,
    check_url_resolves,
    is_public,
    resolve,
)
from water2.gateways.http_pool import HttpPool

NOBODY = Allowed()


def refusal(url: str, allowed: Allowed = NOBODY) -> str | None:
    try:
        check_url(url, allowed)
    except Invalid as invalid:
        return invalid.problems[0].code
    return None


PRIVATE_HOSTS = [
    "127.0.0.1",
    "127.8.9.1",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fec0::1]",
    "[fd00::1]",
    "[ff02::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[2002:7f00:1::]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]",
    "[2001:db8::1]",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "127.1",
    "localhost",
    "LOCALHOST.",
    "api.localhost",
    "printer.local",
    "metadata.google.internal",
    "router.home.arpa",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_a_private_host_is_refused_however_it_is_written(host):
    assert refusal(f"https://{host}/hook") == "url_private_network"
    assert refusal(f"https://{host}:8443/hook") == "url_private_network"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook?token=1",
        "https://8.8.8.8/",
        "https://[2400:3200::1]/",
        "https://[64:ff9b::8.8.8.8]/",
        "https://localhost.example.com",
        "https://水务.cn/",
    ],
)
def test_a_public_host_over_https_is_taken(url):
    assert refusal(url) is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://example.com/", "url_not_https"),
        ("https://user:pw@example.com/", "url_has_credentials"),
        ("https://token@example.com/", "url_has_credentials"),
        ("ftp://example.com/", "url_unreadable"),
        ("file:///etc/passwd", "url_unreadable"),
        ("gopher://127.0.0.1:25/", "url_unreadable"),
        ("example.com", "url_unreadable"),
        ("", "url_unreadable"),
        ("https://", "url_unreadable"),
        ("https:///hook", "url_unreadable"),
        ("https://exa mple.com/", "url_unreadable"),
        ("https://example.com:99999999/", "url_unreadable"),
        ("https://[::1/", "url_unreadable"),
        ("https://0177.0.0.1/", "url_unreadable"),
        ("https://0x7f.0.0.1:port/", "url_unreadable"),
        ("https://１２７.0.0.1/", "url_unreadable"),
        ("https://example.com/\nHost: other", "url_unreadable"),
        ("https://example.com/" + "x" * 20_000, "url_unreadable"),
    ],
)
def test_what_cannot_be_called_safely_says_why(url, code):
    assert refusal(url) == code


def test_the_refusal_does_not_repeat_the_url_which_may_hold_a_token():
    with pytest.raises(Invalid) as caught:
        check_url("http://example.com/?access_token=s3cret", NOBODY)
    assert "s3cret" not in repr(caught.value)


def test_what_a_utility_allows_may_be_called_without_tls_too():
    allowed = Allowed.parse(" 10.8.0.0/16, SMS.local ,127.0.0.1,fd00::/8 ")
    for host in ("10.8.3.4", "sms.local", "127.0.0.1", "[fd00::7]", "[::ffff:10.8.0.1]"):
        assert refusal(f"http://{host}/", allowed) is None
    for host in ("10.9.0.1", "127.0.0.2", "other.local", "a.sms.local"):
        assert refusal(f"http://{host}/", allowed) == "url_private_network"
    assert refusal("http://example.com/", allowed) == "url_not_https"
    assert refusal("http://u:p@10.8.3.4/", allowed) == "url_has_credentials"


def test_a_network_that_is_none_is_refused():
    with pytest.raises(ValueError, match="10"):
        Allowed.parse("10.8.0.0/99")


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_internet_are_public(address):
    assert is_public(ip_address(address))


async def test_a_name_that_resolves_to_this_machine_is_refused():
    """`localhost` stands for any name: the resolver alone knows where it leads."""
    with pytest.raises(Invalid) as caught:
        await resolve("localhost", 443, NOBODY)
    assert caught.value.problems[0].code == "url_private_network"
    with pytest.raises(Invalid):
        await resolve(socket.gethostname(), 443, NOBODY)


async def test_a_name_that_does_not_resolve_is_told_apart():
    with pytest.raises(Invalid) as caught:
        await check_url_resolves("https://nobody.invalid/", NOBODY)
    assert caught.value.problems[0].code == "url_unresolvable"


async def test_a_name_is_allowed_by_where_it_resolves_to():
    both = Allowed.parse("127.0.0.0/8,::1")
    assert await resolve("localhost", 80, both)
    assert await resolve("localhost", 80, Allowed.parse("localhost"))


async def test_the_connection_checks_what_the_name_resolves_to_at_that_moment(sink):
    """A name that was public when it was entered: what counts is where it leads now."""
    pool = HttpPool(1, allowed=NOBODY)
    client = pool._clients[0]
    request = httpx.Request("POST", f"http://localhost:{sink.port}/sms", content=b"{}")
    before = sink.counts["accepted"]
    with pytest.raises(Invalid) as caught:
        await client.handle_async_request(request)
    assert caught.value.problems[0].code == "url_private_network"
    assert sink.counts["accepted"] == before
    await pool.close()


async def test_a_checked_name_is_dialled_by_its_address(sink):
    """One of its addresses does not listen (::1): the next one is tried."""
    pool = HttpPool(1, allowed=Allowed.parse("localhost"))
    answer = await pool.request("GET", f"http://localhost:{sink.port}/_counts", headers={})
    assert not isinstance(answer, Reply)
    assert answer.status == 200
    await pool.close()


async def test_a_redirect_into_the_private_network_is_not_followed(sink, pool):
    sink.behave(status=302, location=f"{sink.url}/_counts", body="moved")
    before = sink.counts["requests"]
    answer = await pool.request("POST", f"{sink.url}/sms", headers={}, content=b"{}")
    assert answer.status == 302
    assert sink.counts["requests"] == before + 2  # the message, and this question


async def test_an_address_that_must_not_be_called_is_never_connected_to(sink):
    pool = HttpPool(1, allowed=NOBODY)
    before = sink.counts["connections"]
    reply = await pool.request("POST", f"https://127.0.0.1:{sink.port}/", headers={})
    assert reply == Reply(Outcome.permanent, "url_private_network")
    assert sink.counts["connections"] == before + 1  # the question's own
    await pool.close()


def test_the_allow_list_of_the_tests_is_one_address():
    assert ALLOWED.has_host("127.0.0.1")
    assert not ALLOWED.has_host("localhost")
