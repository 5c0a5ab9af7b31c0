"""Repeated requests: one key, one act, the first answer."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from tests.edges.test_api_register import FACILITY, added

KEY = {"Idempotency-Key": "a1b2-c3"}


async def entries_of(api) -> int:
    async with api.installation.runtime.read() as work:
        return (await work.session.execute(text("SELECT count(*) FROM ledger_entry"))).scalar_one()


async def test_a_repeated_request_gets_the_first_answer_and_does_nothing_again(api):
    first = await api.manager.post("/facilities", json=FACILITY, headers=KEY)
    before = await entries_of(api)
    again = await api.manager.post("/facilities", json=FACILITY, headers=KEY)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert await entries_of(api) == before


async def test_without_a_key_the_same_request_is_another_act(api):
    await added(api.manager, "/facilities", FACILITY)
    refused = await api.manager.post("/facilities", json=FACILITY)
    assert (refused.status_code, refused.json()["reason"]) == (409, "code_taken")


async def test_the_same_key_with_another_body_is_malformed(api):
    await added(api.manager, "/facilities", FACILITY, headers=KEY)
    other = FACILITY | {"name": "别苑"}
    refused = await api.manager.post("/facilities", json=other, headers=KEY)
    assert refused.status_code == 422
    assert refused.json()["facts"]["fields"] == {"Idempotency-Key": "idempotency_key_reused"}


async def test_the_same_key_at_another_address_is_malformed(api):
    facility = await added(api.manager, "/facilities", FACILITY, headers=KEY)
    body = {"name": "低区"}
    inside = f"/facilities/{facility['id']}/zones"
    assert (await api.manager.post(inside, json=body, headers=KEY)).status_code == 422


async def test_a_refusal_is_not_kept(api):
    untimely = FACILITY | {"handed_over_on": "2023-09-02"}
    refused = await api.manager.post("/facilities", json=untimely, headers=KEY)
    assert refused.status_code == 422
    assert (await api.manager.post("/facilities", json=FACILITY, headers=KEY)).status_code == 201


async def test_keys_are_each_persons_own(api):
    await added(api.manager, "/facilities", FACILITY, headers=KEY)
    # the same code and the same key, but of another utility's manager
    await added(api.outsider, "/facilities", FACILITY, headers=KEY)


async def test_two_requests_at_once_with_one_key_are_one_act(api):
    requests = [api.manager.post("/facilities", json=FACILITY, headers=KEY) for _ in range(8)]
    answers = await asyncio.gather(*requests)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    replayed = [answer for answer in answers if "Idempotent-Replayed" in answer.headers]
    assert len(replayed) == 7
    listed = (await api.manager.get("/facilities")).json()["items"]
    assert len(listed) == 1


async def test_an_answer_is_forgotten_after_thirty_days_of_real_time(api, wall, clock):
    first = await api.manager.post("/facilities", json=FACILITY, headers=KEY)
    clock.set(clock.now + timedelta(days=300))  # the demonstration's clock has no part in it
    again = await api.manager.post("/facilities", json=FACILITY, headers=KEY)
    assert again.content == first.content
    token = api.manager.headers["Authorization"]
    async with api.installation.runtime.work() as work:
        await work.session.execute(
            text("UPDATE user_session SET expires_at = :later"),
            {"later": "2027-12-31 00:00:00.000000"}
            if work.session.get_bind().dialect.name == "sqlite"
            else {"later": wall.now + timedelta(days=400)},
        )
    wall.set(wall.now + timedelta(days=31))
    refused = await api.manager.post(
        "/facilities", json=FACILITY, headers=KEY | {"Authorization": token}
    )
    assert (refused.status_code, refused.json()["reason"]) == (409, "code_taken")


async def test_the_key_goes_into_the_entries_of_the_act(api):
    facility = await added(api.manager, "/facilities", FACILITY, headers=KEY)
    entries = (await api.manager.get(f"/ledgers/{facility['ledger_id']}/entries")).json()["items"]
    assert [entry["entry"]["idempotency_key"] for entry in entries] == ["a1b2-c3"]


async def test_a_key_with_spaces_or_without_end_is_malformed(api):
    for key in ("two words", "x" * 201):
        headers = {"Idempotency-Key": key}
        refused = await api.manager.post("/facilities", json=FACILITY, headers=headers)
        assert refused.status_code == 422
        assert list(refused.json()["facts"]["fields"]) == ["Idempotency-Key"]


async def test_answers_are_kept_sealed(api):
    facility = await added(api.manager, "/facilities", FACILITY)
    building = await added(api.manager, f"/facilities/{facility['id']}/buildings", {"code": "1幢"})
    household = {"code": "300", "building_id": building["id"], "unit": "7", "room": "6021"}
    await added(api.manager, "/households", household, headers=KEY)
    async with api.installation.runtime.read() as work:
        statement = text("SELECT body FROM idempotent_answer")
        (body,) = (await work.session.execute(statement)).scalars()
    assert b"6021" not in bytes(body)
