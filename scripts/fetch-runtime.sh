#!/usr/bin/env bash
# Puts the pinned ONNX Runtime library into .runtime/, out of its PyPI wheel, checked by SHA-256.
# A wheel is a zip: the Python version in its name does not matter to us, so one is pinned for every machine.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.31.1
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64)
    platform=manylinux_2_28_x86_64
    sha256=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f ;;
  Linux-aarch64)
    platform=manylinux_2_28_aarch64
    sha256=da05378364c44d4407e463982d2bf8d5e4cfea873283757e48beeb41df97b7f3 ;;
  *)
    echo "fetch-runtime: no pinned ONNX Runtime for $(uname -s) on $(uname -m); install version $version yourself and name the library with ORT_DYLIB_PATH" >&2
    exit 1 ;;
esac

target=.runtime/libonnxruntime.so
stamp=.runtime/.wheel-sha256
if [ -f "$target" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sha256" ]; then
  exit 0
fi

command -v python3 >/dev/null || { echo "fetch-runtime: python3 is needed (apt-get install python3 python3-pip)" >&2; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { echo "fetch-runtime: pip is needed (apt-get install python3-pip)" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "fetch-runtime: onnxruntime $version for $platform" >&2
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
  --implementation cp --python-version 3.11 --abi cp311 --platform "$platform" \
  --dest "$work" "onnxruntime==$version"
wheel=$(ls "$work"/onnxruntime-"$version"-*.whl)
if ! echo "$sha256  $wheel" | sha256sum --check --status; then
  echo "fetch-runtime: $(basename "$wheel") has sha256 $(sha256sum "$wheel" | cut -d' ' -f1), expected $sha256: not used" >&2
  exit 1
fi

mkdir -p .runtime
python3 - "$wheel" "$target.part" "$version" <<'PY'
import shutil, sys, zipfile
wheel, target, version = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    with archive.open(f"onnxruntime/capi/libonnxruntime.so.{version}") as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)
PY
mv "$target.part" "$target"
echo "$sha256" > "$stamp"
