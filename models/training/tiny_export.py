"""Exports tiny classifiers with random weights in the form that Hugging Face gives them, and what transformers says of texts.

    python tiny_export.py --out ../../tests/fixtures/models

Three directories: `tiny-roberta` (byte-level BPE, several labels at once, ONNX), `tiny-bert` (WordPiece, one label, ONNX in a
folder of its own) and `tiny-distilbert` (WordPiece, one label, safetensors alone; `--all` writes both forms everywhere). Beside each
stands `probabilities.jsonl`, transformers' own answers. The weights are random but large, so that answers differ from text to text.
The tokenizers know the project's own messages. The same seed gives the same files.
"""

import argparse
import collections
import json
import pathlib
import shutil

import torch
import transformers as T
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import labels as L

SEED = 7
# What one window holds, markers included.
TOKENS = 96
# Tokens of the vocabulary of word pieces.
WORD_PIECES = 300
# Everyday messages beside the odd ones.
MESSAGES = 45
HERE = pathlib.Path(__file__).parent
# Texts that are no everyday message.
ODD = [
    "ok", "???", "THANKS!!!", "café naïve", "great 👍🏽 service 😡", "a\tb\nc", "order #4411-B, £12.50", "  two  spaces  ",
    "it's 'quoted' and \"double\"", "e-mail me: nobody@example.org", "<s> and [CLS] are only words here",
]


def messages(count):
    rows = (HERE / "data" / "written.jsonl").read_text().splitlines()[:count]
    return [json.loads(row)["text"] for row in rows]


def byte_level(texts):
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True)
    return T.RobertaTokenizerFast(tokenizer_object=tokenizer, model_max_length=TOKENS)


def word_pieces(texts, form):
    """Letters, letters inside words, and the most frequent words: the library's trainer gives another vocabulary each time."""
    lower, split = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    counts = collections.Counter(
        word for text in texts for word, _ in split.pre_tokenize_str(lower.normalize_str(text)))
    letters = sorted({letter for word in counts for letter in word if letter.isascii()})
    words = sorted((word for word in counts if len(word) > 1), key=lambda word: (-counts[word], word))
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + ["##" + letter for letter in letters]
    tokens += words[: WORD_PIECES - len(tokens)]
    vocabulary = {token: at for at, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = lower, split
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return form(tokenizer_object=tokenizer, model_max_length=TOKENS)


def size(tokenizer):
    return dict(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64,
        initializer_range=0.3, attn_implementation="eager")


def named(names):
    return dict(id2label=dict(enumerate(names)), label2id={name: at for at, name in enumerate(names)})


def roberta(texts):
    tokenizer = byte_level(texts)
    # Two positions are never used: they are numbered from the padding's id on.
    config = T.RobertaConfig(
        **size(tokenizer), max_position_embeddings=TOKENS + 2, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        problem_type="multi_label_classification", **named(sorted(L.EMOTIONS, reverse=True)))
    return tokenizer, T.RobertaForSequenceClassification(config)


def bert(texts):
    tokenizer = word_pieces(texts, T.BertTokenizerFast)
    config = T.BertConfig(
        **size(tokenizer), max_position_embeddings=TOKENS, problem_type="single_label_classification",
        **named(["POS", "neg", "Neutral"]))
    return tokenizer, T.BertForSequenceClassification(config)


def distilbert(texts):
    tokenizer = word_pieces(texts, T.DistilBertTokenizerFast)
    config = T.DistilBertConfig(
        vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=64, initializer_range=0.3, seq_classif_dropout=0.0,
        max_position_embeddings=TOKENS, attn_implementation="eager", **named(["NEGATIVE", "POSITIVE"]))
    return tokenizer, T.DistilBertForSequenceClassification(config)


class Logits(torch.nn.Module):
    """The classifier with inputs by place, as the exporter wants them."""

    def __init__(self, classifier, names):
        super().__init__()
        self.classifier, self.names = classifier, names
        # The exporter puts the classifier back into the mode of what is around it, and dropout would be on again.
        self.eval()

    def forward(self, *inputs):
        return self.classifier(**dict(zip(self.names, inputs))).logits


def to_onnx(classifier, tokenizer, path):
    path.parent.mkdir(exist_ok=True)
    example = tokenizer(["one two three", "four"], padding=True, return_tensors="pt")
    names = [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in example]
    axes = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        Logits(classifier, names), tuple(example[name] for name in names), str(path), dynamo=False, opset_version=17,
        input_names=names, output_names=["logits"], dynamic_axes={**{name: axes for name in names}, "logits": {0: "batch"}})


def fitting(tokenizer, texts):
    """Messages of one window, then the odd texts."""
    short = [text for text in texts[::13] if len(tokenizer(text, verbose=False)["input_ids"]) <= TOKENS]
    return short[:MESSAGES] + ODD


@torch.no_grad()
def answers(classifier, tokenizer, texts):
    several = classifier.config.problem_type == "multi_label_classification"
    for text in texts:
        logits = classifier(**tokenizer(text, return_tensors="pt")).logits[0]
        probabilities = logits.sigmoid() if several else logits.softmax(-1)
        yield {"text": text, "probabilities": [round(float(p), 6) for p in probabilities]}


def export(name, make, network, texts, out):
    torch.manual_seed(SEED)
    tokenizer, classifier = make(texts)
    classifier.eval()
    directory = out / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    tokenizer.save_pretrained(directory)
    classifier.config.save_pretrained(directory)
    for old in ("vocab.txt", "vocab.json", "merges.txt"):
        (directory / old).unlink(missing_ok=True)
    if network.endswith(".onnx"):
        to_onnx(classifier, tokenizer, directory / network)
    else:
        classifier.save_pretrained(directory, safe_serialization=True)
        (directory / network).chmod(0o644)
    rows = answers(classifier, tokenizer, fitting(tokenizer, texts))
    (directory / "probabilities.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=pathlib.Path, required=True)
    arguments.add_argument("--all", action="store_true", help="write ONNX and safetensors of each")
    arguments = arguments.parse_args()
    torch.set_num_threads(1)
    texts = messages(6000)
    plan = [("tiny-roberta", roberta, "model.onnx"), ("tiny-bert", bert, "onnx/model.onnx"),
            ("tiny-distilbert", distilbert, "model.safetensors")]
    for name, make, network in plan:
        if arguments.all:
            export(name + "-onnx", make, "model.onnx", texts, arguments.out)
            export(name + "-safetensors", make, "model.safetensors", texts, arguments.out)
        else:
            export(name, make, network, texts, arguments.out)


if __name__ == "__main__":
    main()
