#!/usr/bin/env bash
# The report in a real browser: made of a small survey by the debug binary, opened in Chromium wide and at a phone's width,
# light and dark, printed, and checked with axe-core. Without Chromium or npm it says that it is left out.
#
#   scripts/report-check.sh [REPORT.html [DIRECTORY]]    another report; where its pictures and its PDF go. docs/report.png is
#   light-1280-first.png of a survey of 10,000 rows.
set -euo pipefail
cd "$(dirname "$0")/.."

chromium=${CHROMIUM:-}
for name in chromium chromium-browser google-chrome; do
  [ -n "$chromium" ] || chromium=$(command -v "$name" || true)
done
[ -n "$chromium" ] || { echo "report-check: left out: there is no Chromium (apt-get install chromium)"; exit 0; }
command -v npm >/dev/null || { echo "report-check: left out: there is no npm (apt-get install npm)"; exit 0; }

environment=target/report-check
packages=(playwright-core@1.65.1 axe-core@4.14.1)
if [ "$(cat "$environment/.packages" 2>/dev/null)" != "${packages[*]}" ]; then
  rm -rf "$environment"
  mkdir -p "$environment"
  npm install --prefix "$environment" --no-save --no-audit --no-fund --silent --ignore-scripts "${packages[@]}"
  echo "${packages[*]}" >"$environment/.packages"
fi

report=${1:-}
if [ -z "$report" ]; then
  report="$environment/report.html"
  cargo build --quiet --locked --bin attune
  rm -f "$environment"/scored.csv*
  ORT_DYLIB_PATH=${ORT_DYLIB_PATH:-$PWD/.runtime/libonnxruntime.so} target/debug/attune score tests/fixtures/report/survey.csv \
    --text-column 'What did you like?' --text-column 'What should we do better?' --by region --log error \
    --output "$environment/scored.csv" --report "$report" 2>"$environment/score.log" ||
    { cat "$environment/score.log" >&2; exit 1; }
fi
CHROMIUM="$chromium" node scripts/report-check/check.cjs "$environment/node_modules" "$report" "${2:-}"
