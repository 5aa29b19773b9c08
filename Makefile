# make demo: train, evaluate and score the example articles.  make test: all that CI runs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := runs/venezuela

.PHONY: demo test install clean

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e ".[train,export,test]"
	@mkdir -p $(VENV)/source && ln -sfn $(CURDIR) $(VENV)/source/actorstance
	@touch $@

install: $(VENV)/installed

demo: $(VENV)/installed
	$(BIN)/actorstance train configs/venezuela.yaml --output $(RUN) --resume
	$(BIN)/actorstance evaluate --checkpoint $(RUN)
	$(BIN)/actorstance score data/examples --checkpoint $(RUN)
	@echo "run folder: $(RUN)"

test: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	MYPYPATH=$(VENV)/source $(BIN)/mypy -p actorstance
	$(BIN)/actorstance data check data/venezuela --strict
	$(BIN)/pytest

clean:
	rm -rf $(VENV) *.egg-info .mypy_cache .ruff_cache .pytest_cache
