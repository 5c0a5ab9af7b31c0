"""Instants as residents read them: by the utility's clock, with the day of the week."""

from datetime import datetime
from zoneinfo import ZoneInfo

from water2.words import Language, words


def when(language: Language, at: datetime, timezone: str) -> str:
    """Say an instant to the minute."""
    say, local = words(language), at.astimezone(ZoneInfo(timezone))
    return say.text(
        "public.instant",
        year=local.year,
        month=say.text(f"month.{local.month}"),
        day=local.day,
        weekday=say.text(f"weekday.{local.weekday()}"),
        time=f"{local:%H:%M}",
    )


def span(language: Language, start: datetime, end: datetime | None, timezone: str) -> str:
    """Say from when to when; an end on the same day by its time alone."""
    say, begins = words(language), when(language, start, timezone)
    if end is None:
        return say.text("public.span_open", start=begins)
    zone = ZoneInfo(timezone)
    same_day = start.astimezone(zone).date() == end.astimezone(zone).date()
    ends = f"{end.astimezone(zone):%H:%M}" if same_day else when(language, end, timezone)
    return say.text("public.span", start=begins, end=ends)
