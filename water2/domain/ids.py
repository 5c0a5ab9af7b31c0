"""Identifiers are random and made by the client, so that utilities can be spread over databases."""

import secrets
from datetime import date
from uuid import uuid4

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is mistaken for another on a poster


def new_id() -> str:
    """Return 32 lower-case hexadecimal digits."""
    return uuid4().hex


def drawn_number(prefix: str, today: date) -> str:
    """Return a number for people that nobody can guess: whoever holds it has seen the paper."""
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(6))
    return f"{prefix}{today:%y%m%d}-{drawn}"
