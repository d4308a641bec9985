PYTHON ?= python3
BIN := .venv/bin
IN ?= data/samples/articles.csv
OUT ?= topics.csv
SECONDS ?= 60

.PHONY: setup train test predict ui lint sbom fuzz bench torture clean

setup: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Kanal needs Python 3.11 or newer; set PYTHON=") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

train: setup
	$(BIN)/kanal train

predict: setup
	@$(BIN)/python -c 'from serve.registry import find_model; find_model()' 2>/dev/null || $(MAKE) train
	$(BIN)/kanal predict $(IN) $(OUT)

test: setup
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

# Kill -9, full disks, a server that is away: an hour; KILLS=10 takes minutes, ONLY=prediction one kind.
torture: setup
	$(BIN)/python -m tests.torture --kills $(or $(KILLS),100) $(addprefix --only ,$(ONLY))

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python .ci/audit.py constraints.txt

# What is pinned, as other tools read it: CycloneDX 1.6. Not kept, as it names where each package comes from.
sbom: setup
	$(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --output-file sbom.json constraints.txt

# Hostile text: a minute for each target, then the kernels with their bounds checked, then whether work grows linearly.
fuzz: .venv/fuzz
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

.venv/fuzz: .venv/ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[fuzz]'
	touch $@

# What Kanal is measured against has an environment of its own.
bench: .venv-bench/ready
	.venv-bench/bin/python -m benchmarks

.venv-bench/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	touch $@

ui: setup
	MLFLOW_DISABLE_TELEMETRY=true $(BIN)/mlflow ui --backend-store-uri "$${MLFLOW_TRACKING_URI:-sqlite:///mlruns/mlflow.db}"

clean:
	rm -rf .venv .venv-bench build *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
