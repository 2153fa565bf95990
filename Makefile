# Two commands carry a fresh machine: `make run` and `make test`. Each sets up what it needs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
BIN := .venv/bin
# What benchmarks compare us with and we do not use: an environment of its own, so that none of it is among our packages.
PEERS ?= .venv/peers
# The same of the scanner that is let loose on the portal.
SCANNER ?= .venv/scanner
export PYTHONPATH := $(CURDIR)
# Where it is set, as in many containers, each process that a test starts would compile all modules anew: a second of CPU.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run run-cluster test test-long check format set-up bench bench-web bench-slow-clients bench-memory bench-left-behind bench-lookups bench-seal bench-dsp bench-mask bench-store bench-forward bench-media bench-trunk bench-keys bench-calls bench-kill bench-mutants bench-mutation bench-simulation bench-testing bench-reconcile bench-failover bench-postgresql bench-drop-off bench-call-search bench-seconds bench-portal-load scan-portal banks stopwatch cases lock editor clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: .venv/run.stamp ## start everything: web, forwarder, trunk, portal and the bank simulator
	@exec $(BIN)/python -m ivr up

run-cluster: .venv/run.stamp ## two web nodes, forwarders and trunk nodes on PostgreSQL, nginx and Kamailio before them
	@exec $(BIN)/python -m ivr cluster

test: .venv/dev.stamp ## every test that fits into minutes
	@$(BIN)/python -m pytest -n 4 --dist worksteal -m "not long"

test-long: .venv/dev.stamp ## the long ones too (soak, fuzz, whole accuracy matrix)
	@$(BIN)/python -m pytest -n 2 --dist worksteal

check: .venv/dev.stamp ## formatting, lint, types, zones, flows
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m ivr check flows

editor: ## the portal's editor of flows anew, from the packages that editor/package-lock.json pins; says if a byte differs
	@cd editor && npm ci --ignore-scripts --no-audit --no-fund && npm run --silent build && sha256sum --check codemirror.sha256

cases: .venv/dev.stamp ## flows, cards and amounts with what is right of each, as one table
	@echo "checking every flow of tests/flows, every card and every amount (half a minute)"
	@$(BIN)/python -m tests.flows.table

format: .venv/dev.stamp ## put the formatting right
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

set-up: .venv/dev.stamp ## what tests, checks and benchmarks need; `make test` does it too

bench: bench-web bench-slow-clients bench-lookups bench-seal bench-store bench-drop-off bench-seconds bench-dsp bench-mask bench-media bench-trunk ## all benchmarks that need no root

bench-web: .venv/dev.stamp ## signed webhooks a second beside granian and a bare Flask endpoint
	@$(BIN)/python benchmarks/bench_web.py

bench-lookups: .venv/dev.stamp ## what others notice of 24 callers whose look-ups hang
	@$(BIN)/python benchmarks/bench_lookups.py

bench-seal: .venv/dev.stamp ## what sealing one field costs: a JWE to RSA-3072 beside HPKE with X25519 and ML-KEM-768
	@$(BIN)/python benchmarks/bench_seal.py

bench-slow-clients: .venv/dev.stamp ## what slow clients do to everybody else, beside granian; with nginx, caddy, slowhttptest where installed
	@$(BIN)/python benchmarks/bench_slow_clients.py

bench-memory: .venv/dev.stamp ## card numbers left in the memory of web, beside granian, and of the console (root)
	@$(BIN)/python benchmarks/bench_memory.py
	@$(BIN)/python benchmarks/bench_phone_memory.py

bench-left-behind: .venv/dev.stamp ## a thousand calls by webhooks and SIP, then every process's memory and every file searched for their cards (root)
	@$(BIN)/python benchmarks/bench_left_behind.py

bench-store: .venv/dev.stamp ## calls and charges a second beside bare sqlite3; BENCH_POSTGRESQL=url adds PostgreSQL
	@$(BIN)/python benchmarks/bench_store.py

bench-forward: .venv/dev.stamp $(PEERS)/stamp ## waiting charges to a bank over TLS, beside procrastinate; from the last key to the bank
	@PEERS=$(PEERS) $(BIN)/python benchmarks/bench_forward.py

bench-media: .venv/dev.stamp ## the media plane alone: CPU of a call-tick by part
	@$(BIN)/python benchmarks/bench_media.py

bench-dsp: .venv/dev.stamp ## the tone decoder beside spandsp: speed, accuracy, talk-off
	@$(BIN)/python benchmarks/bench_dsp.py
	@$(BIN)/python benchmarks/bench_dtmf_accuracy.py
	@$(BIN)/python benchmarks/bench_talkoff.py

bench-mask: .venv/dev.stamp ## what gets past the masker
	@$(BIN)/python benchmarks/bench_mask.py

bench-trunk: .venv/dev.stamp ## calls a core beside Asterisk
	@$(BIN)/python benchmarks/bench_trunk.py

bench-keys: .venv/dev.stamp ## keys heard beside keys on the wire, on a machine with more work than cores; needs root
	@$(BIN)/python benchmarks/bench_keys.py

bench-portal-load: .venv/dev.stamp ## webhooks' latency while fifty users click at the portal and 200 calls a second are written
	@$(BIN)/python -m benchmarks.bench_portal_load

scan-portal: .venv/dev.stamp $(SCANNER)/stamp ## the scanner wapiti let loose on a running portal, signed in by role, and on its API (half an hour)
	@SCANNER=$(SCANNER) $(BIN)/python benchmarks/scan_portal.py

banks: .venv/dev.stamp ## a caller pays at Adyen and an ISO 8583 host (the simulator) and at Stripe (localstripe): transcripts, books
	@$(BIN)/python -m pytest -q -s tests/bank/test_transcripts.py

bench-calls: .venv/dev.stamp ## ten thousand random calls, judged by the bank's books
	@$(BIN)/python benchmarks/random_calls.py

bench-simulation: .venv/dev.stamp ## a thousand seeds of the simulation, with what goes wrong in them; SEEDS=100000 for more
	@$(BIN)/python benchmarks/bench_simulation.py $(SEEDS)

bench-kill: .venv/dev.stamp ## processes killed with SIGKILL more than 10,000 times; the bank's books, ours and every caller asked afterwards
	@$(BIN)/python benchmarks/bench_kill.py

bench-mutants: .venv/dev.stamp ## ninety-four mistakes seeded into money code, and which test finds each; ONLY=word for some
	@$(BIN)/python -m benchmarks.bench_mutants $(addprefix --only ,$(ONLY))

bench-mutation: .venv/mutation.stamp ## every small change that mutmut knows, made to core money code; ONLY=money for a part
	@$(BIN)/python -m benchmarks.bench_mutation $(addprefix --only ,$(ONLY))

bench-testing: .venv/dev.stamp ## what testing calls costs: the plugin beside the bare engine, replay, random calls
	@$(BIN)/python benchmarks/bench_testing.py

bench-failover: .venv/dev.stamp ## a PostgreSQL primary killed under load: what is lost with and without synchronous commits
	@$(BIN)/python -m benchmarks.bench_failover

bench-postgresql: .venv/dev.stamp ## paid calls a second that one PostgreSQL carries, by several processes at once
	@$(BIN)/python -m benchmarks.bench_postgresql

bench-reconcile: .venv/dev.stamp ## a bank's file of a million rows beside our ledger: seconds and memory
	@$(BIN)/python benchmarks/bench_reconcile.py

bench-drop-off: .venv/dev.stamp ## where callers stop, over 10,000 to 1,000,000 stored calls
	@$(BIN)/python benchmarks/bench_drop_off.py

bench-call-search: .venv/dev.stamp ## calls of a day of 10,000 found as the portal does; fails above 100 ms; BENCH_POSTGRESQL=url adds PostgreSQL
	@$(BIN)/python benchmarks/bench_call_search.py

bench-seconds: .venv/dev.stamp ## where the seconds of a paid call go, by prompt; fails where it takes longer than the aim
	@$(BIN)/python benchmarks/bench_seconds.py

stopwatch: .venv/dev.stamp ## from a clone to the first call paid in a browser, cold and warm
	@$(BIN)/python benchmarks/stopwatch.py

lock: .venv/dev.stamp ## renew the pinned dependencies from pyproject.toml
	@$(BIN)/uv pip compile -q --upgrade --generate-hashes --no-header --no-emit-index-url --no-annotate pyproject.toml --extra trunk --extra voice --extra plot --extra iso8583 --extra portal -o requirements/run.txt
	@$(BIN)/uv pip compile -q --generate-hashes --no-header --no-emit-index-url --no-annotate pyproject.toml --all-extras -c requirements/run.txt -o requirements/dev.txt
	@echo mutmut | $(BIN)/uv pip compile -q --generate-hashes --no-header --no-emit-index-url --no-annotate - -c requirements/dev.txt -o requirements/mutation.txt
	@printf 'procrastinate\npsycopg[binary]\n' | $(BIN)/uv pip compile -q --generate-hashes --no-header --no-emit-index-url --no-annotate - -o requirements/peers.txt
	@echo wapiti3 | $(BIN)/uv pip compile -q --generate-hashes --no-header --no-emit-index-url --no-annotate - -o requirements/scanner.txt

clean: ## remove the environment; var/ (keys, database) stays
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which with make PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	@echo "setting up .venv"
	@$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.txt | .venv/bin/python
	@echo "installing what calls need: requirements/run.txt (half a minute, once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/run.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/bin/python
	@echo "installing what tests, checks and tables need too: requirements/dev.txt (a minute, once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch .venv/run.stamp $@

.venv/mutation.stamp: requirements/mutation.txt .venv/dev.stamp
	@echo "installing mutmut: requirements/mutation.txt (half a minute, once)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/mutation.txt
	@touch $@

$(SCANNER)/stamp: requirements/scanner.txt | .venv/bin/python
	@echo "installing wapiti in $(SCANNER): requirements/scanner.txt (a minute, once)"
	@$(BIN)/python -m venv $(SCANNER)
	@$(SCANNER)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/scanner.txt
	@touch $@

$(PEERS)/stamp: requirements/peers.txt | .venv/bin/python
	@echo "installing procrastinate in $(PEERS): requirements/peers.txt (some seconds, once)"
	@$(BIN)/python -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/peers.txt
	@touch $@
