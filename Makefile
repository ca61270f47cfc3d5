# The same verbs on a laptop and in CI. Every verb sets up what it needs: only Python >= 3.11 and make must be there.
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.leadlight-ready
DATA := ../shared/data
ARGS :=
# Compiled modules are kept, whatever the machine says: setup compiles none, and every process would do it anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup check test demo bench results docs notebooks serve lock clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## make the environment (.venv) from requirements.lock; done once

$(READY): requirements.lock pyproject.toml tools/setup.sh
	@tools/setup.sh $(VENV)
	@touch $@

check: $(READY) ## lint, format, strict types, layer contracts, layout tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -q tests/layout
	@$(BIN)/python tools/function_lengths.py

test: $(READY) ## run all tests (ARGS="-k name" chooses)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder tests $(ARGS)

demo: $(READY) ## the main job on a simulated market, commented, then served (ARGS="--no-serve --json")
	@$(BIN)/leadlight demo $(ARGS)

bench: $(READY) ## time the demo, then features at full size (20 and 100 million activities), written to docs/scale.md
	@$(BIN)/python -m benchmarks.speed $(ARGS)
	@$(BIN)/python -m benchmarks.features --out docs/scale.md $(ARGS)
	@$(BIN)/python -m benchmarks.spark

results: $(READY) ## the three public data sets, written to docs/results.md (DATA=folder)
	@$(BIN)/python -m benchmarks.results --data $(DATA) $(ARGS)

docs: $(READY) ## write the generated pages of the documentation again
	@$(BIN)/python tools/make_docs.py

notebooks: $(READY) ## execute every notebook in order
	@$(BIN)/python tools/run_notebooks.py notebooks

serve: $(READY) ## start the scoring API on ./workspace
	@$(BIN)/leadlight serve $(ARGS)

lock: $(READY) ## pin the dependencies of pyproject.toml again
	$(BIN)/uv pip compile pyproject.toml --extra train --extra spark --extra postgres --extra dev --universal --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header --generate-hashes -o requirements.lock

clean: ## remove caches and build products (not .venv, not the workspace)
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
