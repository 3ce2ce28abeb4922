"""The whole recipe, from public data and the written messages to a model directory. One command:

    python recipe.py --data DATA --out WORK --model ../attune-en-small

Stages, each skipped when its result is there, so that a killed run goes on where it was:
  base     public sets with emotion and sentiment labels
  domain   the written messages, with a share of the public sets and of ordinary messages that carry no cue
  polish   the same with less replay of the public sets
  package  calibration and thresholds on dev splits, ONNX, int8, golden scores, manifest
"""

import argparse
import pathlib
import random
import sys
import time

import torch

import data as D
import emoji_tokens
import fit
import network as N

HERE = pathlib.Path(__file__).parent
WRITTEN = HERE / "data" / "written.jsonl"


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


def base(root, out):
    examples = public(root)
    net, tokenizer = fresh_network()
    fit.run("base", out, net, tokenizer, split(examples, "train"), split(examples, "dev"),
            epochs=2, rate=1.5e-4, head_rate=6e-4, log=log)


def mixture(root, own, goemotions, nhs, ordinary, uci):
    """Train and dev examples: written messages `own` times over, and samples of the public sets of these sizes."""
    rng = random.Random(5)
    written = list(D.written(WRITTEN))
    examples = public(root)
    train = split(examples, "train")
    emotional = [e for e in train if e.source == "goemotions"]
    rare = [e for e in emotional if any(e.emotions[i] for i in RARE)]
    cues = split(list(D.public_cues(root)), "train")
    asked = [e for e in cues if 1.0 in e.cues]
    chosen = split(written, "train") * own
    chosen += rng.sample(emotional, goemotions) + rare
    chosen += rng.sample([e for e in train if e.source == "nhs_fft"], nhs)
    chosen += rng.sample([e for e in train if e.source == "uci_sentences"], uci)
    chosen += rng.sample(cues, ordinary) + asked
    return chosen, split(written, "dev") + split(examples, "dev")


def domain(root, out):
    train, dev = mixture(root, own=4, goemotions=14_000, nhs=4_000, ordinary=4_000, uci=2_000)
    net, tokenizer = N.load(out / "base")
    fit.run("domain", out, net, tokenizer, train, dev, epochs=1, rate=1e-4, head_rate=4e-4, log=log)


def polish(root, out):
    train, dev = mixture(root, own=4, goemotions=6_000, nhs=2_000, ordinary=1_500, uci=500)
    net, tokenizer = N.load(out / "domain")
    fit.run("polish", out, net, tokenizer, train, dev, epochs=1, rate=1e-4, head_rate=4e-4, seed=18, log=log)


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
