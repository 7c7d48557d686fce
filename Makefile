# Energy Center. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m energy_center
PACKAGES := energy_center collectors dashboards simulators

.PHONY: help setup demo test check lint bench faults detection verification soak browser screenshots clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The demo needs the program alone; development tools follow only where they are asked for.
$(VENV)/.program: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here: install Python 3.11 or newer, or set PYTHON." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit("Energy Center needs Python 3.11 or newer; $(PYTHON) is " + sys.version.split()[0] + ". Set PYTHON=python3.11." if sys.version_info < (3, 11) else 0)'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >/dev/null || { echo "Python's venv module is missing: install python3-venv." >&2; exit 2; }
	@echo "installing Energy Center into $(VENV)/ …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.tools: $(VENV)/.program
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

setup: $(VENV)/.tools ## install the program and the development tools into .venv/

demo: $(VENV)/.program ## a live pair of city halls on this machine; Ctrl-C stops it
	@exec $(RUN) demo $(ARGS)

check: setup ## format, lint, types, import contracts, unit tests (under a minute)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/unit

lint: setup ## put the code into shape, then say what is left
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup ## every test, against real devices' protocols, real databases and a real browser
	@.ci/install-browser
	@.ci/install-timescaledb
	. .ci/browser.env && $(BIN)/pytest -q $(ARGS)

browser: setup ## the browser tests alone (Debian's Chromium: by apt as root, else unpacked into .apt/)
	@.ci/install-browser
	. .ci/browser.env && $(BIN)/pytest -q tests/browser $(ARGS)

bench: setup ## measure; build/bench.json and docs/benchmarks.md (compares with C by libmodbus-dev)
	@.ci/install-libmodbus
	@.ci/install-timescaledb
	. .ci/bench.env && $(BIN)/python -m tests.bench $(ARGS)

faults: setup ## break things on purpose and count readings; build/faults.json and docs/faults.md
	$(RUN) faults

detection: setup ## score the rules against injected faults; build/detection.json and docs/detection.md
	$(RUN) detection

verification: setup ## score verified savings against known effects and opendsm; docs/verification.md
	@PYTHON=$(PYTHON) .ci/install-opendsm
	$(BIN)/python -m tests.bench.verification

soak: setup ## the long runs (an hour): 200 random kills, the drain after an outage, memory; build/soak.json and docs/soak.md
	$(RUN) soak

screenshots: setup ## the pictures in docs/images/, taken from a demo of its own
	@.ci/install-browser
	. .ci/browser.env && $(RUN) demo --screenshots docs/images

clean: ## remove what was built or installed here; the demo's data too
	rm -rf $(VENV) build tests/timescaledb/node_modules .apt .state .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	@test "$$(id -u)" != 0 || rm -rf "/var/lib/energy-center/$$(pwd -P | sed 's|^/||; s|/|-|g')"
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
