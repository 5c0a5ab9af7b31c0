"""Reading entries, and correcting them without changing them."""

from base64 import b64decode

import pytest

from tests.ledgers import add_ledger, an_entry, append
from water2.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from water2.services.ledger import fetch_entry, list_entries, list_ledgers
from water2.services.ledger_corrections import CorrectEntry, correct_entry, folded
from water2.services.paging import PageAsked

DATA = {"record": {"residual": "0.35", "passed": True}, "rows": [{"raw": "12"}, {"raw": "7"}]}


@pytest.fixture
async def facility(lishui):
    ledger_id = await add_ledger(lishui.runtime, utility_id=lishui.utility.id)
    await append(lishui.runtime, an_entry(ledger_id), an_entry(ledger_id, data=DATA))
    return ledger_id


async def correct(lishui, ledger_id, actor=None, **changes):
    told = {"seq": 1, "field": "record.residual", "old": "0.35", "new": "0.53"}
    command = CorrectEntry.model_validate(told | {"reason": "digits swapped"} | changes)
    async with lishui.runtime.work(actor or lishui.manager) as work:
        return await correct_entry(work, ledger_id, command)


async def view_of(lishui, ledger_id, seq=1):
    async with lishui.runtime.read(lishui.inspector) as work:
        return await fetch_entry(work, ledger_id, seq)


async def test_a_correction_names_its_entry_with_old_new_and_reason(lishui, facility):
    corrected = await view_of(lishui, facility)
    await correct(lishui, facility)
    correction = await view_of(lishui, facility, 2)
    assert correction.entry["type"] == "entry.corrected"
    assert correction.entry["ref"] == f"{facility}/1"
    assert correction.entry["data"] == {
        "seq": 1,
        "leaf": corrected.leaf,
        "field": "record.residual",
        "old": "0.35",
        "new": "0.53",
        "reason": "digits swapped",
    }


async def test_the_view_folds_corrections_and_shows_both(lishui, facility):
    await correct(lishui, facility)
    await correct(lishui, facility, old="0.53", new="0.54", reason="read again")
    await correct(lishui, facility, field="rows.1.raw", old="7", new="8")
    view = await view_of(lishui, facility)
    assert view.entry["data"] == DATA
    assert folded(view).data == {
        "record": {"residual": "0.54", "passed": True},
        "rows": [{"raw": "12"}, {"raw": "8"}],
    }
    assert [(one.old, one.new, one.seq) for one in view.corrections] == [
        ("0.35", "0.53", 2),
        ("0.53", "0.54", 3),
        ("7", "8", 4),
    ]


@pytest.mark.parametrize("field", ["nothing", "record.nothing", "rows.2.raw", "rows.x", "rows.-1"])
async def test_a_field_the_entry_has_not_cannot_be_corrected(lishui, facility, field):
    with pytest.raises(Invalid) as refused:
        await correct(lishui, facility, field=field)
    assert refused.value.problems[0].field == "field"


@pytest.mark.parametrize(
    ("field", "old"), [("record.residual", "0.3"), ("record.passed", 1), ("rows.0", {"raw": "1"})]
)
async def test_who_states_another_old_value_is_told_the_one_that_stands(
    lishui, facility, field, old
):
    with pytest.raises(Conflict) as refused:
        await correct(lishui, facility, field=field, old=old)
    assert refused.value.code == "old_value_differs"
    assert "current" in refused.value.facts


async def test_a_correction_that_changes_nothing_is_refused(lishui, facility):
    with pytest.raises(Invalid):
        await correct(lishui, facility, new="0.35")


async def test_a_value_outside_the_entry_model_is_refused(lishui, facility):
    with pytest.raises(Invalid):
        await correct(lishui, facility, new=0.53)


async def test_a_correction_is_not_corrected_but_its_original_again(lishui, facility):
    await correct(lishui, facility)
    with pytest.raises(Conflict) as refused:
        await correct(lishui, facility, seq=2, field="reason", old="digits swapped", new="x")
    assert refused.value.code == "correct_the_original"


async def test_the_roll_up_is_not_corrected(lishui, facility):
    with pytest.raises(Conflict) as refused:
        await correct(lishui, lishui.utility.rollup_ledger_id, seq=0)
    assert refused.value.code == "rollup_not_corrected"


async def test_an_entry_that_is_not_there_is_not_found(lishui, facility):
    with pytest.raises(NotFound):
        await correct(lishui, facility, seq=9)


async def test_only_a_manager_of_the_utility_corrects(lishui, facility):
    with pytest.raises(NotPermitted):
        await correct(lishui, facility, actor=lishui.crew)
    with pytest.raises(NotFound):
        await correct(lishui, facility, actor=lishui.outsider)


async def test_entries_are_read_on_from_a_number_with_the_bytes_that_were_hashed(lishui, facility):
    await append(lishui.runtime, *[an_entry(facility) for _ in range(3)])
    async with lishui.runtime.read(lishui.inspector) as work:
        views = await list_entries(work, facility, after=1, limit=2)
    assert [view.seq for view in views] == [2, 3]
    assert b'"seq":2,' in b64decode(views[0].body)


async def test_ledgers_are_listed_by_page_to_those_who_see_the_utility(lishui, facility):
    async with lishui.runtime.read(lishui.inspector) as work:
        first = await list_ledgers(work, PageAsked(lishui.utility.id, limit=2))
        rest = await list_ledgers(work, PageAsked(lishui.utility.id, limit=2, cursor=first.next))
        mine = await list_ledgers(work, PageAsked())
    assert [one.id for one in [*first.items, *rest.items]] == sorted(one.id for one in mine.items)
    assert {one.kind.value for one in mine.items} == {"facility", "utility", "rollup"}
    async with lishui.runtime.read(lishui.outsider) as work:
        assert (await list_ledgers(work, PageAsked())).items == []
        with pytest.raises(NotFound):
            await list_ledgers(work, PageAsked(lishui.utility.id))
