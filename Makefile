# One target a chore. `make run` is all a user needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOST ?= 127.0.0.1
PORT ?= 7860

.PHONY: install install-dev run test test-quick test-browser test-ocr test-offline test-faults check format lock clean

# What is needed to run; then the tools of developers on top of it.
install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml constraints.txt requirements.lock
	@echo "Setting up $(VENV), once: some minutes, 2 GB on disk. Packages come as they are named:"
	@$(PYTHON) -m venv $(VENV)
	@$(call install,requirements.lock,.)

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo "Adding the tools for tests and checks, once:"
	@$(call install,requirements-dev.lock,'.[dev]')

$(VENV)/.installed-ocr: $(VENV)/.installed-dev
	@echo "Adding what reads pictures, once:"
	@$(call install,requirements-ocr.lock,'.[ocr]')

# Installs what the lock file $(1) has, by its hashes, and then the project $(2), for which torch is
# left to come: its build differs by machine, so only its version is pinned. Makes the stamp $@.
# Shows a line for each package as it comes, and what goes wrong; all that pip says is in
# install.log. sh has no pipefail: without the stamp, it failed.
LOG := $(VENV)/install.log
PIP := PYTHONUNBUFFERED=1 $(BIN)/python -m pip install --disable-pip-version-check --progress-bar off
define install
rm -f $@; \
{ $(PIP) --require-hashes --no-deps --requirement $(1) 2>&1 && \
	$(PIP) --constraint constraints.txt --no-build-isolation --editable $(2) 2>&1 && \
	touch $@; } | tee $(LOG) | \
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

# Without what takes seconds by itself: whole processes, kills, real models.
test-quick: install-dev
	$(BIN)/python -m pytest -m 'not slow and not browser and not ocr and not strace'

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
	$(BIN)/lint-imports
	$(BIN)/deptry rag training

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The lock files anew, from constraints.txt; torch and what its builds bring are left out.
EXCLUDED := torch triton cuda-bindings cuda-pathfinder cuda-toolkit $(addprefix nvidia-,cublas \
	cuda-cupti cuda-nvrtc cuda-runtime cudnn-cu13 cufft cufile curand cusolver cusparse \
	cusparselt-cu13 nccl-cu13 nvjitlink nvshmem-cu13 nvtx)
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --constraint constraints.txt --group build \
	$(addprefix --no-emit-package ,$(EXCLUDED))

lock: install-dev
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra dev --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --extra ocr --output-file requirements-ocr.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find index -mindepth 1 ! -name README.md -delete
