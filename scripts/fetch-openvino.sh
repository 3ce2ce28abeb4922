#!/usr/bin/env bash
# Puts the pinned OpenVINO plugin for ONNX Runtime, with the libraries that it brings along, into .runtime/openvino/, out of its
# PyPI wheel, checked by SHA-256. It runs on devices of Intel; about 150 MB.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.8.1
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64)
    platform=manylinux_2_28_x86_64
    sha256=3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924 ;;
  *)
    echo "fetch-openvino: there is no OpenVINO plugin for $(uname -s) on $(uname -m)" >&2
    exit 1 ;;
esac

target=.runtime/openvino
stamp=$target/.wheel-sha256
if [ -f "$target/libonnxruntime_providers_openvino_plugin.so" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sha256" ]; then
  exit 0
fi

command -v python3 >/dev/null || { echo "fetch-openvino: python3 is needed (apt-get install python3 python3-pip)" >&2; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { echo "fetch-openvino: pip is needed (apt-get install python3-pip)" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work" "$target.part"' EXIT
echo "fetch-openvino: onnxruntime-ep-openvino $version for $platform" >&2
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
  --implementation py --python-version 3.11 --abi none --platform "$platform" \
  --dest "$work" "onnxruntime-ep-openvino==$version"
wheel=$(ls "$work"/onnxruntime_ep_openvino-"$version"-*.whl)
if ! echo "$sha256  $wheel" | sha256sum --check --status; then
  echo "fetch-openvino: $(basename "$wheel") has sha256 $(sha256sum "$wheel" | cut -d' ' -f1), expected $sha256: not used" >&2
  exit 1
fi

# What is loaded is found beside the plugin, by the names in the wheel; the copies with a version are the plugin once more.
rm -rf "$target.part"
mkdir -p "$target.part"
python3 - "$wheel" "$target.part" <<'PY'
import pathlib, shutil, sys, zipfile
wheel, target = sys.argv[1], pathlib.Path(sys.argv[2])
plugin = "libonnxruntime_providers_openvino_plugin.so"
with zipfile.ZipFile(wheel) as archive:
    for entry in archive.infolist():
        folder, _, name = entry.filename.rpartition("/")
        again = name.startswith(plugin) and name != plugin
        if folder == "onnxruntime_ep_openvino" and not name.endswith(".py") and not again:
            with archive.open(entry) as source, open(target / name, "wb") as out:
                shutil.copyfileobj(source, out)
PY
echo "$sha256" > "$target.part/.wheel-sha256"
rm -rf "$target"
mv "$target.part" "$target"
