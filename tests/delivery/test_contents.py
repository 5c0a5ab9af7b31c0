"""What is said to whom: by source, channel and language; and whose addresses the staff's are."""

from datetime import date, timedelta

import pytest
from sqlalchemy import insert
from sqlmodel import select

from tests.builders import a_person, a_tank
from tests.delivery.builders import (
    a_contact,
    a_row,
    an_endpoint,
    claimed,
    queue,
)
from tests.delivery.test_completing import entries
from water2.domain.access import Role, User
from water2.domain.delivery import ChannelStop, Delivery, DeliverySource
from water2.domain.duty import Duty
from water2.domain.outage import OutageWarning
from water2.domain.reminder import Digest, Reminder
from water2.domain.sending import SendingChannel
from water2.domain.subscription import Subscription
from water2.services.delivery.contents import contents_of
from water2.services.delivery.digests import send_digests
from water2.services.delivery.staff_addresses import addresses_of_managers
from water2.services.public.subscriptions import end_token

SMS, MAIL, HOOK = SendingChannel.sms, SendingChannel.mail, SendingChannel.webhook
URL = "https://water.example/"


async def messages(lishui, channel):
    got = await claimed(lishui.runtime, lishui.utility.id, channel=channel)
    async with lishui.runtime.read() as work:
        return await contents_of(work, lishui.utility, got, public_url=URL)


async def queue_of(lishui, source, source_id, channel=SMS, address="13900000001", **changes):
    async with lishui.runtime.work() as work:
        given = {"source": source, "channel": channel} | changes
        row = a_row(work, lishui.utility.id, source_id, address, **given)
        await work.session.execute(insert(Delivery), [row])
        return row["id"]


@pytest.fixture
async def subscription(lishui, estate):
    async with lishui.runtime.work() as work:
        made = Subscription(
            utility_id=lishui.utility.id,
            facility_id=estate.facility.id,
            channel="mail",
            language="en",
            address_index=work.contacts.index("a@example.com"),
            sealed=work.contacts.seal("a@example.com"),
            code_sealed=work.contacts.seal("123456"),
            asked_at=work.now,
        )
        work.session.add(made)
    return made


async def test_a_household_gets_the_notices_own_words(lishui, estate):
    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, "13900000001")
    message = (await messages(lishui, SMS))[id_]
    assert (message.id, message.address) == (id_, "13900000001")
    assert (message.title, message.short) == (estate.notice.title_zh, estate.notice.short_zh)
    assert message.end_url is None
    link = f"https://water.example/notices/{estate.notice.number}"
    assert message.links == (f"核对本通知：{link}",)


async def test_a_mail_is_in_chinese_and_then_in_english(lishui, estate):
    async with lishui.runtime.work() as work:
        (id_,) = await queue(work, estate, "a@example.com", channel=MAIL)
    text = (await messages(lishui, MAIL))[id_].text
    assert text.index(estate.notice.text_zh) < text.index(estate.notice.text_en)


async def test_a_subscriber_reads_the_own_language_first_and_can_end_it(
    lishui, estate, subscription
):
    async with lishui.runtime.work() as work:
        given = {"channel": MAIL, "subscription_id": subscription.id}
        (id_,) = await queue(work, estate, "a@example.com", **given)
        token = end_token(work.contacts, subscription.id)
    message = (await messages(lishui, MAIL))[id_]
    assert message.text.index(estate.notice.text_en) < message.text.index(estate.notice.text_zh)
    assert message.end_url == (
        f"https://water.example/subscriptions/{subscription.id}/end?token={token}"
    )
    assert message.text.endswith(message.end_url)
    assert "Check this notice: https://water.example/notices/" in message.text


async def test_a_webhook_gets_data_and_its_secret(lishui, estate):
    async with lishui.runtime.work() as work:
        endpoint = await an_endpoint(work, lishui.utility.id, HOOK)
        endpoint.secret_sealed = work.contacts.seal("whsec_abc")
        work.session.add(endpoint)
        given = {"channel": HOOK, "endpoint_id": endpoint.id}
        (id_,) = await queue(work, estate, "https://robot.example/send", **given)
    message = (await messages(lishui, HOOK))[id_]
    assert message.secret == "whsec_abc"
    assert message.data["type"] == "notice.published"
    assert message.data["data"]["number"] == estate.notice.number


async def test_what_was_erased_or_is_sealed_by_another_is_left_out(lishui, estate):
    async with lishui.runtime.work() as work:
        await queue(work, estate, "13900000001", sealed=b"")
        await queue(work, estate, "13900000002", sealed=bytes(60))
    assert await messages(lishui, SMS) == {}


async def test_a_confirmation_holds_the_code(lishui, subscription):
    id_ = await queue_of(lishui, DeliverySource.confirmation, subscription.id, MAIL, "a@b.example")
    message = (await messages(lishui, MAIL))[id_]
    assert message.language == "en"
    assert "123456" in message.text
    assert message.text.startswith("Your code")


async def test_a_warning_names_the_outage_and_how_many_are_missing(lishui, estate):
    async with lishui.runtime.work() as work:
        warning = OutageWarning(
            utility_id=lishui.utility.id,
            outage_id=estate.notice.outage_id,
            revision=1,
            hours=30,
            missing=12,
            made_at=work.now,
        )
        work.session.add(warning)
    id_ = await queue_of(lishui, DeliverySource.warning, warning.id)
    short = (await messages(lishui, SMS))[id_].short
    assert estate.notice.number in short
    assert "30小时" in short
    assert "12户" in short


async def test_an_alert_names_the_channel_and_the_code(lishui):
    async with lishui.runtime.work() as work:
        stop = ChannelStop(
            utility_id=lishui.utility.id, channel=MAIL, code="535", stopped_at=work.now
        )
        work.session.add(stop)
    id_ = await queue_of(lishui, DeliverySource.alert, stop.id)
    short = (await messages(lishui, SMS))[id_].short
    assert "邮件" in short
    assert "535" in short


@pytest.fixture
async def digests(lishui, estate):
    """A digest of a person with a telephone, and one of the managers, of one tank's duty."""
    utility = lishui.utility
    async with lishui.runtime.work() as work:
        tank = await a_tank(work, utility, estate.facility)
        duty = (await work.session.exec(select(Duty).where(Duty.subject_id == tank.id))).first()
        person = await a_person(work, utility)
        await a_contact(work, utility.id, person.id, "phone", "13911112222")
        work.session.add(
            User(
                organisation_id=utility.organisation_id,
                username="boss",
                role=Role.manager,
                password_hash="x",
                staff_id=person.id,
                created_at=work.now,
            )
        )
        await an_endpoint(work, utility.id, SendingChannel.wecom)
        made = []
        for recipient in (person.id, "managers"):
            digest = Digest(
                utility_id=utility.id,
                recipient=recipient,
                staff_id=None if recipient == "managers" else recipient,
                made_on=work.today(utility.timezone),
                made_at=work.now,
            )
            work.session.add(digest)
            await work.session.flush()
            work.session.add(
                Reminder(
                    duty_id=duty.id,
                    due_on=date(2026, 12, 1),
                    digest_id=digest.id,
                    recipient=recipient,
                    step="7",
                )
            )
            made.append(digest)
        return made


async def send(lishui):
    async with lishui.runtime.work() as work:
        return await send_digests(work, lishui.utility)


async def test_digests_go_to_their_people_and_those_of_managers_to_robots_too(lishui, digests):
    assert await send(lishui) == 2
    sms = await messages(lishui, SMS)
    robots = await messages(lishui, SendingChannel.wecom)
    assert {one.address for one in sms.values()} == {"13911112222"}
    assert len(sms) == 2
    (told,) = robots.values()
    assert "BY-001 1#" in told.text
    assert "2026年12月01日" in told.text


async def test_digests_are_queued_once(lishui, digests):
    await send(lishui)
    assert await send(lishui) == 0
    ((_, _, data),) = await entries(lishui.runtime, "digests.queued")
    assert len(data["digests"]) == 2


async def test_digests_wait_for_the_morning(lishui, digests, clock):
    clock.set(clock.now.replace(hour=15))  # 23:00 in Lishui
    await send(lishui)
    assert await messages(lishui, SMS) == {}
    clock.set(clock.now + timedelta(hours=8))
    assert len(await messages(lishui, SMS)) == 2


async def test_digests_of_days_ago_are_marked_and_not_sent(lishui, digests, clock):
    clock.set(clock.now + timedelta(days=2))
    assert await send(lishui) == 0
    assert await messages(lishui, SMS) == {}
    async with lishui.runtime.read() as work:
        rows = (await work.session.exec(select(Digest.sent_at))).all()
    assert rows == [clock.now, clock.now]


async def test_people_who_left_are_no_managers_any_more(lishui, digests):
    async with lishui.runtime.work() as work:
        assert len(await addresses_of_managers(work, lishui.utility)) == 1
        person = await a_person(work, lishui.utility, "LS002", left_on=date(2026, 1, 1))
        await a_contact(work, lishui.utility.id, person.id, "phone", "13922223333")
        assert len(await addresses_of_managers(work, lishui.utility)) == 1
