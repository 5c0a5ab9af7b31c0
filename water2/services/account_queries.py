"""Looking accounts up."""

from collections.abc import Sequence

from sqlmodel import col, select

from water2.domain.access import User
from water2.domain.errors import NotFound
from water2.domain.organisation import Organisation
from water2.services.accounts import organisations_seen
from water2.work import Work


async def list_users(work: Work) -> Sequence[User]:
    """Return the accounts of the actor's utilities and of the regulators above them, by name."""
    seen = await organisations_seen(work)
    statement = select(User).where(col(User.organisation_id).in_(list(seen)))
    return (await work.session.exec(statement.order_by(User.username))).all()


async def members_of(work: Work, organisation: Organisation) -> Sequence[User]:
    """Return the active accounts of an organisation, by name."""
    statement = select(User).where(User.organisation_id == organisation.id, col(User.active))
    return (await work.session.exec(statement.order_by(User.username))).all()


async def find_user(work: Work, username: str) -> User:
    """Return the account of a user name.

    Raises:
        NotFound: no such user, or somebody else's.
    """
    found = next((one for one in await list_users(work) if one.username == username), None)
    if found is None:
        raise NotFound("user", username)
    return found
