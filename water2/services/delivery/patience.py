"""Trying again while the database is away: what was sent must be written down."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

T = TypeVar("T")
logger = logging.getLogger(__name__)

AWAY = (SQLAlchemyError, OSError)
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds


async def patiently(act: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Do a unit of work; where the database fails it, do it again for so many seconds.

    Raises:
        SQLAlchemyError, OSError: it failed to the end.
    """
    loop = asyncio.get_running_loop()
    end, pause = loop.time() + seconds, FIRST_PAUSE
    while True:
        try:
            return await act()
        except AWAY as error:
            if loop.time() + pause > end:
                raise
            # the text of a database's error may hold what was to be written
            logger.warning("the database failed a unit (%s); again", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
