"""What tests of several use-cases begin with."""

from datetime import date

import pytest

from tests.builders import a_certificate, a_facility, a_person, a_tank
from water2.domain.staff import CertificateKind


@pytest.fixture
async def place(runtime, lishui):
    """A facility with a tank whose first cleaning is due on 2027-01-15, and three fit cleaners."""
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, in_service_on=date(2026, 7, 15))
        tank = await a_tank(work, lishui.utility, facility)
        for code in ("LS001", "LS002", "LS003"):
            person = await a_person(work, lishui.utility, code)
            await a_certificate(
                work,
                lishui.utility,
                person,
                date(2024, 1, 2),
                kind=CertificateKind.training,
                number=f"PX{code}",
            )
            await a_certificate(work, lishui.utility, person, date(2026, 3, 1))
        await a_person(work, lishui.utility, "LS009")
    return facility, tank
