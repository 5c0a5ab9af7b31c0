"""第十八条(二): when readings out of limit are a sustained excursion, and not a spike.

What an instrument showed is judged as a whole and in its own order: readings that come late, or
one after the other, or all at once, give the same excursions.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from water2.rules.book import Rulebook

STANDARD = "water.standard"


class Measured(NamedTuple):
    """A reading: `out` of limit, or None where that is not certain; `counts` in calibration."""

    at: datetime
    out: bool | None
    value: Decimal | None = None
    counts: bool = True


@dataclass(frozen=True)
class ExcursionRule:
    """How long, in how many readings, and with which longest gap between two of them."""

    window: timedelta
    readings: int
    gap: timedelta

    @property
    def margin(self) -> timedelta:
        """How far around a reading others must be known: no run that is longer is undecided."""
        return max(self.window, (self.readings - 1) * self.gap) + self.gap

    def sustained(self, first: datetime, last: datetime, readings: int) -> bool:
        """Tell whether that suffices; exactly the window does."""
        return last - first >= self.window and readings >= self.readings


@dataclass(frozen=True)
class Run:
    """Readings out of limit one after the other; `ended` is the instant of the next reading.

    `proven`: the readings in calibration alone sustain it.
    """

    began: datetime
    last: datetime
    ended: datetime | None = None
    peak: Decimal | None = None
    sustained: bool = False
    proven: bool = False

    def contains(self, at: datetime) -> bool:
        """Tell whether an instant lies within it."""
        return self.began <= at <= self.last


def excursion_rule(book: Rulebook, day: date, interval: timedelta) -> ExcursionRule | None:
    """Give the rule for an instrument of some interval; None where the book holds none."""
    standard = book.obligation(STANDARD, day)
    if standard is None or "excursion_minutes" not in standard.values:
        return None
    return ExcursionRule(
        window=timedelta(minutes=float(standard.number("excursion_minutes"))),
        readings=int(standard.number("excursion_readings")),
        gap=int(standard.number("excursion_gap_intervals")) * interval,
    )


def fails_again(
    further: Sequence[datetime], resumed_at: datetime, *, lasting: bool
) -> datetime | None:
    """Give the reading since which water fails again that was let flow; None: it does not.

    `further` are the failing readings by which an excursion went on, in their order, and not empty.
    Reading: a reading after supply resumed is a new failure. One from before it that came late is
    none where good readings followed; where none did, the instrument still reads bad.
    """
    after = next((at for at in further if at > resumed_at), None)
    return further[-1] if after is None and lasting else after


@dataclass
class _Growing:
    """A run while its readings are gone through."""

    began: datetime
    last: datetime
    readings: int
    low: Decimal | None
    high: Decimal | None
    counted: tuple[datetime, datetime, int] | None = None

    def take(self, one: Measured) -> None:
        self.last = one.at
        self.readings += 1
        if one.value is not None:
            self.low = one.value if self.low is None else min(self.low, one.value)
            self.high = one.value if self.high is None else max(self.high, one.value)
        if one.counts:
            first, _, readings = self.counted or (one.at, one.at, 0)
            self.counted = first, one.at, readings + 1


def excursions(
    measured: Sequence[Measured],
    rule: ExcursionRule,
    *,
    known: Iterable[Run] = (),
    upper: Decimal | None = None,
) -> list[Run]:
    """Give the sustained runs among readings in the order of their instants.

    `known` are runs found before that reach beyond the readings given, and in which no reading is
    new: a run that meets one at the edge is that run, grown. A reading that is not certain neither
    ends a run nor makes it longer. Reading: a gap longer than the rule's ends a run, because
    nobody knows how the water was meanwhile. The peak is the value furthest above `upper`, or else
    the lowest.
    """
    certain = [one for one in measured if one.out is not None]
    grown: list[tuple[_Growing, datetime | None]] = []
    open_: _Growing | None = None
    for one in certain:
        if open_ is not None and (not one.out or one.at - open_.last > rule.gap):
            grown.append((open_, one.at))
            open_ = None
        if one.out:
            open_ = open_ or _Growing(one.at, one.at, 0, None, None)
            open_.take(one)
    if open_ is not None:
        grown.append((open_, None))
    found = [_run(run, ended, rule, upper) for run, ended in grown]
    return [run for run in _joined(found, list(known), upper) if run.sustained]


def _run(run: _Growing, ended: datetime | None, rule: ExcursionRule, upper: Decimal | None) -> Run:
    above = upper is not None and run.high is not None and run.high > upper
    return Run(
        began=run.began,
        last=run.last,
        ended=ended,
        peak=run.high if above else run.low,
        sustained=rule.sustained(run.began, run.last, run.readings),
        proven=run.counted is not None and rule.sustained(*run.counted),
    )


def _joined(found: Sequence[Run], known: Sequence[Run], upper: Decimal | None) -> list[Run]:
    """Join the outermost runs with those known that reach over the edge."""
    joined = list(found)
    for earlier in known:
        if joined and earlier.began < joined[0].began and earlier.contains(joined[0].began):
            joined[0] = _joined_with(joined[0], earlier, upper)
        if joined and joined[-1].last < earlier.last and earlier.contains(joined[-1].last):
            joined[-1] = _joined_with(joined[-1], earlier, upper)
    return joined


def _joined_with(run: Run, known: Run, upper: Decimal | None) -> Run:
    peaks = [peak for peak in (run.peak, known.peak) if peak is not None]
    above = upper is not None and any(peak > upper for peak in peaks)
    return replace(
        run,
        began=min(run.began, known.began),
        last=max(run.last, known.last),
        ended=known.ended if known.last > run.last else run.ended,
        peak=(max(peaks) if above else min(peaks)) if peaks else None,
        sustained=True,
        proven=run.proven or known.proven,
    )
