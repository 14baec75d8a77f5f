# make demo      set up, start a server, stream sample-video.mp4 to it, show what comes back
# make test      set up, run the checks and the tests that every change needs (20 minutes)
# make serve     set up, run the server:  make serve ARGS="--analyzers pose,mock_model_1"
#
# make check     lint, types, and who may import whom
# make test-all  all tests: browsers, foreign WebRTC stacks, ten minutes of fuzzing, MediaPipe's engine, Ray, endurance
# make coverage  which code the tests run, by room
#
# Setting up makes a virtual environment in .venv with what the server needs; what tests need comes on
# top of it when they are first run. As root on Debian, missing system packages are installed; other
# users are told which.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# MediaPipe, and numpy 1, which it wants.
REFERENCE := .venv-mediapipe
# Ray, which nobody needs on one machine.
RAY := .venv-ray
WEB := tests/web
INSTALL := pip install --quiet --disable-pip-version-check
ARGS ?=

.PHONY: demo test test-mediapipe test-ray test-all coverage serve setup check web-check web-test clean

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
	@tools/system-packages $(PYTHON) --for-tests
	$(PYTHON) -m venv $(REFERENCE)
	$(REFERENCE)/bin/$(INSTALL) --requirement tools/mediapipe-imports.txt --editable '.[pose,athlete,test,bench]'
	$(REFERENCE)/bin/$(INSTALL) --no-deps mediapipe==0.10.21
	@touch $@

$(RAY)/.tests: pyproject.toml
	@tools/system-packages $(PYTHON) --for-tests
	$(PYTHON) -m venv $(RAY)
	$(RAY)/bin/$(INSTALL) --editable '.[ray,test,bench]'
	@touch $@

demo: setup
	@$(BIN)/python tools/demo.py

serve: setup
	@exec $(BIN)/python -m server $(ARGS)

check: $(VENV)/.checks web-check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check web-test $(VENV)/.tests
	$(BIN)/python tools/tests.py

test-mediapipe: $(REFERENCE)/.tests
	$(REFERENCE)/bin/pytest -q tests/analyzers/pose tests/test_one_cv2.py

# A Ray cluster of two machines, both of which are this one.
test-ray: $(RAY)/.tests
	$(RAY)/bin/pytest -q tests/server/cluster/test_ray.py

test-all: check web-test $(VENV)/.tests test-mediapipe test-ray
	FUZZ_SECONDS=600 $(BIN)/python tools/tests.py --all
	$(BIN)/python bench/latency.py --soak 10 --cycles 200

coverage: $(VENV)/.tests
	$(BIN)/coverage erase
	$(BIN)/python tools/tests.py --coverage
	$(BIN)/python tools/coverage_by_room.py

# The page's JavaScript. Node and what comes from npm is for this only: the page is served as it is.
web-check: $(WEB)/node_modules/.ready
	$(WEB)/node_modules/.bin/biome check --config-path=$(WEB)/style.jsonc --error-on-warnings server client_test tests bench
	$(WEB)/node_modules/.bin/tsc --project $(WEB)/typed

web-test: $(WEB)/node_modules/.ready
	node --test $(WEB)/*.test.js

$(WEB)/node_modules/.ready: $(WEB)/package.json $(WEB)/package-lock.json
	@tools/system-packages $(PYTHON) --for-tests
	npm ci --prefix $(WEB) --silent --no-audit --no-fund
	@touch $@

clean:
	rm -rf $(VENV) $(REFERENCE) $(RAY) $(WEB)/node_modules build *.egg-info
