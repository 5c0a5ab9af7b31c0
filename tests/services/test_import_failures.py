"""Imported samples that failed: recent ones open anomalies, old ones are history."""

import pytest
from sqlmodel import col, func, select

from tests.estate import an_estate
from tests.ledgers import entries_of
from tests.services.register_files import take
from water2.domain.anomaly import Anomaly, AnomalyCause
from water2.domain.delivery import Delivery
from water2.domain.errors import Conflict
from water2.services.importing.source import Source
from water2.services.importing.take_back import take_back_import
from water2.services.watch import keep_watch

HEADER = "报告编号,泵房编号,水箱编号,采样点,采样时间,浑浊度,pH,总大肠菌群,结论\n"
TODAY = "2026-11-23"
OLD = "R1,BY-001,1#,水箱出水,2026-05-11 09:00,1.6,7.2,检出,不合格\n"
EDGE = "R2,BY-001,,末梢水,2026-10-24 09:00,1.2,7.2,未检出,不合格\n"  # 30 days ago
RECENT = "R3,BY-001,,末梢水,2026-11-13 09:00,1.3,7.2,未检出,不合格\n"
GOOD = "R4,BY-001,,末梢水,2026-11-14 09:00,0.3,7.2,未检出,合格\n"
BEFORE_LIMITS = "R5,BY-001,,末梢水,2022-11-14 09:00,3,7.2,未检出,不合格\n"


@pytest.fixture
async def estate(lishui):
    return await an_estate(lishui)


async def taken(lishui, *rows):
    report = await take(lishui, Source("水质检测.csv", "".join([HEADER, *rows]).encode()))
    (file,) = report.files
    assert not file.rejections
    return file


async def anomalies(lishui):
    """State → the failed items of the anomalies in it."""
    async with lishui.runtime.read() as work:
        rows = await work.session.exec(
            select(Anomaly, AnomalyCause)
            .join(AnomalyCause, col(AnomalyCause.anomaly_id) == Anomaly.id)
            .order_by(col(AnomalyCause.found_at), AnomalyCause.parameter)
        )
        return [
            (anomaly.state.value, cause.parameter, cause.point.value) for anomaly, cause in rows
        ]


async def count(lishui, table):
    async with lishui.runtime.read() as work:
        return (await work.session.exec(select(func.count()).select_from(table))).one()


async def test_old_failures_are_history_and_recent_ones_are_live(lishui, estate):
    await taken(lishui, OLD, EDGE, RECENT, GOOD)
    assert await anomalies(lishui) == [
        ("historical", "total_coliform", "outlet"),
        ("historical", "turbidity", "outlet"),
        ("open", "turbidity", "terminal"),
        ("open", "turbidity", "terminal"),
    ]
    assert await count(lishui, Anomaly) == 2
    told = "".join(await entries_of(lishui.runtime, estate.facility.ledger_id))
    assert told.count('"anomaly.found_in_files"') == 1
    assert told.count('"anomaly.opened"') == 1


async def test_history_runs_no_clock_and_tells_nobody(lishui, estate, clock):
    await taken(lishui, OLD)
    assert (await keep_watch(lishui.runtime)).escalations == 0
    assert await count(lishui, Delivery) == 0


async def test_a_conclusion_alone_is_a_failure_too(lishui, estate):
    await taken(lishui, BEFORE_LIMITS)
    assert await anomalies(lishui) == [("historical", None, "terminal")]


async def test_the_same_file_twice_tells_nothing_new(lishui, estate):
    await taken(lishui, OLD, RECENT)
    await taken(lishui, OLD, RECENT)
    assert await count(lishui, Anomaly) == 2


async def test_history_goes_with_the_import_it_came_by(lishui, estate):
    file = await taken(lishui, OLD)
    async with lishui.runtime.work(lishui.manager) as work:
        await take_back_import(work, file.import_id)
    assert await count(lishui, Anomaly) == await count(lishui, AnomalyCause) == 0


async def test_a_live_anomaly_keeps_its_import(lishui, estate):
    file = await taken(lishui, RECENT)
    with pytest.raises(Conflict) as refused:
        async with lishui.runtime.work(lishui.manager) as work:
            await take_back_import(work, file.import_id)
    assert refused.value.facts == {"by": {"anomaly_cause": 1}}


async def test_a_sum_over_its_limit_is_an_item_of_its_own(lishui, estate):
    parts = "三氯甲烷,一氯二溴甲烷,二氯一溴甲烷,三溴甲烷"
    header = f"报告编号,泵房编号,水箱编号,采样点,采样时间,{parts},结论\n"
    row = "R9,BY-001,,末梢水,2026-11-20 09:00,0.03,0.03,0.03,0.03,不合格\n"
    for accepted in (1, 0):
        report = await take(lishui, Source("水质检测.csv", f"{header}{row}".encode()))
        (file,) = report.files
        assert (file.accepted, file.duplicate, file.rejections) == (accepted, 1 - accepted, [])
    assert await anomalies(lishui) == [("open", "thm_sum", "terminal")]
