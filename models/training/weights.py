"""The weights of a network in attune's own form, as safetensors: what the rust-bert backend reads.

The float32 weights of the embedded model are not in the repository; its int8 graph is. Run as a command, this takes the graph
back to float32 (the rounded weights, exactly) and writes the same network twice, as model directories:

    python weights.py --model ../attune-en-small --out WORK     # WORK/onnx and WORK/rust-bert

so that two backends can be held against each other. The recipe writes the safetensors from the unrounded weights with
`write`. Needs numpy, onnx and safetensors, and no torch.
"""

import argparse
import json
import pathlib
import re
import shutil
import tomllib

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

from manifest import entry

NAME = "network.body."


def write(tensors, attention_heads, model, directory):
    """A model directory of native weights beside `model`, which has the same network in int8. `tensors` is the state of
    `network.Encoder`, name to array."""
    kept = {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items() if value.dtype.kind == "f"}
    manifest = start(model, directory)
    file, config = directory / "model.safetensors", directory / "config.json"
    save_file(kept, str(file))
    file.chmod(0o644)
    config.write_text(json.dumps(configuration(kept, attention_heads), indent=1, sort_keys=True) + "\n")
    manifest(
        'backend = "rust-bert"\n'
        f"graph = {entry(file)}\n"
        f'architecture = {{ kind = "attune", config = {entry(config)} }}'
    )


def start(model, directory):
    """Puts the tokenizer into a directory; what comes back writes the manifest, the lines of the graph replaced, under a
    version of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(model / "tokenizer.json", directory / "tokenizer.json")
    text = (model / "model.toml").read_text(encoding="utf-8")
    text = re.sub(r'^version = "(.*)"$', r'version = "\1-fp32"', text, flags=re.M)
    text = re.sub(r'^description = "(.*), int8:', r'description = "\1, float32:', text, flags=re.M)

    def manifest(lines):
        written = re.sub(r"^graph = .*$", lambda _: lines, text, flags=re.M)
        (directory / "model.toml").write_text(written, encoding="utf-8")

    return manifest


def dequantised(model):
    """A copy of the int8 graph that computes in float32 with the rounded weights; activations are not rounded any more."""
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    made, gone, nodes = {}, set(), []
    of = {output: node for node in graph.node for output in node.output}
    readers = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)

    def weight(name, scale, zero):
        """Float32 weights under their old name, in place of the rounded ones."""
        base = name.removesuffix("_quantized")
        made[base] = ((values[name].astype(np.float32) - values[zero].astype(np.float32)) * values[scale]).astype(np.float32)
        gone.update((name, scale, zero))
        return base

    dropped = set()
    for node in graph.node:
        if node.op_type == "MatMulInteger":
            # activations -> DynamicQuantizeLinear -> MatMulInteger -> Cast -> Mul by both scales
            cast, = readers[node.output[0]]
            scaled, = readers[cast.output[0]]
            scales = of[next(i for i in scaled.input if i != cast.output[0])]
            quantise = of[node.input[0]]
            scale = next(i for i in scales.input if i in values)
            nodes.append((scaled.output[0], onnx.helper.make_node(
                "MatMul", [quantise.input[0], weight(node.input[1], scale, node.input[3])], [scaled.output[0]],
                name=node.name or scaled.output[0])))
            dropped.update(id(n) for n in (node, cast, scaled, scales, quantise))
        elif node.op_type == "DequantizeLinear":
            gather = of[node.input[0]]
            axis = [a for a in gather.attribute if a.name == "axis"]
            replaced = onnx.helper.make_node(
                "Gather", [weight(gather.input[0], node.input[1], node.input[2]), gather.input[1]], [node.output[0]])
            replaced.attribute.extend(axis)
            nodes.append((node.output[0], replaced))
            dropped.update(id(n) for n in (node, gather))
    # A new node stands where the last of its old ones stood, so that the order stays one in which it can run.
    by_output = dict(nodes)
    ordered = []
    for node in graph.node:
        if node.output[0] in by_output:
            ordered.append(by_output[node.output[0]])
        elif id(node) not in dropped:
            ordered.append(node)
    kept = [i for i in graph.initializer if i.name not in gone]
    copies = [type(n).FromString(n.SerializeToString()) for n in ordered]
    kept = [type(i).FromString(i.SerializeToString()) for i in kept]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(copies)
    graph.initializer.extend(kept)
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in made.items())
    onnx.checker.check_model(result)
    return result


def state(model, heads):
    """The state of `network.Encoder` out of a float32 graph of `network.Exported`, the smoothing taken back."""
    graph = model.graph
    values = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    constants = {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in graph.node if n.op_type == "Constant"}
    # The joined query, key and value are cut into heads right after their bias.
    joined = next(n.output[0] for n in graph.node if n.op_type == "Add" and "layers.0.bias" in n.input)
    size = next(int(constants[n.input[1]][-1]) for n in graph.node if n.op_type == "Reshape" and n.input[0] == joined)
    layers = 1 + max(int(m[1]) for m in (re.match(r"layers\.(\d+)\.weight$", name) for name in values) if m)
    tensors = {}
    embeddings = NAME + "embeddings."
    for part in ("word_embeddings.weight", "position_embeddings.weight", "LayerNorm.weight", "LayerNorm.bias"):
        tensors[f"body.embeddings.{part}"] = values[embeddings + part]
    # The row of the only token type was folded into one vector that is added.
    types = next(values[i] for n in graph.node if n.op_type == "Add" for i in n.input
                 if i in values and n.output[0] in {m.input[0] for m in graph.node if m.op_type == "LayerNormalization"})
    tensors["body.embeddings.token_type_embeddings.weight"] = np.stack([types, np.zeros_like(types)])
    for n in range(layers):
        own, old = f"body.encoder.layer.{n}.", f"{NAME}encoder.layer.{n}."
        smooth = values.get(old + "attention.self.query.inverse", np.ones(1, np.float32)).reshape(-1, 1)
        joined, bias = values[f"layers.{n}.weight"] * smooth, values[f"layers.{n}.bias"]
        parts = zip(("query", "key", "value"), np.split(joined, 3, 1), np.split(bias, 3))
        for name, matrix, offset in parts:
            # The scale of the scores is in the query's weights.
            scale = np.float32(size**0.5 if name == "query" else 1.0)
            tensors[f"{own}attention.self.{name}.weight"] = matrix.T * scale
            tensors[f"{own}attention.self.{name}.bias"] = offset * scale
        for name in ("attention.output.dense", "intermediate.dense", "output.dense"):
            inner = old + name + (".linear" if f"{old}{name}.linear.bias" in values else "")
            smooth = values.get(f"{old}{name}.inverse", np.ones(1, np.float32)).reshape(-1, 1)
            tensors[f"{own}{name}.weight"] = (values[inner + ".weight"] * smooth).T
            tensors[f"{own}{name}.bias"] = values[inner + ".bias"]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            for kind in ("weight", "bias"):
                tensors[f"{own}{name}.{kind}"] = values[f"{old}{name}.{kind}"]
    at = 0
    for number, (name, labels) in enumerate(heads.items()):
        tensors[f"score.{name}.weight"] = values["score"][:, number][None]
        tensors[f"out.{name}.weight"] = values["weight"][:, at : at + len(labels)].T
        tensors[f"out.{name}.bias"] = values["bias"][at : at + len(labels)]
        at += len(labels)
    return tensors, tensors["body.encoder.layer.0.attention.self.key.bias"].size // size


def configuration(tensors, attention_heads):
    """`config.json` as transformers writes it for a BERT encoder."""
    vocabulary, hidden = tensors["body.embeddings.word_embeddings.weight"].shape
    layers = 1 + max(int(found[1]) for found in (re.match(r"body\.encoder\.layer\.(\d+)\.", name) for name in tensors) if found)
    return {
        "model_type": "bert", "vocab_size": vocabulary, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": attention_heads, "hidden_act": "gelu", "layer_norm_eps": 1e-12, "initializer_range": 0.02,
        "intermediate_size": tensors["body.encoder.layer.0.intermediate.dense.bias"].size,
        "max_position_embeddings": tensors["body.embeddings.position_embeddings.weight"].shape[0],
        "type_vocab_size": tensors["body.embeddings.token_type_embeddings.weight"].shape[0],
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "pad_token_id": 0,
        "position_embedding_type": "absolute",
    }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--model", type=pathlib.Path, required=True, help="directory of the int8 model")
    arguments.add_argument("--out", type=pathlib.Path, required=True, help="where the two model directories go")
    given = arguments.parse_args()
    said = tomllib.loads((given.model / "model.toml").read_text(encoding="utf-8"))
    model = dequantised(onnx.load(str(given.model / said["graph"]["file"])))
    manifest = start(given.model, given.out / "onnx")
    onnx.save(model, str(given.out / "onnx" / "model.onnx"))
    manifest(f"graph = {entry(given.out / 'onnx' / 'model.onnx')}")
    tensors, attention_heads = state(model, {head["name"]: head["labels"] for head in said["heads"]})
    write(tensors, attention_heads, given.model, given.out / "rust-bert")


if __name__ == "__main__":
    main()
