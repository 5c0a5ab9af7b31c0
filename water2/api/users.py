"""Accounts, by the administrator: the utility's people and the regulators above it."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from water2.api.acts import Act, ActRoute, Key, Writing, acting
from water2.api.callers import PresentCaller, Reading
from water2.api.shapes import Answer, Id, ListAnswer
from water2.api.state import state_of
from water2.domain.access import Action, Role, User
from water2.domain.command import Command, Name
from water2.domain.organisation import OrganisationKind
from water2.services.account_changes import (
    ResetPassword,
    SetRole,
    reset_password,
    set_active,
    set_role,
)
from water2.services.account_queries import list_users
from water2.services.accounts import (
    CreateUser,
    create_user,
    fetch_user,
    hash_given,
    organisations_seen,
)
from water2.services.installation import put_under
from water2.services.register import chosen_utility

router = APIRouter(tags=["users"], route_class=ActRoute)


class Account(Answer):
    """An account; its id is the actor in ledger entries."""

    id: str
    username: str
    role: Role
    organisation_id: str
    staff_id: str | None
    active: bool
    must_change_password: bool
    version: int


class OrganisationAnswer(Answer):
    """A utility, a regulator above it, or a laboratory that reports to it."""

    id: str
    kind: OrganisationKind
    name: str


class PutUnder(Command):
    """A regulator's or a laboratory's organisation; one of that name and kind is not there yet."""

    kind: Literal["health_regulator", "water_regulator", "laboratory"]
    name: Name
    utility_id: str | None = None


def _shown(act: Act, user: User, status: int = 200) -> Response:
    return act.answer(Account.model_validate(user), status, user.version)


@router.get("/organisations", response_model=ListAnswer[OrganisationAnswer])
async def show_organisations(work: Reading) -> ListAnswer[OrganisationAnswer]:
    """List the utilities the caller sees, the regulators above them and their laboratories."""
    found = await organisations_seen(work)
    return ListAnswer(items=[OrganisationAnswer.model_validate(one) for one in found.values()])


@router.post("/organisations", status_code=201, response_model=OrganisationAnswer)
async def add_regulator(act: Writing, command: PutUnder) -> Response:
    """Put the utility under a new regulator (art. 4), or let a new laboratory report to it.

    The organisation's people may then have accounts.
    """
    utility = await chosen_utility(act.work, command.utility_id)
    kind = OrganisationKind(command.kind)
    regulator = await put_under(act.work, utility, kind, command.name)
    return act.answer(OrganisationAnswer.model_validate(regulator), 201)


@router.get("/users", response_model=ListAnswer[Account])
async def show_users(work: Reading) -> ListAnswer[Account]:
    """List accounts by user name."""
    work.require(Action.administer)
    return ListAnswer(items=[Account.model_validate(user) for user in await list_users(work)])


@router.get("/users/{id}", response_model=Account)
async def show_user(work: Reading, id_: Id) -> Account:
    """Show an account."""
    work.require(Action.administer)
    return Account.model_validate(await fetch_user(work, id_))


@router.post("/users", status_code=201, response_model=Account)
async def add_user(
    request: Request, caller: PresentCaller, command: CreateUser, idempotency_key: Key = None
) -> Response:
    """Create an account, with a one-time password unless said otherwise."""
    password_hash = await hash_given(caller.actor, command.password, command.username)
    async with acting(request, caller, idempotency_key) as act:
        return _shown(act, await create_user(act.work, command, password_hash), 201)


@router.post("/users/{id}/disable", response_model=Account)
async def disable_user(act: Writing, id_: Id) -> Response:
    """Disable an account and end its sessions."""
    return _shown(act, await set_active(act.work, id_, active=False))


@router.post("/users/{id}/enable", response_model=Account)
async def enable_user(act: Writing, id_: Id) -> Response:
    """Enable a disabled account again."""
    return _shown(act, await set_active(act.work, id_, active=True))


@router.post("/users/{id}/role", response_model=Account)
async def change_role(act: Writing, id_: Id, command: SetRole) -> Response:
    """Give a user another role of the same organisation."""
    return _shown(act, await set_role(act.work, id_, command))


@router.post("/users/{id}/password", response_model=Account)
async def replace_password(
    request: Request,
    caller: PresentCaller,
    id_: Id,
    command: ResetPassword,
    idempotency_key: Key = None,
) -> Response:
    """Set a one-time password and end the user's sessions."""
    async with state_of(request).runtime.read(caller.actor) as work:
        work.require(Action.administer)
        user = await fetch_user(work, id_)
    password_hash = await hash_given(caller.actor, command.password, user.username)
    async with acting(request, caller, idempotency_key) as act:
        return _shown(act, await reset_password(act.work, id_, password_hash))
