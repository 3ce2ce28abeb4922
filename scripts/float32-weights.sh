#!/usr/bin/env bash
# Writes the embedded model in float32 into .weights/, once as an ONNX graph and once as native weights, for the tests that hold
# backends against each other. Its own environment: three packages, as the recipe pins them.
set -euo pipefail
cd "$(dirname "$0")/.."

target=.weights
stamp="$target/.from"
from=$(sha256sum models/attune-en-small/model.toml models/attune-en-small/model.onnx models/training/weights.py)
if [ "$(cat "$stamp" 2>/dev/null)" = "$from" ]; then
  exit 0
fi

environment=target/float32-weights
packages=$(grep -E '^(numpy|onnx|safetensors)==' models/training/requirements.txt)
if [ "$(cat "$environment/.packages" 2>/dev/null)" != "$packages" ]; then
  rm -rf "$environment"
  python3 -m venv "$environment" || { echo "float32-weights: python3-venv is needed (apt-get install python3-venv)" >&2; exit 1; }
  # shellcheck disable=SC2086
  "$environment/bin/pip" install --quiet --disable-pip-version-check $packages
  echo "$packages" > "$environment/.packages"
fi
rm -rf "$target"
"$environment/bin/python" models/training/weights.py --model models/attune-en-small --out "$target"
echo "$from" > "$stamp"
