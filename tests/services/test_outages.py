"""Outages: nobody's water stops untold, and what happened is on the ledger."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from tests.estate import accept_all, an_estate
from tests.ledgers import entries_of
from tests.outages import NOW, STARTS, act, emergency, hang, planned, published, seen, told
from water2.domain.delivery import Delivery, DeliveryState
from water2.domain.errors import Conflict, Invalid, NotFound, NotPermitted, RuleViolation
from water2.domain.notice import Notice, NoticeKind, NoticeRecipient
from water2.domain.outage import OutageKind, OutageReason, OutageState
from water2.rules.flags import FlagCode
from water2.services.outages.changing import (
    ExtendOutage,
    RescheduleOutage,
    extend_outage,
    reschedule_outage,
)
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.posters import poster_tasks
from water2.services.outages.transitions import (
    CancelOutage,
    RestoreSupply,
    cancel_outage,
    publish_outage,
    restore_supply,
    start_outage,
)

SECOND = timedelta(seconds=1)
DAY = timedelta(hours=24)


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def deliveries(lishui, **where):
    async with lishui.runtime.read() as work:
        conditions = [getattr(Delivery, name) == value for name, value in where.items()]
        rows = await work.session.exec(
            select(Delivery).where(*conditions).order_by(col(Delivery.id))
        )
        return list(rows)


async def test_publishing_freezes_every_household_and_sends_one_message_to_one_telephone(
    lishui, estate
):
    outage = await published(lishui, estate)
    assert (outage.state, outage.revision) == (OutageState.published, 1)
    found = await deliveries(lishui)
    channels = sorted((one.channel.value, one.state.value) for one in found)
    assert channels == [
        ("mail", "held"),  # the second channel of whoever has a telephone
        ("mail", "ready"),
        ("sms", "ready"),
        ("sms", "ready"),
        ("sms", "ready"),
    ]
    async with lishui.runtime.read() as work:
        notice = (await work.session.exec(select(Notice))).one()
        rows = (await work.session.exec(select(NoticeRecipient))).all()
    assert notice.households == len({row.household_id for row in rows}) == 6
    assert {row.since_revision for row in rows} == {1}
    assert "听松苑" in notice.title_zh
    assert "蓄水" in notice.text_zh
    assert "store water" in notice.text_en
    assert outage.number in notice.short_zh


@pytest.mark.parametrize(
    ("ahead", "lawful"), [(DAY, True), (DAY + SECOND, True), (DAY - SECOND, False)]
)
async def test_exactly_24_hours_ahead_may_be_published_and_a_second_less_not(
    lishui, estate, ahead, lawful
):
    outage = await planned(lishui, estate, starts_at=NOW + ahead)
    if lawful:
        assert (await act(lishui, publish_outage, outage.id)).state is OutageState.published
        return
    with pytest.raises(RuleViolation) as refused:
        await act(lishui, publish_outage, outage.id)
    assert refused.value.refused.provision.article == "15"
    assert refused.value.refused.earliest == NOW + DAY
    assert await deliveries(lishui) == []


async def test_a_draft_counts_whom_it_would_concern(lishui, estate):
    whole = await seen(lishui, await planned(lishui, estate))
    assert (whole.progress.told.households, whole.progress.told.in_time) == (6, 0)
    one = [estate.buildings["1幢"].id]
    part = await seen(lishui, await planned(lishui, estate, building_ids=one))
    assert part.progress.told.households == 3
    assert FlagCode.households_not_told not in part.flags


async def test_a_refusal_tells_instants_by_the_clock_of_the_utility(lishui, estate):
    outage = await planned(lishui, estate, starts_at=NOW + DAY - SECOND)
    with pytest.raises(RuleViolation) as error:
        await act(lishui, publish_outage, outage.id)
    assert f"{error.value.refused.earliest:%m-%d %H:%M}" == "11-24 09:00"


async def test_starting_names_whoever_is_not_told_and_the_earliest_lawful_start(
    lishui, estate, clock
):
    outage = await published(lishui, estate)
    await accept_all(lishui.runtime)
    clock.set(STARTS)
    with pytest.raises(RuleViolation) as error:
        await act(lishui, start_outage, outage.id, actor=lishui.crew)
    refused = error.value.refused
    assert refused.reason == "households_not_told"
    assert refused.facts["missing"] == ("BY-001-2102",)
    assert (refused.facts["households"], refused.facts["told"]) == (6, 5)
    assert refused.earliest == STARTS + DAY


@pytest.mark.parametrize(("late", "lawful"), [(-SECOND, True), (0 * SECOND, True), (SECOND, False)])
async def test_a_message_counts_until_exactly_24_hours_before_the_start(
    lishui, estate, clock, late, lawful
):
    outage = await published(lishui, estate)
    clock.set(STARTS - DAY - SECOND)
    await hang(lishui, outage, estate, "2幢", STARTS - DAY - SECOND)
    await accept_all(lishui.runtime, at=STARTS - DAY + late)
    clock.set(STARTS)
    if lawful:
        started = await act(lishui, start_outage, outage.id, actor=lishui.crew)
        assert started.state is OutageState.in_effect
        return
    with pytest.raises(RuleViolation) as refused:
        await act(lishui, start_outage, outage.id)
    assert refused.value.refused.earliest == STARTS + SECOND
    assert refused.value.refused.facts["missing_count"] == 3  # 1幢; the poster stands for 2幢


async def test_a_poster_tells_its_building_from_when_it_was_hung(lishui, estate, clock):
    outage = await published(lishui, estate)
    clock.set(NOW + timedelta(hours=2))
    for building in ("1幢", "2幢"):
        await hang(lishui, outage, estate, building, NOW + timedelta(hours=1))
    found = await told(lishui, outage)
    assert (found.in_time, found.latest) == (6, NOW + timedelta(hours=1))
    clock.set(STARTS)
    await act(lishui, start_outage, outage.id, actor=lishui.crew)


async def test_a_poster_cannot_hang_before_its_notice_or_in_the_future(lishui, estate):
    outage = await published(lishui, estate)
    for at in (NOW - SECOND, NOW + timedelta(minutes=5)):
        with pytest.raises(Invalid):
            await hang(lishui, outage, estate, "1幢", at)


async def test_a_failure_receipt_undoes_what_was_accepted(lishui, estate):
    outage = await published(lishui, estate)
    await accept_all(lishui.runtime)
    assert (await told(lishui, outage)).in_time == 5
    async with lishui.runtime.work() as work:
        row = (
            await work.session.exec(
                select(Delivery).where(
                    Delivery.channel == "mail", Delivery.state == DeliveryState.done
                )
            )
        ).one()
        row.failed_at = work.now + SECOND
        work.session.add(row)
    found = await told(lishui, outage, named=True)
    assert (found.in_time, found.missing) == (4, ("BY-001-1201", "BY-001-2102"))


async def test_households_without_an_address_are_a_task_for_the_crew(lishui, estate):
    outage = await published(lishui, estate)
    await accept_all(lishui.runtime)
    async with lishui.runtime.read(lishui.crew) as work:
        tasks = await poster_tasks(work, outage.id)
    assert [(task.building.code, task.missing) for task in tasks] == [("2幢", 1)]
    assert tasks[0].hang_by == STARTS - DAY


async def test_it_may_not_begin_before_its_announced_start(lishui, estate, clock):
    outage = await published(lishui, estate)
    for building in ("1幢", "2幢"):
        await hang(lishui, outage, estate, building, NOW)
    clock.set(STARTS - SECOND)
    with pytest.raises(RuleViolation) as refused:
        await act(lishui, start_outage, outage.id)
    assert refused.value.refused.reason == "before_announced_start"
    assert refused.value.refused.earliest == STARTS


async def test_an_earlier_start_begins_a_new_24_hours_and_a_later_one_does_not(
    lishui, estate, clock
):
    outage = await published(lishui, estate)
    for building in ("1幢", "2幢"):
        await hang(lishui, outage, estate, building, NOW)
    assert (await told(lishui, outage)).in_time == 6
    later = RescheduleOutage(
        starts_at=STARTS + timedelta(hours=1), ends_at=STARTS + timedelta(hours=3)
    )
    await act(lishui, reschedule_outage, outage.id, later)
    assert (await told(lishui, outage)).in_time == 6
    earlier = RescheduleOutage(starts_at=STARTS, ends_at=STARTS + timedelta(hours=3))
    await act(lishui, reschedule_outage, outage.id, earlier)
    assert (await told(lishui, outage)).in_time == 0
    too_early = RescheduleOutage(starts_at=NOW + DAY - SECOND, ends_at=STARTS + timedelta(hours=3))
    with pytest.raises(RuleViolation):
        await act(lishui, reschedule_outage, outage.id, too_early)


async def test_a_wider_extent_begins_a_new_24_hours_for_those_added_alone(lishui, estate, clock):
    outage = await published(lishui, estate, building_ids=[estate.buildings["1幢"].id])
    await hang(lishui, outage, estate, "1幢", NOW)
    assert (await told(lishui, outage)).in_time == 3
    clock.set(NOW + timedelta(hours=1))
    await act(lishui, extend_outage, outage.id, ExtendOutage(building_ids=["1幢", "2幢"]))
    found = await told(lishui, outage, named=True)
    assert (found.households, found.in_time) == (6, 3)
    assert found.missing == ("BY-001-2101", "BY-001-2102", "BY-001-2201")
    clock.set(STARTS - DAY + SECOND)
    with pytest.raises(Invalid):  # a narrower one is another outage
        await act(lishui, extend_outage, outage.id, ExtendOutage(building_ids=["1幢"]))


async def test_widening_under_24_hours_before_the_start_is_refused(lishui, estate, clock):
    outage = await published(lishui, estate, building_ids=["1幢"])
    clock.set(STARTS - DAY + SECOND)
    with pytest.raises(RuleViolation):
        await act(lishui, extend_outage, outage.id, ExtendOutage(building_ids=["1幢", "2幢"]))


async def test_zones_concern_the_buildings_that_have_them(lishui, estate):
    outage = await published(lishui, estate, zones=["高区"])
    assert outage.building_ids == [estate.buildings["2幢"].id]
    with pytest.raises(Invalid):
        await planned(lishui, estate, zones=["没有的区"])


async def test_a_change_takes_back_what_was_not_sent_and_tells_everybody(lishui, estate):
    outage = await published(lishui, estate)
    move = RescheduleOutage(
        starts_at=STARTS + timedelta(hours=2), ends_at=STARTS + timedelta(hours=4)
    )
    await act(lishui, reschedule_outage, outage.id, move)
    async with lishui.runtime.read() as work:
        notices = (await work.session.exec(select(Notice).order_by(col(Notice.revision)))).all()
    first, second = [await deliveries(lishui, source_id=notice.id) for notice in notices]
    assert {one.state for one in first} == {DeliveryState.superseded}
    assert len(second) == 5
    assert notices[1].kind is NoticeKind.rescheduled
    assert "有变更，以本通知为准" in notices[1].text_zh


async def test_a_cancellation_goes_to_whoever_was_reached_or_may_have_been(lishui, estate):
    outage = await published(lishui, estate)
    phones = sorted(one.id for one in await deliveries(lishui, channel="sms"))
    await accept_all(lishui.runtime, id=phones[0])
    async with lishui.runtime.work() as work:
        doubtful = await work.session.get(Delivery, phones[1])
        doubtful.state, doubtful.attempts = DeliveryState.in_doubt, 1
    await act(lishui, cancel_outage, outage.id, CancelOutage(reason="改期"))
    async with lishui.runtime.read() as work:
        last = (
            await work.session.exec(select(Notice).where(Notice.kind == NoticeKind.cancelled))
        ).one()
    assert len(await deliveries(lishui, source_id=last.id)) == 2


async def test_a_draft_is_cancelled_without_a_word_to_anybody(lishui, estate):
    outage = await planned(lishui, estate)
    cancelled = await act(lishui, cancel_outage, outage.id, CancelOutage(reason="不做了"))
    assert (cancelled.state, cancelled.revision) == (OutageState.cancelled, 0)
    assert await deliveries(lishui) == []


async def test_restoring_is_announced_with_the_advice_to_flush(lishui, estate):
    outage = await emergency(lishui, estate)
    restored = await act(lishui, restore_supply, outage.id, RestoreSupply(), actor=lishui.crew)
    assert (restored.state, restored.restored_at) == (OutageState.restored, NOW)
    async with lishui.runtime.read() as work:
        last = (
            await work.session.exec(select(Notice).where(Notice.kind == NoticeKind.restored))
        ).one()
    assert "放水1至5分钟" in last.text_zh


async def test_an_emergency_is_published_and_in_effect_at_once(lishui, estate):
    outage = await emergency(lishui, estate)
    assert outage.state is OutageState.in_effect
    assert outage.started_at == outage.published_at == NOW
    found = await deliveries(lishui)
    assert {one.lane for one in found} == {0}
    flags = (await seen(lishui, outage)).flags
    assert (
        flags
        == (
            "notice_impossible_unexplained",
            "authority_report_missing",
        )
        or "households_not_told" in flags
    )


async def test_an_emergency_of_bad_water_says_what_it_means_for_health(lishui, estate):
    command = CreateOutage(
        kind=OutageKind.emergency,
        facility_id=estate.facility.id,
        reason=OutageReason.water_quality,
        starts_at=NOW,
        cause="浑浊度超标",
    )
    await act(lishui, create_outage, command)
    async with lishui.runtime.read() as work:
        notice = (await work.session.exec(select(Notice))).one()
    assert notice.kind is NoticeKind.quality
    assert "对健康的影响" in notice.text_zh
    assert "Please tell your neighbours" in notice.text_en


async def test_an_emergency_published_late_and_an_estimate_passed_are_flagged(
    lishui, estate, clock
):
    late = await emergency(lishui, estate, starts_at=NOW - timedelta(minutes=31))
    assert "published_late" in (await seen(lishui, late)).flags
    in_time = await emergency(lishui, estate, starts_at=NOW - timedelta(minutes=30))
    assert "published_late" not in (await seen(lishui, in_time)).flags
    clock.set(NOW + timedelta(hours=3))
    assert "estimate_passed" not in (await seen(lishui, in_time)).flags
    clock.set(NOW + timedelta(hours=3) + SECOND)
    assert {"estimate_passed", "update_due"} <= set((await seen(lishui, in_time)).flags)
    update = ExtendOutage(ends_at=NOW + timedelta(hours=6), detail="正在更换水泵")
    await act(lishui, extend_outage, in_time.id, update, actor=lishui.crew)
    assert "estimate_passed" in (await seen(lishui, in_time)).flags  # for good
    assert "update_due" not in (await seen(lishui, in_time)).flags


async def test_an_outage_that_runs_over_its_end_untold_is_flagged_for_good(lishui, estate, clock):
    outage = await published(lishui, estate)
    for building in ("1幢", "2幢"):
        await hang(lishui, outage, estate, building, NOW)
    clock.set(STARTS)
    await act(lishui, start_outage, outage.id)
    ends = STARTS + timedelta(hours=4)
    clock.set(ends)
    assert "overran" not in (await seen(lishui, outage)).flags
    await act(lishui, extend_outage, outage.id, ExtendOutage(ends_at=ends + timedelta(hours=1)))
    assert "overran" not in (await seen(lishui, outage)).flags
    clock.set(ends + timedelta(hours=2))
    await act(lishui, restore_supply, outage.id, RestoreSupply())
    assert "overran" in (await seen(lishui, outage)).flags


async def test_repeating_a_transition_changes_nothing(lishui, estate, clock):
    outage = await published(lishui, estate)
    before = await entries_of(lishui.runtime, estate.facility.ledger_id)
    again = await act(lishui, publish_outage, outage.id)
    assert (again.revision, again.version) == (outage.revision, outage.version)
    assert await entries_of(lishui.runtime, estate.facility.ledger_id) == before


async def test_the_acts_of_an_outage_stand_in_the_ledger_without_free_text(lishui, estate):
    outage = await emergency(lishui, estate, cause="王某某家报修 13912345678")
    await act(lishui, restore_supply, outage.id, RestoreSupply())
    bodies = await entries_of(lishui.runtime, estate.facility.ledger_id)
    assert not any("王某某" in body or "1391234" in body for body in bodies)
    kinds = ("outage.declared", "notice.published", "outage.restored", "notice.published")
    told = [body for body in bodies if '"outage:' in body]
    assert [next(kind for kind in kinds if kind in body) for body in told] == list(kinds)


async def test_roles(lishui, estate):
    outage = await planned(lishui, estate)
    for actor in (lishui.crew, lishui.inspector):
        with pytest.raises(NotPermitted):
            await act(lishui, publish_outage, outage.id, actor=actor)
    with pytest.raises(NotPermitted):
        await act(lishui, start_outage, outage.id, actor=lishui.inspector)
    with pytest.raises(NotFound):
        await act(lishui, publish_outage, outage.id, actor=lishui.outsider)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"starts_at": NOW - SECOND}, "starts_at", "in_past"),
        ({"hours": -1}, "ends_at", "before"),
        ({"hours": 0}, "ends_at", "before"),
        ({"hours": 120}, "ends_at", "window_too_long"),
        ({"building_ids": []}, "building_ids", "extent_of_nobody"),
        ({"building_ids": ["9幢"]}, "building_ids", "unknown_building"),
    ],
)
async def test_a_window_or_an_extent_that_cannot_be_is_refused(
    lishui, estate, changes, field, code
):
    with pytest.raises(Invalid) as refused:
        await planned(lishui, estate, **changes)
    assert [(one.field, one.code) for one in refused.value.problems] == [(field, code)]


async def test_an_outage_in_another_state_refuses_what_does_not_fit(lishui, estate):
    outage = await planned(lishui, estate)
    with pytest.raises(Conflict):
        await act(lishui, start_outage, outage.id)
    with pytest.raises(Conflict):
        await act(lishui, restore_supply, outage.id, RestoreSupply())
    running = await emergency(lishui, estate)
    with pytest.raises(Conflict):
        await act(lishui, cancel_outage, running.id, CancelOutage(reason="误报"))


async def test_warnings_pass_at_36_30_and_26_hours_while_households_are_missing(
    lishui, estate, clock
):
    outage = await published(lishui, estate)
    for hours, passed in ((37, ()), (36, (36,)), (30, (36, 30)), (25, (36, 30, 26))):
        clock.set(STARTS - timedelta(hours=hours))
        assert (await seen(lishui, outage)).progress.warnings == passed
    for building in ("1幢", "2幢"):
        await hang(lishui, outage, estate, building, STARTS - timedelta(hours=25))
    assert (await seen(lishui, outage)).progress.warnings == ()
