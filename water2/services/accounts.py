"""Accounts (by the administrator), each act on the ledger of the utility it concerns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import SecretStr, StringConstraints
from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from water2.domain.access import ROLES_OF, Action, Actor, Role, User
from water2.domain.command import Code, Command, Flag
from water2.domain.errors import Conflict, Invalid, NotFound, NotPermitted
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Jurisdiction, Organisation, Utility
from water2.domain.staff import Staff
from water2.services.passwords import LONGEST_PASSWORD, hash_password
from water2.work import Work

SHORTEST_PASSWORD = 8  # characters, as NIST SP 800-63B asks at the least

Username = Annotated[
    str, StringConstraints(min_length=1, max_length=60, pattern=r"^[\w.@-]+$", to_lower=True)
]


class CreateUser(Command):
    """A new account. Without an organisation: the one that fits the role, when there is one.

    The password is a one-time password unless `must_change_password` is false.
    """

    username: Username
    role: Role
    password: SecretStr
    organisation_id: str | None = None
    staff: Code | None = None  # 工号: the person the account belongs to
    must_change_password: Flag = True


@dataclass(frozen=True)
class NewAccount:
    """An account whose password was hashed already."""

    username: str
    role: Role
    password_hash: str
    organisation_id: str
    staff_id: str | None = None
    must_change_password: bool = True


async def create_user(work: Work, command: CreateUser, password_hash: str) -> User:
    """Create an account for somebody of the utility, or of a regulator above it.

    `password_hash` is what `hash_given` made of the command's password before the unit was opened.

    Raises:
        NotPermitted: the regulator oversees other utilities too.
        Invalid: the role does not fit the organisation, or nobody has the 工号.
        Conflict: the user name is taken.
    """
    work.require(Action.administer)
    organisation = await _organisation_for(work, command)
    staff_id = await _staff_id(work, command.staff) if command.staff else None
    account = NewAccount(
        username=command.username,
        role=command.role,
        password_hash=password_hash,
        organisation_id=organisation.id,
        staff_id=staff_id,
        must_change_password=command.must_change_password,
    )
    return await add_account(work, account)


async def add_account(work: Work, account: NewAccount) -> User:
    """Add an account as it is; the demonstration and the first administrator begin here.

    Raises:
        NotPermitted: the organisation is not wholly the administrator's.
        Conflict: the user name is taken.
    """
    work.require(Action.administer)
    await require_whole(work, account.organisation_id)
    taken = await work.session.exec(
        select(User.id).where(User.username == account.username.lower())
    )
    if taken.first():
        raise Conflict("username_taken", {"username": account.username})
    user = User(
        organisation_id=account.organisation_id,
        username=account.username.lower(),
        role=account.role,
        password_hash=account.password_hash,
        must_change_password=account.must_change_password,
        staff_id=account.staff_id,
        created_at=work.now,
    )
    work.session.add(user)
    await record_for(work, user, "user.created", {"role": user.role.value})
    return user


async def fetch_user(work: Work, user_id: str) -> User:
    """Return a user of the administrator's utilities, or of a regulator above them.

    Raises:
        NotFound: no such user, or somebody else's.
    """
    user = await work.session.get(User, user_id)
    if user is None or user.organisation_id not in await organisations_seen(work):
        raise NotFound("user", user_id)
    return user


async def organisations_seen(work: Work) -> dict[str, Organisation]:
    """Return the utilities the actor sees and the regulators above them, as organisations."""
    statement = select(Organisation).order_by(
        col(Organisation.kind), Organisation.name, Organisation.id
    )
    if work.actor.role is not Role.system:
        ids = work.actor.utility_ids
        own = select(Utility.organisation_id).where(col(Utility.id).in_(ids))
        above = select(Jurisdiction.organisation_id).where(col(Jurisdiction.utility_id).in_(ids))
        statement = statement.where(
            or_(col(Organisation.id).in_(own), col(Organisation.id).in_(above))
        )
    return {found.id: found for found in await work.session.exec(statement)}


async def require_whole(work: Work, organisation_id: str) -> None:
    """Refuse to manage the people of an organisation that sees more than the actor does.

    Whoever makes or resets an account can read with it, so a regulator's accounts are an
    administrator's only while every utility under it is.

    Raises:
        NotPermitted: a utility of the organisation, or under it, is not the actor's.
    """
    utilities = await work.session.exec(select(Utility.id).where(_within(organisation_id)))
    if not all(work.actor.sees(utility_id) for utility_id in utilities):
        raise NotPermitted("users_of_shared_regulator")


async def hash_given(actor: Actor, secret: SecretStr, username: str) -> str:
    """Return the hash of a password somebody sets for another account.

    It takes its time: before a writing unit is opened others need not wait for it. What the
    machine's own operator gives on the command line is taken as it is: a demonstration's is
    printed anyway.

    Raises:
        NotPermitted: the actor may not set anybody's.
        Invalid: an administrator's is too short or too long, or is the user name.
    """
    if not actor.may(Action.administer):
        raise NotPermitted(Action.administer.value)
    password = secret.get_secret_value()
    if actor.role is not Role.system or not 0 < len(password) <= LONGEST_PASSWORD:
        password = sound_password(secret, "password", username)
    return await hash_password(password)


def sound_password(secret: SecretStr, field: str, username: str) -> str:
    """Return a password that may be taken.

    Raises:
        Invalid: it is too short or too long, or is the user name.
    """
    password = secret.get_secret_value()
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        code = "password_too_short" if len(password) < SHORTEST_PASSWORD else "password_too_long"
        raise Invalid.one(field, code, shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD)
    if password.casefold() == username.casefold():
        raise Invalid.one(field, "password_is_username")
    return password


def require_fitting(organisation: Organisation, role: Role) -> None:
    """Refuse a role that is not one of the organisation's.

    Raises:
        Invalid: always the answer to a misfit.
    """
    if role not in ROLES_OF[organisation.kind]:
        raise Invalid.one("role", "role_of_another_organisation", role.value)


async def _organisation_for(work: Work, command: CreateUser) -> Organisation:
    seen = await organisations_seen(work)
    if command.organisation_id is not None:
        if command.organisation_id not in seen:
            raise NotFound("organisation", command.organisation_id)
        organisation = seen[command.organisation_id]
        require_fitting(organisation, command.role)
        return organisation
    fitting = [one for one in seen.values() if command.role in ROLES_OF[one.kind]]
    if not fitting:
        raise Invalid.one("role", "no_organisation_for_role", command.role.value)
    if len(fitting) > 1:
        raise Invalid.one("organisation_id", "organisation_ambiguous")
    return fitting[0]


async def _staff_id(work: Work, code: str) -> str:
    found = await work.session.exec(
        select(Staff.id).where(
            col(Staff.utility_id).in_(work.actor.utility_ids), Staff.code == code
        )
    )
    staff_id = found.first()
    if staff_id is None:
        raise Invalid.one("staff", "unknown_person", code)
    return staff_id


async def record_for(work: Work, user: User, type_: str, data: Mapping[str, object]) -> None:
    """Enter the act on the ledger of the user's utility, or of each utility under the regulator."""
    ledgers = await work.session.exec(
        select(Utility.ledger_id).where(_within(user.organisation_id))
    )
    for ledger_id in ledgers:
        work.record(
            PendingEntry(
                ledger_id=ledger_id,
                type=type_,
                subject=f"user:{user.id}",
                occurred_at=work.now,
                data=data,
            )
        )


def _within(organisation_id: str) -> ColumnElement[bool]:
    """Return the condition for the organisation's own utility, or those under it."""
    under = select(Jurisdiction.utility_id).where(Jurisdiction.organisation_id == organisation_id)
    return or_(col(Utility.organisation_id) == organisation_id, col(Utility.id).in_(under))
