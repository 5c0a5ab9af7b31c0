"""The demonstration's clock; there is no such route outside the demonstration."""

from typing import cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from water2.api.callers import PresentCaller, Reading, demo_only
from water2.api.shapes import Instant
from water2.api.state import MoveClock, state_of
from water2.domain.access import Action
from water2.domain.command import Command, Moment
from water2.services.instants import read_instant
from water2.services.register import chosen_utility

router = APIRouter(prefix="/demo", tags=["demonstration"], dependencies=[Depends(demo_only)])


class SetClock(Command):
    """Where the clock is to stand."""

    now: Moment


class ClockAnswer(BaseModel):
    """Where the clock stands."""

    now: Instant


@router.get("/clock", response_model=ClockAnswer)
async def show_clock(work: Reading) -> ClockAnswer:
    """Show where the demonstration's clock stands."""
    return ClockAnswer(now=work.now)


@router.put("/clock", response_model=ClockAnswer)
async def set_clock(request: Request, caller: PresentCaller, command: SetClock) -> ClockAnswer:
    """Move the clock ahead; the sweeps it passes run before the answer."""
    state = state_of(request)
    async with state.runtime.read(caller.actor) as work:
        work.require(Action.administer)
        utility = await chosen_utility(work)
    move = cast("MoveClock", state.move_clock)  # demo_only has looked
    await move(read_instant(command.now, utility.timezone))
    return ClockAnswer(now=state.runtime.now())
