# `make demo` and `make test` need only Python 3.11 or newer and make; everything else goes into .venv.
PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
# `make test-oldest` has an environment of its own, with Python 3.11 or 3.12.
OLDEST ?= .venv-oldest
# What `make quick` runs: the rules, the promises, the exact gradients and the form of the code.  About
# 105 seconds of computing in all, so under a minute on two quiet cores.
QUICK := tests/env/rules tests/env/promises --ignore=tests/env/promises/test_memory.py \
	tests/env/strategies tests/env/single_agent tests/agents/exact \
	tests/packaging --ignore=tests/packaging/test_install.py --ignore=tests/packaging/test_readme.py
PAGES := tests/packaging/test_readme.py tests/packaging/test_pages.py tests/packaging/test_examples.py
# `make interop`: others' trainers, each in an environment of its own under $(VENVS) (tests/interop/README.md).
VENVS ?= .venvs
TRAINERS := axelrod benchmarl cleanrl openspiel pufferlib rllib sb3 skrl tianshou torchrl

# Small networks and tables: one thread is often ten times faster than two (see CONTRIBUTING.md).
export OMP_NUM_THREADS := 1
export PYGAME_HIDE_SUPPORT_PROMPT := 1

PIP := -m pip install -q --disable-pip-version-check

.PHONY: help install docs docs-links pages demo test quick test-wide test-slow test-oldest test-ray interop mutants cuda coverage lint types structure clean
help:
	@echo "make demo         install, solve the Coin Game and the prisoner's dilemma, play, save the pictures"
	@echo "make test         install, run the test suite (at most 5 minutes on two quiet cores)"
	@echo "make quick        the developer's loop: what finds most mistakes in a minute"
	@echo "make test-wide    more variants of every game, and longer scenes; CI runs them beside make test"
	@echo "make test-slow    the long and statistical tests"
	@echo "make test-oldest  the environments on the oldest versions that pyproject.toml promises"
	@echo "make test-ray     sweeps on a Ray cluster of two nodes in this machine, which are killed"
	@echo "make interop      others' trainers on our games, each in its own environment; make interop-sb3 is one"
	@echo "make mutants      mistakes put into the source one by one, which the tests must see"
	@echo "make cuda         on a machine with a GPU: its tests, rates and trainings, in 12 minutes"
	@echo "make coverage     the test suite, the lines and branches that it does not reach, and floors"
	@echo "make lint         ruff and codespell;  make types  mypy;  make structure  figures of style"
	@echo "make docs         the site in docs/_build/html, warnings are errors;  make docs-links  addresses in the web"
	@echo "make pages        every block of code of the pages, the examples and the notebooks"
	@echo "make clean        remove the virtual environments and what was built"

$(VENV)/.demo: pyproject.toml setup.cfg constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PY) $(PIP) -c constraints.txt torch
	$(PY) $(PIP) -c constraints.txt -e ".[render,agents,benchmarks]"
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PY) $(PIP) -c constraints.txt -e ".[all,jax,dev]"
	@touch $@

$(VENV)/.docs: $(VENV)/.test
	$(PY) $(PIP) -c constraints.txt -e ".[docs]"
	@touch $@

$(OLDEST)/.test: pyproject.toml setup.cfg constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python $(PIP) -c constraints-oldest.txt pytest hypothesis pytest-xdist torch
	$(OLDEST)/bin/python $(PIP) -c constraints-oldest.txt -e ".[render,exact]"
	@touch $@

install: $(VENV)/.test

demo: $(VENV)/.demo
	$(VENV)/bin/social-dilemmas demo

# Links between pages are checked by the build, addresses in the web by docs-links.
docs: $(VENV)/.docs
	$(PY) -m sphinx -q -W --keep-going -b html docs docs/_build/html

# Fails for dead addresses; those that could not be asked are told apart from them.
docs-links: $(VENV)/.docs
	-$(PY) -m sphinx -Q -b linkcheck docs docs/_build/links
	PYTHONPATH=docs $(PY) -m generator.addresses docs/_build/links/output.json

# Every block of the pages, every example and notebook, also the slow ones: about 10 minutes of
# computing.  The last lines say how many ran.
pages: $(VENV)/.docs
	$(PY) -m pytest -q -n 2 --dist loadgroup -m "slow or not slow" $(PAGES)

test: $(VENV)/.test
	$(PY) -m pytest -q -n 2 --dist loadgroup

quick: $(VENV)/.test
	$(PY) -m pytest -q -n 2 --dist loadgroup $(QUICK)

test-wide: $(VENV)/.test
	$(PY) -m pytest -q -n 2 --dist loadgroup -m "wide and not slow"

test-slow: $(VENV)/.test
	$(PY) -m pytest -q -n 2 --dist loadgroup -m slow

test-oldest: $(OLDEST)/.test
	$(OLDEST)/bin/python -m pytest -q -n 2 --dist loadgroup tests/env tests/packaging/test_deprecation.py

# Workers and nodes of a Ray cluster in this machine are killed, and nothing may be lost.
RAY := .venvs/ray
$(RAY)/.ready: pyproject.toml setup.cfg constraints.txt
	$(PYTHON) -m venv $(RAY)
	$(RAY)/bin/python $(PIP) -c constraints.txt torch
	$(RAY)/bin/python $(PIP) -c constraints.txt pytest -e ".[agents,distributed]"
	@touch $@

test-ray: $(RAY)/.ready
	$(RAY)/bin/python -m pytest -q -m slow tests/agents/tasks/test_ray.py

# Kept, though only a step on the way to the tests.
.PRECIOUS: $(VENVS)/%/.ready
# Their versions first: some pin Gymnasium or PettingZoo to others than ours.
$(VENVS)/%/.ready: examples/trainers/requirements/%.txt pyproject.toml
	$(PYTHON) -m venv $(VENVS)/$*
	$(VENVS)/$*/bin/python $(PIP) -r $<
	$(VENVS)/$*/bin/python $(PIP) pytest -e .
	@touch $@

interop-%: $(VENVS)/%/.ready
	INTEROP=$* $(VENVS)/$*/bin/python -m pytest -q -m slow tests/interop/trainers/test_$*.py

# All of them, whatever becomes of one.
interop:
	@$(MAKE) --keep-going $(TRAINERS:%=interop-%)

mutants: $(VENV)/.test
	$(PY) -m tests.mutants --jobs 2

cuda: $(VENV)/.test
	$(PY) -m benchmarks.gpu_session --minutes 12

coverage: $(VENV)/.test
	$(PY) -m pytest -q -n 2 --dist loadgroup --cov --cov-report=term-missing --cov-report=json
	$(PY) -m tests.packaging.coverage_floors coverage.json

lint: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/codespell

types: $(VENV)/.test
	$(VENV)/bin/mypy

structure: $(VENV)/.test
	$(PY) -m tests.packaging.structure

clean:
	rm -rf $(VENV) $(OLDEST) .venvs build dist docs/_build $(addprefix docs/reference/,api cards cli games learners results)
	rm -rf *.egg-info .coverage* coverage.json htmlcov
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
