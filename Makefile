# Every target makes the virtual environment first if need be.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUTPUTS ?= outputs
# Hydra's next line, which `make test-next` lays over the environment.
NEXT := $(CURDIR)/.next
NEXT_HYDRA := hydra-core==1.4.0rc3 omegaconf==2.4.1rc1
# What another Hydra can change: what is composed, and the commands that it runs. What takes a composed
# config is the same; a test holds that nothing below config knows Hydra. NEXT_TESTS=tests is all.
NEXT_TESTS ?= tests/config tests/docs/test_documentation.py::test_what_a_command_asks_for_exists \
  $(addprefix tests/cli/test_,completion.py data_init.py grammar.py launch.py ray_cluster.py show.py) \
  $(addprefix tests/pipeline/test_,stages_settings.py used_settings.py image_size.py) \
  $(addprefix tests/studies/test_,arms.py factors.py run_study_refused.py)
# A thread a process, as there is a process a core. Hundreds of processes are started, which share what is
# compiled once, whatever the environment says of it.
PYTEST := HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --dist worksteal
# Slow tests wait for processes and servers, while another one computes.
WAITING := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# Those of the short form that CI runs: 'engine and not slow'.
ENGINES ?= engine
PORT ?= 5000
# Of fuzzing under coverage in `make soak`.
FUZZ_MINUTES ?= 30
DATA ?= ../shared/data/comp5329
WHEELS := .whl
SITE := .site
# Where wheels were brought along, the machine's own Python, which has torch.
GPU_PYTHON ?= $(if $(wildcard $(WHEELS)),python3,$(BIN)/python)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-all test-next test-engines soak bench bench-gpu gpu-wheels lint
.PHONY: format ui server clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## the virtual environment .venv, at the versions in constraints.txt

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "mmclf needs Python 3.11 to 3.13, found %d.%d: make PYTHON=python3.11 ..." % v)'
	$(PYTHON) -m venv $(VENV)
	@echo 'Installing about 5 GB, mostly torch; this takes minutes.'
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[offline,dev]'
	@touch $@

demo: setup ## default against improved on generated data, offline, and the results table
	$(BIN)/mmclf -m experiment=default,improved vision=efficientnet_lite0 text=minilm output_dir=$(OUTPUTS)
	$(BIN)/mmclf report output_dir=$(OUTPUTS)
	@echo
	@echo 'Compare the runs in the MLflow UI: make ui, then'
	@echo '  http://127.0.0.1:$(PORT)/#/experiments/1/runs?workflowType=machine_learning'
	@echo 'where the name of the sweep, then "Compare the arms", shows what differs.'

test: setup ## the tests that one runs all day, offline, on all cores
	$(PYTEST) -m 'not slow and not engine'

test-slow: setup ## the others: browser, endurance, simulations, servers, whole processes
	$(PYTEST) $(WAITING) -m 'slow and not engine'

# Both tiers at once, so that no core waits for the last test of either.
test-all: setup ## all of them, and what knows Hydra on its next line
	$(PYTEST) $(WAITING) -m 'not engine'
	$(MAKE) test-next

test-next: setup ## fast tests of what composes on the next Hydra and omegaconf, laid over the environment
	$(BIN)/python -m pip install --quiet --upgrade --no-deps --target $(NEXT) $(NEXT_HYDRA)
	PYTHONPATH=$(NEXT) $(PYTEST) -m 'not slow and not engine' $(NEXT_TESTS)

test-engines: setup ## on a real PostgreSQL, Slurm, MLflow server, Ray, S3, sshfs, started here; says what to install
	HF_HUB_OFFLINE=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -m '$(ENGINES)' --durations 10 tests/engines

soak: setup ## the tests that kill, damage and race, and the simulations, in full; what held
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest --soak -m 'not hostile' tests/studies/statistics tests/endurance
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest --soak -m 'soak and not hostile and not engine' \
	  --ignore tests/studies/statistics --ignore tests/endurance
	HF_HUB_OFFLINE=1 $(BIN)/python -m pytest --soak --fuzz-minutes $(FUZZ_MINUTES) -m hostile

bench: setup ## how fast everything is, into experiments/speed/README.md: DATA=DIR for real images
	$(BIN)/python experiments/speed/bench.py --data $(DATA)

bench-gpu: $(if $(wildcard $(WHEELS)),$(SITE),setup) ## how fast a GPU is used, under 8 minutes, into experiments/speed/gpu.csv
	PYTHONPATH=$(CURDIR):$(CURDIR)/$(SITE) HF_HUB_OFFLINE=1 $(GPU_PYTHON) experiments/speed/bench_gpu.py --out experiments/speed

$(SITE): $(wildcard $(WHEELS)/*.whl)
	rm -rf $@
	$(GPU_PYTHON) -m pip install --quiet --no-index --no-deps --no-compile --target $@ $(WHEELS)/*.whl

gpu-wheels: setup ## what a GPU machine without a network lacks, into .whl; with it beside the code, make bench-gpu there
	$(BIN)/python experiments/speed/gpu_wheels.py $(WHEELS)

lint: setup ## what CI lints: formatting, style, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy --explicit-package-bases hydra_plugins

format: setup ## format the code and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

ui: setup ## the MLflow UI on this machine alone, port PORT
	@mkdir -p $(OUTPUTS)
	$(BIN)/mlflow ui --backend-store-uri sqlite:///$(OUTPUTS)/mlflow.db --host 127.0.0.1 --port $(PORT)

server: setup ## a tracking server on this machine alone, with a password, port PORT; says its address
	$(BIN)/python deploy/server.py $(OUTPUTS)/server --port $(PORT)

clean: ## remove the virtual environment and caches, not the outputs
	rm -rf $(VENV) $(NEXT) $(WHEELS) $(SITE) .mypy_cache .ruff_cache .pytest_cache
