"""Requests made up from the OpenAPI document, right and wrong: none may find a fault of ours."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode

from tests.edges.conftest import Cast
from tests.edges.test_api_register import a_registered_place, added

EXAMPLES = 6  # of each operation and mode
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
BY_ADMINISTRATOR = {"users", "law", "demonstration"}
NOT_FUZZED = {("delete", "/api/v1/sessions/current")}  # it would sign the caller out


@dataclass(frozen=True)
class Site:
    """The API on a socket, with the ids of things that are there."""

    address: str
    cast: Cast
    ids: dict[str, str]


@pytest.fixture
async def site(app: FastAPI, api: Cast) -> AsyncIterator[Site]:
    """A real server in this loop: the database's connections belong to it."""
    ids = await a_registered_place(api)
    ids |= await an_outage(api, ids)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", api, ids)
    server.should_exit = True
    await running


async def an_outage(api: Cast, ids: dict[str, str]) -> dict[str, str]:
    """A published outage with a poster, a stop somebody found, a webhook; their ids by path."""
    plan = {"facility_id": ids["/facilities"], "kind": "planned", "reason": "tank_cleaning"}
    window = {"starts_at": "2026-11-25T09:00", "ends_at": "2026-11-25T17:00"}
    webhook = {"channel": "webhook", "name": "x", "url": "https://hooks.example.com/x"}
    endpoint = await added(api.manager, "/endpoints", webhook)
    outage = await added(api.manager, "/outages", plan | window)
    await api.manager.post(f"/outages/{outage['id']}/publish")
    hung = {"building_id": ids["/buildings"], "posted_at": "2026-11-23T09:00"}
    poster = await added(api.crew, f"/outages/{outage['id']}/posters", hung)
    found = {"source": "crew", "began_at": "2026-11-23T08:00"}
    stop = await added(api.crew, "/supply-stops", found | {"facility_id": ids["/facilities"]})
    (delivery,) = (await api.manager.get("/deliveries")).json()["items"]
    return {
        "/outages": outage["id"],
        "/posters": poster["id"],
        "/supply-stops": stop["id"],
        "/endpoints": endpoint["id"],
        "/deliveries": delivery["id"],
    }


def fuzz(site: Site, document: dict[str, object], mode: GenerationMode) -> list[str]:
    """Send made-up requests to every operation; return what found a fault."""
    schema = schemathesis.openapi.from_dict(document)
    faults: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()
        if (operation.method, operation.path) not in NOT_FUZZED:
            send_made_up(site, operation, mode, faults)
    return faults


def send_made_up(site: Site, operation, mode: GenerationMode, faults: list[str]) -> None:
    headers = headers_of(site.cast, operation)

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case):
        known = next((id_ for part, id_ in site.ids.items() if part in case.path), None)
        if known and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = known
        answer = case.call(base_url=site.address, headers=headers, timeout=120)
        if answer.status_code >= 500:
            faults.append(f"{case.as_curl_command()} → {answer.status_code}")

    with suppress(Unsatisfiable):  # nothing in the operation can be made wrong
        send()


def headers_of(cast: Cast, operation) -> dict[str, str]:
    by_administrator = BY_ADMINISTRATOR & set(operation.tags or [])
    client = cast.administrator if by_administrator else cast.manager
    return {"Authorization": client.headers["Authorization"]}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_no_request_made_from_the_document_finds_a_fault(site, app, mode):
    faults = await asyncio.to_thread(fuzz, site, app.openapi(), mode)
    assert faults == []
