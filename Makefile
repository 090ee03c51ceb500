# `make demo` and `make test` need only Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
# Small networks and tables: one thread is often ten times faster than two (see CONTRIBUTING.md).
export OMP_NUM_THREADS := 1
export PYGAME_HIDE_SUPPORT_PROMPT := 1

.PHONY: help install demo test test-slow lint types clean
help:
	@echo "make demo       install, learn the prisoner's dilemma, play the Coin Game, save the pictures"
	@echo "make test       install, run the test suite (under 8 minutes on 2 cores)"
	@echo "make test-slow  the long and statistical tests"
	@echo "make lint       ruff;  make types  mypy;  make clean  remove .venv and build products"

$(VENV)/.demo: pyproject.toml setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt torch
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[render,agents,benchmarks]"
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[all,dev]"
	@touch $@

install: $(VENV)/.test

demo: $(VENV)/.demo
	$(VENV)/bin/social-dilemmas demo

test: $(VENV)/.test
	$(PY) -m pytest -q -n 2 --dist loadgroup

test-slow: $(VENV)/.test
	$(PY) -m pytest -q -n 2 --dist loadgroup -m slow

lint: $(VENV)/.test
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

types: $(VENV)/.test
	$(VENV)/bin/mypy

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
