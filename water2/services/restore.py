"""Putting a backup in the place of the database, and saying how far the ledgers were set back."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from water2.config import Settings
from water2.database import open_database
from water2.domain.errors import Conflict
from water2.domain.finding import Finding, FindingCode
from water2.schema import known_revisions, needed_revision
from water2.services import backup_postgresql, backup_sqlite
from water2.services.backup import backup_folder, revision_in_place, stamp
from water2.services.backup_manifest import Manifest, read_manifest, verify_copy
from water2.services.keys import read_contact_box
from water2.services.ledger_fsck import LedgerCheck, is_setback
from water2.services.ledger_heads import HEADS_FILE, HeadsFile
from water2.services.ledger_keys import load_signing_key
from water2.services.presence import alone
from water2.services.upgrading import upgrade_schema
from water2.work import Runtime


@dataclass(frozen=True)
class SetBack:
    """A ledger that holds less than was signed: up to `signed` once, `size` now."""

    ledger_id: str
    signed: int
    size: int

    @property
    def entries(self) -> int:
        """Return how many entries are gone."""
        return self.signed - self.size


@dataclass(frozen=True)
class Restored:
    """What a restore did. `sound`: the ledgers' structure is; `set_back` against signed heads."""

    name: str
    made_at: str
    kept_aside: str
    ledgers: int
    sound: bool
    set_back: Sequence[SetBack]


async def restore_backup(
    settings: Settings, name: str, *, real_now: datetime, force: bool = False
) -> Restored:
    """Put a backup in place, check all ledgers, and compare them with the last signed heads.

    Raises:
        NotFound, Conflict: as `put_backup_in_place`.
    """
    manifest = read_manifest(backup_folder(settings, name))
    kept = await put_backup_in_place(settings, name, real_now=real_now, force=force)
    heads = HeadsFile(settings.data_dir / HEADS_FILE).read()
    run = LedgerCheck(load_signing_key(settings.keys), heads)
    database = open_database(settings.url, pool_size=1, pooler=settings.database_pooler)
    runtime = Runtime(database, lambda: real_now, read_contact_box(settings.keys))
    try:
        async with runtime.read() as work:
            findings = [finding async for finding in run.findings(work)]
    finally:
        await database.dispose()
    set_back = [_set_back(finding) for finding in findings if _is_set_back(finding)]
    return Restored(
        name=name,
        made_at=manifest.made_at,
        kept_aside=kept,
        ledgers=run.ledgers,
        sound=len(set_back) == len(findings),
        set_back=set_back,
    )


def _is_set_back(finding: Finding) -> bool:
    """Tell whether the heads outside the database know more than it does; a restore brings that."""
    return is_setback(finding) and finding.code is not FindingCode.history_rewritten


def _set_back(finding: Finding) -> SetBack:
    signed, size = (int(str(finding.detail[key])) for key in ("signed_size", "size"))
    return SetBack(finding.ledger_id, signed, size)


async def put_backup_in_place(
    settings: Settings, name: str, *, real_now: datetime, force: bool = False
) -> str:
    """Replace the database by a backup; return where the old one is kept. Upgrades what is older.

    Raises:
        NotFound: no such backup.
        Conflict: `backup_damaged`, `other_engine`, `schema_newer`, `still_running`; nothing was
            changed then. `force` passes over a newer schema in place, and ends the connections of
            programs still at work on PostgreSQL; an embedded database in use is never replaced.
    """
    folder = backup_folder(settings, name)
    manifest = read_manifest(folder)
    copy = verify_copy(folder, manifest)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    ends_others = force and settings.database_url is not None
    with nullcontext() if ends_others else alone(settings.data_dir):
        await _check_fit(settings, name, manifest, force=force)
        aside = f"before_restore_{stamp(real_now).lower()}"
        if settings.database_url is None:
            kept = settings.backups / aside
            backup_sqlite.put_in_place(copy, settings.sqlite_path, kept)
            where = str(kept)
        else:
            await _put_on_postgresql(settings, copy, aside, force=force)
            where = f"schema {aside}"
        await upgrade_schema(settings, now=real_now)
    return where


async def _put_on_postgresql(settings: Settings, copy: Path, aside: str, *, force: bool) -> None:
    database = open_database(settings.database_admin_url or settings.url, pool_size=1)
    try:
        await backup_postgresql.put_in_place(
            database, copy, aside, bin_dir=settings.pg_bin_dir, force=force
        )
    finally:
        await database.dispose()


async def _check_fit(settings: Settings, name: str, manifest: Manifest, *, force: bool) -> None:
    ours = "postgresql" if settings.database_url else "sqlite"
    if manifest.dialect != ours:
        facts = {"name": name, "theirs": manifest.dialect, "ours": ours}
        raise Conflict("other_engine", facts)
    known = known_revisions()
    in_place = None if force else await revision_in_place(settings)
    for found in (manifest.schema, in_place):
        if found is not None and found not in known:
            raise Conflict("schema_newer", {"found": found, "known": needed_revision()})
