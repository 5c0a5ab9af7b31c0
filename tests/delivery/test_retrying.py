"""When a message is tried again, by table."""

from datetime import UTC, datetime, timedelta

import pytest

from water2.domain.delivery import Lane
from water2.domain.retrying import MOST_ATTEMPTS, retry_at

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


def pause(attempts, lane=Lane.planned, deadline=None, expires=None, wait=None):
    """Return the pause in seconds, or None; deadline and expiry in seconds from now."""
    at = retry_at(
        attempts,
        NOW,
        lane=lane,
        deadline_at=None if deadline is None else NOW + timedelta(seconds=deadline),
        expires_at=None if expires is None else NOW + timedelta(seconds=expires),
        wait_seconds=wait,
    )
    return None if at is None else (at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("lane", "pauses"),
    [
        (Lane.emergency, [2, 6, 18, 54, 120, 120, 120]),
        (Lane.planned, [30, 120, 480, 1920, 3600, 3600, 3600]),
        (Lane.routine, [30, 120, 480, 1920, 3600, 3600, 3600]),
    ],
)
def test_pauses_grow_and_are_bounded(lane, pauses):
    assert [pause(attempt, lane) for attempt in range(1, MOST_ATTEMPTS)] == pauses


def test_after_the_last_attempt_it_is_given_up():
    assert pause(MOST_ATTEMPTS) is None


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [
        (86_400, 1920),  # far away
        (4_000, 1000),  # four tries still fit
        (400, 100),
        (4, 2),  # never closer than an emergency's first
        (0, 1920),  # at the deadline itself it has passed
        (-10, 1920),
    ],
)
def test_tries_come_closer_before_the_deadline(deadline, expected):
    assert pause(4, deadline=deadline) == expected


def test_a_provider_that_asks_to_wait_is_obeyed():
    assert pause(1, wait=300) == 300
    assert pause(1, wait=5) == 30
    assert pause(4, deadline=40, wait=60) == 60


@pytest.mark.parametrize(("expires", "expected"), [(31, 30), (30, None), (10, None)])
def test_what_is_useless_by_then_is_not_tried_again(expires, expected):
    assert pause(1, expires=expires) == expected
