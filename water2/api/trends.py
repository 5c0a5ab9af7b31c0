"""Trends: a parameter at a point over time, and the monthly figures."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as Given

from water2.api.callers import Reading
from water2.api.shapes import Id
from water2.api.trend_shapes import (
    AnomalyFiguresAnswer,
    ComplianceAnswer,
    DutyFiguresAnswer,
    EventAnswer,
    FiguresQuery,
    LimitStepAnswer,
    LineAnswer,
    MonthFiguresAnswer,
    ParameterRateAnswer,
    PointAnswer,
    RateAnswer,
    SampleFiguresAnswer,
    SeriesAnswer,
    SeriesQuery,
)
from water2.domain.water import Point
from water2.rules.compliance import Rate
from water2.rules.limit_steps import LimitStep
from water2.services.trends.compliance import AskFigures, read_figures
from water2.services.trends.figures import MonthFigures, rate_of
from water2.services.trends.series import Series, read_series
from water2.services.trends.spans import AskSpan

router = APIRouter(tags=["trends"])


def _step(step: LimitStep, point: Point) -> LimitStepAnswer:
    limit = step.limit
    lower, upper = limit.lower_at(point.value), limit.upper
    return LimitStepAnswer(
        first=step.first,
        last=step.last,
        lower=None if lower is None else str(lower),
        upper=None if upper is None else str(upper),
        shown=limit.shown_at(point.value),
        standard=limit.instrument.number or limit.instrument.title,
        reference=limit.reference,
        verified=limit.verified,
    )


def _shown(series: Series) -> SeriesAnswer:
    span = series.span
    return SeriesAnswer(
        facility_id=span.facility.id,
        tank_id=span.tank.id if span.tank else None,
        parameter=span.parameter.key,
        title=span.parameter.title,
        title_en=span.parameter.title_en,
        unit=span.parameter.unit,
        point=span.point,
        first=span.first,
        last=span.last,
        points=[PointAnswer.model_validate(point) for point in series.points.items],
        next=series.points.next,
        readings=[LineAnswer.model_validate(line) for line in series.lines],
        limits=[_step(step, span.point) for step in series.limits],
        events=[EventAnswer.model_validate(event) for event in series.events],
    )


@router.get("/facilities/{id}/series", response_model=SeriesAnswer)
async def show_series(
    work: Reading, id_: Id, query: Annotated[SeriesQuery, Given()]
) -> SeriesAnswer:
    """Show a parameter at a point over time, with the limits that held and what happened.

    Samples a page at a time; readings of instruments thinned out to what a screen can show.
    """
    asked = AskSpan(query.parameter, query.point, query.from_, query.to, query.tank_id)
    return _shown(await read_series(work, id_, asked, limit=query.limit, cursor=query.cursor))


def _rate(rate: Rate) -> RateAnswer:
    return RateAnswer.model_validate(rate)


def _figures(figures: MonthFigures) -> MonthFiguresAnswer:
    return MonthFiguresAnswer(
        month=figures.month,
        tests=DutyFiguresAnswer.model_validate(figures.tests),
        samples=SampleFiguresAnswer.model_validate(figures.samples),
        retests=SampleFiguresAnswer.model_validate(figures.retests),
        not_counting=figures.not_counting,
        rate=_rate(figures.rate),
        parameters=[
            ParameterRateAnswer(
                parameter=key,
                passed=rate.passed,
                judged=rate.judged,
                percent=rate.percent,
                failed=rate.judged - rate.passed,
            )
            for key, rate in figures.items.items()
        ],
        anomalies=AnomalyFiguresAnswer.model_validate(figures.anomalies),
    )


@router.get("/compliance", response_model=ComplianceAnswer)
async def show_compliance(
    work: Reading, query: Annotated[FiguresQuery, Given()]
) -> ComplianceAnswer:
    """Show the monthly figures: tests due and done in time, samples, items that passed, anomalies.

    Samples by the day they were taken, re-tests and those that do not count told apart; pending
    items are not judged. Anomalies found in old files are left out.
    """
    first, last = (date.fromisoformat(f"{month}-01") for month in (query.from_, query.to))
    asked = AskFigures(first, last, query.facility_id, query.of_utility)
    months = await read_figures(work, asked)
    return ComplianceAnswer(
        months=[_figures(one) for one in months], rate=_rate(rate_of(one.rate for one in months))
    )
