"""Passwords: Argon2id, worked out in a thread so that nobody else waits."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST_PASSWORD = 200  # characters; more would only cost time
_threads = ThreadPoolExecutor(2, "argon2")  # each at work takes 64 MiB
_hasher = PasswordHasher()


@cache
def _nobodys_hash() -> str:
    """Return a hash that no password fits: an unknown name costs as much time as a known one."""
    return _hasher.hash(secrets.token_urlsafe(32))


def one_time_password() -> str:
    """Return a random password that is easy to read out: 20 hexadecimal digits in fives."""
    digits = secrets.token_hex(10)
    return "-".join(digits[at : at + 5] for at in range(0, 20, 5))


async def hash_password(password: str) -> str:
    """Return the Argon2id hash to be kept."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def password_fits(password: str, kept: str | None) -> bool:
    """Tell whether a password fits a kept hash; None takes as long and never fits."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _fits, password, kept)


def _fits(password: str, kept: str | None) -> bool:
    try:
        return _hasher.verify(kept or _nobodys_hash(), password) and kept is not None
    except (VerificationError, InvalidHashError):
        return False
