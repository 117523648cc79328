# Everything a person types. `make help` lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# uv brings its own list of authorities; a machine behind a proxy has its own.
export UV_SYSTEM_CERTS := true
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.DEFAULT_GOAL := help
# What the AWS stack is checked with. None of it is needed to run, and their pins do not fit each other.
AWS_TOOLS := aws checkov ministack lambda

.PHONY: help install demo serve test test-aws layer smoke check judge requirements learn test-learn bench bench-peers clean

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

.venv-%/.stamp: requirements/%.txt | $(STAMPS)/dev
	@echo "making .venv-$* ..."
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python .venv-$*
	@$(BIN)/uv pip install --quiet --python .venv-$*/bin/python --require-hashes -r requirements/$*.txt
	@touch $@

layer: $(STAMPS)/dev  ## Put our package and its model into layer/, for `sam build`
	@rm -rf layer/dist
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir layer/dist .
	@$(BIN)/python layer/unpack_model.py layer/dist/unpacked

# The layer as functions run it on this machine, for a Python of .venv's version and, where there is one, Lambda's.
LAMBDA_PYTHON := 3.13
layer_for = $(MAKE) --silent -C layer build-MemoryLayer ARTIFACTS_DIR=$(CURDIR)/$(1) LAYER_PYTHON=$(2) \
	LAYER_PLATFORM=$$(uname -m)-manylinux_2_28 UV=$(CURDIR)/$(BIN)/uv

build/layer/.stamp: layer $(wildcard layer/*)
	@rm -rf build/layer && mkdir -p build/layer
	@$(call layer_for,build/layer,$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'))
	@touch $@

build/lambda/.stamp: layer requirements/lambda.txt $(wildcard layer/*)
	@rm -rf build/lambda && mkdir -p build/lambda
	@python=$$(UV=$(BIN)/uv sh layer/find_python.sh $(LAMBDA_PYTHON)); \
	if [ -z "$$python" ]; then echo "no Python $(LAMBDA_PYTHON) here: the functions run on .venv's alone"; else \
		$(call layer_for,build/lambda/layer,$(LAMBDA_PYTHON)) && \
		$(BIN)/uv venv --quiet --python "$$python" build/lambda/venv && \
		$(BIN)/uv pip install --quiet --python build/lambda/venv/bin/python --require-hashes -r requirements/lambda.txt; fi
	@touch $@

# As it is deployed: Lambda's Python, arm64.
build/sam/.stamp: layer template.yaml .venv-aws/.stamp $(wildcard layer/*)
	@rm -rf build/sam && mkdir -p build/sam
	@PATH="$(CURDIR)/$(BIN):$$PATH" SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-central-1 \
		.venv-aws/bin/sam build --build-dir build/sam >build/sam.log 2>&1 || { cat build/sam.log; exit 1; }
	@touch $@

test-aws: $(STAMPS)/dev $(AWS_TOOLS:%=.venv-%/.stamp) build/layer/.stamp build/lambda/.stamp build/sam/.stamp  ## Check the AWS stack, without AWS
	@$(BIN)/python -m pytest -o addopts="" -ra --strict-markers --strict-config --import-mode=importlib -p no:cacheprovider tests/aws

STACK ?= elevenlabs-agentic-memory-stack

smoke: $(STAMPS)/dev  ## Ask the deployed stack (STACK=another)
	@$(BIN)/python scripts/test_production_ready.py --stack $(STACK)

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
	$(COMPILE) requirements/peers.in --output-file requirements/peers.txt
	for tool in $(AWS_TOOLS); do $(COMPILE) requirements/$$tool.in --output-file requirements/$$tool.txt; done
	$(COMPILE) layer/requirements.in --output-file layer/requirements.txt

# Any build of torch will do, and each platform has its own: no hashes. On Linux pip may bring one of some gigabytes.
.venv-learn/.stamp: requirements/core.txt requirements/dev.txt requirements/learn.in
	@echo "making .venv-learn ..."
	@$(PYTHON) -m venv .venv-learn
	@.venv-learn/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/core.txt -r requirements/dev.txt
	@.venv-learn/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/learn.in
	@touch $@

test-learn: .venv-learn/.stamp  ## Check that it learns
	@PYTHONPATH=src .venv-learn/bin/python -m pytest -q tests/unit/test_learning.py

learn: .venv-learn/.stamp  ## Learn again where answers lie (training/README.md)
	@PYTHONPATH=src .venv-learn/bin/python -m training.learn $(LEARN)

bench: $(STAMPS)/dev  ## Measure: bench/README.md says how
	@$(BIN)/python bench/latency.py
	@$(BIN)/python bench/growth.py
	@$(BIN)/python bench/ingest.py

bench-peers: $(STAMPS)/dev  ## Measure beside other memories (in an environment of their own)
	@$(BIN)/python bench/peers.py

clean:  ## Remove .venv and caches (never data/)
	@rm -rf $(VENV) $(JUDGE) $(AWS_TOOLS:%=.venv-%) .venv-learn build layer/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
