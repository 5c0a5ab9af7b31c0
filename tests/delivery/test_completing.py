"""Completing: each outcome to its state, guarded by the lease, with its evidence in the ledger."""

import asyncio
import json
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import text
from sqlmodel import select

from tests.builders import a_person
from tests.delivery.builders import (
    AT,
    a_contact,
    a_household,
    an_endpoint,
    another_revision,
    claimed,
    queue,
    row_of,
    states,
)
from water2.domain.access import Role, User
from water2.domain.delivery import ChannelStop, Delivery, DeliveryBatch, DeliveryState
from water2.domain.ledger import LedgerEntry
from water2.domain.outage import Outage
from water2.domain.retrying import MOST_ATTEMPTS
from water2.domain.sending import Outcome, Receipt, Reply, SendingChannel
from water2.services.delivery.completing import Settled, complete
from water2.services.delivery.leases import settle_lapsed, take_doubtful
from water2.services.delivery.receiving import receive
from water2.services.rows import fetch

PHONE, OTHER, MAIL = "13900000001", "13900000002", "li@example.com"


async def settle(runtime, *settled):
    async with runtime.work() as work:
        return await complete(work, settled)


async def entries(runtime, type_):
    async with runtime.read() as work:
        rows = await work.session.exec(select(LedgerEntry).where(LedgerEntry.type == type_))
        return [(row.ledger_id, row.subject, json.loads(row.body)["data"]) for row in rows]


async def one_claimed(lishui, estate, **changes):
    async with lishui.runtime.work() as work:
        await queue(work, estate, PHONE, **changes)
    (got,) = await claimed(lishui.runtime, lishui.utility.id)
    return got


async def test_an_accepted_message_is_done_and_is_evidence(lishui, estate, clock):
    got = await one_claimed(lishui, estate)
    reply = Reply(Outcome.accepted, "OK", provider_id="p1", body_sha256="a" * 64)
    counts = await settle(lishui.runtime, Settled(got, reply))
    row = await row_of(lishui.runtime, got.id)
    assert counts["done"] == 1
    assert (row.state, row.accepted_at, row.settled_at) == (
        DeliveryState.done,
        clock.now,
        clock.now,
    )
    assert (row.provider_id, row.code, row.reply_sha256, row.leased_until) == (
        "p1",
        "OK",
        "a" * 64,
        None,
    )


@pytest.mark.parametrize(
    ("outcome", "state", "attempts"),
    [
        (Outcome.retry, DeliveryState.ready, 1),
        (Outcome.in_doubt, DeliveryState.in_doubt, 1),
        (Outcome.permanent, DeliveryState.dead, 1),
        (Outcome.blocked, DeliveryState.dead, 1),
        (Outcome.misconfigured, DeliveryState.ready, 0),
    ],
)
async def test_other_outcomes_are_no_evidence(lishui, estate, outcome, state, attempts):
    got = await one_claimed(lishui, estate)
    await settle(lishui.runtime, Settled(got, Reply(outcome, "E1")))
    row = await row_of(lishui.runtime, got.id)
    assert (row.state, row.attempts, row.accepted_at, row.code) == (state, attempts, None, "E1")
    assert (row.failed_at is not None) == (outcome is Outcome.permanent)


async def test_a_message_is_tried_again_later_and_given_up_at_last(lishui, estate, clock):
    got = await one_claimed(lishui, estate)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        await settle(lishui.runtime, Settled(got, Reply(Outcome.retry, "busy")))
        row = await row_of(lishui.runtime, got.id)
        assert row.attempts == attempt
        if attempt < MOST_ATTEMPTS:
            assert row.due_at > clock.now
            clock.set(row.due_at)
            (got,) = await claimed(lishui.runtime, lishui.utility.id)
    assert row.state is DeliveryState.dead


async def test_what_would_be_useless_by_its_next_attempt_expires(lishui, estate, clock):
    got = await one_claimed(lishui, estate, expires_at=clock.now + timedelta(seconds=10))
    await settle(lishui.runtime, Settled(got, Reply(Outcome.retry, "busy")))
    assert (await row_of(lishui.runtime, got.id)).state is DeliveryState.expired


async def test_a_message_put_back_unsent_counts_no_attempt_and_is_no_fact(lishui, estate):
    got = await one_claimed(lishui, estate)
    await settle(lishui.runtime, Settled(got, Reply(Outcome.retry, "left"), sent=False))
    row = await row_of(lishui.runtime, got.id)
    assert (row.state, row.attempts) == (DeliveryState.ready, 0)
    assert await entries(lishui.runtime, "deliveries.settled") == []


async def test_who_lost_the_lease_changes_nothing(lishui, estate):
    first = await one_claimed(lishui, estate)
    later = AT + timedelta(hours=1)
    async with lishui.runtime.work() as work:
        await settle_lapsed(work, lishui.utility.id, later)
        (second,) = await take_doubtful(
            work, lishui.utility.id, SendingChannel.sms, 10, leased_until=later, at=later
        )
    counts = await settle(lishui.runtime, Settled(first, Reply(Outcome.permanent, "late")))
    assert (counts["lost"], counts["dead"]) == (1, 0)
    assert (await row_of(lishui.runtime, first.id)).state is DeliveryState.in_doubt
    await settle(lishui.runtime, Settled(second, Reply(Outcome.accepted, "OK")))
    assert (await row_of(lishui.runtime, first.id)).state is DeliveryState.done


async def test_a_worker_that_was_only_slow_still_completes_what_is_in_doubt(lishui, estate):
    got = await one_claimed(lishui, estate)
    async with lishui.runtime.work() as work:
        await settle_lapsed(work, lishui.utility.id, AT + timedelta(hours=1))
    await settle(lishui.runtime, Settled(got, Reply(Outcome.accepted, "OK")))
    assert (await row_of(lishui.runtime, got.id)).state is DeliveryState.done


@pytest.mark.parametrize(
    ("outcome", "sent"),
    [(Outcome.retry, True), (Outcome.unknown, True), (Outcome.retry, False)],
)
async def test_the_words_of_an_earlier_revision_go_out_no_more(lishui, estate, outcome, sent):
    got = await one_claimed(lishui, estate)
    await another_revision(lishui, estate)
    await settle(lishui.runtime, Settled(got, Reply(outcome, "x"), sent=sent))
    row = await row_of(lishui.runtime, got.id)
    assert (row.state, row.settled_at is None) == (DeliveryState.superseded, False)


async def test_whoever_publishes_meanwhile_is_waited_for(lishui, estate):
    """A message put back into the queue behind the next revision would be sent after it."""
    got = await one_claimed(lishui, estate)
    publishing, may_commit = asyncio.Event(), asyncio.Event()

    async def publish():
        async with lishui.runtime.work() as work:
            outage = await fetch(work, Outage, estate.notice.outage_id, lock=True)
            outage.revision += 1
            await work.session.flush()
            publishing.set()
            await may_commit.wait()

    other = asyncio.create_task(publish())
    await publishing.wait()
    again = Settled(got, Reply(Outcome.retry, "busy"))
    settling = asyncio.create_task(settle(lishui.runtime, again))
    await asyncio.sleep(0.2)
    may_commit.set()
    await asyncio.gather(other, settling)
    assert (await row_of(lishui.runtime, got.id)).state is DeliveryState.superseded


async def test_a_doubt_of_an_earlier_revision_is_still_found_out(lishui, estate):
    got = await one_claimed(lishui, estate)
    await another_revision(lishui, estate)
    await settle(lishui.runtime, Settled(got, Reply(Outcome.in_doubt, "cut")))
    assert (await row_of(lishui.runtime, got.id)).state is DeliveryState.in_doubt
    await settle(lishui.runtime, Settled(got, Reply(Outcome.accepted, "OK")))
    assert (await row_of(lishui.runtime, got.id)).state is DeliveryState.done


async def test_what_was_completed_is_not_completed_again(lishui, estate):
    got = await one_claimed(lishui, estate)
    settled = Settled(got, Reply(Outcome.accepted, "OK"))
    await settle(lishui.runtime, settled)
    assert (await settle(lishui.runtime, settled))["lost"] == 1
    assert len(await entries(lishui.runtime, "deliveries.settled")) == 1


async def test_a_batch_is_one_entry_whose_hash_is_that_of_the_kept_outcomes(lishui, estate):
    async with lishui.runtime.work() as work:
        ids = await queue(work, estate, PHONE, OTHER)
    got = await claimed(lishui.runtime, lishui.utility.id)
    outcomes = {ids[0]: Outcome.accepted, ids[1]: Outcome.permanent}
    await settle(lishui.runtime, *(Settled(one, Reply(outcomes[one.id], "C")) for one in got))
    ((ledger, subject, data),) = await entries(lishui.runtime, "deliveries.settled")
    async with lishui.runtime.read() as work:
        batch = (await work.session.exec(select(DeliveryBatch))).one()
    told = json.loads(batch.body)
    assert (ledger, subject) == (estate.facility.ledger_id, f"notice:{estate.notice.id}")
    assert data["body_sha256"] == batch.body_sha256 == sha256(batch.body).hexdigest()
    assert (data["count"], data["accepted"], data["permanent"]) == (2, 1, 1)
    assert {row[0]: row[1] for row in told} == {k: v.value for k, v in outcomes.items()}
    assert json.dumps(told, separators=(",", ":")).encode() == batch.body


async def test_no_address_in_any_form_enters_the_evidence(lishui, estate):
    got = await one_claimed(lishui, estate)
    await settle(lishui.runtime, Settled(got, Reply(Outcome.accepted, "OK")))
    async with lishui.runtime.read() as work:
        bodies = [
            *(await work.session.exec(select(DeliveryBatch.body))).all(),
            *(await work.session.exec(select(LedgerEntry.body))).all(),
        ]
        index = work.contacts.index(PHONE).hex()
    assert [body for body in bodies if PHONE.encode() in body or index.encode() in body] == []


async def test_what_a_provider_says_is_cut_and_cleaned(lishui, estate):
    got = await one_claimed(lishui, estate)
    reply = Reply(Outcome.accepted, "bad\x00\ud800" + "x" * 500, provider_id="p\x00" + "y" * 500)
    await settle(lishui.runtime, Settled(got, reply))
    row = await row_of(lishui.runtime, got.id)
    assert (row.code, row.provider_id) == ("bad" + "x" * 117, "p" + "y" * 119)


@pytest.mark.parametrize("outcome", [Outcome.permanent, Outcome.blocked])
async def test_a_failed_address_opens_the_nearest_next_of_its_households(lishui, estate, outcome):
    async with lishui.runtime.work() as work:
        sms, mail = SendingChannel.sms, SendingChannel.mail
        for room in ("101", "102"):  # two flats of one telephone
            await a_household(
                work, estate, room, (sms, PHONE), (sms, OTHER), (mail, f"{room}@example.com")
            )
        await a_household(work, estate, "103", (sms, "13900000009"), (mail, MAIL))
        (failing,) = await queue(work, estate, PHONE)
        held = {"state": DeliveryState.held, "due_at": work.now + timedelta(hours=18)}
        (second,) = await queue(work, estate, OTHER, **held)
        others = await queue(
            work, estate, "101@example.com", "102@example.com", MAIL, channel=mail, **held
        )
    (got,) = await claimed(lishui.runtime, lishui.utility.id)
    await settle(lishui.runtime, Settled(got, Reply(outcome, "gone")))
    now = await states(lishui.runtime)
    assert now[failing] == "dead"
    assert now[second] == "ready"
    assert {now[id_] for id_ in others} == {"held"}
    (got,) = await claimed(lishui.runtime, lishui.utility.id)
    await settle(lishui.runtime, Settled(got, Reply(outcome, "gone")))
    now = await states(lishui.runtime)
    assert [now[id_] for id_ in others] == ["ready", "ready", "held"]


async def test_a_misconfigured_channel_stops_once_and_tells_its_people_by_others(lishui, estate):
    utility = lishui.utility
    async with lishui.runtime.work() as work:
        await queue(work, estate, PHONE, OTHER)
        boss = await a_person(work, utility)
        await a_contact(work, utility.id, boss.id, "phone", "13911112222")
        await a_contact(work, utility.id, boss.id, "mail", "boss@example.com")
        robot = await an_endpoint(work, utility.id, SendingChannel.dingtalk)
        work.session.add(
            User(
                organisation_id=utility.organisation_id,
                username="boss",
                role=Role.manager,
                password_hash="x",
                staff_id=boss.id,
                created_at=work.now,
            )
        )
    got = await claimed(lishui.runtime, utility.id)
    wrong = [Settled(one, Reply(Outcome.misconfigured, "isv.SIGN")) for one in got]
    await settle(lishui.runtime, *wrong)
    assert len(await entries(lishui.runtime, "channel.stopped")) == 1
    async with lishui.runtime.read() as work:
        stop = (await work.session.exec(select(ChannelStop))).one()
        alerts = await work.session.exec(select(Delivery).where(Delivery.source_id == stop.id))
        told = {(row.channel, row.endpoint_id) for row in alerts}
    assert told == {(SendingChannel.mail, None), (SendingChannel.dingtalk, robot.id)}
    assert await claimed(lishui.runtime, utility.id) == []


async def test_a_receipt_that_came_before_the_commit_is_not_lowered(lishui, estate, clock):
    got = await one_claimed(lishui, estate)
    async with lishui.runtime.work() as work:
        await receive(work, "http", b"1", [Receipt(Outcome.delivered, AT, "", got.id)], AT)
    row = await row_of(lishui.runtime, got.id)
    assert (row.state, row.delivered_at) == (DeliveryState.leased, clock.now)
    earlier = clock.now
    clock.set(clock.now + timedelta(seconds=3))
    await settle(lishui.runtime, Settled(got, Reply(Outcome.accepted, "OK")))
    row = await row_of(lishui.runtime, got.id)
    assert (row.state, row.accepted_at, row.delivered_at) == (DeliveryState.done, earlier, earlier)


@pytest.mark.parametrize("outcome", [Outcome.retry, Outcome.in_doubt])
async def test_what_was_delivered_is_done_whatever_the_sender_saw(lishui, estate, outcome):
    got = await one_claimed(lishui, estate)
    async with lishui.runtime.work() as work:
        await receive(work, "http", b"1", [Receipt(Outcome.delivered, AT, "", got.id)], AT)
    await settle(lishui.runtime, Settled(got, Reply(outcome, "reset")))
    assert (await row_of(lishui.runtime, got.id)).state is DeliveryState.done


async def test_a_failure_that_came_before_the_commit_stands(lishui, estate):
    got = await one_claimed(lishui, estate)
    async with lishui.runtime.work() as work:
        await receive(work, "http", b"1", [Receipt(Outcome.failed, AT, "off", got.id)], AT)
    await settle(lishui.runtime, Settled(got, Reply(Outcome.accepted, "OK")))
    row = await row_of(lishui.runtime, got.id)
    assert (row.state, row.failed_at is None) == (DeliveryState.dead, False)


async def test_the_guarded_statement_finds_its_rows_by_their_key(lishui, estate):
    from water2.services.delivery import completing  # noqa: PLC0415 - its statement alone

    async with lishui.runtime.work() as work:
        await queue(work, estate, *(f"139{n:08}" for n in range(500)))
    got = await claimed(lishui.runtime, lishui.utility.id)
    async with lishui.runtime.work() as work:
        if lishui.runtime.database.dialect == "postgresql":
            return  # its planner takes what is cheapest for so few rows; the benchmark shows it
        rows = json.dumps([[one.id, 1, *[None] * 9] for one in got])
        plan = await work.session.execute(
            text(f"EXPLAIN QUERY PLAN {completing._COMPLETE.sqlite}"), {"rows": rows, "now": None}
        )
        assert "SEARCH d USING INDEX" in "\n".join(row[-1] for row in plan)
