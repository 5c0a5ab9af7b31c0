"""Changes of accounts: roles, disabling, passwords."""

from pydantic import SecretStr
from sqlmodel import col, select

from water2.domain.access import Action, Role, User
from water2.domain.command import Command
from water2.domain.errors import Conflict, Invalid
from water2.domain.organisation import Organisation
from water2.services.accounts import (
    fetch_user,
    hash_given,
    record_for,
    require_fitting,
    require_whole,
    sound_password,
)
from water2.services.passwords import LONGEST_PASSWORD, hash_password, password_fits
from water2.services.sign_in import Caller, NotSignedIn, end_sessions
from water2.work import Work


class SetRole(Command):
    """Another role of the same organisation."""

    role: Role


class ResetPassword(Command):
    """A one-time password for somebody who lost theirs."""

    password: SecretStr


class ChangePassword(Command):
    """One's own new password."""

    current: SecretStr
    new: SecretStr


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


async def reset_password(
    work: Work, user_id: str, command: ResetPassword, password_hash: str | None = None
) -> User:
    """Set a one-time password; whoever is signed in with the old one is signed out.

    `password_hash` is what `hash_given` made of the command's password before the unit was opened.

    Raises:
        NotPermitted: the user's regulator oversees other utilities too.
        Invalid: the password is too short, or is the user name.
    """
    user = await _managed_user(work, user_id)
    if password_hash is None:
        password_hash = await hash_given(work.actor, command.password, user.username)
    user.password_hash = password_hash
    user.must_change_password = True
    user.version += 1
    await work.session.flush()  # first: a sign-in under way is over, or waits and is refused
    await end_sessions(work, user.id)
    await record_for(work, user, "user.password_reset", {})
    return user


async def change_password(work: Work, caller: Caller, command: ChangePassword) -> None:
    """Change one's own password; all one's other sessions end.

    Raises:
        NotSignedIn: the current password is another.
        Invalid: the new password is too short, or is the current one.
    """
    found = await work.session.exec(
        # nobody resets it between the look at the old password and the new one
        select(User).where(User.id == caller.actor.user_id).with_for_update()
    )
    user = found.one()
    current = command.current.get_secret_value()
    if len(current) > LONGEST_PASSWORD or not await password_fits(current, user.password_hash):
        raise NotSignedIn("password_wrong")
    new = sound_password(command.new, "new", user.username)
    if new == current:
        raise Invalid.one("new", "password_unchanged")
    user.password_hash = await hash_password(new)
    user.must_change_password = False
    user.version += 1
    await end_sessions(work, user.id, but=caller.session_id)
    await record_for(work, user, "user.password_changed", {})


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
