# Every target sets up what it needs; `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help install demo test lint typecheck bench clean

help:
	@echo "make demo       score four simple methods on a small synthetic data set; pictures in demo/"
	@echo "make test       run the tests"
	@echo "make lint       check style and format"
	@echo "make typecheck  check types (strict)"
	@echo "make bench      measure speed and memory against peers"
	@echo "make install    create .venv with vadbench and its development tools"
	@echo "make clean      remove .venv, demo/ and caches"

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vadbench needs Python 3.11 or later: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	$(RUN) -m baselines demo --out demo/

test: install
	$(RUN) -m pytest

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

typecheck: install
	$(VENV)/bin/mypy vadbench baselines

bench: install
	$(RUN) -m pytest tests/benchmarks --benchmark-only --benchmark-columns=median,min,max,rounds

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
