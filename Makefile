# Two commands do everything from a fresh clone: `make start` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: promises help start test lint check schema settings constraints

help: ## List the targets.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(VENV)/installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing coord into $(VENV) …"
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing coord and its test tools into $(VENV) …"
	@$(INSTALL) --editable '.[dev]'
	@touch $@ $(VENV)/installed

start: $(VENV)/installed ## Start the service: API, dashboard, background tasks.
	@exec $(BIN)/coord start

test: lint check ## Run every check, and every test on SQLite, PostgreSQL and Valkey.
	$(BIN)/python -m tests.engines.run

lint: $(VENV)/installed-dev ## Lint, format, types, layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: $(VENV)/installed-dev ## Migrations and the API's description are up to date.
	COORD_DATABASE_PATH=:memory: $(BIN)/python manage.py makemigrations --check --dry-run
	@mkdir -p build
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file build/openapi.yaml
	@cmp -s build/openapi.yaml docs/openapi.yaml || { echo "docs/openapi.yaml is out of date: run 'make schema'"; rm build/openapi.yaml; exit 1; }
	@rm build/openapi.yaml
	$(BIN)/coord configdocs --check

.PHONY: sources commands
sources: $(VENV)/installed-dev ## Fetch the libraries whose sources the tests read.
	$(BIN)/python -m tests.symbols.packages

schema: $(VENV)/installed-dev ## Write docs/openapi.yaml anew.
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

settings: $(VENV)/installed-dev ## Write docs/configuration.md and .env.example anew.
	$(BIN)/coord configdocs

constraints: ## Write constraints.txt anew from the newest releases that fit.
	rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip install --quiet --upgrade '.[dev]'
	build/constraints/bin/python -m pip freeze --exclude coord > constraints.txt

jepsen: $(VENV)/installed-dev ## Check histories under faults for five minutes per engine (SECONDS=…, SEED=…).
	$(BIN)/python -m tests.history.run --seconds $(or $(SECONDS),300) $(if $(SEED),--seed $(SEED))

promises: $(VENV)/installed-dev ## Walk the services at random against the promises (WALKS=…).
	COORD_TEST_PROMISES=$(or $(WALKS),500) $(BIN)/python -m pytest tests/claims/test_promises.py -q --timeout 36000

fuzz: $(VENV)/installed-dev ## Feed the parsers 100,000 hostile inputs, and the API thousands of calls.
	$(BIN)/python -m tests.fuzz.run --inputs $(or $(INPUTS),100000)

commands: $(VENV)/installed-dev ## Write docs/commands.md anew.
	$(BIN)/python -m coordsite.commanddocs > docs/commands.md
