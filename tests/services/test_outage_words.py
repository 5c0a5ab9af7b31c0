"""What people read of an outage: nothing that must be told is lost, whatever was typed."""

from datetime import timedelta

import pytest

from tests.estate import an_estate
from tests.outages import NOW, STARTS, act, emergency, notices, planned, published
from water2.domain.errors import Invalid
from water2.domain.notice import NoticeKind
from water2.domain.outage import OutageReason
from water2.services.notices.template import Template, check_template, data_file
from water2.services.outages.changing import ExtendOutage, extend_outage
from water2.services.outages.transitions import RestoreSupply, restore_supply
from water2.words import LANGUAGES, words

HOUR = timedelta(hours=1)


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def test_whoever_is_added_before_the_start_is_told_all_of_it(lishui, estate):
    outage = await published(lishui, estate, building_ids=["1幢"])
    await act(lishui, extend_outage, outage.id, ExtendOutage(building_ids=["1幢", "2幢"]))
    _, second = await notices(lishui)
    assert second.kind is NoticeKind.rescheduled
    for text in (second.text_zh, second.short_zh):
        assert "2026年11月25日09:00" in text
        assert "蓄水" in text
        assert "2幢" in text


async def test_what_was_typed_at_length_pushes_nothing_out_of_the_short_text(lishui, estate):
    outage = await published(lishui, estate, detail="更换阀门" * 120)
    (notice,) = await notices(lishui)
    assert len(notice.short_zh) < 300
    for fact in ("2026年11月25日09:00", "2026年11月25日13:00", "蓄水", outage.number):
        assert fact in notice.short_zh
    assert "更换阀门" * 120 in notice.text_zh


async def test_a_long_cause_leaves_an_emergency_its_number(lishui, estate):
    outage = await emergency(lishui, estate, cause="爆管" * 200)
    (notice,) = await notices(lishui)
    assert outage.number in notice.short_zh
    assert "恢复时间" in notice.short_zh


async def test_bad_water_keeps_its_advice_until_it_is_over(lishui, estate):
    given = {"health_advice": "请勿饮用。"}
    outage = await emergency(lishui, estate, reason=OutageReason.water_quality, **given)
    later = ExtendOutage(ends_at=NOW + 5 * HOUR)
    await act(lishui, extend_outage, outage.id, later, actor=lishui.crew)
    await act(lishui, restore_supply, outage.id, RestoreSupply(), actor=lishui.crew)
    first, second, last = await notices(lishui)
    assert [one.kind for one in (first, second)] == [NoticeKind.quality] * 2
    for notice in (first, second):
        assert "请勿饮用。电话" in notice.short_zh
        assert "请您这样做：请勿饮用。\n" in notice.text_zh
    assert "请继续按先前的提示用水" in last.text_zh
    assert "请继续按先前的提示用水" in last.short_zh


async def test_whoever_restores_good_water_may_say_so(lishui, estate):
    outage = await emergency(lishui, estate, reason=OutageReason.water_quality)
    safe = RestoreSupply(health_advice="复检合格，可以饮用。")
    await act(lishui, restore_supply, outage.id, safe, actor=lishui.crew)
    assert "复检合格，可以饮用。" in (await notices(lishui))[-1].text_zh


async def test_after_a_repair_nobody_speaks_of_drinking(lishui, estate):
    outage = await emergency(lishui, estate)
    await act(lishui, restore_supply, outage.id, RestoreSupply(), actor=lishui.crew)
    assert "用水。" not in (await notices(lishui))[-1].text_zh


async def test_an_unknown_end_is_said_as_people_say_it(lishui, estate):
    await emergency(lishui, estate, ends_at=None)
    (notice,) = await notices(lishui)
    assert "恢复时间另行公告。" in notice.short_zh
    assert "When it will be back is to be announced." in notice.text_en


async def test_buildings_are_called_what_residents_call_them(lishui, estate):
    async with lishui.runtime.work() as work:
        building = estate.buildings["1幢"]
        building.name = "桂花楼"
        work.session.add(building)
    await published(lishui, estate, building_ids=["1幢", "2幢"])
    assert "桂花楼、2幢" in (await notices(lishui))[0].text_zh


async def test_the_number_bears_the_utilitys_day(lishui, estate, clock):
    clock.set(NOW.replace(hour=20))  # 04:00 of the day after in Lishui
    outage = await planned(lishui, estate, starts_at=STARTS)
    assert outage.number.startswith("TS261124-")


def test_a_short_template_that_can_grow_too_long_is_refused():
    long = "{utility}{facility}{starts}{ends}{store}{number}" + "请" * 400
    text = "".join(f"{{{name}}}" for name in data_file("required")["planned"]["text"])
    with pytest.raises(Invalid) as refused:
        check_template(NoticeKind.planned, "zh", Template("t", text, long))
    assert [one.code for one in refused.value.problems] == ["template_too_long"]


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_our_own_templates_keep_the_rules_we_set_for_others(kind, language):
    given = data_file(language)[kind.value]
    check_template(kind, language, Template(given["title"], given["text"], given.get("short")))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", OutageReason)
def test_a_reason_has_one_name_on_the_page_and_in_the_notice(language, reason):
    said = data_file(language)["reason"][reason.value]
    assert words(language).text(f"public.reason_{reason.value}") == said


@pytest.mark.parametrize("ends_at", [NOW + 73 * HOUR, NOW + 400 * 24 * HOUR])
async def test_an_estimate_that_is_a_slip_is_refused(lishui, estate, ends_at):
    with pytest.raises(Invalid) as refused:
        await emergency(lishui, estate, ends_at=ends_at)
    assert refused.value.problems[0].code == "window_too_long"
    outage = await emergency(lishui, estate)
    with pytest.raises(Invalid):
        await act(lishui, extend_outage, outage.id, ExtendOutage(ends_at=ends_at))


async def test_what_is_over_can_be_recorded_however_long_it_took(lishui, estate):
    command = {"starts_at": NOW - 100 * HOUR, "ends_at": NOW - HOUR}
    assert (await emergency(lishui, estate, **command)).started_at == NOW - 100 * HOUR
