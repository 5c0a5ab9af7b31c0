"""An obligation: what a provision demands, of whom, how often, and what its numbers rest on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from water2.rules.cadence import Cadence
from water2.rules.calendar import PeriodKind
from water2.rules.provision import Provision, in_force

Basis = Literal["law", "target"]
SubjectKind = Literal["tank", "facility", "person", "utility", "sampling_plan", "cleaning"]
Status = Literal["encoded", "later", "not_encoded"]
SettingValue = bool | int | Decimal | str | tuple[int, ...]

INTERVAL = ("months", "days", "calendar", "once")  # the settings that say how often


@dataclass(frozen=True)
class Setting:
    """One number of an obligation: `basis` law or target, the `source` of a target (Chinese).

    `stricter` says which direction an operator may move it in: `smaller`, `larger` (true is larger
    than false), `superset` (days or words may be added), None for fixed.
    """

    key: str
    value: SettingValue
    unit: str | None = None
    basis: Basis = "target"
    source: str | None = None
    source_en: str | None = None
    stricter: Literal["smaller", "larger", "superset"] | None = None
    verified: bool = True


@dataclass(frozen=True)
class Obligation:
    """A demand in force between two days (both included; None is open).

    `basis` is the ground of the interval, `provision` that of the demand: "test regularly" is law,
    "quarterly" a target. `status` later: known, its features come in a later issue, never shown as
    done. `period` is the calendar period that must not pass without an act. `evidence` names the
    act that satisfies it.
    """

    id: str
    provision: Provision
    title: str
    title_en: str
    subject: SubjectKind | None
    basis: Basis
    status: Status
    period: PeriodKind | None
    evidence: str | None
    credited_by: Literal["passing_sample", "record"]
    values: Mapping[str, Setting]
    in_force_from: date | None
    in_force_to: date | None
    reading: str | None
    reading_en: str | None
    reason: str | None
    reason_en: str | None
    verified: bool

    def in_force_on(self, day: date) -> bool:
        """Whether it is demanded on a day."""
        return in_force(self.in_force_from, self.in_force_to, day)

    @property
    def cadence(self) -> Cadence | None:
        """How often it is due; None where no interval is set."""
        if not any(key in self.values for key in INTERVAL):
            return None
        return Cadence(
            months=self._whole("months"),
            days=self._whole("days"),
            calendar="year" if self._get("calendar") == "year" else None,
            at_once=self._get("at_once") is True,
            once=self._get("once") is True,
        )

    @property
    def due_basis(self) -> Basis:
        """What the due day rests on: a value the operator tightened is a target, not law."""
        own = any(self.values[key].basis == "target" for key in INTERVAL if key in self.values)
        return "target" if own else self.basis

    @property
    def first_due_basis(self) -> Basis:
        """What the first due day rests on: where it is due at once, on that and not the interval.

        A plan must exist by law; by when it is looked through again is a target.
        """
        at_once = self.values.get("at_once")
        return at_once.basis if at_once and self.basis == "law" else self.due_basis

    @property
    def opens_ahead_days(self) -> int:
        """How many days before the due day its work order opens."""
        return self._whole("opens_ahead_days") or 0

    @property
    def remind_ahead_days(self) -> tuple[int, ...]:
        """How many days before the due day reminders fall due, the furthest first."""
        value = self._get("remind_ahead_days")
        return value if isinstance(value, tuple) else ()

    @property
    def remind_daily_when_overdue(self) -> bool:
        """Whether an overdue duty reminds every day."""
        return self._get("remind_daily_when_overdue") is True

    def _get(self, key: str) -> SettingValue | None:
        setting = self.values.get(key)
        return None if setting is None else setting.value

    def _whole(self, key: str) -> int | None:
        value = self._get(key)
        return value if isinstance(value, int) else None

    def number(self, key: str) -> Decimal:
        """Give a numeric value; KeyError where the rulebook holds none."""
        value = self.values[key].value
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise TypeError(f"{self.id}.{key} is not a number")
        return Decimal(value)
