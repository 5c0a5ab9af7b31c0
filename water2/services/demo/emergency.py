"""The demonstration's emergency plan, with a drill that left something to do."""

from datetime import date, timedelta

from sqlmodel import col, select

from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.services.emergency_drills import GivenFinding, RecordDrill, record_drill
from water2.services.emergency_plans import IssueEmergencyPlan, issue_emergency_plan
from water2.work import Work

ISSUED_AGO = 200
DRILLED_AGO = 60
TAKING_PART = 6
_TEXT = """一、组织与分工：总调度、抢修、水质、用户服务四组，值班电话全天有人。
二、水质异常：立即停止供水，查明情况，控制影响；可能危及健康的，及时向卫生、供水主管部门报告。
三、应急供水：停水超过十二小时设临时取水点，超过二十四小时送水到楼下。
四、恢复供水：冲洗、消毒，复检合格后恢复，并告知用户先放水数分钟。"""


async def seed_emergency_plan(work: Work, utility: Utility, today: date) -> None:
    """Issue the plan and record its drill, as a manager would enter them afterwards."""
    people = await _people(work, utility)
    command = IssueEmergencyPlan(
        title="二次供水应急预案",
        text=_TEXT,
        issued_on=today - timedelta(days=ISSUED_AGO),
        approved_by=people[-1].code,
        utility_id=utility.id,
    )
    plan = await issue_emergency_plan(work, command)
    drill = RecordDrill(
        held_on=today - timedelta(days=DRILLED_AGO),
        scenario="水箱受污染：停水、告知用户、应急送水、冲洗消毒后复检",
        participants=[person.code for person in people],
        findings=[
            GivenFinding(finding="两处泵房的排水泵钥匙不在现场", to_do="泵房设钥匙箱，双人保管"),
            GivenFinding(finding="送水车到场用时 95 分钟", to_do="与环卫公司约定备用送水车"),
        ],
        late_reason="演练记录随资料补录（演示）",
    )
    await record_drill(work, plan.id, drill)


async def _people(work: Work, utility: Utility) -> list[Staff]:
    rows = await work.session.exec(
        select(Staff)
        .where(Staff.utility_id == utility.id)
        .order_by(col(Staff.code).desc())
        .limit(TAKING_PART)
    )
    return list(rows)[::-1]
