"""Correcting an entry: a new one that names it, with old value, new value and reason."""

from pydantic import Field, JsonValue

from water2.domain.access import Action
from water2.domain.command import Command
from water2.domain.correction import (
    FoldedEntry,
    NoSuchField,
    corrected_subject,
    fold,
    is_correction,
    value_at,
)
from water2.domain.errors import Conflict, Invalid
from water2.domain.ledger import CORRECTED, LedgerKind, PendingEntry
from water2.services.ledger import EntryView, fetch_entry, fetch_ledger
from water2.work import Work


class CorrectEntry(Command):
    """`field` is a path into the entry's data (`record.residual`); `old` is what it says now."""

    seq: int = Field(ge=0)
    field: str = Field(min_length=1, max_length=200)
    old: JsonValue
    new: JsonValue
    reason: str = Field(min_length=1, max_length=2000)


async def correct_entry(work: Work, ledger_id: str, command: CorrectEntry) -> EntryView:
    """Record a correction of an entry; return the entry that is corrected, as it was until now.

    Raises:
        NotFound: no such entry.
        Conflict: `correct_the_original` (it is a correction itself), `old_value_differs`, or
            `rollup_not_corrected`: its entries are other ledgers' heads.
        Invalid: the field is not in the entry, or nothing would change.
    """
    work.require(Action.correct)
    if (await fetch_ledger(work, ledger_id)).kind is LedgerKind.rollup:
        raise Conflict("rollup_not_corrected", {"ledger": ledger_id})
    view = await fetch_entry(work, ledger_id, command.seq)
    _refuse_unfounded(view, command)
    work.record(
        PendingEntry(
            ledger_id=ledger_id,
            type=CORRECTED,
            subject=corrected_subject(command.seq),
            occurred_at=work.now,
            data={
                "seq": command.seq,
                "leaf": view.leaf,
                "field": command.field,
                "old": command.old,
                "new": command.new,
                "reason": command.reason,
            },
            ref=f"{ledger_id}/{command.seq}",
        )
    )
    return view


def _refuse_unfounded(view: EntryView, command: CorrectEntry) -> None:
    if is_correction(view.entry):
        raise Conflict("correct_the_original", {"subject": view.entry["subject"]})
    try:
        current = value_at(folded(view).data, command.field)
    except NoSuchField:
        raise Invalid.one("field", "no_such_field", command.field) from None
    if not _same(current, command.old):
        raise Conflict("old_value_differs", {"field": command.field, "current": current})
    if _same(command.new, command.old):
        raise Invalid.one("new", "nothing_changes")


def folded(view: EntryView) -> FoldedEntry:
    """Return an entry's data as corrected, beside the corrections."""
    return fold(view.entry["data"], view.corrections)


def _same(one: object, other: object) -> bool:
    """Compare JSON values; true is not 1."""
    return type(one) is type(other) and one == other
