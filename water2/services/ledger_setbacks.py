"""Setbacks of ledgers that somebody accepted: signed heads that are not continued, told for good.

The acceptance is an entry in the utility's ledger; the heads given up stand, besides, in the file
of signed heads outside the database and in every later checkpoint of the ledger.
"""

from base64 import b64decode
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlmodel import col, func, select

from water2.domain.entry import parse_entry
from water2.domain.ledger import SETBACK_ACCEPTED, LedgerEntry
from water2.services.ledger import of_type
from water2.services.ledger_heads import Head
from water2.work import Work

_IS_ACCEPTANCE = of_type(SETBACK_ACCEPTED)


GivenUp = tuple[str, Head]  # a ledger and a head signed once that it does not continue


@dataclass(frozen=True, slots=True)
class Setback:
    """A signed head given up, the head the ledger went on from, and by whose word, when and why.

    `by` is the account's id.
    """

    ledger_id: str
    given_up: Head
    resumed: Head
    by: str
    at: str
    reason: str


async def accepted_setbacks(work: Work) -> list[Setback]:
    """Return the setbacks accepted in the database, each ledger's in their order."""
    rows = await work.session.exec(
        select(LedgerEntry.body)
        .where(_IS_ACCEPTANCE)
        .order_by(col(LedgerEntry.ledger_id), col(LedgerEntry.seq))
    )
    return [_setback(cast("dict[str, Any]", parse_entry(body))) for body in rows]


async def count_setbacks(work: Work) -> int:
    """Return how many ledgers were ever set back, as far as the database knows."""
    subjects = select(func.count(func.distinct(LedgerEntry.subject))).where(_IS_ACCEPTANCE)
    return (await work.session.exec(subjects)).one()


def _setback(entry: Mapping[str, Any]) -> Setback:
    data = entry["data"]
    return Setback(
        ledger_id=data["ledger"],
        given_up=Head(data["signed_size"], b64decode(data["signed_root"])),
        resumed=Head(data["size"], b64decode(data["root"])),
        by=entry["actor"],
        at=entry["recorded"],
        reason=data["reason"],
    )


def standing_heads(signed: Mapping[str, Head], accepted: Iterable[Setback]) -> dict[str, Head]:
    """Return the heads that ledgers must continue: the last signed, or what was accepted instead.

    Each with all heads that were ever given up for it.
    """
    by_ledger: dict[str, list[Setback]] = defaultdict(list)
    for setback in accepted:
        by_ledger[setback.ledger_id].append(setback)
    standing = dict(signed)
    for ledger_id, setbacks in by_ledger.items():
        resumed = setbacks[-1].resumed
        head = signed.get(ledger_id, resumed)
        given_up = tuple(dict.fromkeys([*head.given_up, *(one.given_up for one in setbacks)]))
        standing[ledger_id] = replace(resumed if head in given_up else head, given_up=given_up)
    return standing


def unrecorded(standing: Mapping[str, Head], accepted: Iterable[Setback]) -> list[GivenUp]:
    """Return what only the file of heads tells of: the acceptance itself was lost later."""
    known = {(setback.ledger_id, setback.given_up) for setback in accepted}
    told = ((ledger_id, one) for ledger_id, head in standing.items() for one in head.given_up)
    return [one for one in told if one not in known]
