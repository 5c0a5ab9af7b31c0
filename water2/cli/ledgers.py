"""`ledger verify`, `ledger checkpoint`, `ledger fsck`."""

from collections.abc import Sequence

from water2.cli.command import Place, Status
from water2.domain.finding import Finding
from water2.services.ledger_fsck import LedgerCheck, check_signed_heads
from water2.services.ledger_heads import HEADS_FILE, HeadsFile
from water2.services.ledger_keys import load_signing_key
from water2.services.ledger_signing import checkpoint_ledgers


async def verify(at: Place) -> Status:
    """Compare all signed and recorded heads with the stored hashes."""
    heads = HeadsFile(at.settings.data_dir / HEADS_FILE).read()
    key = load_signing_key(at.settings.keys)
    async with at.opened() as runtime, runtime.read() as work:
        findings = await check_signed_heads(work, key=key, heads=heads)
    at.terminal.answer({"sound": not findings, "heads": len(heads), "findings": findings})
    at.terminal.say("cli.ledger.verified", heads=len(heads))
    return _tell(at, findings)


async def fsck(at: Place) -> Status:
    """Rebuild every ledger from the bytes of its entries."""
    heads = HeadsFile(at.settings.data_dir / HEADS_FILE).read()
    run = LedgerCheck(load_signing_key(at.settings.keys), heads)
    async with at.opened() as runtime, runtime.read() as work:
        findings = [finding async for finding in run.findings(work)]
    at.terminal.answer(
        {
            "sound": not findings,
            "ledgers": run.ledgers,
            "entries": run.entries,
            "checkpoints": run.checkpoints,
            "findings": findings,
        }
    )
    at.terminal.say(
        "cli.ledger.rebuilt",
        ledgers=run.ledgers,
        entries=run.entries,
        checkpoints=run.checkpoints,
    )
    return _tell(at, findings)


async def checkpoint(at: Place) -> Status:
    """Sign the heads that have changed."""
    async with at.opened() as runtime:
        run = await checkpoint_ledgers(runtime, at.settings)
    signed = [{"ledger_id": one.ledger_id, "size": one.size} for one in run.signed]
    at.terminal.answer({"signed": signed, "refused": run.refused})
    at.terminal.say("cli.ledger.checkpointed", ledgers=len(run.signed))
    for refused in run.refused:
        at.terminal.say(
            f"cli.ledger.{refused.code}",
            ledger=refused.ledger_id,
            size=refused.size,
            signed=refused.signed_size,
        )
    return Status.done_but if run.refused else Status.done


def _tell(at: Place, findings: Sequence[Finding]) -> Status:
    if not findings:
        at.terminal.say("cli.ledger.sound")
        return Status.done
    at.terminal.say("cli.ledger.broken", problems=len(findings))
    for finding in findings:
        what = at.terminal.words.text(f"cli.finding.{finding.code.value}")
        entry = "" if finding.seq is None else f" #{finding.seq}"
        detail = ", ".join(f"{key}={value}" for key, value in finding.detail.items())
        at.terminal.line(f"  {finding.ledger_id}{entry}: {what} {detail}".rstrip())
    return Status.done_but
