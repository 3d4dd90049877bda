MAKEFLAGS += --warn-undefined-variables --no-print-directory
SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help

PORT ?= 8080
DATA ?= .cadastro
empty :=
escaped = $(subst $(empty) ,\ ,$(DATA))
URL ?= http://127.0.0.1:$(PORT)
CREDENTIALS ?= $(wildcard $(escaped)/secrets/monitor)
SECRET_FILE ?= $(wildcard $(escaped)/secrets/oauth-clients/synthetic)
JOURNEY ?= inventory-purchase
SHAPE ?= smoke
MODEL ?= open
TO ?= backups
VALIDATION ?= strict
EXAMPLES ?= 1000
MONITORS ?= 1000
# without a default: each is passed on only when it is set
$(foreach name,ARGS BACKUP COMPARE DURATION FAULTS HIGH LOW METRICS NAME OPS QUICK RATE ROUNDS SELFTEST SERVICES SINCE THOROUGH \
  UNTIMED USERS VERSION WEB REGISTRY PUSH OTEL_EXPORTER_OTLP_ENDPOINT,$(eval $(name) ?=))

PYTHON ?= python3
BIN = .venv/bin
# isolated: the shell's PYTHON* variables and the working folder do not change what is imported
DEVSTACK = $(BIN)/python -I -X utf8 -m devstack
unexport PYTHONHOME PYTHONPATH
unexport PYTHONDONTWRITEBYTECODE # without bytecode, each start of a process compiles all modules again
export PYTHONUTF8 := 1
quoted = '$(subst ','\'',$(1))'

.PHONY: environment environment-dev
environment environment-dev: environment%:
	@$(PYTHON) scripts/bootstrap.py $(if $*,dev,run)

##@ Use

.PHONY: run probe robot load capacity backup restore
run: environment ## Start the whole system on this machine (PORT, DATA, VALIDATION, METRICS=1)
	@exec $(if $(OTEL_EXPORTER_OTLP_ENDPOINT),env OTEL_EXPORTER_OTLP_ENDPOINT='$(OTEL_EXPORTER_OTLP_ENDPOINT)') $(DEVSTACK) run \
	  --port '$(PORT)' --data $(call quoted,$(DATA)) --validation '$(VALIDATION)' $(if $(METRICS),--metrics)

probe: environment ## Run a journey against URL (JOURNEY, CREDENTIALS: the folder of the monitors' credentials)
	@$(BIN)/synthetic probe '$(JOURNEY)' --url '$(URL)' $(if $(CREDENTIALS),--credentials $(call quoted,$(CREDENTIALS)))

robot: environment-dev ## Run the acceptance suite against URL (SECRET_FILE, ARGS=--help)
	@$(BIN)/python -m executar --url '$(URL)' --segredo $(call quoted,$(SECRET_FILE)) $(ARGS)

load: environment-dev ## Run a load test against URL (SHAPE, MODEL, RATE or USERS, DURATION, COMPARE, WEB=1)
	@$(BIN)/python -m load run --url '$(URL)' --shape '$(SHAPE)' --model '$(MODEL)' --secret-file $(call quoted,$(SECRET_FILE)) \
	  $(RATE:%=--rate '%') $(USERS:%=--users '%') $(DURATION:%=--duration '%') $(COMPARE:%=--compare '%') $(WEB:%=--web)

capacity: environment-dev ## Find the highest rate that meets the thresholds (LOW, HIGH, DURATION, ARGS=--help)
	@$(BIN)/python -m load capacity --url '$(URL)' --data $(call quoted,$(DATA)) --secret-file $(call quoted,$(SECRET_FILE)) \
	  $(LOW:%=--low '%') $(HIGH:%=--high '%') $(DURATION:%=--duration '%') $(ARGS)

backup: environment ## Dump the four databases of DATA into a new folder below TO
	@$(DEVSTACK).backup --data $(call quoted,$(DATA)) --to $(call quoted,$(TO))

restore: environment ## Restore the databases of DATA from BACKUP, while the system is stopped (SERVICES=clients)
	@$(DEVSTACK).restore $(call quoted,$(BACKUP)) --data $(call quoted,$(DATA)) --services '$(SERVICES)'

##@ Check

.PHONY: test test-long check lint format audit fuzz chaos bench
test: environment-dev ## Lint, type-check and test everything but the long tests
	@$(BIN)/python scripts/checks.py

test-long: environment-dev ## Run the tests that take longest: restores, examples of CONTRIBUTING, a real Prometheus, ...
	@$(BIN)/python scripts/checks.py --only long

check: environment-dev ## Run the fast linters, and the tests of the packages that changed since the commit SINCE
	@$(BIN)/python scripts/checks.py --changed-since '$(or $(SINCE),main)'

lint: environment-dev ## Run only the linters and the type checker
	@$(BIN)/python scripts/checks.py --only lint

format: environment-dev ## Format the Python code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

audit: environment-dev ## Scan for secrets and vulnerabilities, and write the SBOMs
	@$(BIN)/python scripts/audit.py

fuzz: environment-dev ## Fuzz the contracts that URL serves (EXAMPLES for each operation, SECRET_FILE)
	@$(BIN)/python -m tests.fuzz --url '$(URL)' --secret-file $(call quoted,$(SECRET_FILE)) --examples '$(EXAMPLES)'

chaos: environment-dev ## Inject faults into a running system (ROUNDS, FAULTS, UNTIMED=1; SELFTEST=1: mutants)
	@$(BIN)/python -m tests.chaos $(ROUNDS:%=--rounds '%') --only '$(FAULTS)' $(if $(UNTIMED),--untimed) $(if $(SELFTEST),--selftest)

redteam: environment-dev ## Attack a local system: kills, power cuts, ... (ROUNDS, FAULTS=kill,parsers,...)
	@$(BIN)/python -m tests.redteam $(ROUNDS:%=--rounds '%') --only '$(FAULTS)'

bench: environment-dev ## Benchmark against alternatives (OPS, QUICK=1; ARGS='telemetry', 'scale', 'instructions')
	@$(BIN)/python -m benchmarks $(or $(ARGS),compare --ops '$(OPS)') $(if $(QUICK),--quick)

##@ Deploy

.PHONY: images e2e drill operator-bench
images: ## Build the images (CONTAINER_TOOL, REPOSITORY, TAG, PUSH=1)
	@scripts/images

e2e: environment-dev ## Test the charts on the cluster of KUBECONFIG (REGISTRY, INGRESS_URL or _HOST, ROUNDS, THOROUGH=1)
	@$(BIN)/python -m tests.e2e $(ROUNDS:%=--rounds '%') $(if $(THOROUGH),--thorough)

drill: environment-dev ## Break each service in each way; its monitor must alert (FAULTS, SERVICES, ARGS=--help)
	@$(BIN)/python -m tests.drill --faults '$(FAULTS)' --services '$(SERVICES)' $(ARGS)

operator-bench: environment-dev ## Test the operator's resilience and scale on the cluster of KUBECONFIG (MONITORS, ARGS=--help)
	@$(BIN)/python -m tests.operator --monitors '$(MONITORS)' $(ARGS)

##@ Maintain

.PHONY: lock chart docs release clean help
lock: environment-dev ## Update the locked dependencies
	@$(BIN)/python scripts/lock.py

chart: environment-dev ## Create the chart of a new service from its contract (NAME)
	@$(BIN)/python -m scripts.charts.new_chart '$(NAME)'

docs: environment-dev ## Generate the charts' tables of values and the acceptance suite's keyword pages
	@$(BIN)/python -m scripts.charts.chart_docs
	@$(BIN)/python -m executar.passos

release: environment-dev ## Build images, charts, wheel, SBOMs and notes of VERSION (REGISTRY, PUSH=1, COSIGN_KEY; ARGS=--help)
	@$(BIN)/python -m scripts.release $(call quoted,$(VERSION)) $(REGISTRY:%=--registry '%') $(if $(PUSH),--push) $(ARGS)

clean: ## Remove the environment and the caches; the data stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build reports .coverage*
	@find . -name __pycache__ -prune -exec rm -rf {} +

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
