# Two commands: `make run` and `make test`. Everything they need they install themselves.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .uv/bin/uv
UV_VERSION := 0.13.8
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Compiled modules are kept whatever the shell says: without them every start compiles 1,700 anew.
export PYTHONDONTWRITEBYTECODE :=
PORT ?= 8000
DATA_DIR ?= var
DEMO ?= 1

.PHONY: run test check assets environment test-environment lint types structure clean

run: $(VENV)/.runtime assets
	@PORT=$(PORT) DATA_DIR=$(DATA_DIR) $(BIN)/marketplace run $(if $(filter 0,$(DEMO)),--no-demo,--demo)

# The lock file decides every version; a changed lock installs again.
$(VENV)/.runtime: uv.lock pyproject.toml | $(UV)
	$(UV) sync --frozen --no-dev --quiet
	@touch $@

$(VENV)/.tests: uv.lock pyproject.toml | $(UV)
	$(UV) sync --frozen --quiet
	@touch $@ $(VENV)/.runtime

$(UV):
	@scripts/make-venv $(PYTHON) .uv
	.uv/bin/pip install --quiet uv==$(UV_VERSION)

# htmx makes pages quicker, not possible: without npm the site runs without it.
assets: marketplace/static/vendor/htmx.min.js
marketplace/static/vendor/htmx.min.js: package-lock.json
	@if command -v npm >/dev/null; then \
	  npm ci --silent --no-audit --no-fund && mkdir -p $(@D) \
	  && cp node_modules/htmx.org/dist/htmx.min.js $@; \
	else echo "npm is not installed: running without htmx."; fi

test: $(VENV)/.tests assets
	@scripts/test-packages
	@$(MAKE) --no-print-directory check
	@# In the order of the folders: the long journeys begin early, and both processes end together.
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests -m "not server"
	@# In one process, so that one Elasticsearch node and one veraPDF serve; says last what was not tried.
	$(BIN)/pytest tests/search tests/verapdf -m server

check: lint types structure
lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
types:
	$(BIN)/mypy
structure:
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .uv .elasticsearch .verapdf node_modules marketplace/static/vendor
