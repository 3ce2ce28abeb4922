"""The whole recipe, from public data and the written messages to a model directory. One command:

    python recipe.py --data DATA --out WORK --model ../attune-en-small

Two stages: `train` is skipped when its result is there, and a killed one goes on at its last checkpoint; `package` always runs.

  train    the student on everything at once: written and annotated messages many times over, public sets a few times
  package  calibration and thresholds on dev splits, ONNX, int8, golden scores, manifest
"""

import argparse
import dataclasses
import pathlib
import random
import sys
import time

import torch

import augment
import data as D
import emoji_tokens
import fit
import network as N

HERE = pathlib.Path(__file__).parent
WRITTEN = HERE / "data" / "written.jsonl"
ANNOTATED = HERE / "data" / "annotated.jsonl"
RATIONALES = HERE / "data" / "rationales.jsonl"
ADJUDICATED = HERE / "data" / "adjudicated.jsonl"


def log(message):
    print(time.strftime("%H:%M:%S"), message, flush=True)


def split(examples, name):
    return [e for e in examples if e.split == name]


def public(root):
    return [*D.goemotions(root), *D.nhs(root), *D.uci(root)]


def fresh_network():
    from transformers import BertTokenizerFast

    tokenizer = N.load_tokenizer()
    net = N.Encoder(fit.HEADS)
    emoji_tokens.initialise(
        net.body.embeddings.word_embeddings, BertTokenizerFast.from_pretrained(N.base_directory()), tokenizer
    )
    return net, tokenizer


def own_messages(root):
    """What the project wrote, and what it labelled."""
    return [*D.written(WRITTEN), *D.annotated(ANNOTATED, root)]


def mixture(root):
    """Training examples, each as often as it is read."""
    rng = random.Random(5)
    labelled = list(D.annotated(ANNOTATED, root))
    taken = {D.normalise(e.text) for e in labelled}
    # A text that was labelled on every head does not come a second time with fewer labels.
    texts = [e for e in split(public(root), "train") if D.normalise(e.text) not in taken]
    cues = [e for e in split(list(D.public_cues(root)), "train") if D.normalise(e.text) not in taken]
    of = {name: [e for e in texts if e.source == name] for name in ("goemotions", "nhs_fft", "uci_sentences")}
    rare = [e for e in of["goemotions"] if any(e.emotions[i] for i in RARE)]
    # Comments that are neither praise nor blame are one in twenty.
    neutral = [e for e in of["nhs_fft"] if e.sentiment[1] == 1.0]
    written = D.adjudicated(split(list(D.written(WRITTEN)), "train"), ADJUDICATED)
    chosen = written * 10 + D.adjudicated(split(labelled, "train"), ADJUDICATED) * 8
    chosen += of["goemotions"] * 3 + rare + of["nhs_fft"] * 2 + neutral * 3 + of["uci_sentences"] * 2
    chosen += rng.sample(cues, 6_000) + [e for e in cues if 1.0 in e.cues] * 2
    return chosen


def named(example, rng):
    """GoEmotions hides names behind a placeholder; half of the texts get a name."""
    if "[NAME]" not in example.text or rng.random() < 0.5:
        return example
    return dataclasses.replace(example, text=example.text.replace("[NAME]", rng.choice(augment.NAMES)))


def train(root, out):
    examples = mixture(root)
    D.mark(examples, RATIONALES)
    rng = random.Random(17)
    examples = [augment.varied(named(e, rng), rng) if e.source != "uci_sentences" else e for e in examples]
    net, tokenizer = fresh_network()
    dev = split(public(root), "dev") + split(own_messages(root), "dev")
    fit.run("train", out, net, tokenizer, examples, dev, epochs=1, rate=1.5e-4, head_rate=6e-4, seed=17, log=log)


# GoEmotions labels with under 600 training texts, by their place in the list.
RARE = [12, 16, 19, 21, 23, 24]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="directory that holds the public data sets")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="working directory for checkpoints and logs")
    parser.add_argument("--model", type=pathlib.Path, help="model directory to write (stage package)")
    parser.add_argument("--stage", choices=["train", "package", "all"], default="all")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    if arguments.stage in ("train", "all") and not (arguments.out / "train" / "weights.pt").exists():
        train(arguments.data, arguments.out)
    if arguments.stage in ("package", "all"):
        if not arguments.model:
            sys.exit("--model is needed to write the model directory")
        import package

        package.run(arguments.data, arguments.out, arguments.model, log)


if __name__ == "__main__":
    main()
