"""Requests of regulators that nobody has answered."""

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased
from sqlmodel import col

from water2.domain.regulator_report import ReportMessage


def unanswered() -> ColumnElement[bool]:
    """Return the condition that a message is a request, and none answers it."""
    answer = aliased(ReportMessage)
    answered = exists().where(col(answer.answers_id) == col(ReportMessage.id))
    return and_(col(ReportMessage.answers_id).is_(None), ~answered)
