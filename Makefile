# Everything a new machine needs: `make demo` or `make test`. Set-up happens by itself, once.
# ROS=kilted does the same with ROS 2 Kilted, in an environment of its own.
PYTHON ?= python3
ROS ?=
VENV ?= $(if $(filter kilted,$(ROS)),.venv-kilted,.venv)
IN_ENV = $(abspath $(VENV))/bin/egorear-env

.PHONY: help setup test test-isa test-ros smoke demo docs doctor clean

help:
	@echo "make demo     see it work (HEADLESS=1: no browser, ends by itself)"
	@echo "make test     lint, types, documentation, tests"
	@echo "make test-isa the tests that compute, as on processors with fewer instructions"
	@echo "make test-ros only the tests that talk to ROS"
	@echo "make smoke    one minute of them: messages, nodes, the graph"
	@echo "make docs     the documentation as a site, in build/site"
	@echo "make doctor   what works on this machine"
	@echo "make clean    remove the environments and everything built"
	@echo "ROS=kilted    with ROS 2 Kilted instead of Jazzy, for example: make test-ros ROS=kilted"

setup:
	@$(PYTHON) tools/bootstrap.py --venv $(VENV) $(if $(ROS),--ros $(ROS))

test: setup
	@$(IN_ENV) python tools/check.py

test-ros: setup
	@$(IN_ENV) python tools/check.py ros

smoke: setup
	@$(IN_ENV) python tools/check.py smoke

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
	rm -rf $(VENV) .venv .venv-kilted build install log
