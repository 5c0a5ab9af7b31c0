"""The papers the simulated people fill in: complete and plausible."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

PASSING = {
    "colour": "<5",
    "turbidity": "0.30",
    "odour_taste": "无异臭、异味",
    "visible_matter": "无",
    "ph": "7.2",
    "total_coliform": "未检出",
    "plate_count": "12",
    "free_chlorine": "0.30",
}
FAILING = PASSING | {"total_coliform": "3", "plate_count": "150"}


def cleaning_record(ended_at: datetime, people: Sequence[str]) -> dict[str, Any]:
    """Return the record of a small tank's cleaning, refilled before the hour after `ended_at`."""

    def before(minutes: int) -> str:
        return (ended_at - timedelta(minutes=minutes)).isoformat()

    month = ended_at - timedelta(days=60)
    return {
        "firm": "simulated",
        "people": list(people),
        "drained_from": before(200),
        "drained_to": before(170),
        "cleaned_from": before(160),
        "cleaned_to": before(60),
        "disinfectant_name": "次氯酸钠消毒液",
        "disinfectant_approval": "simulated",
        "disinfectant_batch": f"NC{month:%Y%m%d}",
        "disinfectant_expires_on": (ended_at + timedelta(days=300)).date().isoformat(),
        "concentration_mg_l": "100",
        "dose": "2 L",
        "prepared_by": people[0],
        "supervised_by": people[1],
        "contact_minutes": 20,
        "rinsed": True,
        "refilled_from": before(55),
        "refilled_to": before(10),
        "standing_minutes": 40,
        "turbidity_ntu": "0.3",
        "residual_mg_l": "0.35",
        "confined_space_permit": _permit(people, before(165), before(160)),
    }


def _permit(people: Sequence[str], tested_at: str, entered_at: str) -> dict[str, Any]:
    return {
        "briefed": True,
        "fit_for_entry": True,
        "inlet_closed_and_tagged": True,
        "ventilated_minutes": 120,
        "air_tested_at": tested_at,
        "air_test_passed": True,
        "entered_at": entered_at,
        "crew": list(people),
        "inside": list(people[:2]),
        "watchers": list(people[2:3]),
        "protective_gear": True,
        "heads_and_tools_counted": True,
        "signatures": list(people),
    }
