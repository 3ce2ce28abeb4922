#!/usr/bin/env bash
# Starts the service on free ports, scores examples/texts over gRPC, prints them, and stops it again.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$1

log=$(mktemp)
"$binary" serve --grpc 127.0.0.1:0 --http 127.0.0.1:0 --set log.format=json --set server.lame_duck_ms=0 2>"$log" &
service=$!
trap 'kill "$service" 2>/dev/null || true; wait "$service" 2>/dev/null || true; rm -f "$log"' EXIT

address=
for _ in $(seq 100); do
  address=$(sed -n 's/.*"message":"ready".*"grpc.address":"\([^"]*\)".*/\1/p' "$log" | head -1)
  [ -n "$address" ] && break
  kill -0 "$service" 2>/dev/null || { echo "demo: the service ended:" >&2; cat "$log" >&2; exit 1; }
  sleep 0.1
done
[ -n "$address" ] || { echo "demo: the service did not get ready within 10 s:" >&2; cat "$log" >&2; exit 1; }

echo "attune serves gRPC on $address. Support messages, survey comments and social posts, scored over gRPC:"
for file in support survey social; do
  printf '\n== %s (examples/texts/%s.txt)\n\n' "$file" "$file"
  "$binary" analyze --server "http://$address" --file "examples/texts/$file.txt"
done
echo "Your own: $binary analyze \"text\"   |   the service: make serve   |   Python: examples/python/"
