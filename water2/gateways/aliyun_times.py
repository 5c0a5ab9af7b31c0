"""Aliyun writes instants without a zone: they are Beijing's, which knows no summer time."""

from datetime import UTC, datetime, timedelta, timezone

BEIJING = timezone(timedelta(hours=8))


def beijing_instant(written: object) -> datetime:
    """Read `2026-11-23 09:00:30` as UTC.

    Raises:
        ValueError: it is not written so.
    """
    local = datetime.strptime(str(written), "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    try:
        return local.astimezone(UTC)
    except OverflowError:
        raise ValueError("no such instant") from None
