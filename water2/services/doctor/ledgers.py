"""Whether the ledgers continue what was signed, and whether they ever did not."""

from water2.config import Settings
from water2.domain.errors import Conflict
from water2.services.doctor.finding import Finding, note, well, wrong
from water2.services.ledger_fsck import LedgerCheck, sizes_of_ledgers
from water2.services.ledger_heads import HEADS_FILE, HeadsFile
from water2.services.ledger_milestones import MilestoneCheck
from water2.work import Work


async def look_at_setbacks(work: Work, settings: Settings) -> Finding:
    """Compare the last signed heads alone; all else of the ledgers is `water2 ledger fsck`'s."""
    try:
        run = LedgerCheck(heads=HeadsFile(settings.data_dir / HEADS_FILE).read())
    except Conflict as refused:
        return wrong("setbacks", refused.code, **refused.facts)
    broken = await run.head_findings(work, MilestoneCheck(await sizes_of_ledgers(work)))
    lost = {one.ledger_id for one in broken} | {ledger_id for ledger_id, _ in run.unrecorded}
    if lost:
        return wrong("setbacks", "not_accepted", ledgers=len(lost))
    accepted = {one.ledger_id for one in run.setbacks}
    if accepted:
        return note("setbacks", "accepted", ledgers=len(accepted))
    return well("setbacks")
