"""The stamp of a utility's instruments, drawn anew by every act on them or on what judges them.

A stamp is random, so that one of an act that was rolled back is never met again.
"""

from collections.abc import Collection

from sqlalchemy import bindparam, update
from sqlalchemy import select as select_columns
from sqlmodel import col

from water2.domain.ids import new_id
from water2.domain.instrument import InstrumentRegister
from water2.services.rows import insert_or_pass
from water2.work import Work

_STAMPS = select_columns(col(InstrumentRegister.utility_id), col(InstrumentRegister.stamp)).where(
    col(InstrumentRegister.utility_id).in_(bindparam("ids", expanding=True))
)


async def stamp_register(work: Work, utility_id: str) -> None:
    """Draw a new stamp: an instrument, its facility's disinfectant or a value of policy changed."""
    await work.session.flush()  # nobody meets the stamp before what it stands for
    drawn = {"utility_id": utility_id, "stamp": new_id()}
    await work.session.execute(insert_or_pass(work, InstrumentRegister), drawn)
    await work.session.execute(
        update(InstrumentRegister)
        .where(col(InstrumentRegister.utility_id) == utility_id)
        .values(stamp=drawn["stamp"])
    )


async def stamps_of(work: Work, utility_ids: Collection[str]) -> dict[str, str]:
    """Return the stamps of utilities; those that never had an instrument may have none."""
    rows = await work.session.execute(_STAMPS, {"ids": sorted(utility_ids)})
    return dict(rows.all())
