"""The manager a facility's row names, told as a person where the name is one person's alone."""

from collections import defaultdict

from sqlmodel import col, select

from water2.domain.facility import Facility
from water2.domain.staff import Staff
from water2.services.importing.taking import Taking
from water2.services.rows import chunks


async def settle_managers(taking: Taking) -> None:
    """Tie facilities without a person as manager to the one person of that name.

    Whichever of the two files comes last settles it. A name that two people bear settles nothing.
    """
    session = taking.work.session
    by_name: dict[str, list[str]] = defaultdict(list)
    people = await session.exec(
        select(Staff.name, Staff.id).where(
            Staff.utility_id == taking.utility.id, col(Staff.left_on).is_(None)
        )
    )
    for name, staff_id in people:
        by_name[name].append(staff_id)
    alone = {name: ids[0] for name, ids in by_name.items() if len(ids) == 1}
    shelf = taking.shelf(Facility, ("code",), "manager_name")
    for names in chunks(sorted(alone)):
        await shelf.load(names)
    for facility in shelf.all():
        if facility["manager_staff_id"] is None:
            put = shelf.change(facility, {"manager_staff_id": alone[facility["manager_name"]]})
            taking.tell(facility["ledger_id"], f"facility:{facility['id']}", put)
    await shelf.flush(taking.import_id)
