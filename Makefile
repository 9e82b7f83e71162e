# Two verbs for most people: `make app` and `make test`. Each sets up what it needs, once.
PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Without this, every reader's script thread would start a pool of its own; the lessons' tensors are tiny.
export OMP_NUM_THREADS ?= 1

.PHONY: help app test setup check bench clean

help: ## what this file can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

app: $(VENV)/app ## set up what is missing, start the app, print its address
	@.ci/need dot graphviz || echo "Starting without it: the lessons will show everything but the graphs."
	@echo "Through the Inner Loop: http://localhost:$(PORT) (Ctrl-C stops it)"
	@$(BIN)/streamlit run serve.py --server.port $(PORT)

test: setup check ## set up what is missing, then lint, types and all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/test ## lint, format and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

setup: $(VENV)/test .graphviz .chromium ## everything that the app and its tests need

bench: setup ## time the app in a browser, write benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks.lessons_in_browser
	$(BIN)/python -m benchmarks.landscape_in_browser
	$(BIN)/python -m benchmarks.live_training

clean: ## remove what setup made inside this folder
	rm -rf $(VENV) build .pytest_cache .ruff_cache .hypothesis

# ---- set-up: a stamp per requirements file, so that the second time takes no time ----

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is incomplete: install the package \"python3-venv\"."; exit 1; }
	@touch $@

$(VENV)/app: requirements.txt | $(VENV)/python
	$(BIN)/pip install --quiet --requirement requirements.txt
	@touch $@

$(VENV)/test: requirements-test.txt requirements.txt | $(VENV)/python
	$(BIN)/pip install --quiet --requirement requirements-test.txt
	@touch $(VENV)/app $@

.PHONY: .graphviz .chromium
.graphviz:
	@.ci/need dot graphviz
.chromium:
	@.ci/need chromium chromium
