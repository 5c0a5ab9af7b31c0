# water2: `make help` lists what there is. Only python3 (3.11 or newer) and make are needed.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: help install run test lint format types imports bench lock check clean

# compiled modules are kept: every command and every test process starts faster
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
V := .venv
BIN := $(V)/bin
PORT ?= 8080
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
LOCKED := $(PIP) --require-hashes --only-binary :all: --no-deps
# no address of a registry in the lock: each machine asks its own
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --group build

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(V)/.installed ## make .venv/bin/water2

run: install ## a demonstration at http://127.0.0.1:8080, kept in ./demo (PORT=… for another port)
	$(BIN)/water2 demo --data-dir demo --port $(PORT)

test: $(V)/.developing ## all tests, on both databases and in a real browser
	@.ci/browser
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(V)/.developing ## ruff: rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(V)/.developing ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(V)/.developing ## mypy, strict
	$(BIN)/mypy

imports: $(V)/.developing ## the layers: imports point one way
	$(BIN)/lint-imports

check: lint types imports test ## exactly what CI runs

bench: $(V)/.developing ## the benchmarks of the README's performance section
	$(BIN)/python -m tests.benchmarks

lock: ## compile both locks anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv" >&2; exit 2; }
	$(COMPILE) pyproject.toml -o requirements.lock
	$(COMPILE) --group dev pyproject.toml -o requirements-dev.lock
	@! grep -nE '://|index' requirements.lock requirements-dev.lock

clean: ## remove what the other targets made (not ./demo, not ./data)
	rm -rf $(V) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

$(V)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "water2 needs Python 3.11 or newer: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	$(PYTHON) -m venv $(V)
	@touch $@

# The back end of the editable install is in the lock too, so nothing unhashed is fetched to build.
$(V)/.installed: $(V)/.made requirements.lock pyproject.toml
	$(LOCKED) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(V)/.developing: $(V)/.installed requirements-dev.lock
	$(LOCKED) -r requirements-dev.lock
	@touch $@
