# One target a chore. `make run` is all a user needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 7860

.PHONY: install run test test-browser test-ocr test-faults check format clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

run: install
	$(BIN)/rag index seeds
	$(BIN)/rag serve --host $(HOST) --port $(PORT)

test: install
	$(BIN)/python -m pytest -m 'not browser and not ocr'

test-browser: install
	$(BIN)/python -m pytest -m browser

test-ocr: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,ocr]'
	$(BIN)/python -m pytest -m ocr

# The tests that kill, fill up and damage, many more times than `make test` does.
test-faults: install
	KILLS=$${KILLS:-200} FLIPS=$${FLIPS:-2000} READERS=10 CHANGES=1000 \
		$(BIN)/python -m pytest tests/faults -s

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find index -mindepth 1 ! -name README.md -delete
