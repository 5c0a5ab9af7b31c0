"""What the pages answer beneath what a browser shows: headers, cookies, refused forms, errors."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.browser.conftest import PASSWORD, Site
from tests.builders import install
from water2.clock import DemoClock
from water2.config import Settings
from water2.database import open_database
from water2.domain.access import SYSTEM, Role
from water2.domain.contacts import ContactBox
from water2.domain.organisation import OrganisationKind
from water2.services.accounts import NewAccount, add_account
from water2.services.installation import put_under
from water2.services.passwords import hash_password
from water2.web import demo, desk, entry, inspect
from water2.web.app import PUBLIC_PAGES, add_pages
from water2.web.ways import way_back
from water2.work import Runtime

HIDDEN = 'name="csrf" value="'


def token_in(page: str) -> str:
    return page.split(HIDDEN, 1)[1].split('"', 1)[0]


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.address) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, username: str = "manager") -> httpx.Response:
    form = await client.get("/desk/sign-in")
    given = {"username": username, "password": PASSWORD, "csrf": token_in(form.text)}
    return await client.post("/desk/sign-in", data=given)


async def test_every_page_bears_the_strict_policy_and_is_stored_nowhere(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    for path in ("/desk", "/desk/law", "/desk/sign-in", "/desk/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(
    client: httpx.AsyncClient,
) -> None:
    cookie = (await sign_in(client)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


async def test_over_https_cookies_are_secure_and_bound_to_the_host(
    site: Site, tmp_path: Path
) -> None:
    app = FastAPI()
    add_pages(app, site.runtime, Settings(data_dir=tmp_path))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="https://desk.test") as client:
        answer = await sign_in(client)
    cookies = answer.headers.get_list("set-cookie")
    assert any(one.startswith("__Host-water2_session=") and "Secure" in one for one in cookies)


@pytest.mark.parametrize(
    "path", ["/desk/sign-in", "/desk/sign-out", "/desk/clock", "/desk/password"]
)
async def test_a_form_without_ones_own_token_is_refused(
    client: httpx.AsyncClient, path: str
) -> None:
    await sign_in(client, "admin")
    given = {
        "csrf": "x" * 43,
        "username": "manager",
        "password": PASSWORD,
        "now": "2027-01-01T00:00",
    }
    given |= {"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}
    answer = await client.post(path, data=given)
    assert answer.status_code == 403
    assert "表单已过期" in answer.text


async def test_a_form_sent_by_another_site_is_refused_even_with_the_token(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    token = token_in((await client.get("/desk")).text)
    other = {"Sec-Fetch-Site": "cross-site"}
    answer = await client.post("/desk/sign-out", data={"csrf": token}, headers=other)
    assert answer.status_code == 403
    assert (await client.get("/desk")).status_code == 200


async def test_the_clock_set_back_and_a_time_that_is_none_are_told_as_pages(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client, "admin")
    token = token_in((await client.get("/desk")).text)
    back = await client.post("/desk/clock", data={"csrf": token, "now": "2020-01-01T00:00"})
    assert back.status_code == 409
    none = await client.post("/desk/clock", data={"csrf": token, "now": "soon"})
    assert none.status_code == 422
    assert "text/html" in none.headers["content-type"]


async def test_a_cursor_of_ones_own_making_is_told_as_a_page(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    assert (await client.get("/desk/overdue?after=nonsense")).status_code == 422


async def test_a_manager_moves_no_clock(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    token = token_in((await client.get("/desk")).text)
    answer = await client.post("/desk/clock", data={"csrf": token, "now": "2027-01-01T00:00"})
    assert answer.status_code == 403


async def test_an_inspector_chooses_among_the_utilities_under_them_and_no_other(
    site: Site, client: httpx.AsyncClient
) -> None:
    second = await install(site.runtime, code="SECOND")
    foreign = await install(site.runtime, code="FOREIGN")
    async with site.runtime.work(SYSTEM) as work:
        regulator = OrganisationKind.health_regulator
        first = await put_under(work, site.installation.utility, regulator, "卫健")
        await put_under(work, second.utility, regulator, "卫健")
        account = NewAccount(
            username="inspector",
            role=Role.health_inspector,
            password_hash=await hash_password(PASSWORD),
            organisation_id=first.id,
            must_change_password=False,
        )
        await add_account(work, account)
    await sign_in(client, "inspector")
    board = (await client.get("/desk")).text
    assert site.installation.utility.id in board
    assert second.utility.id in board
    assert foreign.utility.id not in board
    chosen = await client.get(f"/desk/certificates?utility={second.utility.id}")
    assert f"/desk/law?utility={second.utility.id}" in chosen.text
    assert (await client.get(f"/desk?utility={foreign.utility.id}")).status_code == 404


async def test_every_page_asks_who_comes_but_the_public_ones(client: httpx.AsyncClient) -> None:
    modules = (demo, desk, entry, inspect)
    every = {route.path for module in modules for route in module.router.routes}
    paths = {
        path for path in every - PUBLIC_PAGES if not path.startswith("/inspect/reports/{id_}/")
    }
    assert {"/desk", "/desk/overdue", "/desk/certificates", "/desk/law"} <= paths
    for path in paths - {"/desk/sign-out", "/desk/clock"}:
        answer = await client.get(path)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/desk/sign-in")


async def test_a_database_that_is_away_is_told_as_a_page(tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.json")
    clock.set(datetime(2026, 11, 23, tzinfo=UTC))
    database = open_database("postgresql://nobody@127.0.0.1:1/none")
    app = FastAPI()
    settings = Settings(data_dir=tmp_path, secure_cookies=False)
    add_pages(app, Runtime(database, clock, ContactBox(bytes(32))), settings)
    transport = httpx.ASGITransport(app)
    cookies = {"water2_session": "somebody", "water2_language": "en"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://desk.test", cookies=cookies
    ) as client:
        answer = await client.get("/desk")
    await database.dispose()
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "cannot be reached" in answer.text


@pytest.mark.parametrize(
    "address",
    ["https://elsewhere.test", "//elsewhere.test", "/desk/../api", "/deskx", "javascript:1", "/"],
)
def test_no_way_back_leads_off_the_desk(address: str) -> None:
    assert way_back(address) == "/desk"


def test_a_way_back_keeps_the_page_and_its_query() -> None:
    for address in ("/desk/overdue/earlier?after=abc%3D", "/inspect", "/inspect/reports/0af9"):
        assert way_back(address) == address


async def test_guessing_the_current_password_of_an_open_session_is_throttled(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    form = await client.get("/desk/password")
    new = "another good one"
    given = {"csrf": token_in(form.text), "current": "wrong", "new": new, "again": new}
    answers = [await client.post("/desk/password", data=given) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {422}
    given["current"] = PASSWORD
    refused = await client.post("/desk/password", data=given)
    assert refused.status_code == 429
    assert "尝试次数过多" in refused.text
    await client.get("/desk/language", params={"to": "en"})
    assert "Too many attempts" in (await client.post("/desk/password", data=given)).text


async def test_the_right_current_password_forgets_wrong_ones(client: httpx.AsyncClient) -> None:
    await sign_in(client)
    given = {"csrf": token_in((await client.get("/desk/password")).text)}
    for old, new in ((PASSWORD, "another good one"), ("another good one", "a third good one")):
        passwords = {"new": new, "again": new}
        for _ in range(4):
            wrong = given | passwords | {"current": "wrong"}
            assert (await client.post("/desk/password", data=wrong)).status_code == 422
        done = await client.post("/desk/password", data=given | passwords | {"current": old})
        assert done.status_code == 303


async def test_an_address_that_asks_for_a_language_switches_to_it_for_good(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    asked = await client.get("/desk?lang=en", follow_redirects=True)
    assert (asked.url.path, asked.headers["content-language"]) == ("/desk", "en")
    assert "lang=" not in asked.url.query.decode()
    assert (await client.get("/desk/law")).headers["content-language"] == "en"


async def test_where_a_target_comes_from_is_told_in_the_readers_language(
    client: httpx.AsyncClient,
) -> None:
    await sign_in(client)
    assert "practice:" not in (await client.get("/desk")).text
    assert "practice:" not in (await client.get("/desk/law")).text
    english = (await client.get("/desk?lang=en", follow_redirects=True)).text
    assert "practice: Korea" in english
