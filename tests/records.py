"""Complete records for tests to take a field from."""

from datetime import datetime, timedelta
from typing import Any


def a_cleaning_record(
    now: datetime, people: tuple[str, ...] = ("LS001", "LS002", "LS003")
) -> dict[str, Any]:
    """A cleaning of a small tank that ended half an hour before `now`."""

    def ago(minutes: int) -> str:
        return (now - timedelta(minutes=minutes)).isoformat()

    return {
        "firm": "碧润水务服务有限公司",
        "people": list(people),
        "drained_from": ago(360),
        "drained_to": ago(330),
        "cleaned_from": ago(320),
        "cleaned_to": ago(200),
        "disinfectant_name": "次氯酸钠消毒液",
        "disinfectant_approval": "浙卫消证字(2024)第0001号",
        "disinfectant_batch": "NC20260901",
        "disinfectant_expires_on": "2027-08-31",
        "concentration_mg_l": "100",
        "dose": "2 L",
        "prepared_by": "LS001",
        "supervised_by": "LS002",
        "contact_minutes": 20,
        "rinsed": True,
        "refilled_from": ago(150),
        "refilled_to": ago(100),
        "standing_minutes": 40,
        "turbidity_ntu": "0.3",
        "residual_mg_l": "0.35",
        "confined_space_permit": {
            "briefed": True,
            "fit_for_entry": True,
            "inlet_closed_and_tagged": True,
            "ventilated_minutes": 120,
            "air_tested_at": ago(325),
            "air_test_passed": True,
            "entered_at": ago(320),
            "crew": list(people) if len(people) >= 3 else ["LS001", "LS002", "LS003"],
            "inside": ["LS001", "LS002"],
            "watchers": ["LS003"],
            "protective_gear": True,
            "heads_and_tools_counted": True,
            "signatures": ["LS001", "LS002", "LS003"],
        },
    }


def routine_results() -> dict[str, str]:
    """A passing result for each item of the routine set."""
    return {
        "colour": "<5",
        "turbidity": "0.30",
        "odour_taste": "无异臭、异味",
        "visible_matter": "无",
        "ph": "7.2",
        "total_coliform": "未检出",
        "plate_count": "12",
        "free_chlorine": "0.30",
    }
