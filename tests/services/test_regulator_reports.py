"""A report reaches its regulator by every way it has, and each way has its own receipt."""

import json

import pytest
from standardwebhooks import Webhook

from tests.estate import an_estate
from tests.outages import NOW, act
from tests.sinks import http_gateway, smtp_server
from water2.config import Settings
from water2.domain.delivery import Audience
from water2.domain.errors import Invalid
from water2.domain.regulator_report import Regulator, ReportKind
from water2.domain.sending import SendingChannel
from water2.domain.water import Point, Purpose
from water2.jobs import deliver_due
from water2.services.anomalies.from_samples import anomalies_of_samples
from water2.services.anomalies.handling import AssessDanger, assess_danger
from water2.services.delivery.endpoints import AddEndpoint, add_endpoint
from water2.services.regulator_reports.drafting import DraftReport, draft_report
from water2.services.regulator_reports.looking import receipts_of
from water2.services.regulator_reports.owing import reports_of
from water2.services.regulator_reports.sending import SendReport, send_report
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample

MAILBOX = "duty@health.example"


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def a_dangerous_anomaly(lishui, estate):
    command = RecordSample(
        facility_id=estate.facility.id,
        point=Point.terminal,
        purpose=Purpose.routine,
        sampled_at=NOW,
        results=[GivenResult(parameter="e_coli", raw="3")],
    )
    sample = await act(lishui, record_sample, command)
    async with lishui.runtime.read() as work:
        anomaly_id = (await anomalies_of_samples(work, [sample.id]))[sample.id]
    danger = AssessDanger(endangers_health=True, reason="检出")
    return await act(lishui, assess_danger, anomaly_id, danger)


async def firsts(lishui, anomaly):
    async with lishui.runtime.read() as work:
        rows = await reports_of(work, anomaly.id)
    return {one.regulator: one for one in rows if one.kind is ReportKind.first}


async def an_endpoint(lishui, channel, url, audience):
    command = AddEndpoint(channel=channel, audience=audience, name="值班室", url=url)
    async with lishui.runtime.work(lishui.manager) as work:
        return await add_endpoint(work, command, lambda _url: None)


async def test_each_regulator_gets_its_own_by_webhook_and_mail(lishui, estate, tmp_path):
    anomaly = await a_dangerous_anomaly(lishui, estate)
    with http_gateway() as sink, smtp_server() as mailbox:
        hook = await an_endpoint(
            lishui, SendingChannel.webhook, f"{sink.url}/webhook", Audience.water_regulator
        )
        await an_endpoint(lishui, SendingChannel.mail, MAILBOX, Audience.health_regulator)
        for report in (await firsts(lishui, anomaly)).values():
            await act(lishui, send_report, report.id, SendReport(help_asked="请协助采样"))
        settings = Settings(
            data_dir=tmp_path,
            smtp_url=f"smtp://{mailbox.address}?from=notice@water.example",
            allowed_networks="127.0.0.1",
        )
        await deliver_due(lishui.runtime, settings)
        (posted,), (mailed,) = sink.accepted, mailbox.accepted
    told = Webhook(hook.secret).verify(posted["raw"], posted["headers"])
    assert told["type"] == "regulator_report.sent"
    assert (told["data"]["regulator"], told["data"]["stage"]) == ("water", "first")
    assert told["data"]["help_asked"] == "请协助采样"
    assert "大肠埃希氏菌 3" in told["data"]["text"]
    assert MAILBOX in str(mailed)
    reports = await firsts(lishui, anomaly)
    async with lishui.runtime.read() as work:
        receipts = {one: await receipts_of(work, reports[one]) for one in Regulator}
    assert [(one.channel, one.state) for one in receipts[Regulator.health]] == [("mail", "done")]
    assert [(one.channel, one.state) for one in receipts[Regulator.water]] == [("webhook", "done")]
    assert all(one.accepted_at for ways in receipts.values() for one in ways)


async def test_a_regulators_address_gets_no_notices_and_takes_no_robot(lishui, estate):
    with pytest.raises(Invalid):
        await an_endpoint(
            lishui, SendingChannel.dingtalk, "https://x.example", Audience.health_regulator
        )
    with pytest.raises(Invalid):
        await an_endpoint(lishui, SendingChannel.mail, "nobody", Audience.health_regulator)
    with pytest.raises(Invalid):
        await an_endpoint(lishui, SendingChannel.mail, MAILBOX, Audience.public)


async def test_what_is_written_by_hand_goes_before_what_is_taken(lishui, estate):
    anomaly = await a_dangerous_anomaly(lishui, estate)
    draft = DraftReport(
        anomaly_id=anomaly.id, regulator=Regulator.health, event="云锦苑事件", grade="一般"
    )
    drafted = await act(lishui, draft_report, draft)
    assert drafted.id == (await firsts(lishui, anomaly))[Regulator.health].id
    more = SendReport(people_affected=3)
    sent = await act(lishui, send_report, drafted.id, more)
    async with lishui.runtime.read() as work:
        content = json.loads(work.contacts.open(sent.content_sealed))
    assert (content["event"], content["grade"], content["people_affected"]) == (
        "云锦苑事件",
        "一般",
        3,
    )
    assert sent.sent_at == NOW
