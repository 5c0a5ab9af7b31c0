"""Every benchmark runs, at a tiny size, so that none rots; no time is asserted."""

from pathlib import Path

import pytest

from tests.benchmarks import (
    bench_bad_reading,
    bench_compliance,
    bench_delivery_queue,
    bench_emergency_lane,
    bench_idle_sweep,
    bench_import,
    bench_ledger_append,
    bench_list_duties,
    bench_open_duties,
    bench_publish_notice,
    bench_readings,
    bench_send_bulk,
    bench_write_with_entry,
)
from tests.benchmarks.stage import DATABASES, Stage, stage

TINY = {
    bench_bad_reading: {"households": 10, "turns": 1},
    bench_compliance: {"facilities": 2, "months": 3, "turns": 1},
    bench_delivery_queue: {"rows": 400, "jobs": 20, "turns": 1},
    bench_emergency_lane: {"rows": 2000, "turns": 1},
    bench_idle_sweep: {"fleets": (4, 8), "turns": 1},
    bench_import: {"turns": 1, "count": 1000},
    bench_ledger_append: {"turns": 1, "appends": 16},
    bench_list_duties: {"limits": (2,), "turns": 1, "rows": 16, "tanks": 8},
    bench_open_duties: {"duties": 12, "days": 2},
    bench_publish_notice: {"sizes": (20,), "turns": 1},
    bench_readings: {"instruments": 20, "minutes": 2, "sizes": (1, 2)},
    bench_send_bulk: {"rows": 200, "turns": 1, "latency_ms": 5},
    bench_write_with_entry: {"facilities": 2, "turns": 1},
}


@pytest.fixture(scope="module")
def small_stage(postgres_server, tmp_path_factory) -> Stage:
    with stage(tmp_path_factory.mktemp("bench"), postgres_server) as prepared:
        yield prepared


@pytest.mark.parametrize("dialect", DATABASES)
@pytest.mark.parametrize("benchmark", TINY, ids=lambda module: module.__name__.split(".")[-1])
async def test_a_benchmark_runs_and_tells_a_ratio(small_stage, benchmark, dialect):
    figures = await benchmark.measure(small_stage, dialect, **TINY[benchmark])
    assert all(figure.ratio > 0 and figure.database == dialect for figure in figures)


def test_every_benchmark_is_among_them():
    folder = Path(__file__).parent
    assert {f"tests.benchmarks.{path.stem}" for path in folder.glob("bench_*.py")} == {
        module.__name__ for module in TINY
    }
