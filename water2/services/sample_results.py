"""The items of a sample: taken as the laboratory wrote them, and the signs of a made-up report."""

from collections.abc import Mapping, Sequence

from pydantic import Field

from water2.domain.command import Command
from water2.domain.errors import Conflict, FieldProblem, Invalid
from water2.domain.water import Sample, SampleResult
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.limits import ItemVerdict, plausible, read_result
from water2.rules.signs import order_signs, plate_count_signs

PLATE_COUNT = "plate_count"
STANDARD = "water.standard"


class GivenResult(Command):
    """One item: the parameter's key and the raw text as the laboratory wrote it."""

    parameter: str = Field(examples=["turbidity"])
    raw: str = Field(min_length=1, max_length=100, examples=["0.35", "<0.05", "未检出"])


def refuse_unusable(book: Rulebook, given: Sequence[GivenResult], earlier: set[str]) -> None:
    """Refuse results that cannot be taken; `earlier` are the parameters already given.

    Raises:
        Invalid: unknown parameters, repeated ones, values that cannot be read or cannot be true.
        Conflict: an item was given before.
    """
    problems: list[FieldProblem] = []
    seen = set(earlier)
    for number, result in enumerate(given):
        parameter = book.parameters.get(result.parameter)
        if result.parameter in earlier:
            raise Conflict("result_given_before", {"parameter": result.parameter})
        if parameter is None:
            path, code = f"results.{number}.parameter", "unknown_parameter"
            problems.append(FieldProblem(path, code, result.parameter))
        elif result.parameter in seen:
            problems.append(
                FieldProblem(f"results.{number}.parameter", "repeated", result.parameter)
            )
        elif fault := plausible(parameter, read_result(result.raw)):
            problems.append(FieldProblem(f"results.{number}.raw", fault, result.raw))
        seen.add(result.parameter)
    if problems:
        raise Invalid(problems)


def judged_result(
    book: Rulebook, sample: Sample, item: ItemVerdict, earlier: SampleResult | None
) -> SampleResult:
    """Return the row of an item, new or as it stood, with its verdict as judged now."""
    reading, parameter = item.reading, book.parameters.get(item.parameter)
    result = earlier or SampleResult(
        sample_id=sample.id,
        parameter=item.parameter,
        raw=reading.raw if reading else "",
        value=reading.digits if reading else None,
        censored=reading.censored if reading else None,
        unit=parameter.unit if parameter else None,
        verdict="",
    )
    if reading is not None and parameter is not None and parameter.sum_of_ratios:
        result.raw, result.value, result.censored = reading.raw, reading.digits, reading.censored
    result.verdict, result.limit = item.verdict, item.shown
    return result


def report_signs(book: Rulebook, sample: Sample, raw: Mapping[str, str]) -> list[FlagCode]:
    """Return the signs that a report was made up, by its day of issue; none undoes a credit."""
    if sample.issued_on is None:
        return []
    signs = [*order_signs(sample.sampled_on, sample.issued_on)]
    standard = book.obligation(STANDARD, sample.sampled_on)
    if PLATE_COUNT in raw and standard is not None:
        signs += plate_count_signs(sample.sampled_on, sample.issued_on, standard)
    return signs


def expired_accreditation(sample: Sample) -> list[FlagCode]:
    """Flag a laboratory whose accreditation is known to have ended before the day of the sample."""
    valid_to = sample.accreditation_valid_to
    expired = valid_to is not None and valid_to < sample.sampled_on
    return [FlagCode.accreditation_expired] if expired else []
