"""Making an installation: schema, keys, utility and first administrator."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr
from sqlmodel import select

from water2.clock import Clock
from water2.config import Settings
from water2.database import open_database
from water2.domain.access import SYSTEM, Role
from water2.domain.errors import Conflict, Invalid
from water2.domain.organisation import OrganisationKind, Utility
from water2.rules.book import load_book
from water2.services.accounts import CreateUser, create_user, hash_given
from water2.services.installation import FoundUtility, found_utility, put_under
from water2.services.keys import make_contact_key, read_contact_box
from water2.services.ledger_keys import make_signing_key
from water2.services.passwords import one_time_password
from water2.services.presence import present
from water2.services.upgrading import upgrade_schema
from water2.work import Runtime, Work


@dataclass(frozen=True)
class Founding:
    """What an installation begins with; the regulators and the laboratory are optional.

    `password` is the demonstration's; without one the administrator gets a one-time password.
    """

    code: str
    name: str
    place: str
    timezone: str | None = None
    admin: str = "admin"
    health_regulator: str | None = None
    water_regulator: str | None = None
    laboratory: str | None = None
    password: SecretStr | None = None


@dataclass(frozen=True)
class Founded:
    """What was made; the password is shown here once and kept nowhere."""

    utility_id: str
    rulebook: str
    database: str
    keys: str
    username: str
    one_time_password: str


async def found_installation(
    settings: Settings, founding: Founding, *, clock: Clock, real_now: datetime
) -> Founded:
    """Make an installation; keys that are there already are used.

    Raises:
        Conflict: `installed_already`.
        Invalid: the zone.
        UnknownPlace: there is no rulebook of that key.
    """
    book = load_book(founding.place)  # all these before anything is made
    _check_zone(founding.timezone or book.timezone)
    admin = CreateUser(
        username=founding.admin,
        role=Role.administrator,
        password=founding.password or SecretStr(one_time_password()),
        must_change_password=founding.password is None,
    )
    password_hash = await hash_given(SYSTEM, admin.password, admin.username)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with present(settings.data_dir):
        await upgrade_schema(settings, now=real_now)
        make_contact_key(settings.keys)
        make_signing_key(settings.keys)
        database = open_database(settings.url)
        try:
            runtime = Runtime(database, clock, read_contact_box(settings.keys))
            async with runtime.work() as work:
                utility = await _found(work, founding)
                await create_user(work, admin, password_hash)
        finally:
            await database.dispose()
    return Founded(
        utility_id=utility.id,
        rulebook=book.instrument.title,
        database="PostgreSQL" if settings.database_url else str(settings.sqlite_path),
        keys=str(settings.keys),
        username=admin.username,
        one_time_password=admin.password.get_secret_value(),
    )


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid.one("timezone", "unknown_timezone", name) from None


async def _found(work: Work, founding: Founding) -> Utility:
    if (await work.session.exec(select(Utility.id).limit(1))).first():
        raise Conflict("installed_already")
    utility = await found_utility(
        work, FoundUtility(founding.code, founding.name, founding.place, founding.timezone)
    )
    await work.session.flush()  # accounts and jurisdictions refer to it
    around = (
        (OrganisationKind.health_regulator, founding.health_regulator),
        (OrganisationKind.water_regulator, founding.water_regulator),
        (OrganisationKind.laboratory, founding.laboratory),
    )
    for kind, name in around:
        if name:
            await put_under(work, utility, kind, name)
    return utility
