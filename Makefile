# make run    set up, then the main job: hwtrainset/ -> raw_data/ -> data.h5 -> model.keras -> predictions
# make test   set up, then the tests
# make lint   set up, then ruff: rules and format
# make bench  BENCHMARKS.md, measured anew (more than an hour); make bench ARGS="photos crops" or ARGS="--data chinese-mnist.zip"
# make fuzz   a minute of broken pictures
# make pad    the page to write on
# make clean  remove what the pipeline made; the environment in .venv stays

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export JUPYTER_PREFER_ENV_PATH = 1

.PHONY: run test lint bench fuzz pad clean
.DELETE_ON_ERROR:

run: $(VENV)/run
	$(BIN)/python datapro.py || [ $$? -eq 1 ]
	$(BIN)/python test.py || [ $$? -eq 1 ]
	mkdir -p results
	$(BIN)/papermill --no-progress-bar --log-output --log-level WARNING --kernel python3 cnn.ipynb results/cnn.ipynb
	$(BIN)/python predict.py my_handwriting --csv predictions.csv --sheet predictions.png || [ $$? -eq 1 ]

test: $(VENV)/dev
	$(BIN)/python -m pytest -q -n 2 --dist loadfile $(ARGS)

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: $(VENV)/dev
	$(BIN)/python -m benchmarks.write --run $(ARGS)

fuzz: $(VENV)/dev
	$(BIN)/python -m pip install --quiet "atheris>=2.3"
	PYTHONPATH=. $(BIN)/python tests/ink/fuzz_ink.py -max_total_time=60
	PYTHONPATH=. $(BIN)/python tests/dataset/fuzz_sources.py -max_total_time=60

pad: $(VENV)/dev
	$(BIN)/python pad.py

$(VENV)/python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/run: $(VENV)/python requirements.txt
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/dev: $(VENV)/run requirements-dev.txt requirements-pad.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

clean:
	rm -rf results data.h5 model.keras metrics.json predictions.csv predictions.png
	find raw_data -mindepth 1 ! -name README.md -delete
