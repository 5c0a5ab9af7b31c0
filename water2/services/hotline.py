"""The utility's 24-hour telephone: it stands in every notice and on the public pages."""

from typing import Annotated

from pydantic import StringConstraints

from water2.domain.access import Action
from water2.domain.command import Command
from water2.domain.errors import Invalid
from water2.domain.folding import CellError, fold, read_phone
from water2.domain.organisation import Utility
from water2.services.register import chosen_utility, record_act
from water2.services.rows import fetch
from water2.work import Work


class SetHotline(Command):
    """The telephone as residents read it; null takes it away."""

    phone: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None
    utility_id: str | None = None


async def set_hotline(work: Work, command: SetHotline) -> Utility:
    """Set the telephone, kept as it was typed; the same once more is nothing.

    Raises:
        Invalid: it is no telephone number.
    """
    work.require(Action.keep_register)
    chosen = await chosen_utility(work, command.utility_id)
    utility = await fetch(work, Utility, chosen.id, lock=True)
    phone = _readable(command.phone) if command.phone else None
    if phone == utility.hotline:
        return utility
    utility.hotline = phone
    given = {"given": phone is not None}  # no telephone stands in an entry, this one neither
    record_act(work, utility.ledger_id, "utility.hotline_set", f"utility:{utility.id}", given)
    return utility


def _readable(typed: str) -> str:
    try:
        folded = fold(typed)
        read_phone(folded)
    except CellError as error:
        raise Invalid.one("phone", error.code, **error.facts) from None
    return folded
