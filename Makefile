# drugtrail: `make help` lists what can be done here.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
PY := .venv/bin/python
OUT ?= build/$(firstword $(filter demo real repeat break,$(MAKECMDGOALS)))
# What `make demo` simulates, and the day as of which each of the two runs is made.
MEMBERS ?= 10000
MONTHS ?= 18
FRAUD_SHARE ?= 0.04
DEMO_START := 2024-07-01
DEMO_AS_OF := 2026-01-01
REAL_AS_OF := 2010-01-03
PLACES = --set landing.root=$(OUT)/landing --set lake.root=$(OUT)/lake --set report.root=$(OUT)/report \
	--set mlflow.tracking_uri=sqlite:///$(OUT)/mlflow.db --set mlflow.artifact_root=$(OUT)/mlflow-artifacts \
	--set log.file=$(OUT)/log/drugtrail.jsonl
export GX_ANALYTICS_ENABLED := false

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.installed  ## simulate a province of MEMBERS=10000 and run everything on it (OUT=build/demo)
	@$(PY) -m jobs.simulate_province --members $(MEMBERS) --months $(MONTHS) --start $(DEMO_START) --seed 1 \
		--fraud-share $(FRAUD_SHARE) --out $(OUT)/landing --truth $(OUT)/truth \
		--spark-log $(OUT)/log/simulate_province.spark.log
	@$(PY) -m jobs.run_pipeline --config conf/local.yaml --as-of $(DEMO_AS_OF) \
		--set train.earlier_days=2 --set train.min_positives=20 $(PLACES)

real: .venv/.installed  ## run everything on the contest's claims: make real DATA=<folder> (OUT=build/real)
	@test -d "$(DATA)" || { echo "make real: give the folder of the contest's files, as DATA=<folder>"; exit 2; }
	@$(PY) -m jobs.run_pipeline --config conf/real.yaml --as-of $(REAL_AS_OF) --set source.folder=$(DATA) $(PLACES)
	@$(PY) -m benchmarks.run_summary $(OUT)/lake

test: .venv/.installed  ## the tests, in two processes, and the twenty slowest
	@$(PY) -m pytest -n 2 --dist loadfile --durations=20

quick: .venv/.installed  ## lint, and the tests that need no Spark: for every save
	@$(PY) -m ruff check --quiet .
	@$(PY) -m pytest -n 2 -q --quick

lint: .venv/.installed  ## ruff, the direction of imports, and undeclared dependencies
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@PYTHONPATH=. .venv/bin/lint-imports --no-cache
	@.venv/bin/deptry .

types: .venv/.installed  ## mypy
	@$(PY) -m mypy

repeat: .venv/.installed  ## the same claims twice into two lakes, gold compared: make repeat DATA=<folder>
	@$(MAKE) --no-print-directory real DATA=$(DATA) OUT=$(OUT)/first
	@$(MAKE) --no-print-directory real DATA=$(DATA) OUT=$(OUT)/second
	@$(PY) -m benchmarks.compare_gold $(OUT)/first/lake $(OUT)/second/lake

break: .venv/.installed  ## break one landed file of the demo, and see what an engineer sees (run make demo first)
	@echo "psn_no is cut from settlement/batch=2025-06-30" && \
		$(PY) -m benchmarks.break_batch build/demo/landing/settlement/batch=2025-06-30
	-@$(PY) -m jobs.run_pipeline --config conf/local.yaml --as-of $(DEMO_AS_OF) $(subst $(OUT),build/demo,$(PLACES)); \
		echo "exit code $$?"

zip: .venv/.installed  ## dist/drugtrail.zip for spark-submit --py-files
	@rm -rf dist && mkdir dist && find expectations features jobs models -name __pycache__ -prune -exec rm -rf {} +
	@$(PY) -m zipfile -c dist/drugtrail.zip expectations features jobs models && echo dist/drugtrail.zip

dictionary: .venv/.installed  ## write docs/data_dictionary.md, features.md and landing_contract.md anew
	@$(PY) -m expectations.dictionary docs

lock: .venv/.installed  ## write requirements.lock anew from pyproject.toml
	@.venv/bin/uv pip compile pyproject.toml --group dev --python-version 3.11 --generate-hashes --no-annotate \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" -q -o requirements.lock

clean:  ## remove what was built, the virtual environment apart
	@rm -rf build dist

.venv/.installed: requirements.lock
	@.ci/preflight $(PYTHON)
	@echo "installing what requirements.lock names into .venv (once, some minutes)"
	@rm -rf .venv && $(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock \
		|| { rm -rf .venv; echo "installing failed: see the lines above; nothing was left half-installed"; exit 1; }
	@touch $@

.PHONY: help demo real test quick lint types repeat break zip dictionary lock clean
