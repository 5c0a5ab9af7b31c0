"""What a laboratory's row shows: its results, and signs of a made-up report."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from water2.domain.water import SampleVerdict
from water2.rules import signs
from water2.rules.accreditation import Accreditation, Standing, Stated, judge_accreditation
from water2.rules.flags import FlagCode
from water2.services.importing.fields import RESULT
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns
from water2.services.importing.taking import Taking


def accreditation_of(row: Row, registered: Sequence[Accreditation]) -> Standing:
    """Judge a laboratory's accreditation on the day, by the register first.

    Nothing is said where neither register nor file tells of any.
    """
    values = row.values
    if "accreditation_number" not in values and not registered:
        return Standing()
    stated = Stated(values.get("accreditation_number"), values.get("accreditation_valid_to"))
    return judge_accreditation(values["sampled_at"][0], stated, registered)


def signs_of(
    sample: Columns, raws: dict[str, str], cleaning: Columns | None, taking: Taking
) -> Iterable[FlagCode]:
    """Flag days out of order, counts reported too early, a sample before the tank was full."""
    sampled, issued = sample["sampled_on"], sample["issued_on"]
    yield from signs.order_signs(sampled, issued)
    if issued:
        yield from signs.incubation_signs(taking.book, raws, sampled, issued)
    refilled = cleaning["record"].get("refilled_to") if cleaning else None
    if refilled and sample["sampled_at"]:
        full_again = datetime.fromisoformat(refilled)
        yield from signs.sample_order_signs(full_again, sample["sampled_at"])


def signs_of_items(
    sample: Columns,
    raws: Mapping[str, str],
    stored: Mapping[Hashable, Columns],
    outside: Collection[str],
    taking: Taking,
) -> dict[str, list[FlagCode]]:
    """Flag items measured without accreditation, and counts entered before they can have grown.

    An item the file brings again as it stands was entered when it first came.
    """
    sampled = sample["sampled_at"] or sample["sampled_on"]
    if isinstance(sampled, datetime):
        sampled = sampled.astimezone(taking.zone)
    now = taking.work.now.astimezone(taking.zone)
    found: dict[str, list[FlagCode]] = {}
    for key, raw in raws.items():
        flags = [FlagCode.item_not_accredited] if key in outside else []
        held = stored.get(key)
        if held is not None and held["raw"] == raw:
            flags += [flag for flag in held["flags"] if flag in signs.TOO_EARLY]
        else:
            flags += signs.incubation_signs(taking.book, [key], sampled, now)
        found[key] = flags
    return found


def results_of(row: Row) -> dict[str, str]:
    """Return the results a row has, by parameter."""
    return {
        name.removeprefix(RESULT): raw
        for name, raw in row.values.items()
        if name.startswith(RESULT) and raw is not None
    }


def said_of(cleaning: Columns | None) -> SampleVerdict | None:
    """Return what a cleaning's own record says of its sample."""
    said: Any = cleaning["record"].get("conclusion") if cleaning else None
    return SampleVerdict(said) if said else None
