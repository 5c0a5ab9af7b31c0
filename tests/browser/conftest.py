"""A real server and a real Chromium over a small utility."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.builders import Installation, a_certificate, a_facility, a_person, a_tank, install
from water2.clock import DemoClock
from water2.config import Settings
from water2.database import open_database
from water2.domain.access import SYSTEM, Role
from water2.domain.contacts import ContactBox
from water2.domain.facility import FacilityKind
from water2.services.accounts import NewAccount, add_account
from water2.services.passwords import hash_password
from water2.web.app import add_pages
from water2.work import Runtime

PASSWORD = "correct horse battery"
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PEOPLE = {
    "admin": Role.administrator,
    "manager": Role.manager,
    "crew": Role.crew,
    "newcomer": Role.manager,
}


@dataclass(frozen=True)
class Site:
    """A running site and what it stands on."""

    address: str
    runtime: Runtime
    installation: Installation


@pytest.fixture
async def site(tmp_path: Path, sqlite_url: str) -> AsyncIterator[Site]:
    """A demonstration with five overdue tanks, one unfit person and some flagged facilities."""
    clock = DemoClock(tmp_path / "demo-clock.json")
    clock.set(NOW)
    runtime = Runtime(open_database(sqlite_url), clock, ContactBox(bytes(32)))
    installation = await install(runtime)
    await _fill(installation)
    settings = Settings(data_dir=tmp_path, secure_cookies=False)
    app = FastAPI()
    add_pages(app, runtime, settings)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield Site(f"http://127.0.0.1:{listening.getsockname()[1]}", runtime, installation)
    server.should_exit = True
    await running
    await runtime.database.dispose()


async def _fill(installation: Installation) -> None:
    runtime, utility = installation.runtime, installation.utility
    password_hash = await hash_password(PASSWORD)
    async with runtime.work(SYSTEM) as work:
        for name, role in PEOPLE.items():
            account = NewAccount(
                username=name,
                role=role,
                password_hash=password_hash,
                organisation_id=utility.organisation_id,
                must_change_password=name == "newcomer",
            )
            await add_account(work, account)
        facility = await a_facility(work, utility, name="听松苑 <b>1</b>")
        for number in range(5):
            await a_tank(work, utility, facility, f"{number}#")
        await a_facility(
            work, utility, "FH-1", kind=FacilityKind.fire, in_scope=False, scope_clause="3.2"
        )
        person = await a_person(work, utility)
        await a_certificate(work, utility, person, date(2025, 11, 1))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The system's Chromium."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"))
        yield chromium
        await chromium.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A phone's window, reading Chinese; scripts are off, as the pages need none."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": 360, "height": 740}, java_script_enabled=False
    )
    yield await context.new_page()
    await context.close()


async def enter(page: Page, site: Site, username: str, password: str = PASSWORD) -> None:
    """Sign in by the form."""
    await page.goto(f"{site.address}/desk")
    await page.get_by_label("用户名").fill(username)
    await page.get_by_label("密码").fill(password)
    await page.get_by_role("button", name="登录").click()
