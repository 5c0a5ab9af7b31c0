"""The pages of a regulator's inspector, in a real browser, without any script."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import NOW, PASSWORD, Site, enter
from tests.estate import an_estate
from tests.reported import Reported, a_reported_anomaly
from water2.clock import DemoClock
from water2.domain.access import SYSTEM, Role
from water2.domain.organisation import OrganisationKind
from water2.domain.regulator_report import Regulator
from water2.services.account_queries import find_user
from water2.services.accounts import NewAccount, add_account
from water2.services.installation import put_under
from water2.services.passwords import hash_password


@pytest.fixture
async def reported(site: Site) -> Reported:
    """An anomaly whose first report went to the health regulator; the water's is owed."""
    utility, password_hash = site.installation.utility, await hash_password(PASSWORD)
    offices = {
        "health": (Role.health_inspector, OrganisationKind.health_regulator),
        "water": (Role.water_inspector, OrganisationKind.water_regulator),
    }
    async with site.runtime.work(SYSTEM) as work:
        for name, (role, kind) in offices.items():
            office = await put_under(work, utility, kind, name)
            account = NewAccount(name, role, password_hash, office.id, must_change_password=False)
            await add_account(work, account)
        user = await find_user(work, "manager")
    manager = site.installation.actor(Role.manager, user_id=user.id, username="manager")
    estate = await an_estate(site.installation, "BY-9")
    return await a_reported_anomaly(site.runtime, manager, estate, sent=(Regulator.health,))


async def leave(page: Page) -> None:
    await page.get_by_role("button", name=re.compile("退出|Sign out")).click()


async def test_an_inspector_finds_the_waiting_report_acknowledges_it_and_it_is_gone(
    site: Site, page: Page, reported: Reported
) -> None:
    number = reported.first(Regulator.health).number
    await enter(page, site, "health")
    await expect(page.locator(".callout")).to_contain_text("有 1 份报告待您签收")
    await page.get_by_role("link", name="去监管页面").click()
    waiting = page.locator("#waiting li").filter(has_text=number)
    await expect(waiting.first).to_contain_text("初报")
    await page.get_by_label("备注（可不填）").fill("已收悉")
    await page.get_by_role("button", name=f"签收 {number}").click()
    assert page.url == f"{site.address}/inspect"
    await expect(page.locator("#waiting")).to_contain_text("没有待签收的报告")
    await page.locator("#settled").get_by_role("link", name=number).click()
    await expect(page.locator("#how")).to_contain_text("由 health 签收")
    await expect(page.locator("#how")).to_contain_text("已收悉")


async def test_an_inspector_asks_and_the_manager_answers_in_the_thread(
    site: Site, page: Page, reported: Reported
) -> None:
    await enter(page, site, "water")
    await page.goto(f"{site.address}/inspect")
    other = page.locator("#others").get_by_role(
        "link", name=reported.first(Regulator.health).number
    )
    await other.click()
    await expect(page.locator("#acknowledge")).to_have_count(0)
    await page.get_by_label("询问内容").fill("影响多少户？")
    await page.get_by_role("button", name="提出询问").click()
    await expect(page.locator("#thread")).to_contain_text("water 询问")
    await leave(page)
    await enter(page, site, "manager")
    await page.get_by_role("link", name="全部水质异常和报告").click()
    await expect(page.locator("#requests")).to_contain_text("影响多少户？")
    await page.locator("#requests").get_by_role("link").click()
    await page.get_by_label("答复内容").fill("六户，已设临时取水点")
    await page.get_by_role("button", name="答复").click()
    await expect(page.locator("#thread")).to_contain_text("六户，已设临时取水点")
    await expect(page.locator("#thread .chip")).to_have_count(0)
    await page.goto(f"{site.address}/desk/anomalies")
    await expect(page.locator("#requests")).to_have_count(0)


async def test_an_anomaly_shows_what_failed_its_clocks_and_what_happened(
    site: Site, page: Page, reported: Reported
) -> None:
    clock = site.runtime.clock
    assert isinstance(clock, DemoClock)
    clock.set(NOW + timedelta(minutes=42))
    await enter(page, site, "health")
    await page.goto(f"{site.address}/inspect")
    await page.locator("#anomalies").get_by_role("link", name=reported.anomaly.number).click()
    await expect(page.locator("#clocks li").first).to_contain_text("已超 12 分钟")
    await expect(page.locator("#causes")).to_contain_text("大肠埃希氏菌 检出（限值 不得检出）")
    await expect(page.locator("#retests li")).to_have_count(2)
    timeline = page.locator("#timeline li")
    await expect(timeline.filter(has_text="评估：可能危及健康，受影响 96 人")).to_contain_text(
        "manager"
    )
    await expect(timeline.filter(has_text="向卫生行政主管部门报送初报")).to_have_count(2)


async def test_a_report_prints_on_one_sheet_in_chinese_whatever_the_language(
    site: Site, page: Page, reported: Reported
) -> None:
    await enter(page, site, "health")
    await page.goto(f"{site.address}/desk/language?to=en")
    await page.goto(f"{site.address}/inspect/reports/{reported.first(Regulator.health).id}")
    await expect(page.get_by_role("heading", name="Sent and received")).to_be_visible()
    await expect(page.get_by_text("签收人（签字）")).not_to_be_visible()
    await page.emulate_media(media="print")
    sheet = page.locator("#sheet")
    for told in (
        "水质污染初报（第1号）",
        "市卫生行政主管部门：",
        "大肠埃希氏菌",
        "报送时间",
        "监管收件箱",
    ):
        await expect(sheet).to_contain_text(told)
    for signs in ("报告人（签字）", "签收人（签字）"):
        await expect(sheet.get_by_text(signs)).to_be_visible()
    for gone in (page.get_by_role("navigation"), page.locator("form"), page.locator(".foot")):
        for one in await gone.all():
            await expect(one).not_to_be_visible()
    told_in_main = await page.locator("main").inner_text()
    for english in ("report", "Sent", "Acknowledge", "Ask", "target"):
        assert english not in told_in_main
    printed = await page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


@pytest.mark.parametrize(("width", "language"), [(360, "zh"), (360, "en"), (1280, "en")])
async def test_no_page_of_theirs_is_wider_than_its_window(
    site: Site, browser: Browser, reported: Reported, width: int, language: str
) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 740})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await enter(page, site, "health")
    await page.goto(f"{site.address}/desk/language?to={language}")
    report = reported.first(Regulator.health).id
    paths = ("/desk", "/inspect", f"/inspect/reports/{report}", "/desk/anomalies")
    for path in (*paths, f"/inspect/anomalies/{reported.anomaly.id}"):
        answer = await page.goto(f"{site.address}{path}")
        assert answer is not None
        assert answer.status == 200
        assert await page.evaluate("document.documentElement.scrollWidth") == width, path
    assert complaints == []
    await context.close()
