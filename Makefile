# Each target sets up what it needs: on a Debian-like machine scripts/setup installs what is missing.
.DEFAULT_GOAL := build
.PHONY: build demo run test test-agents test-all fuzz soak lint format bench clean help

build: ## build/prazium
	@scripts/setup build
	@scripts/build build

demo: ## from a sentence to a running app, on a server of its own
	@scripts/demo

run: build ## a server on 127.0.0.1:3001 with its data in ./data
	@scripts/setup run
	@. scripts/env && exec build/prazium serve

test: ## unit tests under sanitizers, short fuzzing, then flow tests of the whole program
	@scripts/setup test
	@scripts/build build-test
	@scripts/build build-fuzz
	@. scripts/env && exec scripts/test

test-agents: ## codex and opencode themselves carry out runs, with a scripted model
	@scripts/setup agents
	@scripts/build build-test
	@. scripts/env && exec scripts/test agents

test-all: ## both
	@scripts/setup test
	@scripts/setup agents
	@scripts/build build-test
	@scripts/build build-fuzz
	@. scripts/env && exec scripts/test all

fuzz: ## the fuzz targets, each for FUZZ_SECONDS (60)
	@scripts/setup test
	@scripts/build build-fuzz
	@exec scripts/fuzz --keep --seconds $${FUZZ_SECONDS:-60}

soak: ## 2,000 readers of one run, half of them coming and going, and 100 that never read
	@scripts/setup soak
	@scripts/build build-soak
	@. scripts/env && exec tests/soak/run --timed

lint: ## formatting, clang-tidy, no warnings, sizes, layers
	@scripts/setup lint
	@scripts/lint

format: ## clang-format over all C files
	@scripts/setup lint
	@git ls-files -- '*.c' '*.h' | xargs clang-format -i

bench: build ## prazium beside Fastify, nginx and git, on this machine
	@scripts/setup bench
	@. scripts/env && exec bench/run

clean: ## removes what was built, and the fetched Node
	rm -rf build build-test build-lint build-soak build-fuzz .cache

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile
