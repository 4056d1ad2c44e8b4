# Every target sets up what it needs; `make` alone lists the targets.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# Processes that run the tests.
WORKERS ?= 2
# The peers of the benchmarks are heavy, and stay out of the environment that tests run in.
BENCH := .venv-bench
BENCH_PIP := $(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# So does SAM2: torch is large, and only the tests of the SAM2 segmenters need it.
SAM2 := .venv-sam2
SAM2_PIP := $(SAM2)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo leaderboard serve test fuzz simulate install-sam2 test-sam2 lint typecheck bench bench-board bench-quick clean

help:
	@echo "make demo         score four simple methods on a small synthetic data set; pictures in demo/"
	@echo "make leaderboard  build the board: leaderboard/tables/ and the site in leaderboard/public/; ACCEPT='--accept NAME'"
	@echo "make serve        open the site in a browser"
	@echo "make test         run the tests"
	@echo "make fuzz         read and check 20000 mutated submissions, some minutes; FUZZ='--seed 1 --mutations 500'"
	@echo "make test-sam2    run the tests of the SAM2 segmenters, with torch, in an environment of their own"
	@echo "make lint         check style and format"
	@echo "make typecheck    check types (strict)"
	@echo "make bench        measure speed and memory against peers, about half an hour; writes docs/benchmarks.md"
	@echo "make bench-quick  the same on a few frames, to see that it runs"
	@echo "make bench-board  build a board of 500 methods on 4 data sets, and time it"
	@echo "make simulate     how often intervals cover and tests err, some minutes; writes docs/statistics.md"
	@echo "make install      create .venv with vadbench and its development tools"
	@echo "make clean        remove .venv, .venv-bench, .venv-sam2, .benchmarks, demo/, the site and caches"

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "vadbench needs Python 3.11 or later: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	$(RUN) -m baselines demo --out demo/

leaderboard: install
	$(RUN) -m leaderboard build $(ACCEPT)

serve: leaderboard
	$(RUN) -m leaderboard serve

# Files in their order: the long ones come first, and those of a file share what it makes.
test: install
	$(RUN) -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

fuzz: install
	$(RUN) tests/hostile/fuzz.py $(FUZZ)

install-sam2: $(SAM2)/installed

test-sam2: $(SAM2)/installed
	$(SAM2)/bin/python -m pytest tests/sam2

lint: install
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

typecheck: install
	$(VENV)/bin/mypy vadbench baselines leaderboard

bench: $(BENCH)/installed
	$(BENCH)/bin/python tests/benchmarks/run.py

bench-quick: $(BENCH)/installed
	$(BENCH)/bin/python tests/benchmarks/run.py --size quick

bench-board: install
	$(RUN) tests/benchmarks/board_size.py

simulate: install
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(RUN) tests/simulation/simulate.py

# adeval asks for opencv-python, whose files are those of opencv-python-headless: it comes without what it depends on.
$(BENCH)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BENCH)
	$(BENCH_PIP) --editable '.[bench]'
	$(BENCH_PIP) --no-deps adeval
	@touch $@

# sam2 declares torchvision, which segmenting needs not, and would build against a torch of its own: see pyproject.toml.
$(SAM2)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(SAM2)
	$(SAM2_PIP) torch==2.13.0
	$(SAM2_PIP) --editable '.[sam2]' pytest
	SAM2_BUILD_CUDA=0 $(SAM2_PIP) --no-deps --no-build-isolation sam2==1.1.0
	@touch $@

clean:
	rm -rf $(VENV) $(BENCH) $(SAM2) .benchmarks demo leaderboard/public leaderboard/.cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
