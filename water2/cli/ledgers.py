"""`ledger verify`, `ledger fsck`, `ledger checkpoint`, `ledger accept-setback`."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from water2.cli.command import Place, Status
from water2.domain.finding import Finding
from water2.services.ledger_fsck import LedgerCheck
from water2.services.ledger_heads import HEADS_FILE, Head, HeadsFile
from water2.services.ledger_keys import load_signing_key
from water2.services.ledger_setbacks import GivenUp
from water2.services.ledger_signing import checkpoint_ledgers
from water2.services.setback_acceptance import accept_setback
from water2.work import Runtime


async def verify(at: Place) -> Status:
    """Compare all signed and recorded heads with the stored hashes."""
    run = _check(at)
    async with at.opened() as runtime, runtime.read() as work:
        findings = await run.quick_findings(work)
    at.terminal.answer({**_found(run, findings), "heads": len(run.heads)})
    at.terminal.say("cli.ledger.verified", heads=len(run.heads))
    return _tell(at, run, findings, "cli.ledger.heads_sound")


async def fsck(at: Place) -> Status:
    """Rebuild every ledger from the bytes of its entries."""
    run = _check(at)
    async with at.opened() as runtime, runtime.read() as work:
        findings = [finding async for finding in run.findings(work)]
    counted = {name: getattr(run, name) for name in ("ledgers", "entries", "checkpoints")}
    at.terminal.answer({**_found(run, findings), **counted})
    at.terminal.say("cli.ledger.rebuilt", **counted)
    return _tell(at, run, findings, "cli.ledger.sound")


def _check(at: Place) -> LedgerCheck:
    heads = HeadsFile(at.settings.data_dir / HEADS_FILE).read()
    return LedgerCheck(load_signing_key(at.settings.keys), heads)


def _found(run: LedgerCheck, findings: Sequence[Finding]) -> dict[str, object]:
    """Return the answer for machines; setbacks are told for good, and judged by people."""
    recorded = [
        {**_given_up((one.ledger_id, one.given_up)), "size": one.resumed.size}
        | {"by": one.by, "at": one.at, "reason": one.reason}
        for one in run.setbacks
    ]
    lost = [_given_up(one) for one in run.unrecorded]
    return {"sound": not findings, "findings": findings, "setbacks": [*recorded, *lost]}


def _given_up(one: GivenUp) -> dict[str, object]:
    ledger_id, head = one
    return {"ledger_id": ledger_id, "signed_size": head.size, "signed_root": _root(head)}


def _root(head: Head) -> str:
    return b64encode(head.root).decode("ascii")


async def accept(
    at: Place,
    by: Annotated[str, typer.Option(help="accepted_by")],
    reason: Annotated[str, typer.Option(help="accepted_because")],
) -> Status:
    """Accept that ledgers were set back, for good and for all to see; then sign them again."""
    async with at.opened() as runtime:
        accepted = await accept_setback(runtime, at.settings, by=by, reason=reason)
        at.terminal.say("cli.ledger.accepted", heads=len(accepted))
        for ledger_id, head in accepted:
            at.terminal.say("cli.ledger.gave_up", ledger=ledger_id, signed=head.size)
        return await _sign(at, runtime, {"accepted": [_given_up(one) for one in accepted]})


async def checkpoint(at: Place) -> Status:
    """Sign the heads that have changed."""
    async with at.opened() as runtime:
        return await _sign(at, runtime, {})


async def _sign(at: Place, runtime: Runtime, told: Mapping[str, object]) -> Status:
    run = await checkpoint_ledgers(runtime, at.settings)
    signed = [{"ledger_id": one.ledger_id, "size": one.size} for one in run.signed]
    at.terminal.answer({**told, "signed": signed, "refused": run.refused})
    at.terminal.say("cli.ledger.checkpointed", ledgers=len(run.signed))
    for refused in run.refused:
        at.terminal.say(
            f"cli.ledger.{refused.code}",
            ledger=refused.ledger_id,
            size=refused.size,
            signed=refused.signed_size,
        )
    return Status.done_but if run.refused else Status.done


def _tell(at: Place, run: LedgerCheck, findings: Sequence[Finding], sound: str) -> Status:
    for one in run.setbacks:
        facts = {"signed": one.given_up.size, "root": _root(one.given_up), "size": one.resumed.size}
        told = {"ledger": one.ledger_id, "at": one.at, "reason": one.reason}
        at.terminal.say("cli.ledger.setback", **facts, **told)
    for ledger_id, head in run.unrecorded:
        facts = {"ledger": ledger_id, "signed": head.size, "root": _root(head)}
        at.terminal.say("cli.ledger.setback_unrecorded", **facts)
    if not findings:
        at.terminal.say(sound)
        return Status.done
    at.terminal.say("cli.ledger.broken", problems=len(findings))
    for finding in findings:
        what = at.terminal.words.text(f"cli.finding.{finding.code.value}")
        entry = "" if finding.seq is None else f" #{finding.seq}"
        detail = ", ".join(f"{key}={value}" for key, value in finding.detail.items())
        at.terminal.line(f"  {finding.ledger_id}{entry}: {what} {detail}".rstrip())
    return Status.done_but
