"""Every list can be walked to its end, whatever it is ordered by."""

import pytest

from tests.edges.test_api_register import a_registered_place, added


async def walked(client, path):
    """Read a list a row at a time; return the ids."""
    seen, cursor = [], None
    while True:
        query = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        seen += [item["id"] for item in answer.json()["items"]]
        if (cursor := answer.json()["next"]) is None:
            return seen


@pytest.mark.parametrize("path", ["/samples", "/patrols", "/work-orders"])
async def test_a_list_in_order_of_time_is_walked_without_gap_or_double(api, path):
    place = await a_registered_place(api)
    at = api.installation.runtime.now().isoformat()
    bodies = {
        "/samples": {"point": "outlet", "purpose": "routine", "sampled_at": at},
        "/patrols": {"patrolled_at": at},
        "/work-orders": {"kind": "cleaning", "tank_ids": [place["/tanks"]]},
    }
    made = [
        (await added(api.manager, path, {"facility_id": place["/facilities"], **bodies[path]}))[
            "id"
        ]
        for _ in range(3)
    ]
    assert sorted(await walked(api.manager, path)) == sorted(made)
