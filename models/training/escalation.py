"""The escalation head: one label, `step_in`, fitted on the finished encoder to turns of labelled conversations.

    python escalation.py --model ../attune-en-small [--others FILE]

The encoder is left as it is, and so are the other heads' columns: what it hears in a turn says more of whether somebody
should step in than the cues do. The head is a linear one over the mean of the tokens, weighted as the other heads' attention
scores weigh them on average, so that what each word adds is known as for any other label. It is fitted to the int8 graph's own
vectors, so that rounding is part of what it learns. Calibration and threshold come from cross-validation by conversation.

A policy must be fitted to conversations that the head has not seen either. `--others` fits the head of a copy of the model to half of
the conversations, and writes the other half to a file for `attune policy fit`; the policy then goes with the head of all.

Needs numpy, onnx, onnxruntime, tokenizers and scikit-learn, and no torch. Running it again replaces the head.
"""

import argparse
import json
import pathlib
import re
import tomllib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from tokenizers import Tokenizer

import calibration as C
import data as D
import manifest as M

HERE = pathlib.Path(__file__).parent
CONVERSATIONS = HERE / "data" / "conversations.jsonl"
FIXTURES = HERE.parent.parent / "tests" / "fixtures" / "escalation"
# Of these the encoder has read some turns in training; `unseen.txt` names the others.
PARTLY_SEEN = ("fit.jsonl", "fit_indirect.jsonl")
UNSEEN = ("fit_plain.jsonl", "fit_short.jsonl", "fit_mixed.jsonl")
# Read once, for the card.
HELD_OUT = "held_out_broad.jsonl"
HEAD, LABEL = "escalation", "step_in"
FOLDS = 5
# Inverse strengths of the penalty that are tried; the one with the lowest log-loss in cross-validation is taken.
STRENGTHS = (0.01, 0.03, 0.1, 0.3)


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def conversations():
    """All whose turns the encoder has not been trained on."""
    unseen = {json.loads("{%s}" % line)["id"] for line in (FIXTURES / "unseen.txt").read_text().splitlines()}
    known = [row for name in PARTLY_SEEN for row in rows(FIXTURES / name) if row["id"] in unseen]
    return known + [row for name in UNSEEN for row in rows(FIXTURES / name)] + rows(CONVERSATIONS)


def turns(conversations):
    """(conversation, text, whether somebody should step in) of the customer turns that say one or the other: as
    docs/escalation.md, "Fitting", says for detection."""
    for row in conversations:
        outcome = row["outcome"]
        marked = outcome["turn"] if outcome["escalated"] else len(row["turns"])
        onset = marked if outcome["forecastable_turn"] is None else outcome["forecastable_turn"]
        for place, turn in enumerate(row["turns"]):
            if turn["role"] == "customer" and (place < onset or place == marked):
                yield row["id"], turn["text"], place == marked


class Graph:
    """A model directory whose graph is read, changed and written back."""

    def __init__(self, directory):
        self.directory = directory
        self.text = (directory / "model.toml").read_text(encoding="utf-8")
        self.said = tomllib.loads(self.text)
        self.file = directory / self.said["graph"]["file"]
        self.model = onnx.load(str(self.file))
        self.heads = [head for head in self.said["heads"] if head["name"] != HEAD]

        values = {i.name: numpy_helper.to_array(i) for i in self.model.graph.initializer}
        labels = sum(len(head["labels"]) for head in self.heads)
        # The other heads' matrices: [hidden, labels], [labels], [hidden, heads].
        self.weight, self.bias = values["weight"][:, :labels], values["bias"][:labels]
        self.score = values["score"][:, : len(self.heads)]
        # What weighs a token for this head [hidden].
        self.attention = self.score.mean(1)

    def vectors(self, texts):
        """One vector per text [texts, hidden]: its tokens' mean by the other heads' attention. Of a text that is longer than a
        window, the window's part."""
        copy = onnx.ModelProto()
        copy.CopyFrom(self.model)
        hidden = next(n.input[0] for n in copy.graph.node if n.op_type == "MatMul" and n.input[1] == "weight")
        copy.graph.output.append(onnx.helper.make_tensor_value_info(hidden, onnx.TensorProto.FLOAT, None))
        session = ort.InferenceSession(copy.SerializeToString())
        tokenizer = Tokenizer.from_file(str(self.directory / self.said["tokenizer"]["file"]))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        room, markers = self.said["maximum_tokens"] - 2, self.said["markers"]
        found = np.zeros((len(texts), len(self.attention)))
        for place, text in enumerate(texts):
            ids = tokenizer.encode(text, add_special_tokens=False).ids[:room]
            if not ids:
                continue
            ids = np.array([[markers["begin"], *ids, markers["end"]]])
            (tokens,) = session.run([hidden], {"input_ids": ids, "attention_mask": np.ones_like(ids)})
            tokens = tokens[1:-1]
            scores = tokens @ self.attention
            weight = np.exp(scores - scores.max())
            found[place] = weight / weight.sum() @ tokens
        return found

    def write(self, weight, bias, fitted, scores):
        """Puts the head behind the others, in the graph and in the manifest."""
        of_label = np.repeat(np.arange(len(self.heads)), [len(head["labels"]) for head in self.heads])
        self.replace("weight", np.column_stack([self.weight, weight]).astype(np.float32))
        self.replace("bias", np.append(self.bias, bias).astype(np.float32))
        self.replace("score", np.column_stack([self.score, self.attention]).astype(np.float32))
        self.replace("head_of_label", np.append(of_label, len(self.heads)))
        for output in self.model.graph.output:
            if output.name in ("logits", "contributions"):
                output.type.tensor_type.shape.dim[-1].dim_value = len(of_label) + 1
        # Shapes of what lies between, as they were before.
        del self.model.graph.value_info[:]
        onnx.checker.check_model(self.model)
        onnx.save(self.model, str(self.file))
        kept = {name: value for name, value in self.said["scores"].items() if not name.startswith(f"{HEAD}.")}
        tables = M.head(HEAD, "other", "sigmoid", [LABEL], fitted) + "\n\n" + M.scores(kept | scores) + "\n"
        text = re.sub(r"^graph = .*$", f"graph = {M.entry(self.file)}", self.text, flags=re.M)
        text = re.sub(rf'\[\[heads\]\]\nname = "{HEAD}"\n(?:.+\n)*\n', "", text)
        text = re.sub(r"\[scores\]\n(?:.+\n)*", lambda _: tables, text)
        (self.directory / "model.toml").write_text(text, encoding="utf-8")

    def replace(self, name, value):
        (place,) = [n for n, i in enumerate(self.model.graph.initializer) if i.name == name]
        self.model.graph.initializer[place].CopyFrom(numpy_helper.from_array(value, name))


class Scaled:
    """Logistic regression over vectors brought to one scale, so that the penalty means the same for any encoder."""

    def __init__(self, x, y, strength):
        self.size = x.std(0).mean()
        self.model = LogisticRegression(C=strength, max_iter=5000).fit(x / self.size, y)

    def logits(self, x):
        return self.model.decision_function(x / self.size)

    def parameters(self):
        return self.model.coef_[0] / self.size, self.model.intercept_[0]


def cross_validated(x, y, folds, strength):
    """Each row's logit by a head that has not seen its conversation."""
    found = np.zeros(len(y))
    for fold in range(FOLDS):
        left = folds == fold
        found[left] = Scaled(x[~left], y[~left], strength).logits(x[left])
    return found


def run(directory, conversations, log):
    """Fits the head, writes it into the model directory, and returns its parameters by their names in the network's state."""
    graph = Graph(directory)
    ids, texts, y = zip(*turns(conversations))
    x, y = graph.vectors(texts), np.array(y)
    folds = np.array([D.share_of(id, FOLDS) for id in ids])
    held = {strength: cross_validated(x, y, folds, strength) for strength in STRENGTHS}
    loss = {strength: float((np.logaddexp(0, z) - y * z).mean()) for strength, z in held.items()}
    strength = min(loss, key=loss.get)
    z = held[strength]
    scale, shift = C.platt(z, y.astype(float))
    p = C.sigmoid(scale * z + shift)
    threshold = C.threshold(p, y)
    head = Scaled(x, y, strength)
    weight, bias = head.parameters()
    scores = {
        f"{HEAD}.cross_validated.average_precision": average_precision_score(y, z),
        f"{HEAD}.cross_validated.ece": C.ece(p, y),
        f"{HEAD}.cross_validated.f1": f1_score(y, p >= threshold),
    }
    _, texts, truth = zip(*turns(rows(FIXTURES / HELD_OUT)))
    p, truth = C.sigmoid(scale * head.logits(graph.vectors(texts)) + shift), np.array(truth)
    scores[f"{HEAD}.held_out.average_precision"] = average_precision_score(truth, p)
    scores[f"{HEAD}.held_out.ece"] = C.ece(p, truth)
    log(f"escalation: {len(set(ids))} conversations, {len(y)} turns, {y.sum()} marked, strength {strength}")
    log(json.dumps({"log_loss": loss, "scale": scale, "shift": shift, "threshold": threshold, **scores}, indent=1))
    graph.write(weight, bias, {"scale": [scale], "shift": [shift], "thresholds": [threshold]}, scores)
    return {
        f"score.{HEAD}.weight": graph.attention[None],
        f"out.{HEAD}.weight": weight[None],
        f"out.{HEAD}.bias": np.array([bias]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=pathlib.Path, required=True, help="model directory to give the head to")
    parser.add_argument("--others", type=pathlib.Path, help="fit it to half of the conversations, and write the others here")
    arguments = parser.parse_args()
    own = conversations()
    if arguments.others:
        others = [row for row in own if D.share_of(row["id"], 2) == 0]
        arguments.others.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in others), encoding="utf-8")
        own = [row for row in own if D.share_of(row["id"], 2) == 1]
    run(arguments.model, own, print)


if __name__ == "__main__":
    main()
