"""The whole recipe, from public data and the written messages to a model directory. One command:

    python recipe.py --data DATA --out WORK --model ../attune-en-small

Stages, each skipped when its result is there, so that a killed run goes on where it was:
  teach1   the teacher on public sets and the written messages
  teach2   the same with the weight on written and annotated messages
  soft     the teacher's opinion, `data/soft_labels.npz`; kept with the recipe, so that these three run only without it
  base     the student on public sets with emotion and sentiment labels
  domain   the written and annotated messages, with a share of the public sets and of ordinary messages, and what the
           teacher says of them
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
import teacher

HERE = pathlib.Path(__file__).parent
WRITTEN = HERE / "data" / "written.jsonl"
ANNOTATED = HERE / "data" / "annotated.jsonl"
SOFT = HERE / "data" / "soft_labels.npz"


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


def teach1(root, out):
    examples = public(root)
    train, rng = split(examples, "train"), random.Random(7)
    chosen = [e for e in train if e.source == "goemotions"] + split(list(D.written(WRITTEN)), "train")
    chosen += rng.sample([e for e in train if e.source == "nhs_fft"], 3_000)
    chosen += rng.sample([e for e in train if e.source == "uci_sentences"], 1_000)
    net, tokenizer = teacher.fresh(out)
    fit.run("teach1", out, net, tokenizer, chosen, teacher_dev(root), epochs=1, rate=5e-5, head_rate=1e-3,
            until=500, log=log)


def teach2(root, out):
    train = mixture(root, own=2, annotated=2, goemotions=13_000, nhs=1_000, ordinary=600, uci=300, seed=11)
    net, tokenizer = teacher.load(out, "teach1")
    fit.run("teach2", out, net, tokenizer, train, teacher_dev(root), epochs=1, rate=5e-5, head_rate=5e-4, seed=18,
            log=log)


def teacher_dev(root):
    dev = split(public(root), "dev")
    return [e for e in dev if e.source == "goemotions"][:2_000] + split(own_messages(root), "dev")


def own_messages(root):
    """What the project wrote, and what it labelled."""
    return [*D.written(WRITTEN), *D.annotated(ANNOTATED, root)]


def base(root, out):
    examples = public(root)
    net, tokenizer = fresh_network()
    fit.run("base", out, net, tokenizer, split(examples, "train"), split(examples, "dev"),
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
    chosen = split(list(D.written(WRITTEN)), "train") * own + split(labelled, "train") * annotated
    chosen += rng.sample(emotional, goemotions) + rare
    chosen += rng.sample([e for e in train if e.source == "nhs_fft"], nhs)
    chosen += rng.sample([e for e in train if e.source == "uci_sentences"], uci)
    chosen += rng.sample(cues, ordinary) + asked
    return chosen


def domain_examples(root):
    return mixture(root, own=5, annotated=3, goemotions=16_000, nhs=3_000, ordinary=4_000, uci=1_500)


def polish_examples(root):
    return mixture(root, own=4, annotated=2, goemotions=8_000, nhs=1_500, ordinary=1_500, uci=500, seed=6)


def soft(root, out):
    """The teacher's opinion on what the student's last two stages read."""
    teacher.write_soft_labels(out, "teach2", domain_examples(root) + polish_examples(root), SOFT, log)


def distil(name, root, out, train, start, seed):
    log(f"{name}: {teacher.attach(train, SOFT)} of {len(train)} texts without the teacher's opinion")
    for e in train:
        # The teacher saw GoEmotions once: there the raters' labels are better than its opinion.
        if e.source == "goemotions" and e.soft:
            e.soft = {head: p for head, p in e.soft.items() if head == "cue" or (head == "sentiment" and not e.sentiment)}
    net, tokenizer = N.load(out / start)
    dev = split(public(root), "dev") + split(own_messages(root), "dev")
    fit.run(name, out, net, tokenizer, train, dev, epochs=1, rate=1e-4, head_rate=4e-4, seed=seed, log=log)


def domain(root, out):
    distil("domain", root, out, domain_examples(root), "base", 17)


def polish(root, out):
    distil("polish", root, out, polish_examples(root), "domain", 18)


# GoEmotions labels with under 600 training texts, by their place in the list.
RARE = [12, 16, 19, 21, 23, 24]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="directory that holds the public data sets")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="working directory for checkpoints and logs")
    parser.add_argument("--model", type=pathlib.Path, help="model directory to write (stage package)")
    parser.add_argument("--stage", choices=["teach1", "teach2", "soft", "base", "domain", "polish", "package", "all"], default="all")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (default: all)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    teaching = [("teach1", teach1), ("teach2", teach2), ("soft", soft)]
    learning = [("base", base), ("domain", domain), ("polish", polish)]
    # The teacher's opinion is kept with the recipe: it is formed anew only on request.
    for name, stage in (learning if arguments.stage == "all" and SOFT.exists() else teaching + learning):
        if arguments.stage in (name, "all") and not (arguments.out / name / "weights.pt").exists():
            stage(arguments.data, arguments.out)
    if arguments.stage in ("package", "all"):
        if not arguments.model:
            sys.exit("--model is needed to write the model directory")
        import package

        package.run(arguments.data, arguments.out, arguments.model, log)


if __name__ == "__main__":
    main()
