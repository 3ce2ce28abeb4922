"""Parts of a `model.toml`, as docs/models.md describes it; each ends without a line break."""

import hashlib


def entry(path):
    return f'{{ file = "{path.name}", sha256 = "{hashlib.sha256(path.read_bytes()).hexdigest()}" }}'


def head(name, kind, activation, labels, fitted):
    """`fitted` holds thresholds, scale and shift, each by label."""

    def floats(values):
        return "[" + ", ".join(f"{v:.4f}" for v in values) + "]"

    names = "[" + ", ".join(f'"{label}"' for label in labels) + "]"
    return "\n".join([
        "[[heads]]", f'name = "{name}"', f'kind = "{kind}"', f'activation = "{activation}"', f"labels = {names}",
        f"thresholds = {floats(fitted['thresholds'])}", f"scale = {floats(fitted['scale'])}", f"shift = {floats(fitted['shift'])}",
    ])


def scores(measured):
    return "\n".join(["[scores]"] + [f'"{name}" = {value:.4f}' for name, value in sorted(measured.items())])
