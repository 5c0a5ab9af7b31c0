"""Which utility is meant."""

from sqlmodel import select

from water2.domain.errors import Conflict, NotFound
from water2.domain.organisation import Utility
from water2.work import Work


async def choose_utility(work: Work, code: str | None) -> Utility:
    """Return the utility of a code, or the only one there is.

    Raises:
        NotFound: there is none of this code.
        Conflict: `no_installation`, or `utility_ambiguous` where a code is needed.
    """
    found = (await work.session.exec(select(Utility).order_by(Utility.code))).all()
    seen = [utility for utility in found if work.actor.sees(utility.id)]
    if code is not None:
        seen = [utility for utility in seen if utility.code == code]
        if not seen:
            raise NotFound("utility", code)
    if not seen:
        raise Conflict("no_installation")
    if len(seen) > 1:
        codes = ", ".join(utility.code for utility in seen)
        raise Conflict("utility_ambiguous", {"codes": codes})
    return seen[0]
