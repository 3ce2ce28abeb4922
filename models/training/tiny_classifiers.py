"""One tiny classifier per architecture that the rust-bert backend reads or refuses, with random weights, as model directories, and the
logits that transformers computes from the same files: `tests/fixtures/rust_bert/`.

    python tiny_classifiers.py ../../tests/fixtures/rust_bert
"""

import json
import pathlib
import sys

import torch
import transformers as T
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from manifest import entry

SIZES = {"vocab_size": 200, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
POSITIONS = 64
LABELS = ("billing", "delivery", "other")
# Lengths of the rows, without markers: the shortest, some between, the longest.
LENGTHS = (1, 2, 7, 19, POSITIONS - 2)


def bert():
    config = T.BertConfig(**SIZES, max_position_embeddings=POSITIONS, num_labels=3)
    return T.BertForSequenceClassification(config), {"begin": 101, "end": 102, "pad": 0}


def roberta():
    # Positions count from the padding's id on, and layer norms have the epsilon of every published RoBERTa.
    config = T.RobertaConfig(**SIZES, max_position_embeddings=POSITIONS + 2, type_vocab_size=1, layer_norm_eps=1e-5, num_labels=3)
    return T.RobertaForSequenceClassification(config), {"begin": 0, "end": 2, "pad": 1}


def distilbert():
    config = T.DistilBertConfig(vocab_size=200, dim=32, n_layers=2, n_heads=4, hidden_dim=64, max_position_embeddings=POSITIONS,
                                num_labels=3)
    return T.DistilBertForSequenceClassification(config), {"begin": 101, "end": 102, "pad": 0}


def deberta():
    # Two labels: transformers then writes no `id2label`.
    config = T.DebertaConfig(**SIZES, max_position_embeddings=POSITIONS, type_vocab_size=0, relative_attention=True,
                             position_biased_input=False, pos_att_type=["c2p", "p2c"], max_relative_positions=-1,
                             pooler_hidden_size=32)
    return T.DebertaForSequenceClassification(config), {"begin": 1, "end": 2, "pad": 0}


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.copy_(1 + 0.1 * noise if "norm" in name.lower() and name.endswith("weight") else 0.25 * noise)


def tokenizer(path):
    words = {f"w{n}": n for n in range(SIZES["vocab_size"])}
    made = Tokenizer(models.WordLevel(words, unk_token="w3"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.save(str(path), pretty=False)


def manifest(directory, kind, markers, labels):
    ones = ", ".join("1.0" for _ in labels)
    names = ", ".join(f'"{label}"' for label in labels)
    (directory / "model.toml").write_text(f"""# Written by models/training/tiny_classifiers.py.
schema = 1
id = "tiny-{kind}"
version = "1"
license = "Apache-2.0"
languages = []
maximum_tokens = {POSITIONS}
window_overlap = 8
backend = "rust-bert"
graph = {entry(directory / "model.safetensors")}
architecture = {{ kind = "{kind}", config = {entry(directory / "config.json")} }}
tokenizer = {entry(directory / "tokenizer.json")}
markers = {{ begin = {markers["begin"]}, end = {markers["end"]}, pad = {markers["pad"]} }}

[[heads]]
name = "topic"
kind = "other"
activation = "softmax"
labels = [{names}]
thresholds = [{ones.replace("1.0", "0.5")}]
scale = [{ones}]
shift = [{ones.replace("1.0", "0.0")}]
""")


def write(kind, build, seed, out):
    directory = out / kind
    model, markers = build()
    model = model.eval()
    randomise(model, seed)
    model.save_pretrained(directory, safe_serialization=True)
    file = directory / "model.safetensors"
    if kind == "distilbert":
        # Half the size, as many weights are kept; transformers reads it back as float32.
        save_file({name: value.half() for name, value in load_file(file).items()}, file, metadata={"format": "pt"})
        model = type(model).from_pretrained(directory, dtype=torch.float32).eval()
    file.chmod(0o644)
    tokenizer(directory / "tokenizer.json")
    manifest(directory, kind, markers, LABELS[: model.config.num_labels])
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randint(110, SIZES["vocab_size"], (length,), generator=generator).tolist() for length in LENGTHS]
    framed = [torch.tensor([[markers["begin"], *row, markers["end"]]]) for row in rows]
    logits = [model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].tolist() for ids in framed]
    lines = [json.dumps({"ids": row, "logits": [round(v, 7) for v in z]}) for row, z in zip(rows, logits)]
    (directory / "expected.jsonl").write_text("\n".join(lines) + "\n")


def main():
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    out = pathlib.Path(sys.argv[1])
    for seed, build in enumerate((bert, roberta, distilbert, deberta)):
        write(build.__name__, build, seed, out)


if __name__ == "__main__":
    main()
