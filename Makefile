# What to type. `make` alone lists the targets.
# PYTHON is only asked to make the environment: anything from 3.11 to 3.13 with pip will do.

PYTHON ?= python3
VENV ?= .venv
UV ?= uv

SPACE ?= head_shrink
DATA ?= mnist-5k
TIMEOUT ?= 10m

SLOW ?=
PYTEST_ARGS ?=

# Nothing but the project itself is built here: every locked package comes as a wheel.
# pip runs from outside (`--python`), so the environment needs neither pip nor Debian's ensurepip.
PIP_INSTALL = $(PYTHON) -m pip --python $(VENV)/bin/python --disable-pip-version-check install
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help search install install-test install-benchmark test test-all lint format lock clean

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-24s %s\n", $$1, $$2}'

search: install ## Search SPACE (head_shrink) on DATA (mnist-5k) for TIMEOUT (10m); the study is kept in hpsearch.db
	$(VENV)/bin/hpsearch start --space $(SPACE) --data $(DATA) --timeout $(TIMEOUT)

# Each stamp says which locked set is in the environment. The sets contain one another, so a larger
# one also brings the smaller ones up to date.
install: $(VENV)/installed-run ## Make .venv and install what a search needs
install-test: $(VENV)/installed-test ## The same, with what the tests need
install-benchmark: $(VENV)/installed-benchmark ## The same, with what the benchmarks compare against

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
		echo "hpsearch needs Python 3.11, 3.12 or 3.13; $(PYTHON) is another one." >&2; \
		echo "Name one that fits: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null || { \
		echo "$(PYTHON) has no pip. On Debian: apt-get install python3-pip" >&2; exit 1; }
	$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/installed-run: requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(PIP_INSTALL) --only-binary :all: --require-hashes -r requirements/run.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-test: requirements/test.txt requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(PIP_INSTALL) --only-binary :all: --require-hashes -r requirements/test.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $(VENV)/installed-run $@

$(VENV)/installed-benchmark: requirements/benchmark.txt requirements/test.txt requirements/run.txt pyproject.toml | $(VENV)/bin/python
	$(PIP_INSTALL) --only-binary :all: --require-hashes -r requirements/benchmark.txt
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $(VENV)/installed-run $(VENV)/installed-test $@

test: install-test ## Run the tests, without the slow ones; SLOW=1 runs those too
	$(VENV)/bin/python -m pytest $(if $(SLOW),,-m "not slow") $(PYTEST_ARGS)

test-all: ## Run all the tests
	@$(MAKE) --no-print-directory test SLOW=1

lint: install-test ## Check format, style and types; change nothing
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

format: install-test ## Put the code into the project's format
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# The files that are there are kept to: only what pyproject.toml asks for anew moves. For newer
# versions of everything: make lock LOCK_ARGS=--upgrade
lock: ## Write requirements/*.txt again from pyproject.toml (needs uv)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv, or make lock UV=/path/to/uv" >&2; exit 1; }
	$(LOCK) $(LOCK_ARGS) --group build pyproject.toml -o requirements/run.txt
	$(LOCK) $(LOCK_ARGS) --group build --group test -c requirements/run.txt pyproject.toml -o requirements/test.txt
	$(LOCK) $(LOCK_ARGS) --group build --group test --group benchmark -c requirements/test.txt pyproject.toml -o requirements/benchmark.txt

clean: ## Remove the environment and the caches; studies and data stay
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
