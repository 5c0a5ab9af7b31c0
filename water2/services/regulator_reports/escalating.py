"""Saying, once to each level, that a step or a report is past its clock."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult

from water2.domain.anomaly import Anomaly, AnomalyEscalation
from water2.domain.delivery import Audience, DeliverySource, Lane
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.domain.sending import ROBOTS
from water2.rules.anomaly import Level
from water2.services.delivery.staff_addresses import (
    Address,
    addresses_of_managers,
    addresses_of_regulator,
    endpoints_of,
    queue_to,
)
from water2.services.rows import insert_or_pass
from water2.work import Work


async def escalate(
    work: Work,
    utility: Utility,
    anomaly: Anomaly,
    subject_id: str,
    step: str,
    level: Level,
    due_at: datetime,
) -> bool:
    """Queue word of it to a level; False where that level heard of it before."""
    row = {
        "id": new_id(),
        "utility_id": anomaly.utility_id,
        "anomaly_id": anomaly.id,
        "subject_id": subject_id,
        "step": step,
        "level": level,
        "due_at": due_at,
        "made_at": work.now,
    }
    result = await work.session.execute(insert_or_pass(work, AnomalyEscalation), row)
    if not cast("CursorResult[Any]", result).rowcount:
        return False
    await queue_to(
        work,
        utility,
        DeliverySource.escalation,
        str(row["id"]),
        await _addresses(work, utility, level),
        lane=Lane.emergency,
        due_at=work.now,
    )
    return True


async def _addresses(work: Work, utility: Utility, level: Level) -> list[Address]:
    if level == "managers":
        managers = await addresses_of_managers(work, utility)
        return [*managers, *await endpoints_of(work, utility.id, ROBOTS)]
    return [
        address
        for audience in (Audience.health_regulator, Audience.water_regulator)
        for address in await addresses_of_regulator(work, utility.id, audience)
    ]
