"""Accepting that ledgers were set back: by somebody, with a reason, in the utility's ledger."""

from base64 import b64encode
from collections.abc import Iterable, Sequence

from sqlmodel import col, select

from water2.config import Settings
from water2.domain.access import Action, Actor, Role, User
from water2.domain.errors import Conflict, Invalid, NotFound
from water2.domain.ledger import SETBACK_ACCEPTED, Ledger, PendingEntry
from water2.domain.merkle import EMPTY_ROOT
from water2.domain.organisation import Utility
from water2.services.ledger import root_of
from water2.services.ledger_fsck import LedgerCheck, is_setback
from water2.services.ledger_heads import HEADS_FILE, Head, HeadsFile
from water2.services.ledger_keys import load_signing_key
from water2.services.ledger_setbacks import GivenUp
from water2.services.rows import among
from water2.work import Runtime, Work


async def accept_setback(
    runtime: Runtime, settings: Settings, *, by: str, reason: str
) -> Sequence[GivenUp]:
    """Give up the signed heads that the ledgers of a utility do not continue; signing goes on then.

    `by` is the user name of an administrator of the utility; the reason goes into the ledger. All
    ledgers are rebuilt first: what is accepted is that entries were lost with an older copy of the
    database, never that a ledger contradicts itself.

    Raises:
        Invalid: no reason is given.
        NotFound: nobody of that name administers a utility.
        Conflict: `nothing_set_back`; `ledgers_unsound`: there is other damage.
    """
    if not reason.strip():
        raise Invalid.one("reason", "missing")
    run = LedgerCheck(
        load_signing_key(settings.keys), HeadsFile(settings.data_dir / HEADS_FILE).read()
    )
    async with runtime.read() as work:
        actor, utility = await _administrator(work, by)
    async with runtime.read() as work:
        findings = [finding async for finding in run.findings(work)]
    other = [finding for finding in findings if not is_setback(finding)]
    if other:
        raise Conflict("ledgers_unsound", {"problems": len(other)})
    broken = [(one.ledger_id, run.standing[one.ledger_id]) for one in findings]
    async with runtime.work(actor) as work:
        accepted = await _record(work, utility, [*run.unrecorded, *broken], reason.strip())
    if not accepted:
        raise Conflict("nothing_set_back")
    return accepted


async def _administrator(work: Work, username: str) -> tuple[Actor, Utility]:
    found = await work.session.exec(
        select(User, Utility)
        .join(Utility, col(Utility.organisation_id) == User.organisation_id)
        .where(User.username == username.lower(), User.role == Role.administrator, User.active)
    )
    row = found.first()
    if row is None:
        raise NotFound("administrator", username)
    user, utility = row
    actor = Actor(user.id, user.role, user.organisation_id, (utility.id,), username=user.username)
    return actor, utility


async def _record(
    work: Work, utility: Utility, given_up: Iterable[GivenUp], reason: str
) -> list[GivenUp]:
    """Enter each head given up, beside the head its ledger goes on from.

    A ledger that is there no more goes on from nothing; whose it was, nobody can tell.
    """
    work.require(Action.administer)
    given_up = list(given_up)
    rows = await work.session.exec(
        select(Ledger).where(among(work, Ledger.id, {ledger_id for ledger_id, _ in given_up}))
    )
    ledgers = {ledger.id: ledger for ledger in rows}
    accepted = []
    for ledger_id, head in given_up:
        ledger = ledgers.get(ledger_id)
        if ledger is not None and ledger.utility_id != utility.id:
            continue
        resumed = Head(ledger.size, root_of(ledger)) if ledger else Head(0, EMPTY_ROOT)
        work.record(_entry(work, utility, (ledger_id, head), resumed, reason))
        accepted.append((ledger_id, head))
    return accepted


def _entry(
    work: Work, utility: Utility, given_up: GivenUp, resumed: Head, reason: str
) -> PendingEntry:
    ledger_id, signed = given_up
    return PendingEntry(
        ledger_id=utility.ledger_id,
        type=SETBACK_ACCEPTED,
        subject=f"ledger:{ledger_id}",
        occurred_at=work.now,
        data={
            "ledger": ledger_id,
            "signed_size": signed.size,
            "signed_root": b64encode(signed.root).decode("ascii"),
            "size": resumed.size,
            "root": b64encode(resumed.root).decode("ascii"),
            "reason": reason,
        },
    )
