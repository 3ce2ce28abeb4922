#!/usr/bin/env bash
# Counts the baseline of a model on a file of texts, and writes it into the model's model.toml (docs/drift.md).
# scripts/baseline.sh FILE [MODEL_DIRECTORY] [BINARY]; run it whenever the weights, thresholds or calibration have changed.
set -euo pipefail
cd "$(dirname "$0")/.."
file=$1
model=${2:-models/attune-en-small}
binary=${3:-target/release/attune}

"$binary" drift baseline --model "$model" --data "$file" --source "$file" --into "$model/model.toml"
# The file must still be a manifest that this build reads.
"$binary" models --model "$model" >/dev/null
echo "baseline: counted on $file, written to $model/model.toml; build again to embed it" >&2
