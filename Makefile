# Each target does its own set-up: Python 3.11 or later, make and a package index are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PEERS := .venv-peers
INTEROP := .venv-interop
SANITIZED := $(VENV)/sanitized
WORKERS ?= 2
SOURCES := pyproject.toml constraints.txt $(wildcard native/*)
# uv, if it is there, installs in a fraction of pip's time. Both take the versions from constraints.txt, and leave it to
# Python to compile the modules that are imported, those of the environment that builds the kernels too: pip takes the
# variable as the value of "compile", whatever its name says.
NO_PYC := PIP_NO_COMPILE=0
UV := $(shell command -v uv 2>/dev/null)
MAKE_VENV = $(PYTHON) -m venv $(if $(UV),--without-pip)
PIP = $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(NO_PYC) $(BIN)/python -m pip install --quiet --disable-pip-version-check)
PEERS_PIP = $(if $(UV),$(UV) pip install --quiet --python $(PEERS)/bin/python,$(NO_PYC) $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check)
INTEROP_PIP = $(if $(UV),$(UV) pip install --quiet --python $(INTEROP)/bin/python,$(NO_PYC) $(INTEROP)/bin/python -m pip install --quiet --disable-pip-version-check)

.PHONY: install demo lab test test-wheel test-slow test-browser test-interop test-sanitized lint bench bench-accuracy bench-lab bench-panels bench-zero-shot docs remember wasm clean

install: $(INSTALLED)

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "throughtime needs Python 3.11 or later; give it with make PYTHON=python3.12")'
	$(MAKE_VENV) $(VENV)
	touch $@

$(INSTALLED): $(VENV)/.python $(SOURCES)
	$(PIP) -e '.[test]' -c constraints.txt
	touch $@ $(VENV)/.demo $(VENV)/.lab

$(VENV)/.demo: $(VENV)/.python $(SOURCES)  # the demo needs no extras, and kernels for this machine alone
	$(PIP) --config-settings=cmake.define.HOST_ONLY=ON -e . -c constraints.txt
	touch $@

$(VENV)/.lab: $(VENV)/.python $(SOURCES)
	$(PIP) -e '.[lab]' -c constraints.txt
	touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/throughtime demo

lab: $(VENV)/.lab
	$(BIN)/throughtime lab || test $$? -eq 130  # Ctrl-C is how it ends

test: install
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-wheel: install  # build the wheel, install it without extras in an empty environment, forecast
	$(BIN)/python -m pytest -m wheel

test-slow: install  # with Jupyter, in which the lessons run too, and Ray
	$(PIP) -e '.[docs,ray]' -c constraints.txt
	$(BIN)/python -m pytest -m slow

test-browser: install  # with the system's Chromium, or that of: .venv/bin/playwright install chromium
	$(PIP) -e '.[browser]' -c constraints.txt
	$(BIN)/python -m pytest -m browser

test-interop: $(INTEROP)/.installed  # each conversion against the living frameworks, in an environment of their own
	TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=3 $(INTEROP)/bin/python -m pytest -m interop tests/interop/test_live.py

$(INTEROP)/.installed: tests/interop/requirements.txt $(SOURCES)
	$(MAKE_VENV) $(INTEROP)
	$(INTEROP_PIP) -r tests/interop/requirements.txt
	$(INTEROP_PIP) -e .
	touch $@

test-sanitized: install  # the kernels' tests with every address and every undefined operation checked; GCC on Linux
	$(PIP) cmake
	$(BIN)/cmake -S native -B $(SANITIZED) -DSANITIZE=ON -DPython_EXECUTABLE=$(abspath $(BIN))/python
	$(BIN)/cmake --build $(SANITIZED)
	THROUGHTIME_NATIVE=$(SANITIZED)/_native.so LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
		ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=halt_on_error=1 $(BIN)/python -m pytest tests/kernels tests/cells/test_linear.py

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install $(PEERS)/.installed
	$(BIN)/python benchmarks/reference_step.py --peers-python $(PEERS)/bin/python
	$(BIN)/python benchmarks/first_forecasts.py
	$(BIN)/python benchmarks/watching.py
	$(BIN)/python benchmarks/recurrent_step.py --peers-python $(PEERS)/bin/python
	$(BIN)/python benchmarks/recurrent_step.py --grid

bench-accuracy: install $(PEERS)/.installed  # an hour
	$(BIN)/python benchmarks/time_to_accuracy.py --peers-python $(PEERS)/bin/python

bench-lab: install  # with the system's Chromium, or that of: .venv/bin/playwright install chromium
	$(PIP) -e '.[browser]' -c constraints.txt
	$(BIN)/python benchmarks/lab.py
	$(BIN)/python benchmarks/remember.py

bench-panels: install $(PEERS)/.installed
	$(BIN)/python benchmarks/panels.py --peers-python $(PEERS)/bin/python

bench-zero-shot: install $(PEERS)/.installed
	$(BIN)/python benchmarks/zero_shot.py --peers-python $(PEERS)/bin/python

$(PEERS)/.installed: benchmarks/requirements.txt
	$(MAKE_VENV) $(PEERS)
	$(PEERS_PIP) -r benchmarks/requirements.txt
	touch $@

docs: install  # runs the lessons, which takes minutes, if they or the library changed; the site is in site/
	$(PIP) -e '.[docs]' -c constraints.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

remember: $(VENV)/.demo  # the page "How long can an RNN remember?" alone
	$(BIN)/python docs/making/remember.py

wasm: install  # the network of docs/remember, after a change of its sources; the same bytes on every machine
	$(PIP) -e '.[docs]' -c constraints.txt
	$(BIN)/python native/wasm/build.py

clean:
	rm -rf $(VENV) $(PEERS) $(INTEROP) out site
