#!/usr/bin/env bash
# A client that shares no code with the service, Python's grpcio with stubs from proto/, against the debug binary.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=target/python-check
stamp="$environment/.requirements"
if ! cmp -s examples/python/requirements.txt "$stamp"; then
  rm -rf "$environment"
  python3 -m venv "$environment" || { echo "python-check: python3-venv is needed (apt-get install python3-venv)" >&2; exit 1; }
  "$environment/bin/pip" install --quiet --disable-pip-version-check -r examples/python/requirements.txt
  cp examples/python/requirements.txt "$stamp"
fi
PYTHON="$PWD/$environment/bin/python" examples/python/generate.sh
cargo build --quiet --locked --bin attune
"$environment/bin/python" examples/python/check.py target/debug/attune
# The webhook sink against a receiver that checks signatures with the package of PyPI.
ATTUNE_PYTHON="$PWD/$environment/bin/python" cargo test --quiet --locked --test live -- --exact \
  webhook::a_receiver_in_python_takes_what_is_signed_once_and_nothing_else
