"""All benchmarks in one table: `make bench`, or `.venv/bin/python -m tests.benchmarks`."""

from tests.benchmarks import (
    bench_idle_sweep,
    bench_import,
    bench_ledger_append,
    bench_list_duties,
    bench_open_duties,
    bench_write_with_entry,
)
from tests.benchmarks.stage import run

run(
    bench_ledger_append.measure,
    bench_idle_sweep.measure,
    bench_open_duties.measure,
    bench_list_duties.measure,
    bench_write_with_entry.measure,
    bench_import.measure,
)
