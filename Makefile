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

.PHONY: demo test serve setup check clean

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

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	@tools/system-packages $(PYTHON) --for-tests
	@# picamera2, which runs on a double of libcamera in the tests; only they need its compiler.
	@$(BIN)/pip show --quiet picamera2 2>/dev/null || \
		$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[pi]'
	@# Real peers, browsers and processes that are killed: on a busy machine one of 3000 tests may miss
	@# its deadline. What fails is run once more by itself, and has to pass then.
	$(BIN)/pytest -n 2 --dist loadfile || $(BIN)/pytest --last-failed --last-failed-no-failures none

clean:
	rm -rf $(VENV) build *.egg-info
