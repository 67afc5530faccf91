# Two commands: `make demo` shows the product, `make test` proves it. Each has an environment of its own under .venv/,
# installed once: pip runs again only when pyproject.toml or constraints.txt changed, so both work without a network.

PYTHON ?= $(or $(shell command -v python3.11 || command -v python3),$(error No python3.11 or python3 found: install Python 3.11, or name it with PYTHON=...))

.DELETE_ON_ERROR:
.PHONY: demo test lint clean

demo: .venv/demo/installed
	.venv/demo/bin/fusionbench demo

test: .venv/test/installed
	@.venv/test/bin/python -m pytest

lint: .venv/test/installed
	.venv/test/bin/ruff check --output-format=concise
	.venv/test/bin/ruff format --check
	.venv/test/bin/mypy
	.venv/test/bin/lint-imports

clean:
	rm -rf .venv .cache build dist *.egg-info

.venv/test/installed: EXTRAS = [test]

# The build backend is installed first and then used as it is (--no-build-isolation): an isolated build would fetch its
# own copy, unpinned, every time.
.venv/%/installed: pyproject.toml constraints.txt
	@echo "Installing into .venv/$* (once; takes a minute or two)"
	$(PYTHON) -m venv .venv/$*
	.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt setuptools
	.venv/$*/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.$(EXTRAS)'
	@touch $@
