#!/usr/bin/env bash
# Jobs over a real S3 interface: moto, from PyPI, in an environment of its own, on loopback. Without it the test says that
# it is left out.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=target/s3-check
if ! [ -x "$environment/bin/moto_server" ]; then
  python3 -m venv "$environment" || { echo "s3-check: python3-venv is needed (apt-get install python3-venv)" >&2; exit 1; }
  "$environment/bin/pip" install --quiet --disable-pip-version-check 'moto[server]==5.2.5'
fi
ATTUNE_MOTO_SERVER="$PWD/$environment/bin/moto_server" cargo test --locked --test live -- objects:: --nocapture
