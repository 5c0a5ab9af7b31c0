"""Subscribing over the API: nothing tells whether an address is known, and few codes are sent."""

from datetime import timedelta

import pytest
from sqlmodel import select

from tests.edges.conftest import client_of
from tests.estate import an_estate
from water2.domain.delivery import Delivery
from water2.domain.subscription import Subscription

MAIL = {"channel": "email", "address": "wang@example.com"}


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


@pytest.fixture
async def anybody(app, estate):
    async with client_of(app) as client:
        yield client


@pytest.fixture
def body(estate):
    return {"facility_id": estate.facility.id, "channel": "phone", "address": "13700000001"}


async def code_of(runtime, id_):
    async with runtime.read() as work:
        rows = await work.session.exec(select(Subscription).where(Subscription.id == id_))
        return runtime.contacts.open(rows.one().code_sealed)


async def test_an_address_is_subscribed_confirmed_and_ended_by_one_click(
    lishui, anybody, body, estate
):
    asked = await anybody.post("public/subscriptions", json=body | MAIL)
    assert asked.status_code == 202
    id_ = asked.json()["id"]
    assert asked.json() == {
        "id": id_,
        "facility_id": estate.facility.id,
        "channel": "mail",
        "code_valid_minutes": 30,
    }
    code = await code_of(lishui.runtime, id_)
    confirmed = await anybody.post(f"public/subscriptions/{id_}/confirm", json={"code": code})
    assert confirmed.status_code == 200
    token = confirmed.json()["end_token"]
    for _ in range(2):
        ended = await anybody.post(f"public/subscriptions/{id_}/end", params={"token": token})
        assert ended.status_code == 204
    again = await anybody.post(f"public/subscriptions/{id_}/confirm", json={"code": code})
    assert again.status_code == 422


async def test_the_answer_is_the_same_for_an_address_that_was_known(lishui, anybody, body, wall):
    first = await anybody.post("public/subscriptions", json=body)
    id_ = first.json()["id"]
    code = await code_of(lishui.runtime, id_)
    await anybody.post(f"public/subscriptions/{id_}/confirm", json={"code": code})
    wall.set(wall.now + timedelta(minutes=3))
    second = await anybody.post("public/subscriptions", json=body)
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert first.headers.keys() == second.headers.keys()


async def test_too_many_asks_wait_as_long_as_they_are_told(anybody, body, wall):
    await anybody.post("public/subscriptions", json=body)
    answer = await anybody.post("public/subscriptions", json=body)
    assert answer.status_code == 429
    wait = int(answer.headers["retry-after"])
    assert 0 < wait <= 121
    wall.set(wall.now + timedelta(seconds=wait))
    assert (await anybody.post("public/subscriptions", json=body)).status_code == 202


async def test_a_wrong_code_counts_although_it_is_refused(lishui, anybody, body):
    id_ = (await anybody.post("public/subscriptions", json=body)).json()["id"]
    code = await code_of(lishui.runtime, id_)
    wrong = {"code": f"{(int(code) + 1) % 10**6:06d}"}
    answers = [
        await anybody.post(f"public/subscriptions/{id_}/confirm", json=wrong) for _ in range(5)
    ]
    none = await anybody.post(f"public/subscriptions/{'0' * 32}/confirm", json=wrong)
    right = await anybody.post(f"public/subscriptions/{id_}/confirm", json={"code": code})
    assert {one.status_code for one in (*answers, none, right)} == {422}
    assert {one.text for one in (*answers, none, right)} == {none.text}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"address": "1370000000x"}, "address"),
        ({"address": "a@b", "channel": "mail"}, "address"),
        ({"address": ""}, "address"),
        ({"channel": "pigeon"}, "channel"),
        ({"language": "fr"}, "language"),
        ({"household": "602"}, "household"),
        ({"address": "1\u0000"}, "body"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_kept(lishui, anybody, body, changes, field):
    answer = await anybody.post("public/subscriptions", json=body | changes)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "1370000000x" not in answer.text
    async with lishui.runtime.read() as work:
        assert (await work.session.exec(select(Delivery))).all() == []


async def test_no_other_token_ends_a_subscription(anybody, body):
    id_ = (await anybody.post("public/subscriptions", json=body)).json()["id"]
    for token in ("", id_, f"{id_}.{'0' * 64}", "\u0000"):
        answer = await anybody.post(f"public/subscriptions/{id_}/end", params={"token": token})
        assert answer.status_code == 404
    assert (await anybody.post(f"public/subscriptions/{id_}/end")).status_code == 422


async def test_an_estate_that_is_none_has_no_subscribers(anybody, body):
    answer = await anybody.post("public/subscriptions", json=body | {"facility_id": "none"})
    assert answer.status_code == 404
