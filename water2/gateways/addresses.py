"""Which outside addresses may be called: never this machine's own network, unless allowed.

An address is judged twice: as it is written (`check_url`, also when somebody enters it), and as it
resolves when a connection is opened (`CheckedBackend`), since a name may answer differently later.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import httpcore
import httpx

from water2.domain.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
# names that never leave a machine or its network: RFC 6761, 6762, 8375, and ICANN's `internal`
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")
_HOST = re.compile(r"[a-z0-9._:-]+")  # as parsed: in lower case, other scripts as xn--…
_LONGEST_URL = 16_000  # the text of an SMS may stand in it
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Allowed:
    """Hosts and networks of its own that a utility lets itself call, also without TLS."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, setting: str) -> "Allowed":
        """Read hosts, addresses and networks, separated by commas: `10.8.0.0/16,sms.local`.

        Raises:
            ValueError: something with a slash is no network.
        """
        hosts, networks = set(), []
        for item in filter(None, (part.strip().lower() for part in setting.split(","))):
            try:
                networks.append(ipaddress.ip_network(item.strip("[]")))
            except ValueError:
                if "/" in item:
                    raise
                hosts.add(item.rstrip("."))
        return cls(frozenset(hosts), tuple(networks))

    def has_address(self, address: Address) -> bool:
        """Tell whether an address, or the IPv4 address in it, lies in an allowed network."""
        both = {address, _plain(address)}
        return any(one in network for one in both for network in self.networks)

    def has_host(self, host: str) -> bool:
        """Tell whether a host is on the list itself, not only what its name resolves to."""
        address = literal(host)
        return self.has_address(address) if address else host.lower().rstrip(".") in self.hosts


def literal(host: str) -> Address | None:
    """Return the address a host is written as, in any form resolvers take; None for a name.

    `127.1`, `0x7f000001`, `0177.0.0.1` and `2130706433` are all 127.0.0.1.
    """
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the internet at large; what is embedded counts."""
    plain = _plain(address)
    return plain.is_global and not (
        plain.is_multicast
        or plain.is_reserved
        or plain.is_unspecified
        or getattr(plain, "is_site_local", False)
    )


def _plain(address: Address) -> Address:
    """Return the IPv4 address inside a mapped, 6to4 or NAT64 one, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


@lru_cache(maxsize=1024)
def checked_url(url: str, allowed: Allowed) -> httpx.URL:
    """Return a URL that may be called, by the parser that calls it; names are not resolved.

    Raises:
        Invalid: as `check_url`.
    """
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii")
    except (httpx.InvalidURL, UnicodeError, ValueError, TypeError):
        raise Invalid.one("url", "url_unreadable") from None
    readable = parsed.scheme in ("http", "https") and _HOST.fullmatch(host)
    if not readable or len(url) > _LONGEST_URL or (parsed.port or 0) > _HIGHEST_PORT:
        raise Invalid.one("url", "url_unreadable")
    if parsed.userinfo:
        raise Invalid.one("url", "url_has_credentials")
    check_host(host, allowed)
    if parsed.scheme != "https" and not allowed.has_host(host):
        raise Invalid.one("url", "url_not_https")
    return parsed


def check_host(host: str, allowed: Allowed) -> None:
    """Refuse a host that is private as it is written.

    Raises:
        Invalid: field `url`, `url_private_network`.
    """
    if _is_private(host) and not allowed.has_host(host):
        raise Invalid.one("url", "url_private_network")


def _is_private(host: str) -> bool:
    """Tell whether a host is private as it is written, without resolving it."""
    if address := literal(host):
        return not is_public(address)
    name = host.lower().rstrip(".")
    return any(name == one or name.endswith(f".{one}") for one in _LOCAL_NAMES)


def check_url(url: str, allowed: Allowed) -> None:
    """Refuse a URL that must not be called, as far as its writing tells.

    Raises:
        Invalid: field `url`: `url_unreadable`, `url_has_credentials`, `url_private_network`,
            `url_not_https`. The URL itself is not repeated: it may hold a token.
    """
    checked_url(url, allowed)


async def check_url_resolves(url: str, allowed: Allowed) -> None:
    """Refuse a URL that must not be called, by its writing or by what its name resolves to now.

    Raises:
        Invalid: as `check_url`, and `url_unresolvable`.
    """
    parsed = checked_url(url, allowed)
    await resolve(parsed.raw_host.decode("ascii"), parsed.port or 443, allowed)


async def resolve(host: str, port: int, allowed: Allowed) -> list[str]:
    """Return the addresses of a host, all of which may be called.

    Raises:
        Invalid: `url_unresolvable`, or `url_private_network` where any one is not public and not
            allowed: a name that mixes both is a trick.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Invalid.one("url", "url_unresolvable") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not addresses:
        raise Invalid.one("url", "url_unresolvable")
    if not allowed.has_host(host) and not all(_may_be_called(one, allowed) for one in addresses):
        raise Invalid.one("url", "url_private_network")
    return addresses


def _may_be_called(written: str, allowed: Allowed) -> bool:
    address = ipaddress.ip_address(written)
    return is_public(address) or allowed.has_address(address)


class CheckedBackend(httpcore.AnyIOBackend):
    """Opens connections to checked addresses only; TLS still proves the name that was asked for.

    Name and address are checked and dialled together, so that no second answer of a name server
    can come between.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Dial the addresses of a host in turn: half the time is the name's, half the addresses'.

        Raises:
            Invalid: `url_private_network`.
            httpcore.ConnectError: no address answers, or there is none.
            httpcore.ConnectTimeout: not in time.
        """
        share = timeout and timeout / 2
        addresses = await self._addresses(host, port, share)
        share = share and share / len(addresses)
        failure: Exception | None = None
        for address in addresses:
            try:
                return await super().connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError("there is no address")

    async def _addresses(self, host: str, port: int, seconds: float | None) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                return await resolve(host, port, self._allowed)
        except TimeoutError:
            raise httpcore.ConnectTimeout("the name does not resolve in time") from None
        except Invalid as refusal:
            if refusal.problems[0].code == "url_unresolvable":
                raise httpcore.ConnectError("the name does not resolve") from None
            raise
