"""Benchmarks against raw baselines, in one table: all of them, or those named.

Run: `make bench`, or `.venv/bin/python -m tests.benchmarks bench_list_duties`.
"""

import argparse
from importlib import import_module
from pathlib import Path

from tests.benchmarks.stage import DATABASES, run

NAMES = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", help=f"which ones: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--database", choices=DATABASES, help="on one database alone")
    asked = parser.parse_args()
    if unknown := set(asked.name) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    modules = [import_module(f"tests.benchmarks.{name}") for name in asked.name or NAMES]
    databases = (asked.database,) if asked.database else DATABASES
    run(*(module.measure for module in modules), databases=databases)


main()
