#!/usr/bin/env bash
# Buf's STANDARD rules over proto/, with the pinned npm package.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.75.0
if [ "$(node_modules/.bin/buf --version 2>/dev/null)" != "$version" ]; then
  command -v npm >/dev/null || { echo "proto-lint: npm is needed (apt-get install npm)" >&2; exit 1; }
  npm install --no-save --no-audit --no-fund --silent "@bufbuild/buf@$version"
fi
node_modules/.bin/buf lint
