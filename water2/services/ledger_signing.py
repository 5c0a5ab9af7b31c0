"""Signing with the installation's key: all ledgers by the clock, or one on demand."""

from sqlmodel import select

from water2.config import Settings
from water2.domain.errors import Conflict
from water2.domain.ledger import Ledger, LedgerCheckpoint
from water2.domain.organisation import Utility
from water2.services.ledger_checkpoints import (
    CheckpointRun,
    latest_checkpoint,
    make_checkpoints,
    signed_size,
)
from water2.services.ledger_heads import HEADS_FILE, UNDER_WAY, HeadsFile
from water2.services.ledger_keys import load_signing_key, signer_of
from water2.work import Runtime


def verifier_key(settings: Settings, utility_id: str) -> str | None:
    """Return the public key a utility's heads are signed with, as a C2SP vkey.

    None where this node has no usable key, and can sign nothing either.
    """
    try:
        key = load_signing_key(settings.keys)
    except Conflict:
        return None
    return signer_of(key, utility_id).verifier.vkey


async def checkpoint_ledgers(runtime: Runtime, settings: Settings) -> CheckpointRun:
    """Sign the changed heads of all utilities with the installation's key.

    Raises:
        Conflict: `key_missing`, `key_unusable`, `checkpoint_under_way`, `heads_unreadable`.
    """
    key = load_signing_key(settings.keys)
    heads = HeadsFile(settings.data_dir / HEADS_FILE)
    async with runtime.read() as work:
        utilities = (await work.session.exec(select(Utility).order_by(Utility.id))).all()
    run = CheckpointRun()
    for utility in utilities:
        run += await make_checkpoints(runtime, utility, signer_of(key, utility.id), heads)
    return run


async def current_checkpoint(
    runtime: Runtime, settings: Settings, utility: Utility, ledger: Ledger
) -> LedgerCheckpoint:
    """Return the signed head of a ledger as it stands, signing it on demand.

    Where somebody else is signing just now, or the head may not be signed, it is the last one.

    Raises:
        Conflict: `not_signed_yet`, or the key is missing or unusable.
    """
    async with runtime.read() as work:
        signed = await signed_size(work, ledger.id)
    if signed < ledger.size:
        key = load_signing_key(settings.keys)
        heads = HeadsFile(settings.data_dir / HEADS_FILE)
        try:
            await make_checkpoints(
                runtime, utility, signer_of(key, utility.id), heads, only=ledger.id
            )
        except Conflict as conflict:
            if conflict.code != UNDER_WAY:
                raise
    async with runtime.read() as work:
        return await latest_checkpoint(work, ledger.id)
