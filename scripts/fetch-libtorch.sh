#!/usr/bin/env bash
# Puts the pinned libtorch into .libtorch/, for the cargo feature rust-bert: headers and the libraries that are linked, out of
# PyPI wheels, checked by SHA-256. The wheel is the CUDA build, the only one there is for this platform: 800 MB come down, and
# 560 MB stay. Its CPU library wants two small CUDA libraries to be there, and no CUDA device.
set -euo pipefail
cd "$(dirname "$0")/.."

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) ;;
  *)
    echo "fetch-libtorch: no pinned libtorch for $(uname -s) on $(uname -m); install libtorch 2.4.0 yourself and name its folder with LIBTORCH" >&2
    exit 1 ;;
esac

wheels=(
  "torch==2.4.0 e743adadd8c8152bb8373543964551a7cb7cc20ba898dc8f9c0cdbe47c283de0"
  "nvidia-cuda-runtime-cu12==12.1.105 6e258468ddf5796e25f1dc591a31029fa317d97a0a94ed93468fc86301d61e40"
  "nvidia-cuda-cupti-cu12==12.1.105 e54fde3983165c624cb79254ae9818a456eb6e87a7fd4d56a2352c24ee542d7e"
)
target=.libtorch
stamp="$target/.wheels-sha256"
pinned=$(printf '%s\n' "${wheels[@]}")
if [ "$(cat "$stamp" 2>/dev/null)" = "$pinned" ]; then
  exit 0
fi

command -v python3 >/dev/null || { echo "fetch-libtorch: python3 is needed (apt-get install python3 python3-pip)" >&2; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { echo "fetch-libtorch: pip is needed (apt-get install python3-pip)" >&2; exit 1; }
free=$(df --output=avail -k . | tail -n 1)
[ "$free" -gt 2000000 ] || { echo "fetch-libtorch: 2 GB of room are needed here, $((free / 1000)) MB are free" >&2; exit 1; }

# Beside the target, not in /tmp, which may be small or in memory.
work=$(mktemp -d ./.libtorch-fetch.XXXXXX)
trap 'rm -rf "$work"' EXIT
for entry in "${wheels[@]}"; do
  read -r package sha256 <<< "$entry"
  echo "fetch-libtorch: $package" >&2
  mkdir "$work/wheel"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --implementation cp --python-version 3.11 --abi cp311 --abi none --platform manylinux1_x86_64 \
    --dest "$work/wheel" "$package"
  wheel=$(ls "$work"/wheel/*.whl)
  if ! echo "$sha256  $wheel" | sha256sum --check --status; then
    echo "fetch-libtorch: $(basename "$wheel") has sha256 $(sha256sum "$wheel" | cut -d' ' -f1), expected $sha256: not used" >&2
    exit 1
  fi
  python3 - "$wheel" "$work/unpacked" <<'PY'
import pathlib, shutil, sys, zipfile

LIBRARIES = ("libtorch_cpu.so", "libc10.so", "libgomp-", "libcudart.so.", "libcupti.so.")
wheel, target = sys.argv[1], pathlib.Path(sys.argv[2])
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        path = pathlib.PurePosixPath(name)
        if name.startswith("torch/include/") and not name.endswith("/"):
            place = target.joinpath(*path.parts[1:])
        elif path.parent.name == "lib" and path.name.startswith(LIBRARIES):
            place = target / "lib" / path.name
        else:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(name) as source, open(place, "wb") as out:
            shutil.copyfileobj(source, out)
PY
  rm -r "$work/wheel"
done

for library in libtorch_cpu.so libc10.so libcudart.so.12 libcupti.so.12; do
  [ -f "$work/unpacked/lib/$library" ] || { echo "fetch-libtorch: the wheels have no $library" >&2; exit 1; }
done
# The wheel's libtorch.so only joins the CPU's library with CUDA's, which is not kept: the linker is sent on to the CPU's.
echo 'INPUT(-ltorch_cpu)' > "$work/unpacked/lib/libtorch.so"
echo 2.4.0 > "$work/unpacked/build-version"
echo "$pinned" > "$work/unpacked/.wheels-sha256"
rm -rf "$target"
mv "$work/unpacked" "$target"
