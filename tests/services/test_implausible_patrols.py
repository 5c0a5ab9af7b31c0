"""A round is taken whatever was written on it; what cannot be true is flagged."""

import json

import pytest
from sqlmodel import select

from tests.builders import a_facility
from tests.instruments import NOW
from tests.ledgers import entries_of
from water2.domain.anomaly import Anomaly
from water2.rules.flags import FlagCode
from water2.services.patrols import RecordPatrol, record_patrol


@pytest.mark.parametrize(
    ("record", "flagged", "anomalous"),
    [
        ({"ph": "71"}, True, False),
        ({"ph": 71}, True, False),
        ({"turbidity": "-3"}, True, False),
        ({"ph": "偏高"}, True, False),
        ({"浑浊度": "O.3O"}, True, False),
        ({"turbidity": "0.3 mg/L"}, True, False),
        ({"ph": "71", "turbidity": "1.2"}, True, True),
        ({"ph": "71", "pH": "7.1"}, True, False),
        ({"ph": "7.1", "turbidity": 0.3, "余氯": "<0.05"}, False, False),
        ({"turbidity": "1.2"}, False, True),
        ({"ph": ""}, False, False),
        ({"ph": None, "turbidity": True, "lid_locked": "偏高", "level_m": "-3"}, False, False),
    ],
)
async def test_a_value_that_cannot_be_true_flags_the_round(lishui, record, flagged, anomalous):
    async with lishui.runtime.work() as work:
        facility = await a_facility(work, lishui.utility)
    command = RecordPatrol(facility_id=facility.id, patrolled_at=NOW, record=record)
    async with lishui.runtime.work(lishui.crew) as work:
        patrol = await record_patrol(work, command)
    flags = [FlagCode.value_implausible] if flagged else []
    assert (patrol.flags, patrol.record) == (flags, record)
    told = json.loads((await entries_of(lishui.runtime, facility.ledger_id))[-1])
    assert (told["type"], told["data"]["flags"]) == ("patrol.recorded", flags)
    async with lishui.runtime.read() as work:
        assert bool((await work.session.exec(select(Anomaly))).all()) is anomalous
