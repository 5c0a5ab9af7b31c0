"""Identifiers are random and made by the client, so that utilities can be spread over databases."""

from uuid import uuid4


def new_id() -> str:
    """Return 32 lower-case hexadecimal digits."""
    return uuid4().hex
