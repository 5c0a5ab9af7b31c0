"""One's own new password: throttled like a sign-in, looked at and hashed with no unit open."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from sqlmodel import select

from water2.domain.access import User
from water2.domain.command import Command
from water2.domain.errors import Invalid
from water2.services.accounts import record_for, sound_password
from water2.services.passwords import LONGEST_PASSWORD, hash_password, password_fits
from water2.services.sign_in import Caller, NotSignedIn, end_sessions
from water2.services.throttling import forget_attempts, note_attempt
from water2.work import Runtime, Work


class ChangePassword(Command):
    """One's own new password."""

    current: SecretStr
    new: SecretStr


@dataclass(frozen=True)
class PreparedChange:
    """A new password, hashed; `proven` is the kept hash that the current password fits.

    That it fits none is told within the act, where a repeated request gets its first answer.
    """

    proven: str | None
    password_hash: str
    address: str
    at: datetime


async def prepare_change(
    runtime: Runtime, caller: Caller, command: ChangePassword, *, address: str, at: datetime
) -> PreparedChange:
    """Look at the current password and hash the new one; `at` is real time.

    Raises:
        Invalid: the new password is too short or too long, or is the user name or the current one.
        Throttled: the caller's name or the address failed too often.
    """
    name, current = caller.actor.username, command.current.get_secret_value()
    new = sound_password(command.new, "new", name)
    if new == current:
        raise Invalid.one("new", "password_unchanged")
    async with runtime.work() as work:  # a unit of its own: the note stays when the act is refused
        await note_attempt(work, name, address, at)
        kept = (await work.session.get_one(User, caller.actor.user_id)).password_hash
    fits = len(current) <= LONGEST_PASSWORD and await password_fits(current, kept)
    return PreparedChange(kept if fits else None, await hash_password(new), address, at)


async def change_password(work: Work, caller: Caller, change: PreparedChange) -> None:
    """Change one's own password; all one's other sessions end.

    Raises:
        NotSignedIn: the current password is another, or became another since it was looked at.
    """
    found = await work.session.exec(
        # locked: a reset either comes before and is seen here, or after and is the last word
        select(User).where(User.id == caller.actor.user_id).with_for_update()
    )
    user = found.one()
    if user.password_hash != change.proven:
        raise NotSignedIn("password_wrong")
    user.password_hash = change.password_hash
    user.must_change_password = False
    user.version += 1
    await end_sessions(work, user.id, but=caller.session_id)
    await forget_attempts(work, user.username, change.address, change.at)
    await record_for(work, user, "user.password_changed", {})
