"""A folder with a demonstration: made once, kept, and never mistaken for a real installation."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pydantic import SecretStr

from water2.clock import DEMO_CLOCK_FILE, DemoClock, clock_of, wall_clock
from water2.config import ENV_FILE, Settings
from water2.domain.access import SYSTEM, Role
from water2.domain.errors import Conflict
from water2.jobs import deliver_due
from water2.main import build_runtime, opened
from water2.services.account_changes import reset_password
from water2.services.account_queries import find_user, list_users
from water2.services.accounts import CreateUser, create_user, hash_given
from water2.services.demo import seed_demo
from water2.services.demo.clock import move_clock
from water2.services.demo.invention import LABORATORY
from water2.services.founding import Founding, found_installation

DEFAULT_PASSWORD = "water2-demo"  # noqa: S105 - printed at every start; demonstrations alone have it
ACCOUNTS = {
    "manager": Role.manager,
    "crew": Role.crew,
    "health": Role.health_inspector,
    "water": Role.water_inspector,
    "lab": Role.lab,
}
UTILITY = Founding(
    code="QP",
    name="青屏供水有限公司",
    place="lishui",
    health_regulator="青屏区卫生健康局",
    water_regulator="青屏区住房和城乡建设局",
    laboratory=LABORATORY,
)


@dataclass(frozen=True)
class Demonstration:
    """What is asked of a demonstration; `now` and `password` change one that is there.

    A clock that is past `now` already stays: the ledgers tell of what has happened.
    """

    empty: bool = False
    now: datetime | None = None
    password: str | None = None


def demo_settings(settings: Settings, host: str, port: int) -> Settings:
    """Return the settings of a demonstration: all in its own folder, whatever is set elsewhere."""
    own = {
        "database_url": None,
        "database_admin_url": None,
        "key_dir": None,
        "backup_dir": None,
        "secure_cookies": False,  # it is looked at on this machine, without a certificate
        "host": host,
        "port": port,
    }
    return settings.model_copy(update=own)


def is_made(settings: Settings) -> bool:
    """Tell whether the folder holds a finished demonstration."""
    return (settings.data_dir / DEMO_CLOCK_FILE).exists()


async def prepare(settings: Settings, asked: Demonstration) -> datetime:
    """Make the demonstration, or take up the one that is there; return where its clock stands.

    Raises:
        Conflict: `not_a_demonstration`.
    """
    if not is_made(settings):
        if settings.sqlite_path.exists():
            raise Conflict("not_a_demonstration", {"folder": str(settings.data_dir)})
        await _make(settings, asked)
    elif asked.now is not None or asked.password is not None:
        await _change(settings, asked)
    return clock_of(settings.data_dir)()


async def _make(settings: Settings, asked: Demonstration) -> None:
    """Make it under a clock of another name: a folder without the right one was not finished."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    making = settings.data_dir / f"{DEMO_CLOCK_FILE}.making"
    clock = DemoClock(making)
    clock.set(asked.now or wall_clock())
    password = SecretStr(asked.password or DEFAULT_PASSWORD)
    founding = replace(UTILITY, password=password)
    await found_installation(settings, founding, clock=clock, real_now=wall_clock())
    runtime = build_runtime(settings, clock)
    try:
        hashes = await _hashes(password, ACCOUNTS)
        async with runtime.work() as work:
            for username, role in ACCOUNTS.items():
                account = _account(username, role, password)
                await create_user(work, account, hashes[username])
        if not asked.empty:
            await seed_demo(runtime)
            _play_messages(settings)
    finally:
        await runtime.database.dispose()
    making.rename(settings.data_dir / DEMO_CLOCK_FILE)


def _play_messages(settings: Settings) -> None:
    """Let SMS and mail be played: nothing is sent, and all is accepted, by this folder's settings.

    An empty demonstration has no gateway, as an installation that nobody has set up.
    """
    lines = "WATER2_SMS_URL=demo:\nWATER2_SMTP_URL=demo:\n"
    (settings.data_dir / ENV_FILE).write_text(lines, encoding="utf-8")


def _account(username: str, role: Role, password: SecretStr) -> CreateUser:
    return CreateUser(username=username, role=role, password=password, must_change_password=False)


async def _hashes(password: SecretStr, usernames: Iterable[str]) -> dict[str, str]:
    """Return a hash of one password for each of some people, each with a salt of its own."""
    return {name: await hash_given(SYSTEM, password, name) for name in usernames}


async def _change(settings: Settings, asked: Demonstration) -> None:
    async with opened(settings) as runtime:
        if asked.now is not None and asked.now > runtime.clock():
            deliver = partial(deliver_due, runtime, settings)
            await move_clock(runtime, SYSTEM, asked.now, deliver)
        if asked.password is not None:
            hashes = await _hashes(SecretStr(asked.password), (UTILITY.admin, *ACCOUNTS))
            async with runtime.work() as work:
                made = {user.username for user in await list_users(work)}  # fewer in earlier ones
                for username in (name for name in hashes if name in made):
                    user = await find_user(work, username)
                    await reset_password(work, user.id, hashes[username])
                    user.must_change_password = False  # everybody is told this one
