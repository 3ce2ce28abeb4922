"""The whole recipe, from public data and the written messages to a model directory. One command:

    python recipe.py --data DATA --out WORK --model ../attune-en-small

Stages, each skipped when its result is there, so that a killed run goes on where it was:
  base     the student on public sets with emotion and sentiment labels
  domain   the written and annotated messages, with a share of the public sets and of ordinary messages
  polish   the same with less replay of the public sets
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


def base(root, out):
    examples = public(root)
    train = split(examples, "train")
    nhs = random.Random(3).sample([e for e in train if e.source == "nhs_fft"], 3_000)
    train = [e for e in train if e.source != "nhs_fft"] + nhs
    net, tokenizer = fresh_network()
    fit.run("base", out, net, tokenizer, train, split(examples, "dev"),
            epochs=2, rate=1.5e-4, head_rate=6e-4, log=log)


def mixture(root, own, annotated, goemotions, nhs, ordinary, uci, seed=5):
    """Training examples: written and annotated ones so many times over, and samples of the public sets of these sizes."""
    rng = random.Random(seed)
    labelled = list(D.annotated(ANNOTATED, root))
    taken = {D.normalise(e.text) for e in labelled}
    # A text that was labelled on every head does not come a second time with fewer labels.
    train = [e for e in split(public(root), "train") if D.normalise(e.text) not in taken]
    emotional = [e for e in train if e.source == "goemotions"]
    rare = [e for e in emotional if any(e.emotions[i] for i in RARE)]
    cues = [e for e in split(list(D.public_cues(root)), "train") if D.normalise(e.text) not in taken]
    asked = [e for e in cues if 1.0 in e.cues]
    written = D.adjudicated(split(list(D.written(WRITTEN)), "train"), ADJUDICATED)
    chosen = written * own + D.adjudicated(split(labelled, "train"), ADJUDICATED) * annotated
    chosen += rng.sample(emotional, goemotions) + rare
    chosen += rng.sample([e for e in train if e.source == "nhs_fft"], nhs)
    chosen += rng.sample([e for e in train if e.source == "uci_sentences"], uci)
    chosen += rng.sample(cues, ordinary) + asked
    return chosen


def named(example, rng):
    """GoEmotions hides names behind a placeholder; half of the texts get a name."""
    if "[NAME]" not in example.text or rng.random() < 0.5:
        return example
    return dataclasses.replace(example, text=example.text.replace("[NAME]", rng.choice(augment.NAMES)))


def tune(name, root, out, train, start, seed):
    D.mark(train, RATIONALES)
    rng = random.Random(seed)
    train = [augment.varied(named(e, rng), rng) if e.source != "uci_sentences" else e for e in train]
    net, tokenizer = N.load(out / start)
    dev = split(public(root), "dev") + split(own_messages(root), "dev")
    fit.run(name, out, net, tokenizer, train, dev, epochs=1, rate=1e-4, head_rate=4e-4, seed=seed, log=log)


def domain(root, out):
    train = mixture(root, own=6, annotated=3, goemotions=18_000, nhs=2_500, ordinary=4_000, uci=1_000)
    tune("domain", root, out, train, "base", 17)


def polish(root, out):
    train = mixture(root, own=4, annotated=2, goemotions=6_000, nhs=1_000, ordinary=500, uci=200, seed=6)
    tune("polish", root, out, train, "domain", 18)


# GoEmotions labels with under 600 training texts, by their place in the list.
RARE = [12, 16, 19, 21, 23, 24]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="directory that holds the public data sets")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="working directory for checkpoints and logs")
    parser.add_argument("--model", type=pathlib.Path, help="model directory to write (stage package)")
    parser.add_argument("--stage", choices=["base", "domain", "polish", "package", "all"], default="all")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    for name, stage in (("base", base), ("domain", domain), ("polish", polish)):
        if arguments.stage in (name, "all") and not (arguments.out / name / "weights.pt").exists():
            stage(arguments.data, arguments.out)
    if arguments.stage in ("package", "all"):
        if not arguments.model:
            sys.exit("--model is needed to write the model directory")
        import package

        package.run(arguments.data, arguments.out, arguments.model, log)


if __name__ == "__main__":
    main()
