# `make` lists what one can do. Everything runs from .venv, which `make setup` makes.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
WORKERS ?= 2
ARGS ?=
# The files that have long tests: every worker would have to read all the others too.
LONG ?= $$(grep -rlF --include='test_*.py' mark.long tests)

# Compiled files are kept: without them, every worker and every server that a test starts compiles all it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-long lint format docs bench bench-workbench bench-workflows bench-calls serve lock clean

help: ## list what one can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## make .venv with everything in it, versions and hashes locked; quick when there is nothing to do
	@:

demo: setup ## create an office on a server of its own, call it, show what happened; ONCE=1 ends it afterwards
	@$(BIN)/python -m offhook.demo

test: setup ## run the tests, kills and fuzz in their short form; ARGS=... goes to pytest
	@$(BIN)/pytest -m "not long" -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-long: setup ## run the kill, fuzz and load tests in full; one more at a time than cores, as they wait a lot
	@$(BIN)/pytest -m long --hypothesis-profile=long -n $$(( $(WORKERS) + 1 )) --dist load --maxschedchunk 1 $(LONG) $(ARGS)

lint: setup ## check style, formatting, types and who imports whom
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup ## put imports and layout in order
	@$(BIN)/ruff check --select I --fix .
	@$(BIN)/ruff format .

docs: setup ## write the tables of docs/compatibility.md anew, from the code
	@$(BIN)/python -m tests.docs.generate

bench: setup ## measure creates and reads against an echo on this machine
	@$(BIN)/python -m bench $(ARGS)

bench-workbench: setup ## measure import, search and reference pages with 2,639 real API documents (needs npm)
	@$(BIN)/python -m bench.workbench $(ARGS)

bench-workflows: setup ## measure workflows on SQLite and PostgreSQL against a real service, 1,000,000 runs of history
	@$(BIN)/python -m bench.workflows $(ARGS)

bench-calls: setup ## measure calls on real telephones through the whole product; ARGS="--minutes 30 --rate 10" for a long time
	@$(BIN)/python -m bench.telephony $(ARGS)

serve: setup ## run the server; ARGS=... goes to it
	@$(BIN)/offhook serve $(ARGS)

lock: ## choose new versions for requirements/*.txt (needs uv, e.g. pip install uv)
	@command -v $${UV:-uv} > /dev/null || { echo "make lock needs uv: pip install uv, or UV=path/to/uv make lock"; exit 1; }
	@for set in runtime dev; do \
	  $${UV:-uv} pip compile requirements/$$set.in --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    $$([ $$set = dev ] && echo --constraints requirements/runtime.txt) \
	    --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --output-file requirements/$$set.txt; \
	done
	@! grep -nE '://|--index|--extra-index|--find-links' requirements/*.txt || { echo "an address got into the lock"; exit 1; }

clean: ## remove .venv, caches and what the demo and the benchmark left
	@rm -rf .venv .demo bench/out build .hypothesis .pytest_cache .mypy_cache .ruff_cache .import_linter_cache src/*.egg-info
	@find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2> /dev/null || true

# pip's whole output is kept in .venv/setup.log; the screen gets a line now and then.
$(READY): requirements/dev.txt pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "Offhook needs Python 3.11 or later: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Offhook needs Python 3.11 or later, $(PYTHON) is older. Name another one: make setup PYTHON=python3.12"; exit 1; }
	@[ -x $(BIN)/python ] && $(BIN)/python -c 'import pip' 2> /dev/null || $(PYTHON) -m venv --clear .venv || \
	  { echo "Could not make .venv. On Debian: apt install python3-venv. A broken one: make clean"; exit 1; }
	@count=$$(grep -cE '^[a-zA-Z]' requirements/dev.txt); echo "Installing $$count locked packages into .venv (about a minute)"; \
	{ $(BIN)/python -m pip install --disable-pip-version-check --no-input --no-compile --progress-bar off --require-hashes -r requirements/dev.txt && \
	  $(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet --no-deps --no-build-isolation --editable . ; } 2>&1 | \
	  tee .venv/setup.log | awk '/^ *(Collecting|Requirement already)/ { if (++n % 25 == 0) { print "  " n " found"; fflush() } } /^Installing/ { print "  unpacking"; fflush() }' || \
	  { tail -n 15 .venv/setup.log; echo; \
	    echo "make setup failed; all of pip's output is in .venv/setup.log. No network: run it again when there is one."; \
	    echo "A hash that doesn't match: a mirror altered a package, or the lock is old (make lock). Anything else: make clean setup"; exit 1; }
	@touch $(READY)
	@echo "Ready. make demo shows it, make test tests it."
