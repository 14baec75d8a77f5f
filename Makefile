# make demo            set up, start a server, stream sample-video.mp4 to it, show what comes back
# make test            set up, run the checks and all tests but those of the reference engine
# make test-mediapipe  set up a second environment, run the tests of the reference engine in it
# make test-all        both
# make serve           set up, run the server:  make serve ARGS="--analyzers pose,mock_model_1"
#
# Setting up makes a virtual environment in .venv with what the server needs; what tests need comes on
# top of it when they are first run. As root on Debian, missing system packages are installed; other
# users are told which.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# MediaPipe, and numpy 1, which it wants.
REFERENCE := .venv-mediapipe
INSTALL := pip install --quiet --disable-pip-version-check
ARGS ?=

.PHONY: demo test test-mediapipe test-all serve setup check clean

setup: $(VENV)/.server

$(VENV)/.server: pyproject.toml tools/system-packages
	@tools/system-packages $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(INSTALL) --editable '.[pose]'
	@# Without them all but pose works, and pose says what to do.
	-$(BIN)/kinecast models fetch pose
	@touch $@

$(VENV)/.checks: $(VENV)/.server
	$(BIN)/$(INSTALL) --editable '.[dev]'
	@touch $@

# picamera2, which runs on a double of libcamera in the tests; only they need its compiler.
$(VENV)/.tests: $(VENV)/.checks
	@tools/system-packages $(PYTHON) --for-tests
	$(BIN)/$(INSTALL) --editable '.[pi]'
	@touch $@

$(REFERENCE)/.tests: pyproject.toml tools/mediapipe-imports.txt
	@tools/system-packages $(PYTHON)
	$(PYTHON) -m venv $(REFERENCE)
	$(REFERENCE)/bin/$(INSTALL) --requirement tools/mediapipe-imports.txt --editable '.[pose,athlete,test,bench]'
	$(REFERENCE)/bin/$(INSTALL) --no-deps mediapipe==0.10.21
	@touch $@

demo: setup
	@$(BIN)/python tools/demo.py

serve: setup
	@exec $(BIN)/python -m server $(ARGS)

check: $(VENV)/.checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check $(VENV)/.tests
	@# Real peers, browsers and processes that are killed: on a busy machine one of 3000 tests may miss
	@# its deadline. What fails is run once more by itself, and has to pass then.
	$(BIN)/pytest -n 2 --dist loadfile || $(BIN)/pytest --last-failed --last-failed-no-failures none

test-mediapipe: $(REFERENCE)/.tests
	$(REFERENCE)/bin/pytest tests/analyzers/pose tests/test_one_cv2.py

test-all: test test-mediapipe

clean:
	rm -rf $(VENV) $(REFERENCE) build *.egg-info
