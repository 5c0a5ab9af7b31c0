"""The codes of what a page of duties is about, where no row of the page's own joins tells it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from water2.domain.cleaning import Cleaning
from water2.domain.duty import SubjectType
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.work import Work


async def subject_codes(work: Work, utility: Utility, duties: Sequence[Any]) -> dict[str, str]:
    """Return the utility's code by its id, and by each cleaning's that of what was cleaned."""
    ids = {duty.subject_id for duty in duties if duty.subject_type is SubjectType.cleaning}
    codes = {utility.id: utility.code}
    if not ids:
        return codes
    rows = await work.session.execute(
        select(col(Cleaning.id), func.coalesce(col(Tank.code), col(Facility.code)).label("code"))
        .join(Facility, col(Facility.id) == Cleaning.facility_id)
        .outerjoin(Tank, col(Tank.id) == Cleaning.tank_id)
        .where(col(Cleaning.id).in_(sorted(ids)))
    )
    return codes | {row.id: row.code for row in rows}
