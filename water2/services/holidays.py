"""Working days of a place: published data, which cannot be computed for years to come."""

from collections.abc import Callable
from datetime import date

import chinese_calendar

from water2.rules.book import Rulebook

SATURDAY = 5
CALENDARS: dict[str, Callable[[date], bool]] = {"china": chinese_calendar.is_workday}


def is_working_day(book: Rulebook, day: date) -> bool:
    """Tell whether people work on a day; a year not yet published has plain weekdays."""
    if book.holidays and is_published(book.holidays, day.year):
        return bool(CALENDARS[book.holidays](day))
    return day.weekday() < SATURDAY


def is_published(calendar: str | None, year: int) -> bool:
    """Tell whether a year's holidays are known; plans in other years deserve a warning."""
    if calendar is None:
        return True
    try:
        CALENDARS[calendar](date(year, 1, 1))
    except NotImplementedError:
        return False
    return True
