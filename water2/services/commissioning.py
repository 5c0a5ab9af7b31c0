"""A facility's first day in use: not before it was accepted and handed over (arts. 9, 10)."""

from water2.domain.access import Action
from water2.domain.command import Command, Day
from water2.domain.errors import Conflict
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.services.facilities import record_facility, require_commissioned
from water2.services.rows import fetch
from water2.work import Work


class PutIntoService(Command):
    """The first day in use: today in the utility's zone unless said otherwise."""

    on: Day | None = None


async def put_into_service(work: Work, id_: str, command: PutIntoService) -> Facility:
    """Set the first day in use of a facility that was accepted and handed over.

    Raises:
        RuleViolation: art. 9 or 10 stands against it.
        Conflict: it is in service already, or out of use.
    """
    work.require(Action.keep_register)
    facility = await fetch(work, Facility, id_, lock=True)
    if facility.in_service_on is not None or facility.out_of_use_on is not None:
        code = "facility_out_of_use" if facility.out_of_use_on else "already_in_service"
        raise Conflict(code, {"facility": facility.code})
    utility = await fetch(work, Utility, facility.utility_id)
    facility.in_service_on = on = command.on or work.today(utility.timezone)
    await require_commissioned(work, utility, facility)
    data: dict[str, object] = {"on": on.isoformat()}
    return await record_facility(work, utility, facility, "facility.put_into_service", data)
