"""`user`: the accounts, for whoever has the machine (the administrator has them in the API)."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer
from pydantic import SecretStr
from sqlmodel import select

from water2.cli.command import Place, Status
from water2.domain.access import SYSTEM, Role, User
from water2.domain.errors import Conflict
from water2.domain.organisation import OrganisationKind, Utility
from water2.services.account_changes import reset_password, set_active
from water2.services.account_queries import find_user, list_users, members_of
from water2.services.accounts import CreateUser, create_user, hash_given
from water2.services.installation import find_organisation, put_under
from water2.services.passwords import one_time_password
from water2.services.utilities import choose_utility

Username = Annotated[str, typer.Argument(help="username")]


class AccountRole(StrEnum):
    """The roles a person can have: all but the system's."""

    administrator = Role.administrator.value
    manager = Role.manager.value
    crew = Role.crew.value
    health_inspector = Role.health_inspector.value
    water_inspector = Role.water_inspector.value
    lab = Role.lab.value


async def add(
    at: Place,
    username: Username,
    role: Annotated[AccountRole, typer.Option(help="role")],
    organisation: Annotated[str | None, typer.Option(help="organisation")] = None,
    staff: Annotated[str | None, typer.Option(help="staff")] = None,
) -> Status:
    """Add an account with a one-time password."""
    password = one_time_password()
    command = CreateUser(
        username=username,
        role=Role(role),
        password=SecretStr(password),
        organisation_id=organisation,
        staff=staff,
    )
    async with at.opened() as runtime:
        async with runtime.read() as work:
            utilities = tuple(await work.session.exec(select(Utility.id)))
        password_hash = await hash_given(SYSTEM, command.password, username)
        # a person is looked up by 工号 among the utilities of the actor
        async with runtime.work(replace(SYSTEM, utility_ids=utilities)) as work:
            user = await create_user(work, command, password_hash)
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
    async with at.opened() as runtime:
        password_hash = await hash_given(SYSTEM, SecretStr(password), username)
        async with runtime.work() as work:
            user = await find_user(work, username)
            await reset_password(work, user.id, password_hash)
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


class Reader(StrEnum):
    """The two kinds of regulator (art. 4), and the laboratories that report to a utility."""

    health = "health"
    water = "water"
    laboratory = "laboratory"


KINDS = {
    Reader.health: OrganisationKind.health_regulator,
    Reader.water: OrganisationKind.water_regulator,
    Reader.laboratory: OrganisationKind.laboratory,
}


async def put_under_regulator(
    at: Place,
    kind: Annotated[Reader, typer.Argument(help="regulator_kind")],
    name: Annotated[str, typer.Argument(help="regulator_name")],
    utility: Annotated[str | None, typer.Option(help="utility")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="yes_readers")] = False,
) -> Status:
    """Put a utility under a regulator; one that is there already brings its readers along.

    A laboratory is let report to it the same way.
    """
    of_kind = KINDS[kind]
    async with at.opened() as runtime, runtime.work() as work:
        chosen = await choose_utility(work, utility)
        known = await find_organisation(work, of_kind, name)
        readers = [user.username for user in await members_of(work, known)] if known else []
        told = {"utility": chosen.name, "name": name, "accounts": ", ".join(readers)}
        regulator = await put_under(work, chosen, of_kind, name)
        if readers and not yes:  # nothing is written
            raise Conflict("readers_not_confirmed", told)
    at.terminal.answer({"organisation_id": regulator.id, "new": known is None, "readers": readers})
    at.terminal.say("cli.user.put_under", **told)
    if readers:
        at.terminal.say("cli.user.readers", **told)
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
