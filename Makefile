MAKEFLAGS += --warn-undefined-variables --no-print-directory
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help

PORT ?= 8080
DATA ?= .cadastro
TO ?= backups
BACKUP ?=
OTEL_EXPORTER_OTLP_ENDPOINT ?=
VALIDATION ?= strict
ROUNDS ?= 1
MONITORS ?= 1000
NAME ?=
ARGS ?=
EXAMPLES ?= 1000
OPS ?=
QUICK ?=
THOROUGH ?=
MINUTES ?= 10
FAULTS ?=
SERVICES ?=
SELFTEST ?=
UNTIMED ?=
LOGINS ?= 200
ROWS ?=
KEEP ?=
TELL ?=
URL ?= http://127.0.0.1:$(PORT)
JOURNEY ?= inventory-purchase
CREDENTIALS ?= $(wildcard $(DATA)/secrets/monitor)
SHAPE ?= smoke
MODEL ?= open
METRICS ?=
RATE ?=
USERS ?=
DURATION ?=
COMPARE ?=
WEB ?=
LOW ?=
HIGH ?=
SECRET_FILE ?= $(wildcard $(DATA)/secrets/oauth-clients/synthetic)

PYTHON ?= python3
BOOTSTRAP = $(PYTHON) scripts/bootstrap.py
BIN = .venv/bin

##@ Use

.PHONY: run
run: ## Start the whole system on this machine (PORT, DATA, VALIDATION, METRICS=1)
	@$(BOOTSTRAP) run
	@exec $(if $(OTEL_EXPORTER_OTLP_ENDPOINT),env OTEL_EXPORTER_OTLP_ENDPOINT='$(OTEL_EXPORTER_OTLP_ENDPOINT)') $(BIN)/python -m devstack run --port '$(PORT)' --data '$(DATA)' --validation '$(VALIDATION)' $(if $(METRICS),--metrics)

.PHONY: probe
probe: ## Replay a journey against URL (JOURNEY, CREDENTIALS: the monitors' folder)
	@$(BOOTSTRAP) run
	@$(BIN)/synthetic probe '$(JOURNEY)' --url '$(URL)' $(if $(CREDENTIALS),--credentials '$(CREDENTIALS)')

.PHONY: robot
robot: ## Run the acceptance suite against URL (SECRET_FILE: the monitors' secret; ARGS=--help)
	@$(BOOTSTRAP) dev
	@$(BIN)/python robot/executar --url '$(URL)' --segredo '$(SECRET_FILE)' $(ARGS)

.PHONY: robot-docs
robot-docs: ## Write the pages that explain the steps of the acceptance suite
	@$(BOOTSTRAP) dev
	@$(BIN)/python robot/executar/passos.py

.PHONY: robot-mutants
robot-mutants: ## Put bugs into the services: the acceptance suite must find them (ARGS=--help)
	@$(BOOTSTRAP) dev
	@$(BIN)/python robot/mutantes $(ARGS)

.PHONY: load
load: ## Load URL (SHAPE, MODEL, RATE or USERS, DURATION, COMPARE, WEB=1, SECRET_FILE)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m load run --url '$(URL)' --shape '$(SHAPE)' --model '$(MODEL)' --secret-file '$(SECRET_FILE)' \
	  $(RATE:%=--rate '%') $(USERS:%=--users '%') $(DURATION:%=--duration '%') $(COMPARE:%=--compare '%') $(WEB:%=--web)

.PHONY: capacity
capacity: ## Find the highest rate that meets the thresholds (LOW, HIGH, DURATION, ARGS=--help)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m load capacity --url '$(URL)' --data '$(DATA)' --secret-file '$(SECRET_FILE)' \
	  $(LOW:%=--low '%') $(HIGH:%=--high '%') $(DURATION:%=--duration '%') $(ARGS)

.PHONY: backup
backup: ## Dump the four databases of DATA into a new folder below TO (backups)
	@$(BOOTSTRAP) run
	@$(BIN)/python -m devstack.backup --data '$(DATA)' --to '$(TO)'

.PHONY: restore
restore: ## Put the databases of DATA back as BACKUP has them, while nothing runs (SERVICES=clients: one alone)
	@$(BOOTSTRAP) run
	@$(BIN)/python -m devstack.restore '$(BACKUP)' --data '$(DATA)' --services '$(SERVICES)'

##@ Check

.PHONY: test
test: ## Lint, type-check and test everything
	@$(BOOTSTRAP) dev
	@$(BIN)/python scripts/checks.py

.PHONY: lint
lint: ## Only the linters and the types
	@$(BOOTSTRAP) dev
	@$(BIN)/python scripts/checks.py --only lint

.PHONY: audit
audit: ## Look for secrets and known vulnerabilities, and write the bills of materials
	@$(BOOTSTRAP) dev
	@$(BIN)/python scripts/audit.py

.PHONY: fuzz
fuzz: ## Fuzz the contracts that URL serves (EXAMPLES an operation, SECRET_FILE)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.fuzz --url '$(URL)' --secret-file '$(SECRET_FILE)' --examples '$(EXAMPLES)'

.PHONY: format
format: ## Format the Python code
	@$(BOOTSTRAP) dev
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

.PHONY: probe-kills
probe-kills: ## Kill 200 probes at random and count what they leave (minutes)
	@$(BOOTSTRAP) run
	@$(BIN)/python -m tests.operator.probe_kills

##@ Measure

.PHONY: bench
bench: ## Compare with what people would pick instead (OPS, QUICK=1)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m benchmarks compare --ops '$(OPS)' $(if $(QUICK),--quick)

.PHONY: chaos
chaos: ## Break the running system on purpose (ROUNDS, FAULTS, UNTIMED=1; SELFTEST=1: broken variants)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.chaos --rounds '$(if $(filter file,$(origin ROUNDS)),20,$(ROUNDS))' --only '$(FAULTS)' $(if $(UNTIMED),--untimed) $(if $(SELFTEST),--selftest)

.PHONY: storm
storm: ## Have hundreds log in at once at URL while somebody else fetches (LOGINS)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.login_storm --url '$(URL)' --data '$(DATA)' --logins '$(LOGINS)'

.PHONY: soak
soak: ## Load the system for MINUTES, and look whether memory or connections leak
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.chaos.soak --minutes '$(MINUTES)'

.PHONY: bench-telemetry
bench-telemetry: ## Measure what metrics, logs and traces (1 %) cost, each and together (QUICK=1)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m benchmarks telemetry $(if $(QUICK),--quick)

.PHONY: bench-scale
bench-scale: ## More rows, connections, workers, rows of a page (ROWS=1000000, QUICK=1)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m benchmarks scale $(if $(ROWS),--rows '$(ROWS)') $(if $(QUICK),--quick)

.PHONY: instructions
instructions: ## Count the instructions of a request (KEEP=1: compare with them from now on; TELL=1: end with 0)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m benchmarks instructions $(if $(KEEP),--keep) $(if $(TELL),--tell)

##@ Deploy

.PHONY: images
images: ## Build the images (CONTAINER_TOOL, REPOSITORY, TAG, PUSH)
	@scripts/images

.PHONY: e2e
e2e: ## Try the charts on the cluster of KUBECONFIG (REGISTRY, INGRESS_URL or _HOST, ROUNDS, THOROUGH=1)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.e2e --rounds '$(ROUNDS)' $(if $(THOROUGH),--thorough)

.PHONY: drill
drill: ## Break each service in each way: its monitor must tell (FAULTS, SERVICES, ARGS=--help)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.drill --faults '$(FAULTS)' --services '$(SERVICES)' $(ARGS)

.PHONY: operator-bench
operator-bench: ## Show what the operator holds to, on the cluster of KUBECONFIG (MONITORS, ARGS=--help)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m tests.operator --monitors '$(MONITORS)' $(ARGS)

##@ Maintain

.PHONY: lock
lock: ## Renew the locked dependencies
	@$(BOOTSTRAP) dev
	@$(BIN)/python scripts/lock.py

.PHONY: chart
chart: ## Make the chart of a new service that has a contract (NAME)
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m scripts.charts.new_chart '$(NAME)'

.PHONY: charts-docs
charts-docs: ## Write the charts' tables of values into their READMEs
	@$(BOOTSTRAP) dev
	@$(BIN)/python -m scripts.charts.chart_docs

.PHONY: clean
clean: ## Remove the environment and the caches (the data stays)
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build reports .coverage*
	@find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: help
help: ## This menu
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
