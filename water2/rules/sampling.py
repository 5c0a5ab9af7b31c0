"""第十七条(四) 定期检测: when the routine test of a facility counts as done."""

from collections.abc import Collection, Iterable
from datetime import date


def sampling_rounds(
    samples: Iterable[tuple[str, date, str]], points: Collection[str]
) -> tuple[tuple[str, date], ...]:
    """Give the rounds that (id, day, point) samples complete, each as (id, day) of its last sample.

    Reading: a test is done on the day by which every point of the plan has been sampled since the
    round before.
    """
    rounds: list[tuple[str, date]] = []
    seen: set[str] = set()
    for id_, on, point in sorted(samples, key=lambda sample: (sample[1], sample[0])):
        seen.add(point)
        if seen.issuperset(points):
            rounds.append((id_, on))
            seen = set()
    return tuple(rounds)
