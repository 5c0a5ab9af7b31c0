"""Signing in and out, and whose request it is. All in real time, also under the demo's clock."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import SecretStr, StringConstraints
from sqlalchemy import bindparam, delete
from sqlmodel import col, func, select

from water2.domain.access import Actor, Role, User, UserSession
from water2.domain.command import Command
from water2.domain.errors import DomainError
from water2.domain.organisation import Jurisdiction, Utility
from water2.services.passwords import LONGEST_PASSWORD, password_fits
from water2.services.throttling import forget_attempts, note_attempt
from water2.work import Runtime, Work


@dataclass
class NotSignedIn(DomainError):
    """Nobody is signed in with this; `code` says what was wrong."""

    code: str


@dataclass
class MustChangePassword(DomainError):
    """The one-time password must be changed before anything else."""


class SignIn(Command):
    """Who signs in."""

    username: Annotated[str, StringConstraints(min_length=1, max_length=60, to_lower=True)]
    password: SecretStr


@dataclass(frozen=True)
class Caller:
    """Whose request it is, and in which session."""

    actor: Actor
    session_id: str
    csrf_token: str
    must_change_password: bool
    expires_at: datetime


@dataclass(frozen=True)
class SignedIn:
    """A new session; `token` is shown here once and kept nowhere."""

    token: str
    caller: Caller


def token_sha256(token: str) -> str:
    """Return what is kept of a session's token; its 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


async def sign_in(
    runtime: Runtime, command: SignIn, *, address: str, at: datetime, hours: int
) -> SignedIn:
    """Open a session; `at` is real time. The password is looked at with no transaction open.

    Raises:
        Throttled: the name or the address failed too often.
        NotSignedIn: no such user, not active, or another password (also when one of these comes
            true during the sign-in): which one is not told.
    """
    password = command.password.get_secret_value()
    async with runtime.work() as work:
        await note_attempt(work, command.username, address, at)
        found = await work.session.exec(select(User).where(User.username == command.username))
        user = found.first()
    kept = user.password_hash if user and user.active else None
    fits = len(password) <= LONGEST_PASSWORD and await password_fits(password, kept)
    if user is None or not fits:
        raise NotSignedIn("sign_in_refused")
    async with runtime.work() as work:
        present = await _still_the_same(work, user)
        await forget_attempts(work, command.username, address, at)
        return await open_session(work, present, at=at, hours=hours)


async def _still_the_same(work: Work, seen: User) -> User:
    """Return the user again, unless disabled or given another password since the look at it.

    Locked, so that a reset either comes before and is seen here, or after and ends the session.
    """
    found = await work.session.exec(select(User).where(User.id == seen.id).with_for_update())
    user = found.first()
    if user is None or not user.active or user.password_hash != seen.password_hash:
        raise NotSignedIn("sign_in_refused")
    return user


async def open_session(work: Work, user: User, *, at: datetime, hours: int) -> SignedIn:
    """Open a session for a user who proved to be that; ended ones are cleared away."""
    await work.session.execute(delete(UserSession).where(col(UserSession.expires_at) <= at))
    token = secrets.token_urlsafe(32)
    work.session.add(
        UserSession(
            user_id=user.id,
            token_sha256=token_sha256(token),
            csrf_token=secrets.token_urlsafe(32),
            created_at=at,
            expires_at=at + timedelta(hours=hours),
        )
    )
    return SignedIn(token, await identify(work, token, at))


async def sign_out(work: Work, caller: Caller) -> None:
    """End the caller's session."""
    await work.session.execute(delete(UserSession).where(col(UserSession.id) == caller.session_id))


async def end_sessions(work: Work, user_id: str, *, but: str | None = None) -> None:
    """End a user's sessions, but for one."""
    statement = delete(UserSession).where(col(UserSession.user_id) == user_id)
    await work.session.execute(statement.where(col(UserSession.id) != but) if but else statement)


# built once: every request asks for it
_IDENTIFY = (
    select(User, UserSession, func.coalesce(col(Utility.id), col(Jurisdiction.utility_id)))
    .join(UserSession, col(UserSession.user_id) == User.id)
    .outerjoin(Utility, col(Utility.organisation_id) == User.organisation_id)
    .outerjoin(Jurisdiction, col(Jurisdiction.organisation_id) == User.organisation_id)
    .where(col(UserSession.token_sha256) == bindparam("token"), col(User.active))
)


async def identify(work: Work, token: str, at: datetime) -> Caller:
    """Return whose session a token opens, with the utilities the person may see; one statement.

    Raises:
        NotSignedIn: the token is unknown, ended, or its user is no longer active.
    """
    rows = (await work.session.execute(_IDENTIFY, {"token": token_sha256(token)})).all()
    if not rows or rows[0][1].expires_at <= at:
        raise NotSignedIn("session_unknown")
    user, session = rows[0][0], rows[0][1]
    utility_ids = tuple(sorted(row[2] for row in rows if row[2]))
    reports = user.role is Role.lab
    actor = Actor(
        user_id=user.id,
        role=user.role,
        organisation_id=user.organisation_id,
        utility_ids=() if reports else utility_ids,
        client_ids=utility_ids if reports else (),
        staff_id=user.staff_id,
        username=user.username,
    )
    return Caller(
        actor, session.id, session.csrf_token, user.must_change_password, session.expires_at
    )
