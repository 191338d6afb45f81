# What a person does with this project, one word each; `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Compose as a plugin (version 2) or the older separate program; looked up only when a target uses it.
COMPOSE = $(shell if docker compose version >/dev/null 2>&1; then echo docker compose; else echo docker-compose; fi)
# Tests wait more than they work: more workers than processors.
WORKERS = $(shell echo $$((1 + 2 * $$(nproc))))
# Unit tests wait less, and each worker takes seconds to start.
UNIT_WORKERS = $(shell echo $$((1 + $$(nproc))))
# A service that a test starts would compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE
# Tests write thousands of small files, and sync them: on a disk that others use too, that takes a third of their time.
IN_MEMORY = $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 {print "/dev/shm"}')
test test-long test-unit: export TMPDIR := $(or $(TMPDIR),$(IN_MEMORY),/tmp)
EXTRAS = --extra heif --extra messages --extra push --extra postgres --extra films --extra booth --extra onnx --extra streams --extra tracing
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)

# A slow network, or none, is in nobody's way.
TRY_MODEL = timeout 60 $(MAKE) --no-print-directory model >/dev/null 2>&1 || \
	echo "No network for yolox-nano, without which few people are found: later, make model build"

.PHONY: help install demo test test-long test-unit fuzz test-faults soak check format docs lock audit bench bench-detect bench-growth mutants release model user setup pin build images run rund stop logs clean

help: ## List what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r target what; do printf '  make %-12s %s\n' "$$target" "$$what"; done

install: $(VENV)/.installed ## Make .venv with the command snapshot-processor in it
	@echo "Installed: $(BIN)/snapshot-processor"

# moto, which plays Amazon, is among what tests need.
demo: $(VENV)/.installed$(if $(filter thumbnails,$(ARGS)),-dev) ## Run the service on drawn cameras: no broker, no account (Ctrl-C ends it)
	@exec $(BIN)/snapshot-processor demo $(ARGS)

test: $(VENV)/.installed-dev ## Run the tests, with a private RabbitMQ node of their own (ARGS for pytest)
	@echo "Testing"
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) -m "not long" $(ARGS)

test-long: $(VENV)/.installed-dev ## Run those that take longer: a house over minutes, and every page
	@echo "Testing what takes longer"
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) -m long tests/browser tests/e2e tests/integration $(ARGS)

test-faults: $(VENV)/.installed-dev ## Try faults one by one with a ledger: ARGS=kill-points for one, LONG=1 for as long as in a house
	@$(BIN)/python -m tests.faults $(if $(LONG),--long) $(ARGS)

soak: $(VENV)/.installed-dev ## Hours of a busy home with faults: memory, descriptors and latency to build/soak (HOURS=1)
	@$(BIN)/python -m tests.faults.soak $(if $(HOURS),--hours $(HOURS)) $(ARGS)

test-unit: $(VENV)/.installed-dev ## Run the tests that need neither broker nor browser
	@$(BIN)/python -m pytest --numprocesses $(UNIT_WORKERS) tests/unit $(ARGS)

# Every operation of the API first, then the parsers, by the clock.
fuzz: $(VENV)/.installed-dev ## Feed the API and what reads strangers' bytes with random input (MINUTES=10)
	@SNAPSHOT_TEST_EXAMPLES=100 $(BIN)/python -m pytest tests/integration/test_openapi.py
	@$(BIN)/python -m tests.hostile $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

check: $(VENV)/.installed-dev ## Check style, format and types
	@echo "Checking style, format and types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.installed-dev ## Bring the code into its format and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.installed ## Write docs/settings.md, codes.md and commands.md again from the code
	@for page in settings codes commands; do \
		$(BIN)/python -m app $$page > docs/$$page.md.new && mv docs/$$page.md.new docs/$$page.md || exit 1; \
	done

bench: $(VENV)/.installed-dev ## Measure the service beside what its parts need alone
	@$(BIN)/python -m tests.bench $(ARGS)

bench-detect: $(VENV)/.installed-dev ## Score detectors on drawn pictures, or on labelled ones of yours (ARGS="--pictures DIR")
	@$(BIN)/python -m tests.bench.detect $(ARGS)

bench-growth: $(VENV)/.installed-dev ## Measure how it grows with cameras, snapshots and replicas (ARGS="--plot docs/images/growth.svg")
	@$(BIN)/python -m tests.bench.growth $(ARGS)

mutants: $(VENV)/.installed-dev ## Change the code in small ways and say which no test notices
	@$(BIN)/python -m tests.mutants $(ARGS)

lock: $(VENV)/.installed-dev ## Write the lock files again from pyproject.toml (UPGRADE=1 for newer versions)
	@echo "Writing requirements.lock, requirements-dev.lock, requirements-build.lock"
	@$(LOCK) pyproject.toml $(EXTRAS) -o requirements.lock
	@$(LOCK) pyproject.toml $(EXTRAS) --extra dev -c requirements.lock -o requirements-dev.lock
	@printf 'editables\nhatchling\n' | $(LOCK) - -c requirements-dev.lock -o requirements-build.lock

audit: $(VENV)/.installed-dev ## Say which locked packages have known vulnerabilities
	@out=$$($(BIN)/uv tool run --quiet pip-audit==2.9.0 --disable-pip --require-hashes --progress-spinner off \
		--requirement requirements.lock 2>&1); status=$$?; \
	unknown=$$(echo "$$out" | grep -c 'could not be audited'); \
	echo "$$out" | grep -v 'could not be audited'; \
	if [ $$unknown -gt 0 ]; then \
		echo "Nothing is known of $$unknown packages: pip-audit did not reach its data on vulnerabilities" >&2; exit 1; \
	fi; \
	exit $$status

release: $(VENV)/.installed-dev ## Build what is released into dist/, and its image, from a clean tree
	@version=$$($(BIN)/python -m hatchling version) || exit 1; \
	refuse() { echo "Not released: $$1" >&2; exit 1; }; \
	[ -z "$$(git status --porcelain)" ] || refuse "git status names changes that are not committed"; \
	grep -qF "## [$$version] - " CHANGELOG.md || refuse "CHANGELOG.md has no section ## [$$version] - <date>"; \
	echo "Building $$version into dist/"; \
	rm -rf dist && $(BIN)/python -m hatchling build || exit 1; \
	if ! docker info >/dev/null 2>&1; then echo "No image: docker does not run here"; exit; fi; \
	echo "Building the image snapshot-processor:$$version"; \
	docker build --quiet --tag snapshot-processor:$$version .

clean: ## Remove .venv and caches; data, configuration and containers stay
	@echo "Removing .venv and caches"
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment. A stamp file says that it stands, so that the second time is quick.

$(BIN)/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11 none; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	done; \
	if [ $$python = none ]; then \
		echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		package=$$($$python -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
		if [ $$(id -u) = 0 ]; then as_root=; elif sudo -n true 2>/dev/null; then as_root="sudo -n"; else \
			echo "Python lacks its venv module: sudo apt-get install $$package" >&2; exit 1; \
		fi; \
		echo "Installing $$package"; \
		$$as_root apt-get update -qq && \
			$$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$package >/dev/null </dev/null || exit 1; \
	fi; \
	echo "Making $(VENV) with $$($$python --version)"; \
	rm -rf $(VENV) && $$python -m venv $(VENV)

$(VENV)/.installed: pyproject.toml requirements.lock requirements-build.lock $(BIN)/python
	@echo "Installing what requirements.lock names (a minute the first time)"
	@$(PIP) install --use-pep517 --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what tests and checks need"
	@$(PIP) install --use-pep517 --require-hashes -r requirements-dev.lock
	@touch $@

# Containers. `make setup` writes docker-compose.yml and .env; what it wrote once is used until it is asked again.

docker-compose.yml:
	@$(MAKE) --no-print-directory setup

setup: $(VENV)/.installed ## Write docker-compose.yml and .env from the environment or the vault
	@$(BIN)/python -m app.setup $(ARGS)
	@$(TRY_MODEL)

# What the image brings along; others are added to the data folder. What a broken download has is kept for the next one.
model: $(VENV)/.installed ## Load yolox-nano, which finds people on this machine, into ./models for the image
	@$(BIN)/snapshot-processor model add yolox-nano --folder models

# The container's user owns ./data on the host under the same number; it needs no name and no account there.
# The number stands in docker-compose.yml, else it is your own, else (as root) the image's.
user: ## Give ./data and ./secrets to the unprivileged user id under which the container runs
	@id=$$(sed -nE 's/^ *user: "?([0-9]+:[0-9]+)"?.*/\1/p' docker-compose.yml 2>/dev/null | head -n 1); \
	[ -n "$$id" ] || id=$$([ $$(id -u) = 0 ] && echo 10001:10001 || echo $$(id -u):$$(id -g)); \
	mkdir -p config; for folder in data data/web secrets; do [ -d $$folder ] || mkdir -m 700 $$folder; done; \
	if [ "$$(stat -c %u:%g data data/web secrets | sort -u)" = "$$id" ]; then \
		echo "./data and ./secrets belong to $$id"; exit; \
	fi; \
	echo "Giving ./data and ./secrets to user and group $$id, under which the container runs"; \
	if [ $$(id -u) = 0 ]; then chown -R $$id data secrets; else sudo chown -R $$id data secrets; fi

# Each image that the template names is pinned; those of profiles that nobody runs need not be here.
pin: $(VENV)/.installed ## Write the digests of the images that are here into .env
	@sed -nE 's/.*\$$\{([A-Z0-9]+_IMAGE):-([^}]+)\}.*/\1 \2/p' docker-compose.template.yml | { \
	while read -r name image; do \
		digest=$$(docker image inspect --format '{{range .RepoDigests}}{{println .}}{{end}}' $$image 2>/dev/null </dev/null | head -n 1); \
		if [ -n "$$digest" ]; then export "$$name=$$digest"; echo "$$name=$$digest"; continue; fi; \
		echo "$$image has no digest here: docker pull $$image" >&2; \
		case $$name in BASE_IMAGE|BROKER_IMAGE) exit 1;; esac; \
	done; \
	$(BIN)/python -m app.setup $(ARGS); }

build: docker-compose.yml ## Build the image
	@$(TRY_MODEL)
	@echo "Building the image"
	@$(COMPOSE) build $(ARGS)

# One image for both kinds of machines. An engine's own builder makes one kind only, so buildx gets another.
images: ## Build the image for amd64 and arm64 into dist/images.tar, or push it: make images IMAGE=registry/name:tag
	@$(TRY_MODEL)
	@docker buildx inspect snapshot-processor >/dev/null 2>&1 || \
		docker buildx create --name snapshot-processor --driver docker-container >/dev/null
	@mkdir -p dist
	@docker buildx build --builder snapshot-processor --platform linux/amd64,linux/arm64 $(ARGS) \
		$(if $(IMAGE),--tag $(IMAGE) --push,--output type=oci,dest=dist/images.tar) .

run: docker-compose.yml user ## Run the containers in the foreground (Ctrl-C ends them)
	@$(COMPOSE) up

rund: docker-compose.yml user ## Run the containers in the background, also after a reboot
	@$(COMPOSE) up --detach
	@echo "Running: make logs shows what it says, make stop ends it"
	@port=$$(sed -nE 's/.*:([0-9]+):8080".*/\1/p' docker-compose.yml); \
	[ -z "$$port" ] || echo "The album: http://127.0.0.1:$$port/ (its password: secrets/web_password, or WEB_PASSWORD in .env)"
	@for try in 1 2 3 4 5 6 7 8 9 10; do \
		found=$$($(COMPOSE) exec -T app snapshot-processor health 2>/dev/null) && break || sleep 2; \
	done; \
	if [ -z "$$found" ]; then echo "It does not answer yet: make logs says why" >&2; \
	else echo "$$found" | grep ^WRONG || echo "Everything works that is checked"; fi

stop: docker-compose.yml ## Stop the containers and remove them; what they keep stays
	@$(COMPOSE) down

logs: docker-compose.yml ## Show what the containers say, and go on showing
	@$(COMPOSE) logs --follow --tail 100
