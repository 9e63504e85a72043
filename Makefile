.DEFAULT_GOAL := help
SHELL := /bin/sh

# uv from PATH, else the locked one that scripts/bootstrap_uv.py fetches into .tools/
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv)
PYTHON3 ?= python3
BIN := .venv/bin
export UV_NO_PROGRESS = 1
# compiled once at set-up, not at each start where Python may not write beside its sources
export UV_COMPILE_BYTECODE = 1
# the machine's certificates, as git and Python use them: networks that inspect traffic have one of their own
export UV_SYSTEM_CERTS ?= true
export LANGGRAPH_STRICT_MSGPACK = true
export LANGSMITH_TRACING = false
export LANGGRAPH_CLI_NO_ANALYTICS = 1

.PHONY: help run chat doctor test chaos chaos-serve fuzz bench bench-saver bench-turns bench-serve bench-masking golden check format generate studio clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

run: .venv/run ## Start everything on http://127.0.0.1:8000 (PORT moves it); Ctrl-C stops it
	@exec $(BIN)/counterfoil serve

chat: .venv/run ## Talk to the running server in the terminal
	@exec $(BIN)/counterfoil chat

doctor: .venv/run ## What is configured, reachable, embedded or missing
	@exec $(BIN)/counterfoil doctor

test: .venv/dev ## Run all tests (arguments: make test ARGS="-k refund")
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

chaos: .venv/dev ## Kill a process at every point, fail every request, play a thousand schedules (prints tables)
	@CHAOS=whole $(BIN)/pytest -n auto --dist load tests/chaos $(ARGS)

chaos-serve: .venv/dev ## Of these only the conversations: a thousand, while workers and servers are killed and Redis goes
	@CHAOS=whole $(BIN)/pytest tests/chaos/test_conversations.py $(ARGS)

fuzz: .venv/dev ## Make requests from the API's own description, good and bad, forty for each operation, caller and kind
	@FUZZ_EXAMPLES=40 FUZZ_SEED=$$(date +%s) $(BIN)/pytest tests/e2e/test_openapi.py $(ARGS)

bench: .venv/dev ## Measure (prints a table)
	@$(BIN)/python -m scripts.bench_sandbox $(ARGS)

bench-saver: .venv/bench ## The Redis saver beside others: speed, room and growth (prints tables; ten minutes)
	@$(BIN)/python -m scripts.bench_saver $(ARGS)

bench-turns: .venv/dev ## What a turn costs when the conversation is long (prints a table; four minutes)
	@$(BIN)/python -m scripts.bench_turns $(ARGS)

bench-serve: .venv/dev .venv/studio ## Runs over HTTP beside `langgraph dev`, and thousands of open streams (prints tables)
	@$(BIN)/python -m scripts.bench_serve $(ARGS)

bench-masking: .venv/dev ## How much of what is secret is found, and how fast (prints tables)
	@$(BIN)/python -m scripts.bench_masking

golden: .venv/dev ## Before a release is tagged: keep what it leaves behind, for later ones to be tested with (RELEASE=0.2.0)
	@$(BIN)/python -m tests.golden.make $(or $(RELEASE),$(error which one? make golden RELEASE=0.2.0))

check: .venv/dev ## Format, lint, types, import contracts, generated-text drift
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > .venv/contracts.log || { cat .venv/contracts.log; exit 1; }
	@tail -n 2 .venv/contracts.log
	@$(BIN)/python -m scripts.generate --check

format: .venv/dev ## Format the code and sort imports
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --quiet .

generate: .venv/dev ## Write the generated parts of README and docs anew
	@$(BIN)/python -m scripts.generate

studio: .venv/studio ## Open the graphs in LangGraph Studio (development only)
	@exec $(BIN)/counterfoil studio

clean: ## Remove the environment and all local state
	rm -rf .venv .tools .counterfoil .langgraph_api

$(UV):
	@$(PYTHON3) scripts/bootstrap_uv.py

# One environment, three stamps: what runs, what tests, what Studio needs (Elastic-2.0, never shipped).
.venv/run: pyproject.toml uv.lock | $(UV)
	@echo "setting up (the first time takes a minute)"
	@$(UV) sync --quiet --locked --inexact --no-default-groups --group demo
	@touch $@

.venv/dev: pyproject.toml uv.lock | $(UV)
	@echo "setting up (the first time takes a minute)"
	@$(UV) sync --quiet --locked --inexact
	@touch $@ .venv/run

.venv/studio: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --locked --inexact --group studio
	@touch $@

.venv/bench: pyproject.toml uv.lock | $(UV)
	@$(UV) sync --quiet --locked --inexact --group bench
	@touch $@ .venv/dev
