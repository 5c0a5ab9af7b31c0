"""The lines of a digest: each duty by its title, its subject's code and its due day."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlmodel import col

from water2.domain.duty import Duty
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.reminder import Digest, Reminder
from water2.domain.staff import Staff
from water2.rules.book import Rulebook
from water2.services.delivery.texts import pattern, text
from water2.services.rulebooks import book_of
from water2.work import Work

MOST_LINES = 50


@dataclass(frozen=True)
class Lines:
    """The first lines of a digest, how many there are, and the same as a webhook's items."""

    count: int
    shown: tuple[str, ...]
    items: tuple[Mapping[str, object], ...]

    @property
    def text(self) -> str:
        """All that is shown, and how many more there are."""
        more = self.count - len(self.shown)
        return "\n".join([*self.shown, *([text("digest_more", count=more)] if more else [])])


async def digest_lines(
    work: Work, utility: Utility, ids: Collection[str]
) -> list[tuple[Digest, Lines]]:
    """Return digests with their lines, the nearest due day first; one without any is left out."""
    rows = await work.session.execute(
        select(
            Digest,
            col(Reminder.due_on),
            col(Duty.obligation),
            func.coalesce(col(Facility.code), "").label("facility"),
            func.coalesce(col(Tank.code), col(Staff.code), "").label("subject"),
        )
        .join(Reminder, col(Reminder.digest_id) == col(Digest.id))
        # late facts may have dissolved the duty since
        .join(Duty, col(Duty.id) == col(Reminder.duty_id))
        .outerjoin(Facility, col(Facility.id) == col(Duty.facility_id))
        .outerjoin(Tank, col(Tank.id) == col(Duty.subject_id))
        .outerjoin(Staff, col(Staff.id) == col(Duty.subject_id))
        .where(col(Digest.id).in_(ids))
        .order_by(col(Reminder.due_on), col(Reminder.id))
    )
    book = await book_of(work, utility)
    by_digest: dict[str, list[Any]] = defaultdict(list)
    digests: dict[str, Digest] = {}
    for row in rows:
        digests[row.Digest.id] = row.Digest
        by_digest[row.Digest.id].append(row)
    today = work.today(utility.timezone)
    return [(digests[id_], _lines(utility, book, today, those)) for id_, those in by_digest.items()]


def _lines(utility: Utility, book: Rulebook, today: date, rows: list[Any]) -> Lines:
    items = [_item(utility, book, today, row) for row in rows[:MOST_LINES]]
    shown = []
    for item, row in zip(items, rows, strict=False):
        key = "digest_line_overdue" if row.due_on < today else "digest_line"
        due = row.due_on.strftime(pattern("day"))
        shown.append(text(key, title=item["title"], subject=item["subject"], due=due))
    return Lines(len(rows), tuple(shown), tuple(items))


def _item(utility: Utility, book: Rulebook, today: date, row: Any) -> dict[str, object]:
    obligation = book.obligation(row.obligation, today)
    codes = [code for code in (row.facility, row.subject) if code]
    return {
        "obligation": row.obligation,
        "title": obligation.title if obligation else row.obligation,
        "subject": " ".join(codes or [utility.name]),
        "due_on": row.due_on.isoformat(),
    }
