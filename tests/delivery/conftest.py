"""What the tests of delivery share: an estate with its published notice."""

import pytest

from tests.delivery.builders import an_estate


@pytest.fixture
async def estate(lishui):
    async with lishui.runtime.work() as work:
        return await an_estate(work, lishui)
