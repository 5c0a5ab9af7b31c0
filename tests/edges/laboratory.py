"""A laboratory with an account, reporting to the cast's utility."""

from contextlib import asynccontextmanager
from typing import Any

from tests.edges.conftest import an_account, client_of, token_of
from tests.edges.test_api_register import added
from tests.records import routine_results
from water2.domain.access import SYSTEM, Role
from water2.domain.organisation import OrganisationKind
from water2.services.installation import put_under

NAME = "濯溪水质检测技术有限公司"


@asynccontextmanager
async def a_laboratory(api, app, name: str = NAME, username: str = "lab", utility=None):
    """Yield a signed-in client of a laboratory, and its organisation's id."""
    runtime = api.installation.runtime
    async with runtime.work(SYSTEM) as work:
        kind = OrganisationKind.laboratory
        organisation = await put_under(work, utility or api.installation.utility, kind, name)
        user = await an_account(work, username, Role.lab, organisation.id)
    client = client_of(app, await token_of(runtime, user))
    yield client, organisation.id
    await client.aclose()


def results(**changes: Any) -> list[dict[str, Any]]:
    """Return the routine set, with changes by parameter: a text, or more of the item."""
    given = routine_results() | changes
    return [
        {"parameter": key} | (value if isinstance(value, dict) else {"raw": value})
        for key, value in given.items()
    ]


def a_sample(place: dict[str, str], **changes: Any) -> dict[str, Any]:
    return {
        "facility_id": place["/facilities"],
        "tank_id": place["/tanks"],
        "point": "outlet",
        "purpose": "routine",
        "sampled_at": "2026-11-23T08:30:00+08:00",
        "results": results(),
    } | changes


def a_report(place: dict[str, str], *samples: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "number": "LX202611001",
        "laboratory": NAME,
        "accreditation_number": "230000000303",
        "accreditation_valid_to": "2029-09-02",
        "issued_on": "2026-11-23",
        "samples": list(samples) or [a_sample(place)],
    } | changes


async def registered(api, items=(), **changes: Any) -> dict[str, Any]:
    """Register the laboratory with an accreditation."""
    laboratory = await added(api.manager, "/laboratories", {"name": NAME})
    body = {"number": "2300", "valid_from": "2024-01-01", "valid_to": "2029-09-02"} | changes
    inside = f"/laboratories/{laboratory['id']}/accreditations"
    await added(api.manager, inside, body | {"items": list(items)})
    return laboratory


def by_parameter(sample: dict[str, Any]) -> dict[str, Any]:
    return {one["parameter"]: one for one in sample["results"]}


def fields(answer) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return answer.json()["facts"]["fields"]
