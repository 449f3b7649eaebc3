#!/bin/sh
# The server against pytest-lsp, of PyPI; COULER_TEST_PYTHON names a Python that has it, such as a virtual environment's.
set -eu
python=${COULER_TEST_PYTHON:-python3}
"$python" -c 'import pytest_lsp' 2>/dev/null || {
  echo "skipped: needs pytest-lsp (pip install pytest-lsp; COULER_TEST_PYTHON names the Python that has it)"
  exit 77
}
exec "$python" -B -m pytest -q -p no:cacheprovider -o asyncio_default_fixture_loop_scope=function \
  tests/editors/test_lsp_client.py
