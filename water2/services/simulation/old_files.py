"""Old files: cleanings a contractor made outside any order, imported weeks later, and twice."""

import csv
import io
from datetime import timedelta

from sqlmodel import col, select

from water2.domain.cleaning import Cleaning
from water2.services.importing.import_files import ImportFiles, import_files
from water2.services.importing.report import ImportReport
from water2.services.importing.source import Source
from water2.services.simulation.world import CleaningFact, TankLife, World

EVERY_DAYS = 60
QUIET_DAYS = 60
"""Only tanks that nobody cleaned for so long are in such a file."""
_HEADER = (
    "记录编号",
    "泵房编号",
    "水箱编号",
    "清洗日期",
    "清洗单位",
    "采样日期",
    "报告编号",
    "检测结论",
)


async def import_old_file(world: World) -> None:
    """Import the cleanings of some tanks, weeks after they happened; the second time is idle."""
    world.at(18)
    tanks = [tank for tank in world.subjects if _quiet(world, tank)]
    chosen = world.random.sample(tanks, min(3, len(tanks)))
    facts: dict[str, CleaningFact] = {}
    for tank in chosen:
        on = world.today - timedelta(days=world.random.randint(20, 40))
        passed_on = on + timedelta(days=1) if world.happens(0.8) else None
        fact = CleaningFact(tank.id, on, passed_on=passed_on)
        world.own_samples[tank.id] += [passed_on] if passed_on else []
        facts[f"OLD{world.next_number():06d}"] = fact
        world.touched.add(tank.id)
    if not facts:
        return
    source = _source(world, facts)
    first = await _import(world, source)
    if any(file.problem or file.rejections for file in first.files):
        world.complain("import_refused", source.name, first.files)
    second = await _import(world, source)
    if any(file.accepted for file in second.files):
        world.complain("second_import_changed", source.name, second.files)
    await _note_ids(world, facts)


def _quiet(world: World, tank: TankLife) -> bool:
    since = world.today - timedelta(days=QUIET_DAYS)
    begun = tank.in_use_on or tank.facility.duties_from
    lately = any(
        fact.subject_id == tank.id and fact.cleaned_on >= since for fact in world.cleanings
    )
    return begun is not None and begun < since and tank.ended_on is None and not lately


def _source(world: World, facts: dict[str, CleaningFact]) -> Source:
    tanks = {tank.id: tank for tank in world.subjects}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_HEADER)
    for code, fact in facts.items():
        tank = tanks[fact.subject_id]
        tankless = tank.id == tank.facility.id
        sample = (fact.passed_on, f"R{code}", "合格") if fact.passed_on else ("", "", "")
        place = (tank.facility.code, "" if tankless else tank.code)
        writer.writerow((code, *place, fact.cleaned_on, "simulated", *sample))
    return Source(f"old-{world.today}.csv", text.getvalue().encode())


async def _import(world: World, source: Source) -> ImportReport:
    world.acts += 1
    command = ImportFiles(world.utility.id, [source])
    return await import_files(world.runtime, world.actor, command)


async def _note_ids(world: World, facts: dict[str, CleaningFact]) -> None:
    async with world.runtime.read(world.actor) as work:
        rows = await work.session.exec(
            select(Cleaning.code, Cleaning.id).where(
                Cleaning.utility_id == world.utility.id, col(Cleaning.code).in_(facts)
            )
        )
        for code, id_ in rows:
            facts[code or ""].id = id_
    world.cleanings += facts.values()
