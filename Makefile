# Two commands set up everything: `make run` and `make test`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
TESTS  ?= tests

.PHONY: run demo test lint bench chaos fuzz lock wheel clean

run: $(VENV)/.run          ## start the daemon on config/ with embedded SQLite
	$(BIN)/watcher --config config run

demo: $(VENV)/.run         ## a bundled news day through the real daemon, on loopback
	$(BIN)/watcher demo

test: $(VENV)/.dev         ## the whole test suite
	$(BIN)/python -m pytest $(TESTS)

lint: $(VENV)/.dev         ## format check, lint, types
	$(BIN)/ruff format --check watcher tests benchmarks hatch_build.py
	$(BIN)/ruff check watcher tests benchmarks hatch_build.py
	$(BIN)/mypy

fuzz: $(VENV)/.bench       ## damaged feeds, seeded and bounded
	$(BIN)/python -m benchmarks.fuzz_feeds

chaos: $(VENV)/.dev        ## hundreds of kill -9 under load; ROUNDS=1000 for more
	$(BIN)/python -m benchmarks.chaos $(or $(ROUNDS),200)

bench: $(VENV)/.bench      ## every benchmark beside its peer or floor
	$(BIN)/python -m benchmarks

lock:                      ## renew the lock files (needs uv)
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-annotate --no-header --extra fulltext --group build pyproject.toml -o requirements-run.lock
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-annotate --no-header --group dev pyproject.toml -c requirements-run.lock -o requirements-dev.lock
	uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-annotate --no-header --group dev --group bench pyproject.toml -c requirements-dev.lock -o requirements-bench.lock

wheel: $(VENV)/.dev        ## build the wheel and run it outside the checkout
	$(BIN)/python .ci/wheel_check.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "watcher needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "could not create $(VENV): install the venv module of your Python (Debian: apt-get install python3-venv)" >&2; rm -rf $(VENV); exit 1; }

# Each stamp is newer than its lock file only after a complete install, so a
# second run installs nothing and needs no network.
$(VENV)/.%: requirements-%.lock $(VENV)/bin/python pyproject.toml hatch_build.py watcher/matching/kernel.c
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-input --require-hashes -r $<
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-input --no-build-isolation --no-deps -e .
	@touch $@
