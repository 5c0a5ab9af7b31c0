"""What is to be looked at in an outage, and what its proof says: nothing unseen, or invented."""

import json
from datetime import timedelta

import pytest
from sqlmodel import col, select

from tests.builders import a_person
from tests.estate import accept_all, an_estate
from tests.ledgers import entries_of
from tests.outages import NOW, STARTS, act, emergency, hang, planned, published, seen
from water2.domain.delivery import Delivery, DeliveryState
from water2.domain.errors import RuleViolation
from water2.domain.household import Household
from water2.domain.organisation import Utility
from water2.domain.outage import OutageState
from water2.rules.flags import FlagCode
from water2.services.hotline import SetHotline, set_hotline
from water2.services.outages.changing import (
    ExtendOutage,
    RescheduleOutage,
    extend_outage,
    reschedule_outage,
)
from water2.services.outages.posters import poster_tasks
from water2.services.outages.proof import prove_outage
from water2.services.outages.transitions import CancelOutage, cancel_outage, start_outage
from water2.services.paging import PageAsked
from water2.services.policy import set_policy
from water2.services.public.outages import list_public_outages

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def proof(lishui, outage):
    async with lishui.runtime.read(lishui.manager) as work:
        return await prove_outage(work, outage.id)


async def flags(lishui, outage):
    return (await seen(lishui, outage)).flags


async def test_a_household_registered_since_is_not_on_the_list_and_that_is_flagged(lishui, estate):
    outage = await published(lishui, estate, building_ids=["1幢"])
    assert FlagCode.households_since not in await flags(lishui, outage)
    async with lishui.runtime.work() as work:
        for number in ("2幢", "1幢"):
            building = estate.buildings[number]
            place = {"facility_id": building.facility_id, "building_id": building.id}
            work.session.add(
                Household(utility_id=building.utility_id, code=f"N{number}", room="901", **place)
            )
    assert FlagCode.households_since in await flags(lishui, outage)
    later = RescheduleOutage(starts_at=STARTS + HOUR, ends_at=STARTS + 3 * HOUR)
    await act(lishui, reschedule_outage, outage.id, later)
    assert FlagCode.households_since not in await flags(lishui, outage)


async def test_a_window_that_passed_unused_is_flagged_and_no_longer_to_come(lishui, estate, clock):
    outage = await published(lishui, estate)
    clock.set(STARTS + 4 * HOUR - timedelta(seconds=1))
    assert FlagCode.window_passed not in await flags(lishui, outage)
    async with lishui.runtime.read() as work:
        assert (await list_public_outages(work, PageAsked())).items
    clock.set(STARTS + 4 * HOUR)
    assert FlagCode.window_passed in await flags(lishui, outage)
    async with lishui.runtime.read() as work:
        assert (await list_public_outages(work, PageAsked())).items == []


async def test_a_window_that_passed_unused_is_not_revived_but_announced_anew(lishui, estate, clock):
    outage = await published(lishui, estate)
    await accept_all(lishui.runtime)
    await hang(lishui, outage, estate, "2幢", NOW)
    over = STARTS + 4 * HOUR
    clock.set(over)
    with pytest.raises(RuleViolation) as refused:
        await act(lishui, extend_outage, outage.id, ExtendOutage(ends_at=over + 8 * HOUR))
    assert refused.value.refused.reason == "window_over"
    soon = RescheduleOutage(starts_at=over + HOUR, ends_at=over + 2 * HOUR)
    with pytest.raises(RuleViolation):
        await act(lishui, reschedule_outage, outage.id, soon)
    anew = RescheduleOutage(starts_at=over + DAY, ends_at=over + DAY + HOUR)
    moved = await act(lishui, reschedule_outage, outage.id, anew)
    view = await seen(lishui, outage)
    assert (view.progress.told.in_time, moved.overran) == (0, False)


async def test_two_emergencies_over_the_same_water_are_flagged(lishui, estate):
    first = await emergency(lishui, estate, building_ids=["1幢"])
    other = await emergency(lishui, estate, building_ids=["2幢"])
    assert FlagCode.overlapping not in await flags(lishui, first)
    await emergency(lishui, estate, building_ids=["1幢", "2幢"])
    for outage in (first, other):
        assert FlagCode.overlapping in await flags(lishui, outage)


async def test_a_notice_without_a_hotline_is_flagged(lishui, estate):
    outage = await published(lishui, estate)
    assert FlagCode.hotline_missing in await flags(lishui, outage)
    await act(lishui, set_hotline, SetHotline(phone="0578-2123456"))
    assert FlagCode.hotline_missing not in await flags(lishui, outage)


async def test_a_poster_recorded_a_day_later_is_marked_on_it_and_on_the_outage(
    lishui, estate, clock
):
    outage = await published(lishui, estate)
    clock.set(NOW + DAY)
    await hang(lishui, outage, estate, "1幢", NOW)
    assert FlagCode.poster_recorded_late not in await flags(lishui, outage)
    clock.set(NOW + DAY + timedelta(minutes=1))
    late = await hang(lishui, outage, estate, "2幢", NOW)
    assert late.flags == [FlagCode.late_entry, FlagCode.late_entry_without_reason]
    assert FlagCode.poster_recorded_late in await flags(lishui, outage)
    given = await hang(lishui, outage, estate, "2幢", NOW, late_reason="地下室无信号")
    assert (given.id, given.flags) == (late.id, [FlagCode.late_entry])


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


async def test_a_poster_again_adds_what_it_lacked_and_keeps_what_it_has(lishui, estate):
    async with lishui.runtime.work() as work:
        await a_person(work, lishui.utility, "LS009")
    outage = await published(lishui, estate)
    bare = await hang(lishui, outage, estate, "1幢", NOW)
    assert FlagCode.poster_without_photo in await flags(lishui, outage)
    full = await hang(lishui, outage, estate, "1幢", NOW, photo=PIXEL, posted_by="LS009")
    assert (full.id, full.photo_sha256 is None, full.posted_by is None) == (bare.id, False, False)
    again = await hang(lishui, outage, estate, "1幢", NOW)
    assert again.photo_sha256 == full.photo_sha256
    assert FlagCode.poster_without_photo not in await flags(lishui, outage)
    bodies = await entries_of(lishui.runtime, estate.facility.ledger_id)
    types = [json.loads(body)["type"] for body in bodies]
    assert types[-2:] == ["poster.recorded", "poster.completed"]


async def test_told_an_hour_late_it_may_begin_an_hour_later(lishui, estate, clock):
    outage = await published(lishui, estate)
    await accept_all(lishui.runtime, at=STARTS - DAY + HOUR)
    clock.set(STARTS - DAY + HOUR)
    await hang(lishui, outage, estate, "2幢", STARTS - DAY + HOUR)
    clock.set(STARTS + HOUR - timedelta(seconds=1))
    assert (await seen(lishui, outage)).progress.told.missing_count == 6
    clock.set(STARTS + HOUR)
    assert (await seen(lishui, outage)).progress.earliest_lawful_start == STARTS + HOUR
    started = await act(lishui, start_outage, outage.id, actor=lishui.crew)
    assert started.state is OutageState.in_effect
    assert (await proof(lishui, outage)).told_by == STARTS + HOUR - DAY


async def test_a_rule_made_stricter_since_asks_nothing_of_what_was_announced(lishui, estate, clock):
    outage = await published(lishui, estate)
    clock.set(NOW + DAY - HOUR)
    async with lishui.runtime.work() as work:
        utility = await work.session.get_one(Utility, lishui.utility.id)
        await set_policy(work, utility, "outage.planned", "notice_hours", 48)
    with pytest.raises(RuleViolation) as refused:
        await published(lishui, estate)
    assert refused.value.refused.reason == "notice_too_late_by_own_rule"
    assert (await seen(lishui, outage)).progress.earliest_lawful_start == STARTS
    detail = ExtendOutage(detail="更换阀门")
    await act(lishui, extend_outage, outage.id, detail, actor=lishui.crew)
    assert (await seen(lishui, outage)).progress.earliest_lawful_start == STARTS
    earlier = RescheduleOutage(starts_at=STARTS - timedelta(minutes=1), ends_at=STARTS)
    with pytest.raises(RuleViolation):
        await act(lishui, reschedule_outage, outage.id, earlier)


async def test_the_proof_names_no_channel_that_told_nothing(lishui, estate):
    outage = await published(lishui, estate)
    async with lishui.runtime.work() as work:
        for row in await work.session.exec(
            select(Delivery).where(col(Delivery.state) == DeliveryState.ready)
        ):
            row.state, row.attempts = DeliveryState.in_doubt, 1
    found = await proof(lishui, outage)
    assert {(one.told_at, one.channel) for one in found.households} == {(None, None)}
    assert {one.level for one in found.households} == {"attempted", "none"}


async def test_evidence_of_an_earlier_start_is_none_for_the_new_one(lishui, estate):
    outage = await published(lishui, estate)
    await accept_all(lishui.runtime)
    earlier = RescheduleOutage(starts_at=STARTS - HOUR, ends_at=STARTS)
    await act(lishui, reschedule_outage, outage.id, earlier)
    found = await proof(lishui, outage)
    assert {one.channel for one in found.households} == {None}
    assert {one.level for one in found.households} <= {"queued", "none"}


async def test_what_tells_of_an_end_is_no_proof_of_having_been_told(lishui, estate):
    outage = await published(lishui, estate)
    async with lishui.runtime.work() as work:
        for row in await work.session.exec(select(Delivery)):
            row.state, row.attempts = DeliveryState.in_doubt, 1
    await act(lishui, cancel_outage, outage.id, CancelOutage(reason="改期"))
    await accept_all(lishui.runtime)
    found = await proof(lishui, outage)
    assert {one.level for one in found.households} <= {"attempted", "none"}


async def test_a_draft_has_no_proof_and_no_poster_to_hang(lishui, estate):
    outage = await planned(lishui, estate)
    assert (await proof(lishui, outage)).households == ()
    async with lishui.runtime.read(lishui.crew) as work:
        assert await poster_tasks(work, outage.id) == []
