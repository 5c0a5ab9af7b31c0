"""What is measured in water, its limits, and the sets of items a sample needs: data shapes."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from water2.rules.provision import Instrument

Point = Literal["inlet", "outlet", "terminal"]
Disinfectant = Literal["chlorine", "chloramine", "chlorine_dioxide", "ozone", "uv"]
Group = Literal["microbial", "toxic", "disinfectant", "sensory"]
"""The standard's own groups: 微生物, 毒理, 消毒剂, 感官性状和一般化学指标."""


@dataclass(frozen=True)
class Parameter:
    """A measured item: its English key, its names in files, and which values can be true at all.

    `sum_of_ratios` names the parameters whose measured/limit it sums up, `increment_of` the one
    whose rise from inlet to outlet it is. What is `always_present` (no water is without a pH)
    cannot be "not detected".
    """

    key: str
    title: str
    title_en: str
    unit: str | None
    kind: Literal["number", "absent", "text"]
    aliases: tuple[str, ...] = ()
    possible_min: Decimal | None = Decimal(0)
    possible_max: Decimal | None = None
    residual_of: Disinfectant | None = None
    sum_of_ratios: tuple[str, ...] = ()
    group: Group = "sensory"
    increment_of: str | None = None
    always_present: bool = False


@dataclass(frozen=True)
class Limit:
    """The bounds of a parameter, both included; `kind` absent and text have no numbers.

    `lower_point` restricts the lower bound to one sampling point. `reference` values bind nobody.
    `verified` is False while a bound was not read in the standard's own text.
    """

    parameter: Parameter
    instrument: Instrument
    lower: Decimal | None
    lower_point: Point | None
    upper: Decimal | None
    accepts: tuple[str, ...]
    reference: bool
    unverified: tuple[str, ...]
    in_force_from: date | None
    in_force_to: date | None

    @property
    def verified(self) -> bool:
        """Whether every bound was read in the standard's own text."""
        return not self.unverified

    def lower_at(self, point: Point) -> Decimal | None:
        """Give the lower bound that holds at a sampling point."""
        return self.lower if self.lower_point in (None, point) else None

    def shown_at(self, point: Point) -> str:
        """Give the limit at a point in figures (`≤ 1`), as the code `absent`, or in words."""
        lower = self.lower_at(point)
        if self.parameter.kind == "absent":
            return "absent"
        if self.parameter.kind == "text":
            return self.accepts[0]
        if lower is None:
            return f"≤ {self.upper}"
        return f"≥ {lower}" if self.upper is None else f"{lower}–{self.upper}"


@dataclass(frozen=True)
class ItemSet:
    """The parameter keys a sample of some purpose must hold, and the edition that asks for them."""

    name: str
    keys: tuple[str, ...]
    edition: str
    verified: bool


@dataclass(frozen=True)
class ItemSetEdition:
    """A named set of items as one edition of a standard asks for it; `residual` stands for one."""

    name: str
    keys: tuple[str, ...]
    edition: str
    verified: bool
    in_force_from: date | None
    in_force_to: date | None
