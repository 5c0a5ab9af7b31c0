"""Public pages in a real browser: on a small phone, with scripts off, in both languages."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from playwright.async_api import Browser, Page, expect
from sqlmodel import select

from tests.browser.conftest import NOW, Site
from tests.estate import FLATS, Estate, an_estate
from tests.published import an_emergency, announced, call_off, stop_and_restore
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.outage import Outage
from water2.domain.subscription import Subscription
from water2.services.public.subscriptions import end_token
from water2.services.rows import fetch

PHONE = "13700000001"
WIDTHS = (320, 1280)


@pytest.fixture
async def estate(site: Site) -> Estate:
    estate = await an_estate(site.installation, "BY-100")
    async with site.runtime.work() as work:
        facility = await fetch(work, Facility, estate.facility.id)
        facility.name, facility.address = "紫荆花园", "丽阳街 188 号"
        (await fetch(work, Utility, facility.utility_id)).hotline = "0578-2112345"
    return estate


@pytest.fixture
async def outage(site: Site, estate: Estate) -> Outage:
    return await announced(site.installation, estate, building_ids=["1幢"])


@pytest.fixture(params=WIDTHS)
async def phone(request: pytest.FixtureRequest, browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": request.param, "height": 800}, java_script_enabled=False
    )
    yield await context.new_page()
    await context.close()


@pytest.fixture
async def client(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site.address) as client:
        yield client


async def fits(page: Page) -> None:
    """Nothing has to be scrolled sideways."""
    await page.wait_for_load_state()  # a page on its way has no element to measure yet
    wide = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, page.url


async def subscription(site: Site) -> Subscription:
    async with site.runtime.read() as work:
        return (await work.session.exec(select(Subscription))).one()


async def test_a_resident_finds_the_estate_and_what_is_off(
    site: Site, outage: Outage, estate: Estate, phone: Page
) -> None:
    await an_emergency(site.installation, estate, building_ids=["2幢"])
    await phone.goto(site.address)
    await fits(phone)
    await expect(phone.get_by_role("heading", name="正在停水")).to_be_visible()
    await phone.get_by_label("小区名称、地址或区域").fill("紫荆")
    await phone.get_by_role("button", name="查找").click()
    await phone.locator(".found").get_by_role("link", name="紫荆花园").click()
    await fits(phone)
    now, coming = phone.locator(".card.in_effect"), phone.locator(".card.published")
    await expect(now).to_contain_text("停水中 · 紧急停水")
    await expect(now).to_contain_text("2幢")
    await expect(coming).to_contain_text("2026年11月25日（星期三）09:00 至 13:00")
    await expect(coming).to_contain_text("水箱清洗消毒")
    await expect(phone.get_by_role("link", name="0578-2112345")).to_be_visible()


async def test_a_notices_number_leads_to_the_whole_text(
    site: Site, outage: Outage, phone: Page
) -> None:
    await phone.goto(site.address)
    await phone.get_by_label("通知编号").fill(f" {outage.number.lower()} ")
    await phone.get_by_role("button", name="核对").click()
    await expect(phone.get_by_role("heading", level=1)).to_contain_text("这是真实的通知")
    await expect(phone.locator("article").first).to_contain_text("尊敬的用户")
    await expect(phone.locator("article").last).to_contain_text(outage.number)
    await fits(phone)


async def test_a_number_never_published_is_told_to_be_none_and_whom_to_call(
    site: Site, outage: Outage, phone: Page
) -> None:
    answer = await phone.goto(f"{site.address}/notices/TS261123-{'W' * 40}")
    assert answer.status == 404
    await expect(phone.get_by_role("heading", level=1)).to_contain_text("没有发布过这样的通知")
    await expect(phone.locator("main")).to_contain_text("0578-2112345")
    await fits(phone)


async def test_a_resident_subscribes_confirms_and_ends_without_script_or_cookie(
    site: Site, estate: Estate, phone: Page
) -> None:
    await phone.goto(f"{site.address}/estates/{estate.facility.id}")
    field = phone.get_by_label("手机号码或电子邮箱")
    await field.fill("1370000000x")
    await phone.get_by_role("button", name="发送验证码").click()
    await expect(phone.get_by_role("alert")).to_contain_text("电话号码中有字母")
    await fits(phone)
    await field.fill(PHONE)
    await phone.get_by_role("button", name="发送验证码").click()
    await expect(phone.get_by_role("heading", level=1)).to_have_text("输入验证码")
    code = site.runtime.contacts.open((await subscription(site)).code_sealed)
    await phone.get_by_label("6 位验证码").fill(f"{(int(code) + 1) % 10**6:06d}")
    await phone.get_by_role("button", name="确认订阅").click()
    await expect(phone.get_by_role("alert")).to_contain_text("验证码不对")
    await fits(phone)
    await phone.get_by_label("6 位验证码").fill(code)
    await phone.get_by_role("button", name="确认订阅").click()
    await expect(phone.get_by_role("heading", level=1)).to_contain_text("订阅成功")
    assert (await subscription(site)).confirmed_at == NOW
    await phone.get_by_role("link", name="取消订阅").click()
    assert (await subscription(site)).ended_at is None
    await phone.get_by_role("button", name="取消订阅").click()
    await expect(phone.get_by_role("heading", level=1)).to_contain_text("已取消订阅")
    assert (await subscription(site)).ended_at == NOW
    await fits(phone)


async def test_english_is_kept_from_page_to_page(
    site: Site, outage: Outage, estate: Estate, phone: Page
) -> None:
    await phone.goto(f"{site.address}/?q=BY-100")
    await phone.get_by_role("link", name="English").click()
    assert phone.url.startswith(f"{site.address}/?q=BY-100")
    await fits(phone)
    await expect(phone.get_by_role("heading", name="Coming outages")).to_be_visible()
    await phone.locator(".found").get_by_role("link").click()
    await expect(phone.locator(".card")).to_contain_text(
        "Wednesday, 25 November 2026, 09:00 to 13:00"
    )
    await fits(phone)
    await phone.get_by_role("link", name=outage.number).click()
    await expect(phone.get_by_role("heading", level=1)).to_contain_text("This notice is genuine")
    await fits(phone)
    await phone.goto(site.address)
    await expect(phone.get_by_role("heading", name="Coming outages")).to_be_visible()
    await phone.goto(f"{site.address}/?lang=zh")
    await expect(phone.get_by_role("heading", name="即将停水")).to_be_visible()


async def test_a_language_in_the_address_needs_no_cookie(
    site: Site, outage: Outage, estate: Estate
) -> None:
    async with httpx.AsyncClient(base_url=site.address) as client:
        for path in ("/", f"/estates/{estate.facility.id}", f"/notices/{outage.number}"):
            client.cookies.clear()
            answer = await client.get(path, params={"lang": "en"})
            assert answer.status_code == 200
            assert answer.headers["content-language"] == "en"
            assert f'href="/notices/{outage.number}?lang=en"' in answer.text
            client.cookies.clear()
            assert (await client.get(path)).headers["content-language"] == "zh"


async def test_pages_may_be_kept_and_are_asked_for_anew_at_the_price_of_a_header(
    outage: Outage, estate: Estate, client: httpx.AsyncClient
) -> None:
    for path in ("/", f"/estates/{estate.facility.id}", f"/notices/{outage.number}"):
        first = await client.get(path)
        assert first.headers["cache-control"] == "public, max-age=60"
        assert first.headers["vary"] == "Cookie"
        assert "set-cookie" not in first.headers
        assert first.headers["content-security-policy"].startswith("default-src 'none'")
        again = await client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        english = await client.get(path, params={"lang": "en"})
        assert english.headers["etag"] != first.headers["etag"]
        client.cookies.clear()
    style = first.text.split('rel="stylesheet" href="', 1)[1].split('"', 1)[0]
    assert (await client.get(style)).status_code == 200
    none = await client.get("/notices/none")
    assert (none.status_code, none.headers["cache-control"]) == (404, "no-store")


async def test_no_page_tells_who_lives_where(
    site: Site, outage: Outage, estate: Estate, client: httpx.AsyncClient
) -> None:
    secrets = {word for _, _, *addresses in FLATS for word in addresses if word}
    secrets |= {household.code for household in estate.households.values()}
    for path in ("/?q=BY", f"/estates/{estate.facility.id}", f"/notices/{outage.number}"):
        page = (await client.get(path)).text
        assert [secret for secret in secrets if secret in page] == []


async def test_drafts_are_on_no_page_and_ended_ones_on_their_estates(
    site: Site, outage: Outage, estate: Estate, client: httpx.AsyncClient
) -> None:
    await call_off(site.installation, outage)
    assert outage.number not in (await client.get("/")).text
    page = (await client.get(f"/estates/{estate.facility.id}")).text
    assert outage.number in page.split("近七日已结束")[1]
    assert "已取消" in (await client.get(f"/notices/{outage.number}")).text


async def test_restored_water_and_an_end_that_passed_are_told(
    site: Site, estate: Estate, client: httpx.AsyncClient
) -> None:
    clock = site.runtime.clock
    emergency = await an_emergency(site.installation, estate, building_ids=["2幢"])
    clock.set(NOW + timedelta(hours=7))
    assert "公告的恢复时间已过" in (await client.get("/")).text
    clock.set(NOW)
    restored = await announced(site.installation, estate)
    await stop_and_restore(site.installation, restored, clock)
    page = (await client.get(f"/notices/{restored.number}")).text
    assert "2026年11月25日（星期三）10:00" in page
    assert emergency.number in (await client.get("/")).text
    coming = await announced(site.installation, estate, starts_at=clock() + timedelta(days=2))
    clock.set(coming.starts_at + timedelta(minutes=1))
    assert "公告的停水时间已到" in (await client.get("/")).text


async def test_one_click_of_a_mail_program_ends_and_a_look_at_the_link_does_not(
    site: Site, estate: Estate, client: httpx.AsyncClient
) -> None:
    form = {"facility_id": estate.facility.id, "address": "wang@example.com"}
    asked = await client.post("/subscriptions", data=form)
    assert asked.status_code == 303
    id_ = (await subscription(site)).id
    assert asked.headers["location"] == f"/subscriptions/{id_}"
    way = {"token": end_token(site.runtime.contacts, id_)}
    looked = await client.get(f"/subscriptions/{id_}/end", params=way)
    assert (looked.status_code, looked.headers["cache-control"]) == (200, "no-store")
    assert (await subscription(site)).ended_at is None
    for _ in range(2):
        ended = await client.post(
            f"/subscriptions/{id_}/end",
            params=way,
            data={"List-Unsubscribe": "One-Click"},
            headers={"Sec-Fetch-Site": "cross-site"},
        )
        assert ended.status_code == 200
    assert (await subscription(site)).ended_at == NOW
    for token in ("", "x.y"):
        for ask in (client.get, client.post):
            answer = await ask(f"/subscriptions/{id_}/end", params={"token": token})
            assert answer.status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
async def test_a_form_of_another_site_sends_no_code(
    site: Site, estate: Estate, client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    form = {"facility_id": estate.facility.id, "address": PHONE}
    answer = await client.post("/subscriptions", data=form, headers=headers)
    assert answer.status_code == 403
    own = await client.post("/subscriptions", data=form, headers={"Origin": site.address})
    assert own.status_code == 303


async def test_a_second_code_must_wait_and_the_page_says_how_long(
    estate: Estate, client: httpx.AsyncClient
) -> None:
    form = {"facility_id": estate.facility.id, "address": PHONE}
    await client.post("/subscriptions", data=form)
    answer = await client.post("/subscriptions?lang=en", data=form)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 121
    assert "try again in 2 minutes" in answer.text
    assert f'href="/estates/{estate.facility.id}?lang=zh"' in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/estates/none", 404),
        ("/estates/%00", 404),
        ("/notices/%00", 404),
        ("/notices/a/b", 404),
        ("/?after=nonsense&q=BY", 422),
        (f"/?q={'x' * 101}", 422),
        ("/?q=%01", 422),
        ("/subscriptions/none", 200),
        ("/?q=nowhere", 200),
        ("/?q=%3Cb%3E", 200),
    ],
)
async def test_whatever_is_asked_is_answered_by_a_page(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<b>" not in answer.text


async def test_a_demonstration_shows_its_clock_and_leads_staff_to_the_desk(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/")).text
    assert "2026-11-23 09:00" in page
    assert 'href="/desk"' in page
    assert "<script" not in page


async def test_a_host_with_a_port_that_a_proxy_dropped_is_still_ones_own(
    site: Site, estate: Estate, client: httpx.AsyncClient
) -> None:
    form = {"facility_id": estate.facility.id, "address": PHONE}
    odd = {"Origin": "http://[", "Host": "water.example"}
    assert (await client.post("/subscriptions", data=form, headers=odd)).status_code == 403
    own = {"Origin": "https://water.example:8443", "Host": "water.example"}
    assert (await client.post("/subscriptions", data=form, headers=own)).status_code == 303
