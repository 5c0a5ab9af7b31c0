"""What the tests of gateways share: one HTTP gateway that is told anew how to behave."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict

import pytest

from tests.sinks import HttpSink, http_gateway
from tests.sinks.behaviours import HttpBehaviour
from water2.gateways.addresses import Allowed
from water2.gateways.http_pool import HttpPool

ALLOWED = Allowed.parse("127.0.0.1")


@pytest.fixture(scope="module")
def running_gateway() -> Iterator[HttpSink]:
    with http_gateway() as sink:
        yield sink


@pytest.fixture
def sink(running_gateway: HttpSink) -> HttpSink:
    """An HTTP gateway in a process of its own, that behaves until told otherwise."""
    running_gateway.behave(**asdict(HttpBehaviour()))
    return running_gateway


@pytest.fixture
async def pool() -> AsyncIterator[HttpPool]:
    """A pool that may call this machine, and waits as one of an installation does."""
    pool = HttpPool(10, allowed=ALLOWED)
    yield pool
    await pool.close()
