# `make train` and `make test` do all the set-up: they need Python 3.11 to 3.13 and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# A file of JSON lines: an interrupted `make bench` goes on from it.
BENCH_KEPT = $(if $(BENCH_OUT),--out $(BENCH_OUT))

.DEFAULT_GOAL := help
.PHONY: help train test lint catalog bench soak clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

train: $(VENV)/.ready-sample ## Set up, then train configs/mnist.yaml
	$(BIN)/cnnctl train configs/mnist.yaml

test: $(VENV)/.ready-dev ## Set up, then run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations 30

lint: $(VENV)/.ready-dev ## Check style, types and floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

catalog: $(VENV)/.ready-dev ## Generate the catalog of names and arguments from the installed Keras
	$(BIN)/python -m cnnctl.catalog.generate

bench: $(VENV)/.ready-sample ## Measure what there is on performance; BENCH_PEERS=PYTHON adds peers
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/ceiling.py
	$(BIN)/python benchmarks/bench.py $(if $(BENCH_PEERS),--peers $(BENCH_PEERS)) $(BENCH_KEPT)
	$(BIN)/python benchmarks/folder.py $(BENCH_KEPT)
	$(BIN)/python benchmarks/seeds.py $(BENCH_KEPT)

soak: $(VENV)/.ready-dev ## Kill, damage and resume trainings, train every component, draw more examples: an hour or two
	CNNCTL_EVERY=1 CNNCTL_KILLS=100 CNNCTL_FLIPS=3000 $(BIN)/python -m pytest tests/reliability tests/export/test_every_export.py -n 1 -s
	CNNCTL_EVERY=1 $(BIN)/python -m pytest tests/compute/test_each_component.py -n 0 -s
	CNNCTL_EVERY=1 $(BIN)/python -m pytest -m hypothesis -n 1

clean: ## Remove the virtual environment and what tools left behind
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/.ready-sample: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[sample]'
	@touch $@

$(VENV)/.ready-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev,export,mlflow,sample,sweep,wandb]'
	@touch $@ $(VENV)/.ready-sample
