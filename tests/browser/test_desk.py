"""The desk as a person meets it, in a real browser on a phone's width."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import NOW, PASSWORD, Site, enter
from tests.estate import an_estate
from water2.domain.outage import OutageKind, OutageReason, StopSource
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.supply_stops import ReportStop, report_stop
from water2.services.outages.transitions import publish_outage


async def test_whoever_is_not_signed_in_is_led_to_the_form_and_from_there_to_the_page_asked_for(
    site: Site, page: Page
) -> None:
    await page.goto(f"{site.address}/desk/overdue/earlier")
    assert "/desk/sign-in" in page.url
    await page.get_by_label("用户名").fill("manager")
    await page.get_by_label("密码").fill(PASSWORD)
    await page.get_by_role("button", name="登录").click()
    assert page.url == f"{site.address}/desk/overdue/earlier"


async def test_the_board_shows_provisions_with_their_quotes_overdue_tanks_and_certificates(
    site: Site, page: Page
) -> None:
    await enter(page, site, "manager")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("瓯城供水")
    cleaning = page.get_by_role("row").filter(has_text="清洗、消毒").first
    await expect(cleaning).to_contain_text("第十七条（四）")
    await cleaning.get_by_text("条文与解读").click()
    await expect(cleaning).to_contain_text("每半年对二次供水设施进行一次清洗、消毒")
    await expect(page.locator("#earlier")).to_contain_text("BY-001 · 0#")
    await expect(page.locator("#certificates")).to_contain_text("LS001")
    await expect(page.locator("#facilities")).to_contain_text("第三条第二款")
    assert "LS001" not in page.url


async def test_what_people_typed_is_shown_as_text_and_never_as_markup(
    site: Site, page: Page
) -> None:
    await enter(page, site, "manager")
    await expect(page.locator("#earlier")).to_contain_text("听松苑 <b>1</b>")
    assert await page.locator("#earlier b").count() == 0


async def test_the_outages_at_hand_show_who_is_told_and_stops_without_right(
    site: Site, page: Page
) -> None:
    estate = await an_estate(site.installation, "BY-9")
    starts_at = NOW + timedelta(hours=25)
    command = CreateOutage(
        kind=OutageKind.planned,
        facility_id=estate.facility.id,
        reason=OutageReason.construction,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=4),
    )
    stop = ReportStop(facility_id=estate.facility.id, source=StopSource.complaint, began_at=NOW)
    async with site.runtime.work(site.installation.manager) as work:
        outage = await create_outage(work, command)
        await publish_outage(work, outage.id)
        await report_stop(work, stop)
    await enter(page, site, "manager")
    await expect(page.locator("#outages")).to_contain_text("6 户中已告知 0 户")
    await page.get_by_role("link", name="全部停水和无公告的断水").click()
    at_hand = page.locator("#outages li")
    await expect(at_hand).to_contain_text("2026年11月24日（星期二）10:00 至 14:00")
    await expect(at_hand).to_contain_text("有用户未被证实已告知")
    await expect(page.locator("#stops li")).to_contain_text("用户投诉")
    await expect(page.locator("#stops")).to_contain_text("第十七条（三）")


@pytest.mark.parametrize(
    "path", ["", "/overdue/earlier", "/certificates", "/facilities", "/outages", "/law"]
)
@pytest.mark.parametrize(("width", "language"), [(360, "zh"), (360, "en"), (1280, "en")])
async def test_no_page_is_wider_than_its_window(
    site: Site, browser: Browser, path: str, width: int, language: str
) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 740})
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await enter(page, site, "manager")
    await page.goto(f"{site.address}/desk/language?to={language}")
    answer = await page.goto(f"{site.address}/desk{path}")
    assert answer is not None
    assert answer.status == 200
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    assert complaints == []  # the browser tells of whatever the content policy stopped
    await context.close()


async def test_the_language_is_switched_in_place_and_remembered(site: Site, page: Page) -> None:
    await enter(page, site, "manager")
    await page.goto(f"{site.address}/desk/certificates")
    await page.get_by_role("link", name="English").click()
    assert page.url == f"{site.address}/desk/certificates"
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.goto(f"{site.address}/desk")
    await expect(page.get_by_role("heading", name="Overdue before the first day")).to_be_visible()


async def test_the_administrator_moves_the_clock_ahead_and_sees_a_certificate_lapse_further(
    site: Site, page: Page
) -> None:
    await enter(page, site, "admin")
    await expect(page.locator("#certificates")).to_contain_text("已失效 22 天")
    await page.get_by_label("推进到").fill("2026-12-01T09:00")
    await page.get_by_role("button", name="推进").click()
    await expect(page.locator(".demo")).to_contain_text("2026-12-01 09:00")
    await expect(page.locator("#certificates")).to_contain_text("已失效 30 天")


async def test_a_manager_sees_the_clock_without_the_form(site: Site, page: Page) -> None:
    await enter(page, site, "manager")
    await expect(page.locator(".demo")).to_contain_text("2026-11-23 09:00")
    await expect(page.get_by_role("button", name="推进")).to_have_count(0)


async def test_a_crew_member_is_told_whom_the_desk_is_for(site: Site, page: Page) -> None:
    await enter(page, site, "crew")
    await expect(page.get_by_role("heading", level=1)).to_have_text("没有权限")


async def test_a_wrong_password_is_told_without_saying_what_was_wrong_and_at_last_throttled(
    site: Site, page: Page
) -> None:
    for _ in range(5):
        await enter(page, site, "manager", "wrong")
        await expect(page.get_by_role("alert")).to_have_text("用户名或密码不正确。")
    await enter(page, site, "manager")
    await expect(page.get_by_role("alert")).to_contain_text("尝试次数过多")


async def test_a_one_time_password_opens_nothing_but_its_own_change(site: Site, page: Page) -> None:
    await enter(page, site, "newcomer")
    await page.goto(f"{site.address}/desk")
    assert page.url == f"{site.address}/desk/password"
    await page.get_by_label("当前密码").fill(PASSWORD)
    await page.get_by_label("新密码", exact=True).fill("another good one")
    await page.get_by_label("再输一次新密码").fill("another good one")
    await page.get_by_role("button", name="更换").click()
    assert page.url == f"{site.address}/desk"


async def test_signing_out_ends_the_session(site: Site, page: Page) -> None:
    await enter(page, site, "manager")
    await page.get_by_role("button", name="退出").click()
    await page.goto(f"{site.address}/desk")
    assert "/desk/sign-in" in page.url


async def test_a_page_that_is_not_there_is_told_as_a_page(site: Site, page: Page) -> None:
    answer = await page.goto(f"{site.address}/desk/nowhere")
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", level=1)).to_have_text("没有找到")
