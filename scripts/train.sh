#!/usr/bin/env bash
# The training recipe in an environment of its own; resumes where a killed run stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$(realpath "$1")
environment=target/training
if [ ! -x "$environment/bin/python" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check -r models/training/requirements.txt
fi
cd models/training
"../../$environment/bin/python" recipe.py --data "$data" --out ../../target/training-work --model ../attune-en-small
