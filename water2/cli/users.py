"""`user`: the accounts, for whoever has the machine (the administrator has them in the API)."""

from dataclasses import replace
from typing import Annotated

import typer
from pydantic import SecretStr
from sqlmodel import select

from water2.cli.command import Place, Status
from water2.domain.access import SYSTEM, Role, User
from water2.domain.organisation import Utility
from water2.services.account_changes import ResetPassword, reset_password, set_active
from water2.services.account_queries import find_user, list_users
from water2.services.accounts import CreateUser, create_user
from water2.services.passwords import one_time_password

Username = Annotated[str, typer.Argument(help="username")]


async def add(
    at: Place,
    username: Username,
    role: Annotated[Role, typer.Option(help="role")],
    organisation: Annotated[str | None, typer.Option(help="organisation")] = None,
    staff: Annotated[str | None, typer.Option(help="staff")] = None,
) -> Status:
    """Add an account with a one-time password."""
    password = one_time_password()
    command = CreateUser(
        username=username,
        role=role,
        password=SecretStr(password),
        organisation_id=organisation,
        staff=staff,
    )
    async with at.opened() as runtime:
        async with runtime.read() as work:
            utilities = tuple(await work.session.exec(select(Utility.id)))
        # a person is looked up by 工号 among the utilities of the actor
        async with runtime.work(replace(SYSTEM, utility_ids=utilities)) as work:
            user = await create_user(work, command)
    _tell(at, user, password)
    return Status.done


async def list_(at: Place) -> Status:
    """List the accounts."""
    async with at.opened() as runtime, runtime.read() as work:
        users = await list_users(work)
    at.terminal.answer([_shown(user) for user in users])
    for user in users:
        role = at.terminal.words.text(f"role.{user.role.value}")
        mark = "" if user.active else at.terminal.words.text("cli.user.disabled_mark")
        at.terminal.line(f"{user.username}\t{role}\t{mark}")
    return Status.done


async def reset(at: Place, username: Username) -> Status:
    """Give somebody who lost the password a one-time password."""
    password = one_time_password()
    async with at.opened() as runtime, runtime.work() as work:
        user = await find_user(work, username)
        await reset_password(work, user.id, ResetPassword(password=SecretStr(password)))
    _tell(at, user, password)
    return Status.done


async def disable(at: Place, username: Username) -> Status:
    """Disable an account and end its sessions."""
    async with at.opened() as runtime, runtime.work() as work:
        user = await find_user(work, username)
        await set_active(work, user.id, active=False)
    at.terminal.answer(_shown(user))
    at.terminal.say("cli.user.disabled", username=username)
    return Status.done


def _shown(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "username": user.username,
        "role": user.role.value,
        "active": user.active,
        "organisation_id": user.organisation_id,
    }


def _tell(at: Place, user: User, password: str) -> None:
    at.terminal.answer({**_shown(user), "one_time_password": password})
    at.terminal.say("cli.user.password", username=user.username, password=password)
