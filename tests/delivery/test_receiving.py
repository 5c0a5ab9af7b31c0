"""Receipts: early, late, twice, in a forged order, of nobody."""

from datetime import timedelta

import pytest
from sqlmodel import select

from tests.delivery.builders import AT, a_household, claimed, queue, row_of, states
from tests.delivery.test_completing import entries, settle
from water2.domain.delivery import DeliveryReceipt, DeliveryState
from water2.domain.errors import NotFound
from water2.domain.sending import Outcome, Receipt, Reply, SendingChannel
from water2.services.delivery.completing import Settled
from water2.services.delivery.receiving import Received, receive

PHONE, RAW = "13900000001", b'[{"phone":"13900000001"}]'
LATER = AT + timedelta(minutes=5)


async def take(runtime, *receipts, at=LATER, raw=RAW):
    async with runtime.work() as work:
        return await receive(work, "http", raw, receipts, at)


@pytest.fixture
async def accepted(lishui, estate, clock):
    """A delivery the provider accepted five minutes ago, by its own id `p1`."""
    async with lishui.runtime.work() as work:
        mail = SendingChannel.mail
        addresses = (SendingChannel.sms, PHONE), (mail, "li@example.com")
        await a_household(work, estate, "101", *addresses)
        await queue(work, estate, PHONE)
        await queue(work, estate, "li@example.com", channel=mail, state=DeliveryState.held)
    (got,) = await claimed(lishui.runtime, lishui.utility.id)
    await settle(lishui.runtime, Settled(got, Reply(Outcome.accepted, "OK", provider_id="p1")))
    clock.set(clock.now + timedelta(minutes=5))
    return got.id


async def test_a_delivery_is_told_by_our_id_or_the_providers(lishui, accepted, clock):
    first = await take(lishui.runtime, Receipt(Outcome.delivered, AT, "", None, "p1"))
    row = await row_of(lishui.runtime, accepted)
    assert first == Received(applied=1)
    assert (row.state, row.delivered_at) == (DeliveryState.done, clock.now - timedelta(minutes=5))
    second = await take(lishui.runtime, Receipt(Outcome.delivered, LATER, "", accepted))
    assert second == Received(applied=1)


async def test_the_instant_is_by_the_installations_clock_and_never_still_to_come(
    lishui, accepted, clock
):
    """The provider lives in real time, the installation by its own clock."""
    year = timedelta(days=365)
    clock.set(clock.now + year)
    await take(lishui.runtime, Receipt(Outcome.delivered, LATER + year, "", accepted))
    assert (await row_of(lishui.runtime, accepted)).delivered_at == clock.now


async def test_no_provider_accepted_it_before_it_was_sent(lishui, accepted, clock):
    sent = (await row_of(lishui.runtime, accepted)).accepted_at
    hours = timedelta(hours=2)
    await take(lishui.runtime, Receipt(Outcome.accepted, AT - hours, "", accepted))
    assert (await row_of(lishui.runtime, accepted)).accepted_at == sent


async def test_a_receipt_taken_again_changes_nothing(lishui, accepted):
    receipt = Receipt(Outcome.delivered, AT, "", accepted)
    await take(lishui.runtime, receipt)
    before = await row_of(lishui.runtime, accepted)
    assert await take(lishui.runtime, receipt, at=LATER + timedelta(days=1)) == Received(
        duplicate=1
    )
    assert await row_of(lishui.runtime, accepted) == before
    assert len(await entries(lishui.runtime, "receipts.taken")) == 1


async def test_a_batch_with_one_new_receipt_applies_that_one(lishui, accepted):
    old = Receipt(Outcome.accepted, AT, "", accepted)
    await take(lishui.runtime, old)
    new = Receipt(Outcome.delivered, LATER, "", accepted)
    assert await take(lishui.runtime, old, new, new) == Received(applied=1, duplicate=2)


async def test_a_failure_undoes_acceptance_and_opens_the_next_channel(lishui, accepted):
    await take(lishui.runtime, Receipt(Outcome.failed, LATER, "MK:0010", accepted))
    row = await row_of(lishui.runtime, accepted)
    assert (row.state, row.code) == (DeliveryState.dead, "MK:0010")
    assert row.accepted_at is not None
    assert sorted((await states(lishui.runtime)).values()) == ["dead", "ready"]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_in_whatever_order_the_later_word_of_the_provider_wins(lishui, accepted, order):
    words = (
        Receipt(Outcome.failed, AT + timedelta(seconds=1), "off", accepted),
        Receipt(Outcome.delivered, AT + timedelta(seconds=2), "", accepted),
    )
    for place in order:
        await take(lishui.runtime, words[place])
    assert (await row_of(lishui.runtime, accepted)).state is DeliveryState.done


async def test_a_failure_of_the_same_instant_as_the_delivery_stands(lishui, accepted):
    await take(
        lishui.runtime,
        Receipt(Outcome.delivered, AT, "", accepted),
        Receipt(Outcome.failed, AT, "off", accepted),
    )
    assert (await row_of(lishui.runtime, accepted)).state is DeliveryState.dead


async def test_a_delivery_that_is_told_of_while_it_waits_for_its_next_try_is_not_resent(
    lishui, estate
):
    async with lishui.runtime.work() as work:
        await queue(work, estate, PHONE)
    (got,) = await claimed(lishui.runtime, lishui.utility.id)
    await settle(lishui.runtime, Settled(got, Reply(Outcome.retry, "timeout")))
    await take(lishui.runtime, Receipt(Outcome.delivered, AT, "", got.id))
    assert (await row_of(lishui.runtime, got.id)).state is DeliveryState.done


async def test_receipts_of_nobody_are_refused_and_nothing_is_kept(lishui, estate):
    with pytest.raises(NotFound):
        await take(lishui.runtime, Receipt(Outcome.delivered, AT, "", "0" * 32))
    async with lishui.runtime.read() as work:
        assert (await work.session.exec(select(DeliveryReceipt))).all() == []


async def test_an_unknown_one_among_others_is_counted(lishui, accepted):
    known = Receipt(Outcome.delivered, AT, "", accepted)
    unknown = Receipt(Outcome.delivered, AT, "", None, "p-unknown")
    assert await take(lishui.runtime, unknown, known) == Received(applied=1, unknown=1)


async def test_no_receipts_at_all_are_no_fault(lishui):
    assert await take(lishui.runtime) == Received()


async def test_the_raw_bytes_are_kept_once_and_sealed(lishui, accepted):
    raw = RAW + b"\xff\x00"
    await take(
        lishui.runtime,
        Receipt(Outcome.accepted, AT, "", accepted),
        Receipt(Outcome.delivered, LATER, "", accepted),
        raw=raw,
    )
    async with lishui.runtime.read() as work:
        rows = (await work.session.exec(select(DeliveryReceipt))).all()
        kept = [work.contacts.open(row.raw_sealed) for row in rows if row.raw_sealed]
    assert [one.encode("latin-1") for one in kept] == [raw]
    assert [row for row in rows if PHONE.encode() in row.raw_sealed] == []


async def test_a_request_is_one_entry_with_the_hash_of_what_was_told(lishui, estate, accepted):
    await take(lishui.runtime, Receipt(Outcome.delivered, AT, "", accepted))
    ((ledger, subject, data),) = await entries(lishui.runtime, "receipts.taken")
    assert (ledger, subject) == (estate.facility.ledger_id, f"notice:{estate.notice.id}")
    assert (data["count"], data["delivered"], len(data["body_sha256"])) == (1, 1, 64)
