"""Whose request it is: the bearer token's session, and a reading unit for its actor."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from water2.api.state import state_of
from water2.domain.errors import NotFound
from water2.services.sign_in import Caller, MustChangePassword, NotSignedIn, identify
from water2.work import Work

_bearer = HTTPBearer(auto_error=False, description="The token that `POST /sessions` answered.")
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


@asynccontextmanager
async def reading_as(
    request: Request, bearer: HTTPAuthorizationCredentials | None
) -> AsyncIterator[tuple[Work, Caller]]:
    """Open a reading unit and find out whose it is."""
    if bearer is None:
        raise NotSignedIn("not_signed_in")
    state = state_of(request)
    async with state.runtime.read() as work:
        caller = await identify(work, bearer.credentials, state.wall_clock())
        yield replace(work, actor=caller.actor), caller


async def any_caller(request: Request, bearer: Bearer) -> Caller:
    """Return who asks, also while a one-time password is still to be changed."""
    async with reading_as(request, bearer) as (_, caller):
        return caller


async def present_caller(caller: Annotated[Caller, Depends(any_caller)]) -> Caller:
    """Return who asks.

    Raises:
        MustChangePassword: nothing else is open before the one-time password is changed.
    """
    if caller.must_change_password:
        raise MustChangePassword
    return caller


async def open_reading(request: Request, bearer: Bearer) -> AsyncIterator[Work]:
    """Open the reading unit of a request; actor and facts come from the same one."""
    async with reading_as(request, bearer) as (work, caller):
        if caller.must_change_password:
            raise MustChangePassword
        yield work


async def demo_only(request: Request) -> None:
    """Hide a route outside the demonstration."""
    if state_of(request).move_clock is None:
        raise NotFound("route", request.url.path)


AnyCaller = Annotated[Caller, Depends(any_caller)]
PresentCaller = Annotated[Caller, Depends(present_caller)]
Reading = Annotated[Work, Depends(open_reading, scope="function")]
