"""Changes of accounts by the administrator: roles, disabling, passwords."""

from pydantic import SecretStr
from sqlmodel import col, select

from water2.domain.access import Action, Role, User
from water2.domain.command import Command
from water2.domain.errors import Conflict
from water2.domain.organisation import Organisation
from water2.services.accounts import (
    fetch_user,
    record_for,
    require_fitting,
    require_whole,
)
from water2.services.sign_in import end_sessions
from water2.work import Work


class SetRole(Command):
    """Another role of the same organisation."""

    role: Role


class ResetPassword(Command):
    """A one-time password for somebody who lost theirs."""

    password: SecretStr


async def set_role(work: Work, user_id: str, command: SetRole) -> User:
    """Give a user another role of the same organisation.

    Raises:
        NotPermitted: the user's regulator oversees other utilities too.
        Invalid: the role is not one of the user's organisation.
        Conflict: the utility would be left without an administrator.
    """
    user = await _managed_user(work, user_id)
    organisation = await work.session.get_one(Organisation, user.organisation_id)
    require_fitting(organisation, command.role)
    if command.role is not Role.administrator:
        await _require_another_administrator(work, user)
    before, user.role = user.role, command.role
    user.version += 1
    told = {"old": before.value, "new": command.role.value}
    await record_for(work, user, "user.role_changed", told)
    return user


async def set_active(work: Work, user_id: str, *, active: bool) -> User:
    """Disable an account, which ends its sessions, or enable it again.

    Raises:
        NotPermitted: the user's regulator oversees other utilities too.
        Conflict: the utility would be left without an administrator.
    """
    user = await _managed_user(work, user_id)
    if user.active is active:
        return user
    if not active:
        await _require_another_administrator(work, user)
    user.active = active
    user.version += 1
    if not active:
        await work.session.flush()  # first: a sign-in under way is over, or waits and is refused
        await end_sessions(work, user.id)
    await record_for(work, user, "user.enabled" if active else "user.disabled", {})
    return user


async def reset_password(work: Work, user_id: str, password_hash: str) -> User:
    """Set a one-time password; whoever is signed in with the old one is signed out.

    `password_hash` is what `hash_given` made of it before the unit was opened.

    Raises:
        NotPermitted: the user's regulator oversees other utilities too.
    """
    user = await _managed_user(work, user_id)
    user.password_hash = password_hash
    user.must_change_password = True
    user.version += 1
    await work.session.flush()  # first: a sign-in under way is over, or waits and is refused
    await end_sessions(work, user.id)
    await record_for(work, user, "user.password_reset", {})
    return user


async def _managed_user(work: Work, user_id: str) -> User:
    work.require(Action.administer)
    user = await fetch_user(work, user_id)
    await require_whole(work, user.organisation_id)
    return user


async def _require_another_administrator(work: Work, user: User) -> None:
    if user.role is not Role.administrator:
        return
    administrators = await work.session.exec(
        select(User.id)
        .where(
            User.organisation_id == user.organisation_id,
            col(User.role) == Role.administrator,
            col(User.active),
        )
        .order_by(User.id)
        .with_for_update()  # two who disable each other at once go one after the other
    )
    if set(administrators) <= {user.id}:
        raise Conflict("last_administrator")
