"""What a laboratory's row shows: its results, and signs of a made-up report."""

from collections.abc import Iterable, Sequence
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

PLATE_COUNT, INCUBATION = "plate_count", "incubation_hours"


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
    """Flag days out of order, a count too early, a sample taken before the tank was full again."""
    sampled, issued = sample["sampled_on"], sample["issued_on"]
    yield from signs.order_signs(sampled, issued)
    standard = taking.book.obligation("water.standard", sampled)
    if issued and PLATE_COUNT in raws and standard and INCUBATION in standard.values:
        yield from signs.plate_count_signs(sampled, issued, standard)
    refilled = cleaning["record"].get("refilled_to") if cleaning else None
    if refilled and sample["sampled_at"]:
        full_again = datetime.fromisoformat(refilled)
        yield from signs.sample_order_signs(full_again, sample["sampled_at"])


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
