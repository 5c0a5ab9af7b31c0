"""The emergency plan as a duty of the utility: lacking, past its review, or undrilled (art. 18)."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from tests.builders import a_facility, a_person
from water2.domain.duty import Duty
from water2.domain.errors import Conflict, Invalid, NotPermitted
from water2.domain.ledger import LedgerEntry
from water2.domain.organisation import Utility
from water2.domain.reminder import Reminder
from water2.services.board import count_provisions, view_board
from water2.services.duty_queries import DutyFilters, list_duties
from water2.services.emergency_drills import (
    FinishFinding,
    GivenFinding,
    RecordDrill,
    finish_finding,
    record_drill,
)
from water2.services.emergency_plans import IssueEmergencyPlan, issue_emergency_plan
from water2.services.evidence_files import open_file
from water2.services.policy import set_policy
from water2.services.rule_changes import apply_rule_changes
from water2.services.sweep import sweep

TODAY = date(2026, 11, 23)
PDF = b"%PDF-1.7 the plan"


def plan_of(issued_on=TODAY, **changes):
    given = {
        "title": "应急预案",
        "text": "一、组织",
        "issued_on": issued_on,
        "approved_by": "LS001",
    }
    return IssueEmergencyPlan(**(given | changes))


def drill_of(held_on=TODAY, **changes):
    given = {"held_on": held_on, "scenario": "水箱受污染", "participants": ["LS001"]}
    return RecordDrill(**(given | changes))


@pytest.fixture
async def staffed(runtime, lishui):
    async with runtime.work() as work:
        await a_person(work, lishui.utility)
    return lishui


async def issued(runtime, installation, command, file=None, name=None):
    async with runtime.work(installation.manager) as work:
        return await issue_emergency_plan(work, command, file, name)


async def drilled(runtime, installation, plan, command):
    async with runtime.work(installation.manager) as work:
        return await record_drill(work, plan.id, command)


async def duties_of(runtime, installation, obligation):
    async with runtime.read(installation.inspector) as work:
        filters = DutyFilters(obligation=obligation)
        return (await list_duties(work, installation.utility, filters)).items


async def owed(runtime, installation, obligation):
    """The one duty that is not satisfied."""
    found = await duties_of(runtime, installation, obligation)
    (one,) = [duty for duty in found if duty["satisfied_on"] is None]
    return one


async def test_a_utility_founded_today_owes_its_plan_today_and_a_drill_within_a_year(
    runtime, lishui
):
    plan = await owed(runtime, lishui, "emergency.plan")
    assert (plan["due_on"], plan["state"], plan["basis"]) == ("2026-11-23", "due_soon", "law")
    assert plan["subject"] == {"type": "utility", "id": lishui.utility.id, "code": "OC"}
    assert plan["facility_code"] is None
    assert plan["article"] == "18.1"
    drill = await owed(runtime, lishui, "emergency.plan.drill")
    assert (drill["due_on"], drill["state"], drill["basis"]) == ("2027-11-23", "upcoming", "target")


async def test_the_day_after_the_lack_of_a_plan_is_overdue_reminded_and_on_the_board(
    runtime, lishui, clock
):
    clock.set(datetime(2026, 11, 24, 1, tzinfo=UTC))
    assert (await owed(runtime, lishui, "emergency.plan"))["state"] == "overdue"
    await sweep(runtime)
    await sweep(runtime)
    async with runtime.read(lishui.inspector) as work:
        steps = await work.session.exec(
            select(Reminder.recipient, Reminder.step)
            .join(Duty, Duty.id == Reminder.duty_id)
            .where(Duty.obligation == "emergency.plan")
        )
        assert steps.all() == [("managers", "overdue")]
        counts = await count_provisions(work, await view_board(work, lishui.utility))
    assert {c.obligation.id: c.overdue for c in counts}["emergency.plan"] == 1


async def test_a_plan_satisfies_the_duty_and_is_reviewed_within_the_year(runtime, staffed, clock):
    plan = await issued(runtime, staffed, plan_of())
    first, second = await duties_of(runtime, staffed, "emergency.plan")
    assert (first["state"], first["satisfied_by"]) == ("satisfied", plan.id)
    assert (second["due_on"], second["basis"]) == ("2027-11-23", "target")
    clock.set(datetime(2027, 11, 24, 1, tzinfo=UTC))
    assert (await owed(runtime, staffed, "emergency.plan"))["state"] == "overdue"


async def test_the_plans_own_review_day_holds_where_it_is_earlier(runtime, staffed):
    await issued(runtime, staffed, plan_of(review_on=date(2027, 3, 1)))
    assert (await owed(runtime, staffed, "emergency.plan"))["due_on"] == "2027-03-01"


async def test_a_plan_older_than_the_first_day_here_is_entered_with_its_past(runtime, staffed):
    await issued(runtime, staffed, plan_of(date(2026, 2, 1)))
    done, left = await duties_of(runtime, staffed, "emergency.plan")
    assert (done["state"], done["days_overdue"]) == ("satisfied", 0)
    assert left["due_on"] == "2027-02-01"


async def test_a_new_version_stands_beside_the_earlier_one_and_sets_the_next_review(
    runtime, staffed, clock
):
    first = await issued(runtime, staffed, plan_of())
    clock.set(datetime(2027, 5, 1, 1, tzinfo=UTC))
    second = await issued(runtime, staffed, plan_of(date(2027, 5, 1), changes="换了电话"))
    assert (first.version, second.version) == (1, 2)
    assert (await owed(runtime, staffed, "emergency.plan"))["due_on"] == "2028-05-01"


async def test_a_stricter_interval_moves_both_duties(runtime, staffed):
    await issued(runtime, staffed, plan_of())
    async with runtime.work() as work:
        await set_policy(work, staffed.utility, "emergency.plan", "months", 6)
        await set_policy(work, staffed.utility, "emergency.plan.drill", "months", 3)
    assert (await owed(runtime, staffed, "emergency.plan"))["due_on"] == "2027-05-23"
    assert (await owed(runtime, staffed, "emergency.plan.drill"))["due_on"] == "2027-02-23"


async def test_a_drill_satisfies_its_duty_and_the_next_is_due_a_year_later(runtime, staffed):
    plan = await issued(runtime, staffed, plan_of(date(2026, 6, 1)))
    drill = await drilled(runtime, staffed, plan, drill_of(date(2026, 9, 1)))
    left = await owed(runtime, staffed, "emergency.plan.drill")
    assert (left["ordinal"], left["due_on"]) == (2, "2027-09-01")
    assert drill.flags == ["late_entry", "late_entry_without_reason"]


async def test_a_drill_of_yesterday_is_no_late_entry(runtime, staffed):
    plan = await issued(runtime, staffed, plan_of(date(2026, 6, 1)))
    drill = await drilled(runtime, staffed, plan, drill_of(TODAY - timedelta(days=1)))
    assert drill.flags == []


async def test_a_finding_is_open_until_it_is_done_and_done_once(runtime, staffed):
    plan = await issued(runtime, staffed, plan_of())
    findings = [GivenFinding(finding="缺钥匙", to_do="配钥匙箱")]
    drill = await drilled(runtime, staffed, plan, drill_of(findings=findings))
    async with runtime.work(staffed.manager) as work:
        done = await finish_finding(work, drill.id, 1, FinishFinding(note="已配"))
    assert done.done_on == TODAY
    with pytest.raises(Conflict):
        async with runtime.work(staffed.manager) as work:
            await finish_finding(work, drill.id, 1, FinishFinding())


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"issued_on": TODAY + timedelta(days=1)}, "issued_on", "in_future"),
        ({"review_on": TODAY - timedelta(days=1)}, "review_on", "before_start"),
        ({"text": None}, "text", "plan_empty"),
        ({"approved_by": "LS999"}, "approved_by", "unknown_person"),
    ],
)
async def test_a_plan_that_cannot_be_true_is_refused(runtime, staffed, changes, field, code):
    with pytest.raises(Invalid) as refused:
        await issued(runtime, staffed, plan_of(**changes))
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"changes": None}, "changes", "missing"),
        ({"issued_on": date(2026, 10, 31)}, "issued_on", "before_last_version"),
    ],
)
async def test_a_second_version_says_what_changed_and_is_not_older(
    runtime, staffed, changes, field, code
):
    await issued(runtime, staffed, plan_of(date(2026, 11, 1)))
    with pytest.raises(Invalid) as refused:
        await issued(runtime, staffed, plan_of(**({"changes": "换了电话"} | changes)))
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"held_on": TODAY + timedelta(days=1)}, "held_on", "in_future"),
        ({"held_on": date(2026, 10, 31)}, "held_on", "before_the_plan"),
        ({"participants": ["LS001", "LS999"]}, "participants", "unknown_person"),
        (
            {"findings": [GivenFinding(finding="a", to_do="b", due_on=date(2026, 11, 1))]},
            "findings.0.due_on",
            "before_the_drill",
        ),
    ],
)
async def test_a_drill_that_cannot_be_true_is_refused(runtime, staffed, changes, field, code):
    plan = await issued(runtime, staffed, plan_of(date(2026, 11, 1)))
    with pytest.raises(Invalid) as refused:
        await drilled(runtime, staffed, plan, drill_of(**changes))
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]


async def test_a_file_is_kept_by_its_hash_and_what_is_no_document_is_refused(runtime, staffed):
    plan = await issued(runtime, staffed, plan_of(text=None), PDF, "预案.pdf")
    async with runtime.read(staffed.inspector) as work:
        assert await open_file(work, staffed.utility.id, plan.file_sha256) == (
            PDF,
            "application/pdf",
        )
    with pytest.raises(Invalid) as refused:
        await issued(runtime, staffed, plan_of(changes="新文件"), b"MZ", "plan.exe")
    assert refused.value.problems[0].code == "paper_unreadable"


async def test_crews_and_inspectors_issue_nothing(runtime, staffed):
    for actor in (staffed.crew, staffed.inspector):
        with pytest.raises(NotPermitted):
            async with runtime.work(actor) as work:
                await issue_emergency_plan(work, plan_of())


async def test_the_utilitys_ledger_tells_of_it_by_days_and_hashes_without_its_words(
    runtime, staffed
):
    plan = await issued(runtime, staffed, plan_of(text="值班电话 13900000001"), PDF, "预案.pdf")
    findings = [GivenFinding(finding="缺钥匙", to_do="配钥匙箱")]
    drill = await drilled(runtime, staffed, plan, drill_of(findings=findings))
    async with runtime.work(staffed.manager) as work:
        await finish_finding(work, drill.id, 1, FinishFinding())
    async with runtime.read(staffed.inspector) as work:
        rows = await work.session.exec(
            select(LedgerEntry.type, LedgerEntry.body)
            .where(LedgerEntry.ledger_id == staffed.utility.ledger_id)
            .order_by(LedgerEntry.seq)
        )
        entries = [(type_, json.loads(body)) for type_, body in rows]
    told = [(t, e) for t, e in entries if t.startswith(("emergency", "drill"))]
    assert [t for t, _ in told] == [
        "emergency_plan.issued",
        "emergency_plan.drilled",
        "drill_finding.done",
    ]
    assert told[0][1]["files"] == [plan.file_sha256]
    written = json.dumps([e for _, e in told], ensure_ascii=False)
    assert not any(word in written for word in ("13900000001", "钥匙", "水箱", "周行", "预案"))


async def test_an_installation_from_before_gets_the_duties_with_the_rules_that_changed(
    runtime, lishui
):
    async with runtime.work() as work:
        for duty in await work.session.exec(select(Duty)):
            await work.session.delete(duty)
        held = await work.session.get_one(Utility, lishui.utility.id)
        held.rules_mark = "older"
        await a_facility(work, held)
    assert await duties_of(runtime, lishui, "emergency.plan") == []
    await apply_rule_changes(runtime, held, TODAY)
    assert (await owed(runtime, lishui, "emergency.plan"))["due_on"] == "2026-11-23"
