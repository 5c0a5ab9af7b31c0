"""Freezing who is told by a notice: every household of its extent, with its addresses, set-wise."""

from datetime import date
from typing import Any, cast

from sqlalchemy import ColumnElement, LargeBinary, and_, case, func, insert, literal, or_
from sqlalchemy import select as select_columns

from water2.domain.delivery import NO_CHANNEL
from water2.domain.household import Household
from water2.domain.notice import Notice, NoticeRecipient
from water2.domain.organisation import Contact
from water2.domain.sending import SendingChannel
from water2.services.rows import changed_rows
from water2.work import Work

_HOUSEHOLD = cast("Any", Household).__table__.c
_CONTACT = cast("Any", Contact).__table__.c
_RECIPIENT = cast("Any", NoticeRecipient).__table__


async def freeze_recipients(
    work: Work, notice: Notice, previous: Notice | None, today: date
) -> int:
    """Write down every household of the notice's extent with its addresses; return the rows.

    A household that the previous revision had keeps its evidence, unless the start was brought
    forward. Whoever has moved out is owed no notice.
    """
    source = (
        select_columns(
            literal(notice.id),
            _HOUSEHOLD.id,
            case(
                (_CONTACT.channel == "phone", SendingChannel.sms.value),
                (_CONTACT.channel == "mail", SendingChannel.mail.value),
                else_=NO_CHANNEL,
            ),
            func.coalesce(_CONTACT.index, literal(b"", LargeBinary)),
            _HOUSEHOLD.building_id,
            _since(notice, previous),
            _rank(),
        )
        .select_from(_households_with_contacts())
        .where(*_concerned(notice, today))
        .order_by(_HOUSEHOLD.id)  # the key's index grows at its end
    )
    columns = _RECIPIENT.c
    statement = insert(_RECIPIENT).from_select(
        [
            columns.notice_id,
            columns.household_id,
            columns.channel,
            columns.address_index,
            columns.building_id,
            columns.since_revision,
            columns.rank,
        ],
        source,
    )
    return await changed_rows(work, statement)


def _households_with_contacts() -> Any:
    contacts = and_(_CONTACT.owner_id == _HOUSEHOLD.id, _CONTACT.owner_type == "household")
    return _HOUSEHOLD.id.table.outerjoin(_CONTACT.id.table, contacts)


def _concerned(notice: Notice, today: date) -> list[ColumnElement[bool]]:
    still_there = or_(_HOUSEHOLD.moved_out_on.is_(None), _HOUSEHOLD.moved_out_on > today)
    within = [_HOUSEHOLD.building_id.in_(notice.building_ids)] if notice.building_ids else []
    return [_HOUSEHOLD.facility_id == notice.facility_id, still_there, *within]


def _since(notice: Notice, previous: Notice | None) -> Any:
    if previous is None or notice.started_earlier:
        return literal(notice.revision)
    before = (
        select_columns(func.min(_RECIPIENT.c.since_revision))
        .where(_RECIPIENT.c.notice_id == previous.id, _RECIPIENT.c.household_id == _HOUSEHOLD.id)
        .scalar_subquery()
    )
    return func.coalesce(before, notice.revision)


def _rank() -> Any:
    """Rank mail second where the household has a telephone."""
    other = _CONTACT.id.table.alias().c
    phone = (
        select_columns(literal(1))
        .where(
            other.owner_id == _HOUSEHOLD.id,
            other.owner_type == "household",
            other.channel == "phone",
        )
        .exists()
    )
    return case((and_(_CONTACT.channel == "mail", phone), 1), else_=0)


async def keep_recipients(work: Work, notice: Notice, previous: Notice) -> int:
    """Give a notice the frozen list of the one before: nobody else is told of an end."""
    old = _RECIPIENT.c
    source = select_columns(
        literal(notice.id),
        old.household_id,
        old.channel,
        old.address_index,
        old.building_id,
        old.since_revision,
        old.rank,
    ).where(old.notice_id == previous.id)
    return await changed_rows(work, insert(_RECIPIENT).from_select([c.name for c in old], source))
