"""The items of a sample: taken as the laboratory wrote them, and the rows they become."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field, StringConstraints

from water2.domain.command import Command
from water2.domain.errors import Conflict, FieldProblem, Invalid
from water2.domain.water import Sample, SampleResult
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.limits import ItemVerdict, plausible, read_result
from water2.rules.parameters import Parameter
from water2.rules.printed_limits import printed_limit_signs
from water2.rules.units import is_unit_of

Short = Annotated[str, StringConstraints(min_length=1, max_length=60)]


class GivenResult(Command):
    """One item: the parameter's key and the raw text as the laboratory wrote it.

    `unit` is checked against the parameter's, never converted. `detection_limit` may stand beside
    a 未检出 that does not hold it; `printed_limit` is what the report prints as the item's limit.
    """

    parameter: str = Field(examples=["turbidity"])
    raw: str = Field(min_length=1, max_length=100, examples=["0.35", "<0.05", "未检出"])
    unit: Short | None = Field(None, examples=["NTU"])
    method: str | None = Field(None, max_length=100, examples=["GB/T 5750.4-2023 5.1"])
    detection_limit: str | None = Field(None, pattern=r"^\d{1,12}(\.\d{1,12})?$", max_length=30)
    printed_limit: Short | None = Field(None, examples=["≤1"])


def refuse_unusable(book: Rulebook, given: Sequence[GivenResult], earlier: set[str]) -> None:
    """Refuse results that cannot be taken; `earlier` are the parameters already given.

    Raises:
        Invalid: unknown parameters, repeated ones, units of something else, values that cannot be
            read or cannot be true.
        Conflict: an item was given before.
    """
    problems: list[FieldProblem] = []
    seen = set(earlier)
    for number, result in enumerate(given):
        if result.parameter in earlier:
            raise Conflict("result_given_before", {"parameter": result.parameter})
        problem = _fault(book, result, seen)
        if problem is not None:
            field, code, value = problem
            unit = (book.parameters[result.parameter].unit or "–") if "unit" in code else None
            facts = {"parameter": result.parameter} | ({"unit": unit} if unit else {})
            problems.append(FieldProblem(f"results.{number}.{field}", code, value, facts))
        seen.add(result.parameter)
    if problems:
        raise Invalid(problems)


def _fault(book: Rulebook, result: GivenResult, seen: set[str]) -> tuple[str, str, str] | None:
    """Return what is wrong with a result: the field, the code and the value; None: nothing."""
    parameter = book.parameters.get(result.parameter)
    if parameter is None:
        return "parameter", "unknown_parameter", result.parameter
    if parameter.increment_of is not None:
        return "parameter", "computed_item", result.parameter
    if result.parameter in seen:
        return "parameter", "repeated", result.parameter
    if result.unit is not None and not is_unit_of(parameter, result.unit):
        return "unit", "wrong_unit", result.unit
    fault = plausible(parameter, read_result(result.raw))
    return ("raw", fault, result.raw) if fault else None


def judged_result(
    book: Rulebook, sample: Sample, item: ItemVerdict, earlier: SampleResult | None
) -> SampleResult:
    """Return the row of an item, new or as it stood, with its verdict as judged now."""
    reading, parameter = item.reading, book.parameters.get(item.parameter)
    result = earlier or SampleResult(
        sample_id=sample.id,
        parameter=item.parameter,
        raw=reading.raw if reading else "",
        unit=parameter.unit if parameter else None,
        verdict="",
    )
    if earlier is None or is_computed(parameter):
        result.raw = reading.raw if reading else ""
        result.value = reading.digits if reading else None
        result.censored = reading.censored if reading else None
        result.detection_limit = None if is_computed(parameter) else detection_limit(item)
    result.verdict, result.limit = item.verdict, item.shown
    return result


def is_computed(parameter: Parameter | None) -> bool:
    """Tell whether a parameter is computed from others: a sum, or a rise from inlet to outlet."""
    return parameter is not None and bool(parameter.sum_of_ratios or parameter.increment_of)


def detection_limit(item: ItemVerdict) -> str | None:
    """Return the bound below which the laboratory could not see, where the value tells it."""
    limit = item.reading.detection_limit if item.reading else None
    return None if limit is None else format(limit, "f")


def take_details(result: SampleResult, given: GivenResult, lab_report_id: str | None) -> None:
    """Put what a report says of an item beside its value."""
    result.method, result.printed_limit = given.method, given.printed_limit
    result.detection_limit = given.detection_limit or result.detection_limit
    result.lab_report_id = lab_report_id


def item_flags(
    book: Rulebook, item: ItemVerdict, result: SampleResult, outside: Iterable[str], sample: Sample
) -> list[FlagCode]:
    """Return what is odd about an item: measured without accreditation, another limit printed."""
    flags = [FlagCode.item_not_accredited] if item.parameter in outside else []
    if result.printed_limit is not None and item.limit is not None:
        increments = book.increments_on(sample.sampled_on)
        flags += printed_limit_signs(result.printed_limit, item.limit, increments)
    return flags


def accredited(raw: Mapping[str, str], results: Iterable[SampleResult]) -> dict[str, str]:
    """Return the items that help to credit: not those measured without accreditation for them."""
    outside = {one.parameter for one in results if FlagCode.item_not_accredited in one.flags}
    return {key: text for key, text in raw.items() if key not in outside}
