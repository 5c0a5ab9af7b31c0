"""Every error is a problem: what it says, in which language, and never a fault for bad input."""

import asyncio
import json

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from tests.edges.conftest import API, client_of
from tests.edges.test_api_register import FACILITY, TANK, added
from water2.api.app import create_api
from water2.config import Settings
from water2.database import open_database
from water2.domain.contacts import ContactBox
from water2.edge.problems import said
from water2.words import words
from water2.work import Runtime

MEMBERS = {"type", "title", "status", "detail", "article", "quote", "facts"}


def problem_of(answer: httpx.Response) -> dict:
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) >= MEMBERS
    assert problem["status"] == answer.status_code
    assert problem["type"].startswith("urn:water2:")
    return problem


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/no-such-thing", 404),
        ("GET", "/facilities/0000", 404),
        ("GET", "/facilities/%00", 404),
        ("GET", "/tanks/不存在", 404),
        ("DELETE", "/facilities", 405),
        ("GET", "/facilities?limit=501", 422),
        ("GET", "/facilities?limit=0", 422),
        ("GET", "/facilities?colour=blue", 422),
        ("GET", "/facilities?cursor=nonsense", 422),
        ("GET", "/facilities?code=%00", 422),
        ("GET", "/duties?due_before=2026-02-30", 422),
        ("GET", "/duties?utility=nobody", 404),
    ],
)
async def test_every_refused_address_is_answered_with_a_problem(api, method, path, status):
    assert problem_of(await api.manager.request(method, path))["status"] == status


async def test_nobody_signed_in_is_told_how_to_sign_in(api):
    answer = await api.anybody.get("/facilities")
    assert problem_of(answer)["reason"] == "not_signed_in"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_each_field_at_fault_is_named(api):
    answer = await api.manager.post(
        "/facilities",
        json={"code": "", "kind": "castle", "accepted_on": "2025-02-30", "owner": "me"},
    )
    problem = problem_of(answer)
    assert problem["facts"]["fields"] == {
        "code": "string_too_short",
        "name": "missing",
        "kind": "enum",
        "address": "missing",
        "accepted_on": "date_from_datetime_parsing",
        "owner": "extra_forbidden",
    }
    assert [error["field"] for error in problem["errors"]] == list(problem["facts"]["fields"])
    assert all(error["detail"] for error in problem["errors"])


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"code": ', "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
        (b"[]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b'{"code": "\\ud800"}', "application/json", 422),
        (b'{"code": "a\\u0000b"}', "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b'{"code": NaN}', "application/json", 422),
        (b"code=BY-001", "application/x-www-form-urlencoded", 415),
        (b"<code/>", "text/xml", 415),
        (b'{"code": "BY-001"}', None, 415),
        (b" " * (1 << 20) + b"{}", "application/json", 413),
    ],
)
async def test_bodies_that_cannot_be_read_are_refused(api, content, kind, status):
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await api.manager.post("/facilities", content=content, headers=headers)
    assert problem_of(answer)["status"] == status


async def test_a_body_that_does_not_say_its_length_is_stopped_at_the_limit(api):
    async def endless():
        for _ in range(20):
            yield b" " * (1 << 16)

    headers = {"Content-Type": "application/json"}
    answer = await api.manager.post("/facilities", content=endless(), headers=headers)
    assert problem_of(answer)["status"] == 413


async def test_a_secret_is_never_echoed(api):
    body = {"username": "x", "password": {"is": "hunter2"}, "pin": "hunter2"}
    answer = await api.anybody.post("/sessions", json=body)
    assert answer.status_code == 422
    assert "hunter2" not in answer.text


async def test_words_are_chinese_unless_english_is_asked_for(api):
    path = "/facilities/0000"
    assert problem_of(await api.manager.get(path))["title"] == "不存在"
    english = {"Accept-Language": "fr, en-GB;q=0.8, zh;q=0.5"}
    assert problem_of(await api.manager.get(path, headers=english))["title"] == "Not found"
    answer = await api.manager.get(path, params={"lang": "en"}, headers={"Accept-Language": "zh"})
    assert problem_of(answer)["title"] == "Not found"


async def test_a_refusal_by_rule_bears_article_quote_and_facts(api):
    body = {key: value for key, value in FACILITY.items() if not key.endswith("_on")}
    facility = await added(api.manager, "/facilities", body)
    inside = f"/facilities/{facility['id']}/put-into-service"
    problem = problem_of(await api.manager.post(inside, json={"on": "2026-11-23"}))
    assert (problem["status"], problem["type"]) == (409, "urn:water2:refused:acceptance")
    assert problem["article"] == "9"
    assert "验收" in problem["quote"]
    assert problem["facts"] == {"on": "2026-11-23", "accepted_on": None}
    assert "第九条" in problem["title"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://nobody@127.0.0.1:1/nothing",
        "sqlite:////nowhere/at/all.db",
    ],
    ids=["nobody listens", "no such folder"],
)
async def test_a_database_that_is_away_is_503_with_retry_after(url, wall, tmp_path):
    runtime = Runtime(open_database(url), wall, ContactBox(bytes(32)))
    app = create_api(runtime, Settings(data_dir=tmp_path), wall_clock=wall)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=API) as client:
        signed_in = {"Authorization": "Bearer anything"}
        for answer in (
            await client.get("/facilities", headers=signed_in),
            await client.post("/facilities", json=FACILITY, headers=signed_in),
            await client.post("/sessions", json={"username": "x", "password": "y"}),
        ):
            assert problem_of(answer)["status"] == 503
            assert int(answer.headers["Retry-After"]) > 0


async def test_a_commit_that_fails_is_never_answered_as_done(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    engine = api.installation.runtime.database.writer.sync_engine

    def fail(_connection):
        raise OperationalError("COMMIT", {}, OSError("connection lost"))

    event.listen(engine, "commit", fail)
    try:
        answer = await api.manager.post(f"/facilities/{facility['id']}/tanks", json=TANK)
    finally:
        event.remove(engine, "commit", fail)
    assert problem_of(answer)["status"] == 503
    listed = (await api.manager.get(f"/facilities/{facility['id']}/tanks")).json()
    assert listed["items"] == []


async def end_who_waits(runtime: Runtime) -> None:
    """End the connection that waits for a lock; each look is a transaction of its own."""
    waiting = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    for _ in range(400):
        async with runtime.read() as work:
            if (await work.session.execute(text(waiting))).all():
                return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody waits for a lock")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_connection_lost_in_the_middle_of_an_act_is_503_and_changes_nothing(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    runtime = api.installation.runtime
    inside = f"/facilities/{facility['id']}/tanks"
    async with runtime.work() as work:
        held = "SELECT id FROM facility WHERE id = :id FOR UPDATE"
        await work.session.execute(text(held), {"id": facility["id"]})
        act = asyncio.create_task(api.manager.post(inside, json=TANK))
        await end_who_waits(runtime)
        answer = await act
    assert problem_of(answer)["status"] == 503
    assert (await api.manager.get(inside)).json()["items"] == []


async def test_answers_stay_out_of_caches(api):
    answer = await api.manager.get("/facilities")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_fault_of_ours_is_told_without_its_inside(wall):
    async def broken():
        raise RuntimeError("secret inside")

    # an app of its own: the one the other tests share keeps its routes
    app = create_api(None, Settings(), wall_clock=wall)
    app.add_api_route("/api/v1/broken", broken)
    async with client_of(app) as anybody:
        answer = await anybody.get("/broken")
    assert problem_of(answer)["status"] == 500
    assert "secret" not in answer.text


def test_every_word_is_there_in_both_languages():
    chinese, english = words("zh"), words("en")
    assert json.dumps(sorted(chinese.texts)) == json.dumps(sorted(english.texts))


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("longitude", "200", "不得大于 180。"),
        ("kind", "castle", "不是允许的值之一：high_rise_residential、high_rise_office、"),
    ],
)
async def test_limits_are_told_in_words_and_not_as_python(api, field, value, words):
    answer = await api.manager.post("/facilities", json={**FACILITY, field: value})
    (error,) = problem_of(answer)["errors"]
    assert error["detail"].startswith(words)
    assert "'" not in error["detail"]


async def test_an_action_that_is_not_permitted_is_told_in_words(api):
    problem = problem_of(await api.crew.post("/facilities", json=FACILITY))
    assert problem["detail"] == "您的角色不能做这件事（维护台账）。"
    assert problem["facts"] == {"action": "keep_register"}


@pytest.mark.parametrize(
    ("language", "code", "facts", "told"),
    [
        ("zh", "problem.work_order_state", {"state": "completed"}, "已完成"),
        ("en", "refused.field_set_not_passed", {"items": ("turbidity", "ph")}, "Turbidity, pH"),
        ("zh", "refused.field_set_incomplete", {"lacking": ("turbidity",)}, "缺：浑浊度"),
        ("zh", "field.impossible", {"value": "71"}, "pH 只能在 0 至 14 之间"),
    ],
)
def test_codes_in_facts_are_told_in_words(language, code, facts, told):
    group, _, name = code.partition(".")
    assert told in said(words(language), group, name, facts)
