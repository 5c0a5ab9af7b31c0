"""The pages over each database, for visitors who are signed in without the cost of a password."""

from pathlib import Path

import httpx
from fastapi import FastAPI

from water2.clock import wall_clock
from water2.config import Settings
from water2.domain.access import User
from water2.services.sign_in import open_session
from water2.web.app import add_pages
from water2.work import Runtime

_CSRF, _KEY = 'name="csrf" value="', 'name="key" value="'


def pages_over(runtime: Runtime, folder: Path) -> FastAPI:
    app = FastAPI()
    add_pages(app, runtime, Settings(data_dir=folder, secure_cookies=False))
    return app


async def visitor(app: FastAPI, user: User | None, language: str = "zh") -> httpx.AsyncClient:
    cookies = {"water2_language": language}
    if user is not None:
        async with app.state.desk.runtime.work() as work:
            opened = await open_session(work, user, at=wall_clock(), hours=12)
        cookies["water2_session"] = opened.token
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://desk.test", cookies=cookies)


def csrf_in(page: str) -> str:
    return page.split(_CSRF, 1)[1].split('"', 1)[0]


def key_in(page: str) -> str:
    return page.split(_KEY, 1)[1].split('"', 1)[0]
