# make demo    set up, start a server, stream sample-video.mp4 to it, show what comes back
# make test    set up, run the checks and all tests
# make serve   set up, run the server:  make serve ARGS="--analyzers pose,mock_model_1"
#
# Setting up makes a virtual environment in .venv and, as root on Debian, installs missing system
# packages; other users are told which.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

WEB := tests/web

.PHONY: demo test serve setup check clean web-check web-test

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml tools/system-packages
	@tools/system-packages $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup
	@$(BIN)/python tools/demo.py

serve: setup
	@exec $(BIN)/python -m server $(ARGS)

check: setup web-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check web-test
	@tools/system-packages $(PYTHON) --for-tests
	@# picamera2, which runs on a double of libcamera in the tests; only they need its compiler.
	@$(BIN)/pip show --quiet picamera2 2>/dev/null || \
		$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[pi]'
	@# Real peers, browsers and processes that are killed: on a busy machine one of 3000 tests may miss
	@# its deadline. What fails is run once more by itself, and has to pass then.
	$(BIN)/pytest -n 2 --dist loadfile || $(BIN)/pytest --last-failed --last-failed-no-failures none

# The page's JavaScript. Node and what comes from npm is for this only: the page is served as it is.
web-check: $(WEB)/node_modules/.ready
	$(WEB)/node_modules/.bin/biome check --config-path=$(WEB)/style.jsonc --error-on-warnings server client_test tests bench

web-test: $(WEB)/node_modules/.ready
	node --test $(WEB)/*.test.js

$(WEB)/node_modules/.ready: $(WEB)/package.json $(WEB)/package-lock.json
	@tools/system-packages $(PYTHON) --for-tests
	npm ci --prefix $(WEB) --silent --no-audit --no-fund
	@touch $@

clean:
	rm -rf $(VENV) $(WEB)/node_modules build *.egg-info
