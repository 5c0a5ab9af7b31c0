"""第十八条第二款 停止供水: whether every affected tap was cut off, which danger is gravest."""

from collections.abc import Collection
from dataclasses import dataclass

from water2.rules.parameters import Group

GRAVEST: tuple[Group, ...] = ("toxic", "microbial", "disinfectant", "sensory")
"""Reading: what boiling does not remove comes first, for its advice is right about all the rest."""


@dataclass(frozen=True)
class StopSaid:
    """What was said of a stop of supply, and what the register makes of it.

    `every_affected_tap`: somebody's claim, None where none was made; `reasoned`: she said why.
    `in_part`: buildings or zones were named. `placed`: some building is known for them.
    `zones_left`: zones alone were named, and not all. `buildings_left`: not every building is off.
    """

    every_affected_tap: bool | None
    reasoned: bool
    in_part: bool
    placed: bool
    zones_left: bool
    buildings_left: bool


def cuts_every_tap(said: StopSaid) -> bool:
    """Tell whether every affected tap was cut off, as far as what was said goes.

    Reading: isolation counts where somebody says that no other tap gets this water, and why;
    without a claim only a stop of all is one of every tap. Where nobody knows which taps were
    closed, not every one can be taken to be. Buildings stopped by one of their zones have water in
    the others.
    """
    if said.every_affected_tap is not None:
        return said.every_affected_tap and (said.reasoned or not said.in_part)
    return said.placed and not said.zones_left and not said.buildings_left


def gravest(groups: Collection[Group]) -> Group | None:
    """Give the group of failed items that harms most; None where nobody measured."""
    return next((group for group in GRAVEST if group in groups), None)
