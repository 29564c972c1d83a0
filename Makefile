# install: everything in .venv    run: derive and prove the equations    test: tests, ruff and mypy
# trust: the lines that a proof rests on    fuzz: random programs, and proofs with mistakes in them
# verdicts: the table of verdicts on the public corpora    test-frameworks: PyTorch and JAX as ways in

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Empty is unset: a process that a test starts does not compile the whole package anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install run test test-frameworks test-coq trust fuzz verdicts clean
.DELETE_ON_ERROR:

install: $(VENV)/installed

run: install
	$(BIN)/python -m symbackprop derive
	$(BIN)/python derivations/layers.py --tex derivations/tex
	$(BIN)/python derivations/losses.py --tex derivations/tex

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest -q -n auto --dist worksteal
	$(BIN)/ruff check .
	$(BIN)/mypy

# Each in its share of the time, seeds and counts printed; SECONDS=3000 SEED=1 make fuzz runs longer, from another seed.
SECONDS ?= 300
SEED ?= 0
fuzz: $(VENV)/installed-dev
	$(BIN)/python -W ignore fuzz/theorems.py --seed $(SEED) --seconds $$(( $(SECONDS) * 2 / 5 ))
	$(BIN)/python -W ignore fuzz/gradients.py --seed $(SEED) --seconds $$(( $(SECONDS) / 5 ))
	$(BIN)/python -W ignore fuzz/numpy_programs.py --seed $(SEED) --seconds $$(( $(SECONDS) / 5 ))
	$(BIN)/python fuzz/certificates.py --seed $(SEED) --seconds $$(( $(SECONDS) / 5 ))

# PyTorch and JAX, and the tests that need them. On Linux the plain torch has GPU packages of several gigabytes; without
# them: make test-frameworks TORCH='...', with what PyTorch's page "Get started" says for CPU.
TORCH ?= torch==2.13.0
test-frameworks: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --editable '.[jax]'
	$(BIN)/python -m pytest -q -rs tests/read/torch tests/read/jax

# Needs Coq 8.16 with mathcomp; about ten seconds a theorem.
test-coq: $(VENV)/installed-dev
	@command -v coqc >/dev/null || { echo "coqc is missing; on Debian: apt-get install coq \
	  libcoq-mathcomp-algebra libcoq-mathcomp-analysis libcoq-mathcomp-algebra-tactics" >&2; exit 1; }
	SYMBACKPROP_COQ=all $(BIN)/python -m pytest -q -rs tests/coq

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "symbackprop needs Python 3.11 or newer; choose one with: make PYTHON=python3.x" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# --upgrade of pip: installing a dependency group needs pip 25.1, and Python 3.11 brings an older one.
$(VENV)/installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[all]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --group dev
	touch $@

# tests/data/verdicts.json: the verdict of every statement of the public corpora, to see changes in a diff.
verdicts: $(VENV)/installed-dev
	$(BIN)/python -W ignore benchmarks/verdicts.py

trust:
	@$(PYTHON) tests/trusted.py

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
