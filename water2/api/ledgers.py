"""Ledgers: entries with their exact bytes, signed heads, proofs, corrections."""

from base64 import b64encode
from typing import Annotated, Any, Self

from fastapi import APIRouter, Request, Response
from fastapi import Query as Given
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from water2.api.acts import ActRoute, Writing
from water2.api.callers import PresentCaller, Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, Query, page_answer
from water2.api.state import state_of
from water2.domain.ledger import Ledger, LedgerKind
from water2.domain.organisation import Utility
from water2.edge.facts import json_fact
from water2.services.ledger import EntryView, fetch_ledger, list_entries, list_ledgers
from water2.services.ledger import root_of as root_of_ledger
from water2.services.ledger_corrections import CorrectEntry, correct_entry, folded
from water2.services.ledger_proofs import give_receipt, prove_consistency, prove_inclusion
from water2.services.ledger_signing import current_checkpoint, verifier_key
from water2.services.paging import Page
from water2.services.rows import fetch

router = APIRouter(prefix="/ledgers", tags=["ledger"], route_class=ActRoute)
Seq = Annotated[int, Field(ge=0, le=2**53)]
VerifierKey = Annotated[
    str | None,
    Field(description="C2SP vkey: checkpoints verify with it; null where no key is in place"),
]


class LedgerAnswer(Answer):
    """A ledger: its size and root as it stands. `subject_id` is the facility or the utility."""

    id: str
    utility_id: str
    kind: LedgerKind
    subject_id: str
    size: int
    root: str
    verifier_key: VerifierKey

    @classmethod
    def of(cls, ledger: Ledger, verifier_key: str | None) -> Self:
        """Show a ledger with its root in base64."""
        root = b64encode(root_of_ledger(ledger)).decode()
        columns = ledger.model_dump(exclude={"frontier"})
        return cls.model_validate({**columns, "root": root, "verifier_key": verifier_key})


class EntryAnswer(BaseModel):
    """An entry: parsed, as hashed (base64), with its corrections and the data as corrected."""

    ledger_id: str
    seq: int
    leaf: str
    body: str
    entry: dict[str, Any]
    corrections: list[dict[str, Any]]
    corrected_data: dict[str, Any] | None

    @classmethod
    def of(cls, view: EntryView) -> Self:
        """Show an entry; the printout holds both what it said and what it is corrected to."""
        corrections = [json_fact(one) for one in view.corrections]
        corrected = json_fact(folded(view).data) if corrections else None
        return cls.model_validate(
            {
                **{name: getattr(view, name) for name in ("ledger_id", "seq", "leaf", "body")},
                "entry": view.entry,
                "corrections": corrections,
                "corrected_data": corrected,
            }
        )


class CheckpointAnswer(Answer):
    """The last signed head: a C2SP signed note."""

    ledger_id: str
    size: int
    root: str
    note: str
    signed_at: Instant
    verifier_key: VerifierKey


class InclusionAnswer(BaseModel):
    """That an entry is in the tree of some size; hashes in base64, from the leaf up."""

    ledger_id: str
    seq: int
    size: int
    leaf: str
    hashes: list[str]
    root: str


class ConsistencyAnswer(BaseModel):
    """That one tree begins with another; hashes in base64."""

    ledger_id: str
    first: int
    second: int
    hashes: list[str]
    first_root: str
    second_root: str


class ReceiptAnswer(BaseModel):
    """A C2SP tlog-proof."""

    receipt: str


class EntryQuery(Query):
    """A page of entries: those after a number; `cursor` is the `next` of the page before."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    after: Annotated[int, Field(ge=-1, le=2**53)] = -1
    cursor: Annotated[int, Field(ge=-1, le=2**53)] | None = None


class InclusionQuery(Query):
    """Which entry, in the tree of which size (as it stands unless said otherwise)."""

    seq: Seq
    size: Seq | None = None


class ConsistencyQuery(Query):
    """From which size to which (as it stands unless said otherwise)."""

    from_: Annotated[Seq, Field(alias="from")]
    to: Seq | None = None


class ReceiptQuery(Query):
    """Which entry."""

    seq: Seq


def _text(value: bytes) -> str:
    return b64encode(value).decode()


@router.get("", response_model=ListAnswer[LedgerAnswer])
async def show_ledgers(
    request: Request, work: Reading, query: Annotated[ListQuery, Given()]
) -> Response:
    """List ledgers: one for each facility, the utility's own, and its roll-up."""
    page, settings = await list_ledgers(work, query.page), state_of(request).settings
    keys = {id_: verifier_key(settings, id_) for id_ in {one.utility_id for one in page.items}}
    shown = [LedgerAnswer.of(one, keys[one.utility_id]) for one in page.items]
    return page_answer(LedgerAnswer, Page(shown, page.next))


@router.get("/{id}", response_model=LedgerAnswer)
async def show_ledger(request: Request, work: Reading, id_: Id) -> LedgerAnswer:
    """Show a ledger as it stands."""
    ledger = await fetch_ledger(work, id_)
    return LedgerAnswer.of(ledger, verifier_key(state_of(request).settings, ledger.utility_id))


@router.get("/{id}/entries", response_model=ListAnswer[EntryAnswer])
async def show_entries(work: Reading, id_: Id, query: Annotated[EntryQuery, Given()]) -> Response:
    """List entries in their order."""
    after = query.after if query.cursor is None else query.cursor
    views = await list_entries(work, id_, after=after, limit=query.limit + 1)
    shown = views[: query.limit]
    following = str(shown[-1].seq) if len(views) > len(shown) else None
    items = [EntryAnswer.of(view).model_dump(mode="json") for view in shown]
    return JSONResponse({"items": items, "next": following})


@router.get("/{id}/checkpoint", response_model=CheckpointAnswer)
async def show_checkpoint(request: Request, caller: PresentCaller, id_: Id) -> CheckpointAnswer:
    """Show the signed head of the ledger as it stands, signed on demand."""
    state = state_of(request)
    # closed before signing, which needs connections of its own: a few such requests at once would
    # otherwise hold them all and wait for each other
    async with state.runtime.read(caller.actor) as work:
        ledger = await fetch_ledger(work, id_)
        utility = await fetch(work, Utility, ledger.utility_id)
    found = await current_checkpoint(state.runtime, state.settings, utility, ledger)
    return CheckpointAnswer(
        ledger_id=found.ledger_id,
        size=found.size,
        root=_text(found.root),
        note=found.note,
        signed_at=found.signed_at,
        verifier_key=verifier_key(state.settings, utility.id),
    )


@router.get("/{id}/proofs/inclusion", response_model=InclusionAnswer)
async def show_inclusion(
    work: Reading, id_: Id, query: Annotated[InclusionQuery, Given()]
) -> InclusionAnswer:
    """Prove that an entry is in the tree (RFC 6962)."""
    proof = await prove_inclusion(work, id_, query.seq, query.size)
    return InclusionAnswer(
        ledger_id=proof.ledger_id,
        seq=proof.seq,
        size=proof.size,
        leaf=_text(proof.leaf),
        hashes=[_text(one) for one in proof.hashes],
        root=_text(proof.root),
    )


@router.get("/{id}/proofs/consistency", response_model=ConsistencyAnswer)
async def show_consistency(
    work: Reading, id_: Id, query: Annotated[ConsistencyQuery, Given()]
) -> ConsistencyAnswer:
    """Prove that the tree only grew (RFC 6962)."""
    proof = await prove_consistency(work, id_, query.from_, query.to)
    return ConsistencyAnswer(
        ledger_id=proof.ledger_id,
        first=proof.first,
        second=proof.second,
        hashes=[_text(one) for one in proof.hashes],
        first_root=_text(proof.first_root),
        second_root=_text(proof.second_root),
    )


@router.get("/{id}/receipt", response_model=ReceiptAnswer)
async def show_receipt(
    work: Reading, id_: Id, query: Annotated[ReceiptQuery, Given()]
) -> ReceiptAnswer:
    """Give an entry's receipt; 409 while no signed head holds it."""
    return ReceiptAnswer(receipt=await give_receipt(work, id_, query.seq))


@router.post("/{id}/corrections", status_code=201, response_model=EntryAnswer)
async def add_correction(act: Writing, id_: Id, command: CorrectEntry) -> Response:
    """Correct an entry by a new one; answers the entry that is corrected, as it was until now."""
    return act.answer(EntryAnswer.of(await correct_entry(act.work, id_, command)), 201)
