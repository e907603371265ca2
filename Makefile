# One target a chore. `make run` is all a user needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 7860

.PHONY: install install-dev run test test-browser test-ocr test-offline test-faults check format clean

# What is needed to run; then the tools of developers on top of it.
install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml constraints.txt
	@echo "Setting up $(VENV), once: some minutes, 2 GB on disk. Packages come as they are named:"
	@$(PYTHON) -m venv $(VENV)
	@$(call install,--editable .)

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Adding the tools for tests and checks, once:"
	@$(call install,--editable '.[dev]')

$(VENV)/.installed-ocr: $(VENV)/.installed-dev
	@echo "Adding what reads pictures, once:"
	@$(call install,--editable '.[ocr]')

# pip install; makes the stamp $@. A line for each package as it comes, and what goes wrong; all
# that pip says is in install.log. sh has no pipefail: without the stamp, it failed.
LOG := $(VENV)/install.log
define install
rm -f $@; \
{ PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off \
	--constraint constraints.txt $(1) 2>&1 && touch $@; } | tee $(LOG) | \
while read -r verb what rest; do \
	[ "$$verb $$what" != "Using cached" ] || { what=$${rest%% *}; rest=$${rest#* }; }; \
	case "$$verb $$what" in \
	Downloading*.whl | Using*.whl | Processing*.whl) \
		file=$${what##*/}; version=$${file#*-}; version=$${version%%-*}; \
		case $$rest in "("[0-9]*B")") ;; *) rest= ;; esac; \
		echo "  $${file%%-*} $${version%%%2B*}$${rest:+ $$rest}" ;; \
	"Installing collected") echo "  unpacking them ..." ;; \
	"WARNING: Retrying" | ERROR:*) echo "$$verb $$what $$rest" ;; \
	esac; \
done; \
test -e $@ || { echo "The installation failed; $(LOG) has all that pip said." >&2; exit 1; }
endef

run: install
	@$(BIN)/rag index seeds
	@$(BIN)/rag serve --host $(HOST) --port $(PORT)

test: install-dev
	$(BIN)/python -m pytest -m 'not browser and not ocr and not strace'

test-browser: install-dev
	$(BIN)/python -m pytest -m browser

test-ocr: $(VENV)/.installed-ocr
	$(BIN)/python -m pytest -m ocr

# What the system sees of indexing, asking and serving; needs strace.
test-offline: install-dev
	$(BIN)/python -m pytest -m strace

# The tests that kill, fill up and damage, many more times than `make test` does.
test-faults: install-dev
	KILLS=$${KILLS:-200} FLIPS=$${FLIPS:-2000} READERS=10 CHANGES=1000 \
		$(BIN)/python -m pytest tests/faults -s

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find index -mindepth 1 ! -name README.md -delete
