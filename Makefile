# Everything a new machine needs: `make demo` or `make test`. Set-up happens by itself, once.
PYTHON ?= python3
VENV ?= .venv
IN_ENV = $(abspath $(VENV))/bin/egorear-env

.PHONY: help setup test test-isa demo docs doctor clean

help:
	@echo "make demo     see it work (HEADLESS=1: no browser, ends by itself)"
	@echo "make test     lint, types, documentation, tests"
	@echo "make test-isa the tests that compute, as on processors with fewer instructions"
	@echo "make docs     the documentation as a site, in build/site"
	@echo "make doctor   what works on this machine"
	@echo "make clean    remove the environment and everything built"

setup:
	@$(PYTHON) tools/bootstrap.py --venv $(VENV)

test: setup
	@$(IN_ENV) python tools/check.py

docs: setup
	@$(IN_ENV) python -m sphinx -W --keep-going -q docs build/site
	@echo "open build/site/index.html"

test-isa: setup
	@$(IN_ENV) python tools/isa.py

demo: setup
	@$(IN_ENV) egorear demo $(if $(HEADLESS),--headless)

doctor: setup
	@$(IN_ENV) egorear doctor

clean:
	rm -rf $(VENV) build install log
