"""Where a verdict of the rules becomes the refusal of an act."""

from water2.domain.errors import RuleViolation
from water2.domain.organisation import Utility
from water2.rules.provision import Refused, Verdict
from water2.services.instants import in_zone


def require_allowed(verdict: Verdict, utility: Utility) -> None:
    """Refuse what a rule of the book does.

    Raises:
        RuleViolation: with the verdict, its instants by the clock of the utility.
    """
    if isinstance(verdict, Refused):
        raise RuleViolation(in_zone(verdict, utility.timezone))
