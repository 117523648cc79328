# Everything a person types. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
.PHONY: help install demo serve test check judge requirements bench bench-peers clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMPS)/venv:
	@echo "making $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/core: requirements/core.txt requirements/build.txt pyproject.toml | $(STAMPS)/venv
	@echo "installing what it needs (about a minute, once) ..."
	@$(PIP_INSTALL) -r requirements/core.txt -r requirements/build.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(STAMPS)/dev: requirements/dev.txt $(STAMPS)/core
	@echo "installing what the tests need ..."
	@$(PIP_INSTALL) -r requirements/dev.txt
	@touch $@

# Mem0's own client judges our emulator of its service. It brings many packages: they stay out of .venv.
JUDGE := .venv-mem0

$(JUDGE)/.stamp: requirements/mem0.txt
	@echo "making $(JUDGE) ..."
	@$(PYTHON) -m venv $(JUDGE)
	@$(JUDGE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mem0.txt
	@touch $@

judge: $(JUDGE)/.stamp  ## Make the environment of Mem0's client

install: $(STAMPS)/core  ## Install into .venv

demo: $(STAMPS)/core  ## See a caller being remembered
	@$(BIN)/agentic-memory demo

serve: $(STAMPS)/core  ## Run the server on http://127.0.0.1:8000
	@$(BIN)/agentic-memory serve

test: $(STAMPS)/dev  ## Run every test
	@$(BIN)/python -m pytest -n auto --dist worksteal

check: $(STAMPS)/dev  ## Lint, types, import contracts, fast tests
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not slow and not acceptance"

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --annotation-style line

requirements: $(STAMPS)/dev  ## Compile requirements/*.txt
	$(COMPILE) pyproject.toml --output-file requirements/core.txt
	$(COMPILE) requirements/build.in --output-file requirements/build.txt
	$(COMPILE) requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) requirements/mem0.in --output-file requirements/mem0.txt

bench: $(STAMPS)/dev  ## Measure: bench/README.md says how
	@$(BIN)/python bench/latency.py
	@$(BIN)/python bench/growth.py
	@$(BIN)/python bench/ingest.py

bench-peers: $(STAMPS)/dev  ## Measure beside other memories (in an environment of their own)
	@$(BIN)/python bench/peers.py

clean:  ## Remove .venv and caches (never data/)
	@rm -rf $(VENV) $(JUDGE) .mypy_cache .ruff_cache .pytest_cache .hypothesis
