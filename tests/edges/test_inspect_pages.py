"""Who may open the pages of anomalies and reports, and what their forms do."""

from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from tests.edges.conftest import an_account
from tests.edges.pages import csrf_in, key_in, pages_over, visitor
from tests.estate import an_estate
from tests.ledgers import entries_of
from tests.reported import Reported, a_reported_anomaly
from water2.domain.access import SYSTEM, Role
from water2.domain.organisation import OrganisationKind
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportState
from water2.services.installation import FoundUtility, found_utility, put_under
from water2.services.regulator_reports.looking import look_at_reports


@dataclass
class House:
    """Visitors of each role, another utility's inspector and nobody, and a reported anomaly."""

    reported: Reported
    ledger_id: str
    health: httpx.AsyncClient
    water: httpx.AsyncClient
    manager: httpx.AsyncClient
    crew: httpx.AsyncClient
    administrator: httpx.AsyncClient
    elsewhere: httpx.AsyncClient
    nobody: httpx.AsyncClient

    @property
    def report(self):
        return f"/inspect/reports/{self.reported.first(Regulator.health).id}"

    @property
    def owed(self):
        return f"/inspect/reports/{self.reported.first(Regulator.water).id}"

    @property
    def anomaly(self):
        return f"/inspect/anomalies/{self.reported.anomaly.id}"


@pytest.fixture
async def house(lishui, tmp_path):
    runtime, utility = lishui.runtime, lishui.utility
    async with runtime.work(SYSTEM) as work:
        health = await put_under(work, utility, OrganisationKind.health_regulator, "卫健委")
        water = await put_under(work, utility, OrganisationKind.water_regulator, "建设局")
        other = await found_utility(work, FoundUtility("LD", "莲都供水", "lishui"))
        foreign = await put_under(work, other, OrganisationKind.health_regulator, "外区卫健")
        own = utility.organisation_id
        people = {
            "health": await an_account(work, "health", Role.health_inspector, health.id),
            "water": await an_account(work, "water", Role.water_inspector, water.id),
            "manager": await an_account(work, "manager", Role.manager, own),
            "crew": await an_account(work, "crew", Role.crew, own),
            "administrator": await an_account(work, "admin", Role.administrator, own),
            "elsewhere": await an_account(work, "elsewhere", Role.health_inspector, foreign.id),
        }
    manager = lishui.actor(Role.manager, user_id=people["manager"].id, username="manager")
    estate = await an_estate(lishui)
    reported = await a_reported_anomaly(runtime, manager, estate, sent=(Regulator.health,))
    app = pages_over(runtime, tmp_path)
    visitors = {part: await visitor(app, user) for part, user in people.items()}
    visitors["nobody"] = await visitor(app, None)
    yield House(reported, estate.facility.ledger_id, **visitors)
    for client in visitors.values():
        await client.aclose()


async def now_of(lishui, to=Regulator.health, reported=None):
    async with lishui.runtime.read(SYSTEM) as work:
        report = await work.session.get(RegulatorReport, reported.first(to).id)
        (look,) = await look_at_reports(work, [report])
        return look


@pytest.mark.parametrize(
    ("who", "inspect", "desk", "page"),
    [
        ("health", 200, 200, 200),
        ("water", 200, 200, 200),
        ("manager", 403, 200, 200),
        ("administrator", 403, 200, 200),
        ("crew", 403, 403, 403),
        ("elsewhere", 200, 200, 404),
        ("nobody", 303, 303, 303),
    ],
)
async def test_each_page_is_open_to_whom_it_is_for(house, who, inspect, desk, page):
    client = getattr(house, who)
    assert (await client.get("/inspect")).status_code == inspect
    assert (await client.get("/desk/anomalies")).status_code == desk
    assert (await client.get(house.report)).status_code == page
    assert (await client.get(house.anomaly)).status_code == page


async def test_who_is_refused_the_desk_finds_the_way_out_on_the_page(house):
    page = (await house.crew.get("/desk")).text
    assert 'href="/desk"' not in page.split("<main", 1)[1]  # no button back to this refusal
    left = await house.crew.post("/desk/sign-out", data={"csrf": csrf_in(page)})
    assert (left.status_code, left.headers["location"]) == (303, "/desk/sign-in")
    assert (await house.crew.get("/desk/sign-in")).status_code == 200


async def test_who_is_not_signed_in_is_led_back_to_the_report_asked_for(house):
    answer = await house.nobody.get(house.report)
    way = house.report.replace("/", "%2F")
    assert answer.headers["location"] == f"/desk/sign-in?back={way}"


async def test_an_inspector_of_another_utility_sees_nothing_of_it(house):
    page = (await house.elsewhere.get("/inspect")).text
    assert house.reported.anomaly.number not in page
    assert "没有待签收的报告" in page


async def test_what_is_not_there_is_told_as_a_page(house):
    for path in ("/inspect/reports/none", "/inspect/anomalies/none", "/inspect/nowhere"):
        answer = await house.health.get(path)
        assert (answer.status_code, "没有找到" in answer.text) == (404, True), path


async def test_an_inspector_acknowledges_once_and_by_name(house, lishui):
    page = (await house.health.get("/inspect")).text
    form = {"csrf": csrf_in(page), "note": " 已收悉 ", "back": "/inspect"}
    before = len(await entries_of(lishui.runtime, house.ledger_id))
    for _ in range(2):
        answer = await house.health.post(f"{house.report}/acknowledge", data=form)
        assert (answer.status_code, answer.headers["location"]) == (303, "/inspect")
    assert len(await entries_of(lishui.runtime, house.ledger_id)) == before + 1
    look = await now_of(lishui, reported=house.reported)
    assert (look.report.state, look.report.acknowledgement) == (ReportState.acknowledged, "已收悉")
    shown = (await house.manager.get(house.report)).text
    assert "由 health 签收" in shown
    assert "没有待签收的报告" in (await house.health.get("/inspect")).text


async def test_whoever_is_not_of_the_regulator_is_refused_on_the_page_itself(house, lishui):
    for client in (house.water, house.manager):
        form = {"csrf": csrf_in((await client.get(house.report)).text), "note": "代签"}
        answer = await client.post(f"{house.report}/acknowledge", data=form)
        assert answer.status_code == 403
        assert "签收报告" in answer.text
        assert house.reported.first(Regulator.health).number in answer.text
    look = await now_of(lishui, reported=house.reported)
    assert look.report.state is ReportState.sent


async def test_a_report_that_was_not_sent_is_not_acknowledged_and_says_why(house, lishui):
    form = {"csrf": csrf_in((await house.water.get("/inspect")).text)}
    answer = await house.water.post(f"{house.owed}/acknowledge", data=form)
    assert answer.status_code == 409
    assert "待报送" in answer.text
    form |= {"key": "k", "text": "为何未报？"}
    answer = await house.water.post(f"{house.owed}/messages", data=form)
    assert answer.status_code == 409
    look = await now_of(lishui, Regulator.water, house.reported)
    assert (look.report.state, look.messages) == (ReportState.due, [])


async def test_a_request_and_its_answer_are_taken_once_however_often_they_are_sent(house, lishui):
    page = (await house.water.get(house.report)).text
    asks = {"csrf": csrf_in(page), "key": key_in(page), "text": "影响多少户？"}
    for _ in range(2):
        answer = await house.water.post(f"{house.report}/messages", data=asks)
        assert answer.status_code == 303
    (asked,) = (await now_of(lishui, reported=house.reported)).messages
    assert "影响多少户？" in (await house.health.get("/inspect")).text
    page = (await house.manager.get(house.report)).text
    answers = {"csrf": csrf_in(page), "key": key_in(page), "text": "六户", "answers_id": asked.id}
    for _ in range(2):
        answer = await house.manager.post(f"{house.report}/messages", data=answers)
        assert answer.status_code == 303
    messages = (await now_of(lishui, reported=house.reported)).messages
    assert [one.text for one in messages] == ["影响多少户？", "六户"]
    assert "影响多少户？" not in (await house.health.get("/inspect")).text


@pytest.mark.parametrize(
    ("text", "status", "told"), [("  ", 422, "必填"), ("长" * 2001, 422, "内容过长")]
)
async def test_a_request_that_says_nothing_or_too_much_is_given_back(
    house, lishui, text, status, told
):
    page = (await house.health.get(house.report)).text
    form = {"csrf": csrf_in(page), "key": key_in(page), "text": text}
    answer = await house.health.post(f"{house.report}/messages", data=form)
    assert (answer.status_code, told in answer.text) == (status, True)
    assert text.strip() in answer.text
    assert (await now_of(lishui, reported=house.reported)).messages == []


async def test_a_manager_who_answers_nothing_is_told(house):
    page = (await house.manager.get("/desk")).text
    form = {"csrf": csrf_in(page), "key": "k", "text": "六户"}
    answer = await house.manager.post(f"{house.report}/messages", data=form)
    assert (answer.status_code, "必填" in answer.text) == (422, True)


async def test_a_form_without_ones_own_token_does_nothing(house, lishui):
    for act in ("acknowledge", "messages"):
        form = {"csrf": "x" * 43, "key": "k", "text": "问"}
        answer = await house.health.post(f"{house.report}/{act}", data=form)
        assert answer.status_code == 403
    look = await now_of(lishui, reported=house.reported)
    assert (look.report.state, look.messages) == (ReportState.sent, [])


async def test_the_clocks_say_law_or_target_and_how_late(house, lishui, clock):
    clock.set(clock.now + timedelta(hours=2, minutes=5))
    page = (await house.water.get("/inspect")).text
    assert "已超 5 分钟" in page
    assert "目标" in page
    await house.water.get("/desk/language?to=en")
    page = (await house.water.get("/inspect")).text
    assert "late by 5 min" in page
    assert "In writing" in page


async def test_what_an_inspector_reads_is_what_was_sent_and_never_a_draft(house):
    assert "尚未报送" in (await house.water.get(house.owed)).text
    assert "大肠埃希氏菌" not in (await house.water.get(house.owed)).text
    draft = (await house.manager.get(house.owed)).text
    assert "草稿" in draft
    assert "大肠埃希氏菌" in draft
    assert "大肠埃希氏菌" in (await house.water.get(house.report)).text


async def test_a_manager_sees_what_is_owed_and_the_way_to_it(house):
    board = (await house.manager.get("/desk")).text
    assert house.anomaly in board
    page = (await house.manager.get("/desk/anomalies")).text
    assert "下一步：停止供水" in page
    assert house.owed in page
    assert house.report in page
    health = (await house.health.get("/desk")).text
    assert "有 1 份报告待您签收" in health
    assert "待您签收" not in board
