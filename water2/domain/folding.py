"""Text as people type it, folded into values: dates, numbers, telephones, ranges, lists.

Every reader takes folded text (`fold`) that is not empty and raises `CellError` with a reason
code when the text cannot be read or cannot be true.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

EXCEL_EPOCH = date(1899, 12, 30)  # the 1900 system, its phantom 29 February 1900 made up for
EXCEL_FIRST, EXCEL_LAST = 25569, 73050  # 1970-01-01 to 2099-12-31: other numbers are not dates
SECONDS_A_DAY = 86_400

_UNSEEN = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_WHITE = re.compile(r"\s+")
_YMD = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})")
_YMD_WORDS = re.compile(r"(\d{4}) ?年 ?(\d{1,2}) ?月 ?(\d{1,2}) ?日?")
_YMD_SOLID = re.compile(r"(\d{4})(\d{2})(\d{2})")
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_CLOCK = re.compile(
    r"[ T]?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?"
    r"|(\d{1,2}) ?[时点] ?(\d{1,2}) ?分?(?: ?(\d{1,2}) ?秒)?"
)
_RANGE = re.compile(r"(\d{1,2}):(\d{2}) ?[-~–—至到] ?(\d{1,2}):(\d{2})")
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?|[+-]?\.\d+")
_PHONE_MARKS = re.compile(r"[ \-‐‑–—()]")
_MAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^@\s.,;]+")
_LIST_MARKS = re.compile(r"[、,;/|]|\s+")
_PHONE_LIST_MARKS = re.compile(r"[、,;/|]")
_YES = frozenset({"是", "y", "yes", "true", "1", "√"})
_NO = frozenset({"否", "n", "no", "false", "0", "×"})


class CellError(ValueError):
    """The text of one cell cannot be read or cannot be true; `code` says why."""

    def __init__(self, code: str, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


def fold(text: str) -> str:
    """Fold full width, ideographic and zero-width spaces, and runs of white space.

    Raises:
        CellError: `undecodable` bytes or control characters inside.
    """
    if text.isascii() and text.isprintable():
        return text if "  " not in text and text == text.strip() else _WHITE.sub(" ", text).strip()
    folded = unicodedata.normalize("NFKC", text)
    if not folded.isprintable():
        folded = folded.translate(_UNSEEN)
    folded = _WHITE.sub(" ", folded).strip()
    if "\ufffd" in folded:
        raise CellError("undecodable")
    # private-use characters of rare names are not printable either, and right
    if not folded.isprintable() and any(unicodedata.category(c) == "Cc" for c in folded):
        raise CellError("control_character")
    return folded


def fold_name(text: str) -> str:
    """Fold a column's name or an enumerated value, so that case and spaces do not matter."""
    return fold(text).replace(" ", "").casefold()


@lru_cache(maxsize=65_536)
def read_date(text: str, formats: Sequence[str] = ()) -> date:
    """Read a civil day: 2025-03-05, 2025/3/5, 2025年3月5日, 20250305, an Excel serial, `formats`.

    A time of day that follows is passed over. `formats` (strptime) come first.
    """
    return _day_and_rest(text, tuple(formats))[0]


@lru_cache(maxsize=65_536)
def read_moment(text: str, formats: Sequence[str] = ()) -> tuple[date, time | None]:
    """Read a civil day with its time of day where there is one, to the second."""
    day, rest = _day_and_rest(text, tuple(formats))
    if _SERIAL.fullmatch(text):
        seconds = round(Decimal(text) % 1 * SECONDS_A_DAY)
        moment = datetime.combine(day, time()) + timedelta(seconds=seconds)
        return moment.date(), moment.time() if seconds else None
    return day, _clock(rest) if rest else None


def _day_and_rest(text: str, formats: tuple[str, ...]) -> tuple[date, str]:
    head, _, tail = text.partition(" ")
    for wanted in formats:
        try:
            return datetime.strptime(head, wanted).date(), tail  # noqa: DTZ007 - a civil day
        except ValueError:
            continue
    for pattern, groups in ((_YMD, (1, 3, 4)), (_YMD_WORDS, (1, 2, 3)), (_YMD_SOLID, (1, 2, 3))):
        if (found := pattern.match(text)) and _ends_day(text, found.end()):
            return _civil_day(*(int(found[g]) for g in groups)), text[found.end() :]
    if _SERIAL.fullmatch(text) and EXCEL_FIRST <= float(text) <= EXCEL_LAST:
        return EXCEL_EPOCH + timedelta(days=int(float(text))), ""
    raise CellError("date_unreadable")


def _ends_day(text: str, at: int) -> bool:
    """Tell whether nothing, or a time of day, follows."""
    return at == len(text) or _CLOCK.fullmatch(text[at:].strip()) is not None


def _civil_day(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise CellError("date_impossible") from None


def _clock(text: str) -> time:
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise CellError("time_unreadable")
    return _time_of_day(*(int(group) for group in found.groups() if group is not None))


def _time_of_day(hour: int, minute: int, second: int = 0) -> time:
    try:
        return time(hour, minute, second)
    except ValueError:
        raise CellError("time_impossible") from None


def read_clock_range(text: str) -> tuple[time, time]:
    """Read 08:00-08:25 or 8:00～8:25, times of one day; the end lies after the start."""
    found = _RANGE.fullmatch(text)
    if found is None:
        raise CellError("range_unreadable")
    hour, minute, to_hour, to_minute = (int(group) for group in found.groups())
    start, end = _time_of_day(hour, minute), _time_of_day(to_hour, to_minute)
    if end <= start:
        raise CellError("range_reversed")
    return start, end


def read_decimal(text: str) -> Decimal:
    """Read a number exactly; spaces and thousands commas fall away."""
    tight = text.replace(" ", "")
    if _NUMBER.fullmatch(tight) is None or len(tight) > 18:
        raise CellError("number_unreadable")
    return Decimal(tight.replace(",", ""))


def read_whole(text: str) -> int:
    """Read a whole number; `2.0` is one."""
    number = read_decimal(text)
    if number != number.to_integral_value():
        raise CellError("not_whole")
    return int(number)


def read_phone(text: str) -> str:
    """Read a telephone number as its digits: a mobile, a landline with or without area code."""
    digits = _PHONE_MARKS.sub("", text).removeprefix("+86").removeprefix("+")
    if any(character.isalpha() for character in digits):
        raise CellError("phone_letters")
    wrong_mobile = digits.startswith("1") and len(digits) != 11
    if not digits.isdecimal() or not 7 <= len(digits) <= 15 or wrong_mobile:
        raise CellError("phone_malformed")
    return digits


def read_phones(text: str) -> tuple[str, ...]:
    """Read one or several telephone numbers, joined by 、 , ; or /."""
    parts = (part.strip() for part in _PHONE_LIST_MARKS.split(text))
    return tuple(dict.fromkeys(read_phone(part) for part in parts if part))


def read_mail(text: str) -> str:
    """Read a mail address; its host in lower case."""
    if _MAIL.fullmatch(text) is None:
        raise CellError("mail_malformed")
    name, _, host = text.rpartition("@")
    return f"{name}@{host.lower()}"


def read_list(text: str) -> tuple[str, ...]:
    """Read parts joined by 、 , ; / or white space."""
    return tuple(part for part in _LIST_MARKS.split(text) if part)


def read_yes_no(text: str) -> bool:
    """Read 是/否, Y/N, true/false, 1/0."""
    word = text.casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellError("unknown_value")


def bounded(
    read: Callable[[str], Decimal],
    lowest: Decimal | None = None,
    highest: Decimal | None = None,
    *,
    above: Decimal | None = None,
) -> Callable[[str], Decimal]:
    """Return a number reader that refuses what lies outside; `above` itself is outside."""

    def read_within(text: str) -> Decimal:
        number = read(text)
        if above is not None and number <= above:
            raise CellError("not_positive" if above == 0 else "out_of_range")
        if lowest is not None and number < lowest:
            raise CellError("negative" if lowest == 0 else "out_of_range")
        if highest is not None and number > highest:
            raise CellError("out_of_range")
        return number

    return read_within
