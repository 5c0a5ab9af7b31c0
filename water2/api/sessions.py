"""Signing in and out, and one's own account."""

from fastapi import APIRouter, Request, Response

from water2.api.acts import ActRoute, Key, OwnWriting, acting
from water2.api.callers import AnyCaller
from water2.api.shapes import Answer, Instant
from water2.api.state import state_of
from water2.domain.access import Role
from water2.services.own_password import ChangePassword, change_password, prepare_change
from water2.services.sign_in import Caller, SignIn, sign_in, sign_out

router = APIRouter(tags=["sign-in"], route_class=ActRoute)


class OwnAccount(Answer):
    """Who is signed in, and which utilities that person may see."""

    id: str
    username: str
    role: Role
    organisation_id: str | None
    utility_ids: list[str]
    staff_id: str | None
    must_change_password: bool


class Session(Answer):
    """A new session; the token is shown here once and kept nowhere."""

    token: str
    expires_at: Instant
    user: OwnAccount


def account_of(caller: Caller) -> OwnAccount:
    """Return how somebody's own account is shown."""
    actor = caller.actor
    return OwnAccount(
        id=actor.user_id,
        username=actor.username,
        role=actor.role,
        organisation_id=actor.organisation_id,
        utility_ids=list(actor.utility_ids),
        staff_id=actor.staff_id,
        must_change_password=caller.must_change_password,
    )


def address_of(request: Request) -> str:
    """Return the address a request came from, as the server knows it."""
    return request.client.host if request.client else "unknown"


@router.post("/sessions", status_code=201, response_model=Session)
async def create_session(request: Request, command: SignIn) -> Session:
    """Sign in. After five failures in five minutes a user name must wait."""
    state = state_of(request)
    signed_in = await sign_in(
        state.runtime,
        command,
        address=address_of(request),
        at=state.wall_clock(),
        hours=state.settings.session_hours,
    )
    return Session(
        token=signed_in.token,
        expires_at=signed_in.caller.expires_at,
        user=account_of(signed_in.caller),
    )


@router.delete("/sessions/current", status_code=204, response_model=None)
async def end_session(act: OwnWriting, caller: AnyCaller) -> Response:
    """Sign out."""
    await sign_out(act.work, caller)
    return act.answer(None, 204)


@router.get("/me", response_model=OwnAccount)
async def show_own_account(caller: AnyCaller) -> OwnAccount:
    """Tell who is signed in."""
    return account_of(caller)


@router.post("/me/password", status_code=204, response_model=None)
async def change_own_password(
    request: Request, caller: AnyCaller, command: ChangePassword, idempotency_key: Key = None
) -> Response:
    """Change one's own password; all one's other sessions end. Wrong attempts are throttled."""
    state = state_of(request)
    change = await prepare_change(
        state.runtime, caller, command, address=address_of(request), at=state.wall_clock()
    )
    async with acting(request, caller, idempotency_key) as act:
        await change_password(act.work, caller, change)
        return act.answer(None, 204)
