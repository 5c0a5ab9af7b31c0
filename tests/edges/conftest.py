"""The API over each database, with a cast that is signed in."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.builders import Installation, SettableClock
from water2.api.app import create_api
from water2.api.state import ApiState
from water2.clock import wall_clock
from water2.config import Settings
from water2.domain.access import SYSTEM, Role, User
from water2.domain.organisation import OrganisationKind
from water2.services.accounts import NewAccount, add_account
from water2.services.installation import FoundUtility, found_utility, put_under
from water2.services.sign_in import open_session
from water2.work import Runtime, Work

API = "http://water2/api/v1"
NO_PASSWORD = "none: the tests that need one set it"


@dataclass
class Cast:
    """A client for each role of one utility, and one for another utility's manager."""

    installation: Installation
    anybody: httpx.AsyncClient
    administrator: httpx.AsyncClient
    manager: httpx.AsyncClient
    crew: httpx.AsyncClient
    health: httpx.AsyncClient
    water: httpx.AsyncClient
    outsider: httpx.AsyncClient


@pytest.fixture
def wall(clock: SettableClock) -> SettableClock:
    """Real time, as far as sessions and throttling are concerned; settable here."""
    return SettableClock(clock.now)


@cache
def built_app() -> FastAPI:
    """The routes, built once for all tests: that costs more than most of them."""
    return create_api(None, Settings(), wall_clock=wall_clock)


@pytest.fixture
async def app(runtime: Runtime, tmp_path: Path, wall: SettableClock) -> FastAPI:
    """The API over this test's database, not a demonstration."""
    app = built_app()
    app.state.api = ApiState(runtime, Settings(data_dir=tmp_path), wall)
    return app


def client_of(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(
        # a fault of ours is an answer of 500 here, as it is for a caller
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=API,
        headers=headers,
    )


async def an_account(work: Work, name: str, role: Role, organisation_id: str) -> User:
    account = NewAccount(name, role, NO_PASSWORD, organisation_id, must_change_password=False)
    return await add_account(work, account)


async def token_of(runtime: Runtime, user: User) -> str:
    """Sign somebody in without the cost of a password."""
    async with runtime.work() as work:
        opened = await open_session(work, user, at=runtime.now() - timedelta(minutes=1), hours=12)
    return opened.token


@pytest.fixture
async def api(lishui: Installation, app: FastAPI) -> AsyncIterator[Cast]:
    """The cast, signed in."""
    runtime, utility = lishui.runtime, lishui.utility
    async with runtime.work(SYSTEM) as work:
        health = await put_under(work, utility, OrganisationKind.health_regulator, "卫健委")
        water = await put_under(work, utility, OrganisationKind.water_regulator, "建设局")
        other = await found_utility(work, FoundUtility("LD", "莲都供水", "lishui"))
        own, others = utility.organisation_id, other.organisation_id
        people = {
            "administrator": await an_account(work, "admin", Role.administrator, own),
            "manager": await an_account(work, "manager", Role.manager, own),
            "crew": await an_account(work, "crew", Role.crew, own),
            "health": await an_account(work, "health", Role.health_inspector, health.id),
            "water": await an_account(work, "water", Role.water_inspector, water.id),
            "outsider": await an_account(work, "outsider", Role.manager, others),
        }
    tokens = {part: await token_of(runtime, user) for part, user in people.items()}
    clients = {part: client_of(app, token) for part, token in tokens.items()}
    cast = Cast(lishui, anybody=client_of(app), **clients)
    yield cast
    for client in (cast.anybody, *clients.values()):
        await client.aclose()
