"""Telling a database that is away from a fault of ours, and from text it cannot keep."""

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

RETRY_AFTER_SECONDS = 5
# what PostgreSQL says while it stops, starts, hands over to another node, or has no room or time
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidCatalogNameError,
)
_BROKEN_OFF = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
DATABASE_ERRORS: tuple[type[Exception], ...] = (
    DBAPIError,
    PoolTimeoutError,
    OSError,
    UnicodeEncodeError,
    OverflowError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
)


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = getattr(error, "orig", None) or error.__cause__
    return found


def database_away(error: Exception) -> bool:
    """Tell whether the same request may succeed later without anybody's doing."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    kinds = (PoolTimeoutError, OSError, TimeoutError, *_AWAY, *_BROKEN_OFF)
    if any(isinstance(cause, kinds) for cause in _causes(error)):
        return True
    if isinstance(error, asyncpg.InterfaceError | InterfaceError):
        return True
    return isinstance(error, OperationalError) and not isinstance(error, IntegrityError)


def broken_off(error: Exception) -> bool:
    """Tell whether PostgreSQL undid all of a unit for another's sake: begun anew it may succeed."""
    return any(isinstance(cause, _BROKEN_OFF) for cause in _causes(error))


def value_unstorable(error: Exception) -> bool:
    """Tell whether the database refused a value that a request brought."""
    return isinstance(error, DataError) or any(
        isinstance(cause, asyncpg.DataError | UnicodeEncodeError | OverflowError)
        for cause in _causes(error)
    )


def taken_meanwhile(error: Exception) -> bool:
    """Tell whether another act at the same time took the identity (a unique key)."""
    return isinstance(error, IntegrityError)
