"""Correcting a result that was entered wrongly: both values stay in the ledger, with the reason."""

import json

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command, Text
from water2.domain.errors import Conflict, Invalid
from water2.domain.ledger import LedgerEntry
from water2.domain.water import Sample
from water2.services.lab_reporters import refuse_of_laboratory
from water2.services.ledger_corrections import CorrectEntry, correct_entry
from water2.services.sample_entries import record_judged_anew
from water2.services.sample_places import Place, hold_sample, results_of
from water2.services.sample_results import GivenResult, refuse_unusable
from water2.services.samples import judge_anew
from water2.work import Work

_TELLING = ("sample.recorded", "sample.results_added", "sample.results_replaced", "sample.updated")


class CorrectResult(Command):
    """What an item should have said, as the laboratory wrote it."""

    parameter: str = Field(examples=["turbidity"])
    raw: str = Field(min_length=1, max_length=100, examples=["0.30"])
    reason: Text


async def correct_result(work: Work, id_: str, command: CorrectResult) -> Sample:
    """Correct an item of a sample: the entry that told of it is corrected, the sample judged anew.

    Raises:
        Invalid: the sample has no such item, or the value cannot be read or cannot be true.
        Conflict: `lab_report_of_laboratory`: the laboratory entered the report itself, and replaces
            it by a new version; `ledger_damaged`: no entry tells of the item.
    """
    work.require(Action.correct)
    place, sample = await hold_sample(work, id_)
    results = await results_of(work, sample)
    held = {result.parameter: result for result in results}
    if command.parameter not in held:
        raise Invalid.one("parameter", "unknown_parameter", command.parameter)
    await refuse_of_laboratory(work, held[command.parameter].lab_report_id)
    result = held[command.parameter]
    beside = {name: getattr(result, name) for name in ("method", "printed_limit")}
    given = GivenResult(parameter=command.parameter, raw=command.raw, **beside)
    refuse_unusable(place.book, [given], set())
    seq, at = await _told_in(work, place, sample, command.parameter)
    correction = CorrectEntry(
        seq=seq,
        field=f"results.{at}.raw",
        old=result.raw,
        new=command.raw,
        reason=command.reason,
    )
    await correct_entry(work, place.facility.ledger_id, correction)
    await work.session.delete(result)
    await work.session.flush()  # its place is taken by what it should have said
    kept = [each for each in results if each is not result]
    raw = {each.parameter: each.raw for each in kept} | {command.parameter: command.raw}
    await judge_anew(work, place, sample, raw, kept, [given])
    record_judged_anew(work, place, sample, {"corrected": seq})
    return sample


async def _told_in(work: Work, place: Place, sample: Sample, parameter: str) -> tuple[int, int]:
    """Return the entry that told of an item, and the item's place in it."""
    rows = await work.session.exec(
        select(LedgerEntry.seq, LedgerEntry.body)
        .where(
            LedgerEntry.ledger_id == place.facility.ledger_id,
            col(LedgerEntry.type).in_(_TELLING),
        )
        .order_by(col(LedgerEntry.seq).desc())
    )
    for seq, body in rows:
        data = json.loads(body)["data"]
        if data["sample"] == sample.id:
            for at, told in enumerate(data["results"]):
                if told["parameter"] == parameter:
                    return seq, at
    raise Conflict("ledger_damaged", {"ledger": place.facility.ledger_id})
