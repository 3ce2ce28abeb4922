#!/bin/sh
# Generates the stubs from proto/ into generated/, anew each time.
set -eu
cd "$(dirname "$0")"
rm -rf generated
mkdir generated
# The paths below proto/ become the Python packages, so the files are named relative to it.
"${PYTHON:-python3}" -m grpc_tools.protoc -I ../../proto \
    --python_out=generated --pyi_out=generated --grpc_python_out=generated \
    attune/v1/analysis.proto attune/v1/conversation.proto attune/v1/customers.proto attune/v1/jobs.proto \
    attune/v1/models.proto
