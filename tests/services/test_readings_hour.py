"""An hour of 1,000 instruments a minute: every planted excursion is found, and none invented."""

from datetime import timedelta
from random import Random

from sqlmodel import func, select

from tests.benchmarks.bench_readings import seed
from tests.instruments import MINUTE, NOW, sent
from water2.domain.anomaly import Anomaly, AnomalyCause
from water2.domain.instrument import Excursion, Reading

INSTRUMENTS, MINUTES = 1000, 60
USUAL = {"turbidity": "0.3", "ph": "7.2", "free_chlorine": "0.4"}
WRONG = {"turbidity": "1.4", "ph": "9.1", "free_chlorine": "2.5"}


def planted(random: Random, made) -> tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]]:
    """Excursions of 15 minutes and more, and spikes of less, by instrument: first and last."""
    chosen = random.sample([id_ for id_, _ in made], 60)
    begins = {id_: random.randrange(0, 40) for id_ in chosen}
    lasting = {
        id_: (begins[id_], min(begins[id_] + random.randint(15, 40), MINUTES - 1))
        for id_ in chosen[:20]
    }
    spikes = {id_: (begins[id_], begins[id_] + random.randint(0, 14)) for id_ in chosen[20:]}
    return lasting, spikes


async def test_of_an_hour_of_readings_every_excursion_is_found_and_none_invented(lishui, clock):
    random = Random(11)
    made = await seed(lishui, INSTRUMENTS)
    lasting, spikes = planted(random, made)
    wrong = lasting | spikes
    readings = []
    for minute in range(MINUTES):
        for n, (id_, parameter) in enumerate(made):
            first, last = wrong.get(id_, (MINUTES, -1))
            form = WRONG if first <= minute <= last else USUAL
            at = NOW + minute * MINUTE + timedelta(seconds=n % 60)
            # half a minute of one network after another comes late, by up to ten minutes
            arrives = minute + (random.randint(0, 10) if n % 2 else 0)
            row = {
                "instrument": id_,
                "taken_at": at.isoformat(),
                "raw": f"{form[parameter]}{minute % 10}",
            }
            readings.append((arrives, random.random(), row))
    readings.sort(key=lambda one: one[:2])
    clock.set(NOW + MINUTES * MINUTE)
    for start in range(0, len(readings), INSTRUMENTS):
        batch = [row for _, _, row in readings[start : start + INSTRUMENTS]]
        done = await sent(lishui, batch)
        assert (done.accepted, done.refused) == (INSTRUMENTS, [])
    async with lishui.runtime.read() as work:
        stored = (await work.session.exec(select(func.count()).select_from(Reading))).one()
        found = (await work.session.exec(select(Excursion))).all()
        causes = (await work.session.exec(select(AnomalyCause))).all()
        anomalies = (await work.session.exec(select(Anomaly))).all()
    assert stored == INSTRUMENTS * MINUTES
    seconds = {id_: timedelta(seconds=n % 60) for n, (id_, _) in enumerate(made)}
    holding = {
        one.instrument_id: (one.began_at, one.last_at) for one in found if one.withdrawn_at is None
    }
    assert holding == {
        id_: (NOW + first * MINUTE + seconds[id_], NOW + last * MINUTE + seconds[id_])
        for id_, (first, last) in lasting.items()
    }
    assert {*lasting} <= {cause.instrument_id for cause in causes}
    assert {one.anomaly_id for one in found} == {one.id for one in anomalies}
