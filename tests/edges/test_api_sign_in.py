"""Signing in and out, one-time passwords, throttling: all in real time."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.edges.conftest import client_of
from water2.domain.access import SYSTEM, Role, User
from water2.services.accounts import NewAccount, add_account
from water2.services.passwords import hash_password
from water2.services.sign_in import token_sha256

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse battery"


@pytest.fixture(scope="module")
async def password_hash():
    return await hash_password(PASSWORD)


@pytest.fixture
async def lin(lishui, password_hash) -> User:
    """A manager whose password is known here."""
    account = NewAccount(
        "lin", Role.manager, password_hash, lishui.utility.organisation_id, None, False
    )
    async with lishui.runtime.work(SYSTEM) as work:
        return await add_account(work, account)


async def sign_in(client, username="lin", password=PASSWORD):
    return await client.post("/sessions", json={"username": username, "password": password})


@pytest.fixture
async def anybody(app):
    async with client_of(app) as client:
        yield client


async def test_the_right_password_opens_a_session_for_its_own_utility(app, anybody, lin, lishui):
    answer = await sign_in(anybody)
    assert answer.status_code == 201
    told = answer.json()
    assert told["user"]["role"] == "manager"
    assert told["user"]["utility_ids"] == [lishui.utility.id]
    assert told["expires_at"] == "2026-11-23T13:00:00Z"
    async with client_of(app, told["token"]) as mine:
        assert (await mine.get("/me")).json() == told["user"]


async def test_a_user_name_is_the_same_in_capitals(anybody, lin):
    assert (await sign_in(anybody, "LIN")).status_code == 201


async def test_no_token_is_kept_as_it_is(anybody, lin, lishui):
    token = (await sign_in(anybody)).json()["token"]
    rows = await dump(lishui.runtime, "SELECT token_sha256 FROM user_session")
    assert rows == [(token_sha256(token),)]
    assert token not in str(rows)


@pytest.mark.parametrize(
    ("username", "password"),
    [("lin", "wrong"), ("nobody", PASSWORD), ("lin", "x" * 10_000)],
    ids=["a wrong password", "an unknown name", "an endless password"],
)
async def test_refusals_do_not_tell_what_was_wrong(anybody, lin, username, password):
    answer = await sign_in(anybody, username, password)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["reason"] == "sign_in_refused"
    assert password not in answer.text


async def test_a_session_ends_when_signed_out(app, anybody, lin):
    token = (await sign_in(anybody)).json()["token"]
    async with client_of(app, token) as mine:
        assert (await mine.delete("/sessions/current")).status_code == 204
        assert (await mine.get("/me")).status_code == 401


async def test_a_session_ends_by_itself_in_real_time_whatever_the_demo_clock_says(
    app, anybody, lin, clock, wall
):
    token = (await sign_in(anybody)).json()["token"]
    async with client_of(app, token) as mine:
        clock.set(clock.now + timedelta(days=400))
        assert (await mine.get("/me")).status_code == 200
        wall.set(wall.now + timedelta(hours=12))
        assert (await mine.get("/me")).status_code == 401


async def test_after_five_failures_a_name_waits_even_with_the_right_password(anybody, lin, wall):
    for _ in range(5):
        assert (await sign_in(anybody, password="wrong")).status_code == 401
    refused = await sign_in(anybody)
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:water2:throttled"
    assert int(refused.headers["Retry-After"]) == 301
    wall.set(wall.now + timedelta(seconds=301))
    assert (await sign_in(anybody)).status_code == 201


async def test_waiting_attempts_do_not_make_the_wait_longer(anybody, lin, wall):
    for _ in range(5):
        await sign_in(anybody, password="wrong")
    wall.set(wall.now + timedelta(seconds=200))
    assert int((await sign_in(anybody)).headers["Retry-After"]) == 101


async def test_the_right_password_forgets_earlier_failures(anybody, lin):
    for _ in range(3):
        for _ in range(4):
            assert (await sign_in(anybody, password="wrong")).status_code == 401
        assert (await sign_in(anybody)).status_code == 201


async def test_an_address_that_fails_for_many_names_waits(anybody, lin):
    answers = [await sign_in(anybody, f"guess{n}", "wrong") for n in range(51)]
    assert [answer.status_code for answer in answers] == [401] * 50 + [429]


async def test_a_one_time_password_opens_nothing_but_its_own_change(app, anybody, lin, lishui):
    async with lishui.runtime.work(SYSTEM) as work:
        (await work.session.get_one(User, lin.id)).must_change_password = True
    token = (await sign_in(anybody)).json()["token"]
    async with client_of(app, token) as mine:
        refused = await mine.get("/facilities")
        assert (refused.status_code, refused.json()["reason"]) == (403, "must_change_password")
        refused = await mine.post("/facilities", json={})
        assert (refused.status_code, refused.json()["reason"]) == (403, "must_change_password")
        assert (await mine.get("/me")).json()["must_change_password"] is True
        change = {"current": PASSWORD, "new": NEW_PASSWORD}
        assert (await mine.post("/me/password", json=change)).status_code == 204
        assert (await mine.get("/facilities")).status_code == 200
    assert (await sign_in(anybody)).status_code == 401
    assert (await sign_in(anybody, password=NEW_PASSWORD)).status_code == 201


async def test_changing_the_password_ends_ones_other_sessions(app, anybody, lin):
    here, there = [(await sign_in(anybody)).json()["token"] for _ in range(2)]
    async with client_of(app, here) as mine, client_of(app, there) as other:
        change = {"current": PASSWORD, "new": NEW_PASSWORD}
        assert (await mine.post("/me/password", json=change)).status_code == 204
        assert (await mine.get("/me")).status_code == 200
        assert (await other.get("/me")).status_code == 401


@pytest.mark.parametrize(
    ("new", "code"),
    [("short", "password_too_short"), (PASSWORD, "password_unchanged")],
)
async def test_a_new_password_must_be_long_and_new(app, anybody, lin, new, code):
    token = (await sign_in(anybody)).json()["token"]
    async with client_of(app, token) as mine:
        refused = await mine.post("/me/password", json={"current": PASSWORD, "new": new})
    assert refused.status_code == 422
    assert refused.json()["facts"] == {"fields": {"new": code}}
    assert PASSWORD not in refused.text


async def test_guessing_the_current_password_of_an_open_session_is_throttled(app, anybody, lin):
    token = (await sign_in(anybody)).json()["token"]
    async with client_of(app, token) as mine:
        change = {"current": "wrong", "new": NEW_PASSWORD}
        answers = [await mine.post("/me/password", json=change) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]


async def dump(runtime, statement):
    async with runtime.read() as work:
        return [tuple(row) for row in await work.session.execute(text(statement))]


async def test_a_repeated_change_of_the_password_gets_its_first_answer(app, anybody, lin):
    token = (await sign_in(anybody)).json()["token"]
    change, key = {"current": PASSWORD, "new": NEW_PASSWORD}, {"Idempotency-Key": "once"}
    async with client_of(app, token) as mine:
        answers = [await mine.post("/me/password", json=change, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 204]
    assert answers[1].headers["Idempotent-Replayed"] == "true"
