"""The demonstration's files, as a utility would export them: they come in by the importer."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import count
from random import Random

from water2.services.demo.history import CleaningRow, SampleRow
from water2.services.demo.invention import LABORATORY, Estate, Person
from water2.services.importing.source import Source

ACCREDITATION = "000000000000"
HOUSEHOLDS_PER_BUILDING = 8
BUILDINGS = 2
Cells = Sequence[object]
_VERDICTS = {True: "合格", False: "不合格", None: None}


def table(name: str, header: Sequence[str], rows: Iterable[Cells]) -> Source:
    """Return a table as a file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return Source(name, text.getvalue().encode())


def facilities_file(estates: Sequence[Estate]) -> Source:
    """Return 泵房台账."""
    header = (
        "泵房编号", "小区名称", "街道", "地址", "供水方式", "供水对象", "供水分区数",
        "竣工验收日期", "移交日期", "投用日期", "管理员", "联系电话", "独立电表号",
    )  # fmt: skip
    return table("泵房台账.csv", header, map(_facility, estates, count()))


def _facility(e: Estate, number: int) -> Cells:
    return (
        e.code, e.name, e.district, e.address, e.supply, e.kind, 2, e.accepted_on,
        e.handed_over_on, e.in_service_on, e.manager, phone(9000 + number), f"00{number:010d}",
    )  # fmt: skip


def tanks_file(estates: Sequence[Estate]) -> Source:
    """Return 水箱台账."""
    header = ("泵房编号", "水箱编号", "材质", "有效容积(m³)", "是否可隔离清洗", "启用日期")
    rows = (
        (e.code, tank, "不锈钢304", e.volume_m3, "是" if e.isolable else "否", None)
        for e in estates
        for tank in e.tanks
    )
    return table("水箱台账.csv", header, rows)


def buildings_file(estates: Sequence[Estate]) -> Source:
    """Return 楼栋."""
    header = ("泵房编号", "楼栋号", "单元数", "层数", "供水分区")
    rows = (
        (e.code, f"{number}幢", 1, 24 + number, "低区、高区")
        for e in estates
        for number in range(1, BUILDINGS + 1)
    )
    return table("楼栋.csv", header, rows)


def households_file(random: Random, estates: Sequence[Estate]) -> Source:
    """Return 用户."""
    header = (
        "户号", "泵房编号", "楼栋号", "单元", "房号", "户主姓名", "手机号", "邮箱", "特殊困难",
    )  # fmt: skip
    return table("用户.csv", header, _households(random, estates))


def _households(random: Random, estates: Sequence[Estate]) -> Iterator[Cells]:
    for e in estates:
        for building in range(1, BUILDINGS + 1):
            for place in range(HOUSEHOLDS_PER_BUILDING):
                code = f"{e.code[3:]}{building}{place:02d}"
                room = f"{2 + place * 3}0{1 + place % 2}"
                care = "是" if random.random() < 0.03 else None
                unknown = building == BUILDINGS and place == 0  # only a poster tells this one
                holder = f"住户{code}"
                yield (
                    code,
                    e.code,
                    f"{building}幢",
                    "1",
                    room,
                    holder,
                    None if unknown else phone(int(code)),
                    None,
                    care,
                )


def phone(number: int) -> str:
    """Return a number that no exchange gives out."""
    return f"0000-{number:07d}"


def people_file(people: Sequence[Person]) -> Source:
    """Return 人员台账: a row for each health certificate."""
    header = (
        "工号", "姓名", "单位", "岗位", "是否直接供管水", "培训日期", "培训合格证号",
        "健康证号", "体检日期", "有效期至", "发证机构", "状态",
    )  # fmt: skip
    return table("人员台账.csv", header, _certificates(people))


def _certificates(people: Sequence[Person]) -> Iterator[Cells]:
    for p in people:
        training = f"PX-{p.code}"
        own = (p.code, p.name, p.employer, p.post, "是" if p.handles_water else "否", p.trained_on)
        for on in p.examined or (None,):
            number = on and f"JK{on:%Y%m%d}{p.code[2:]}"
            card = (
                number,
                on,
                on and on + timedelta(days=365),
                "城东体检站（演示）" if on else None,
            )
            yield (*own, training, *card, "在岗")


def cleanings_file(cleanings: Iterable[CleaningRow], today: date) -> Source:
    """Return 清洗消毒记录."""
    header = (
        "记录编号", "泵房编号", "水箱编号", "清洗日期", "清洗单位", "清洗人员", "消毒剂",
        "批号", "浓度(mg/L)", "接触时间(min)", "放水起止", "注水起止", "采样日期", "报告编号",
        "检测结论", "停水通知编号", "录入日期", "备注",
    )  # fmt: skip
    return table("清洗消毒记录.csv", header, (_cleaning(c, today) for c in cleanings))


def _cleaning(c: CleaningRow, today: date) -> Cells:
    crew = "、".join(person.code for person in c.crew)
    batch = f"NC{c.on - timedelta(days=60):%Y%m%d}"
    entered = min(c.on + timedelta(days=7), today)
    return (
        c.code, c.estate.code, c.tank, c.on, c.crew[0].employer, crew, c.disinfectant, batch, 100,
        20, "08:00-08:40", "11:00-12:00", c.sampled_on, c.report, _VERDICTS[c.passed],
        f"TS{c.on:%Y%m%d}", entered, None,
    )  # fmt: skip


def samples_file(random: Random, samples: Iterable[SampleRow]) -> Source:
    """Return 水质检测."""
    header = (
        "报告编号", "泵房编号", "水箱编号", "采样点", "采样时间", "采样人", "检测机构",
        "CMA编号", "CMA有效期至", "签发日期", "色度", "浑浊度", "臭和味", "肉眼可见物", "pH",
        "总大肠菌群", "菌落总数", "游离氯", "结论",
    )  # fmt: skip
    return table("水质检测.csv", header, (_sample(random, s) for s in samples))


def _sample(random: Random, s: SampleRow) -> Cells:
    at, issued_on = f"{s.on} 09:{random.randint(10, 59)}", s.on + timedelta(days=4)
    turbidity, chlorine = (f"0.{random.randint(12, 45)}" for _ in range(2))
    return (
        s.report, s.estate.code, s.tank, s.point, at, s.taken_by, LABORATORY, ACCREDITATION,
        s.on + timedelta(days=900), issued_on, "<5", turbidity, "无异臭、异味", "无",
        f"7.{random.randint(10, 60)}", "未检出", random.randint(1, 40), chlorine, "合格",
    )  # fmt: skip
