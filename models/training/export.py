"""PyTorch to ONNX, and ONNX to int8."""

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

import network as N


def to_onnx(net, path):
    model = N.Exported(net).eval()
    ids = torch.tensor([[101, 2023, 2003, 102], [101, 2204, 102, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        model, (ids, mask), str(path), dynamo=False, opset_version=17,
        input_names=["input_ids", "attention_mask"],
        output_names=["logits", "contributions", "attention_scores"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "batch"},
                      "contributions": axes, "attention_scores": axes},
    )


def quantise(source, target):
    """int8 weights per output channel, activations per tensor at run time; the small head layers stay in fp32, so that
    contributions still add up to the logits."""
    graph = onnx.load(str(source)).graph
    # The encoder's matrices are initializers of a MatMul; the heads' are the last ones, and not square or wide.
    sizes = {i.name: list(i.dims) for i in graph.initializer}
    heads = [n.name for n in graph.node if n.op_type == "MatMul"
             and any(len(sizes.get(x, [])) == 2 and sizes[x][1] < 128 for x in n.input)]
    quantize_dynamic(
        str(source), str(target), weight_type=QuantType.QInt8, per_channel=True, nodes_to_exclude=heads,
        op_types_to_quantize=["MatMul", "Gather"], extra_options={"DefaultTensorType": 1},
    )


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 2
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def predict(path, net_heads, tokenizer, examples, tensors, tokenise, batch=16):
    """Logits per head from an ONNX graph."""
    run = session(path)
    items = tokenise(tokenizer, examples)
    order = sorted(range(len(items)), key=lambda i: len(items[i][0]))
    width = sum(len(v) for v in net_heads.values())
    out = np.zeros((len(items), width), np.float32)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        ids, mask, _, _ = tensors([items[i] for i in rows])
        out[rows] = run.run(["logits"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]
    result, at = {}, 0
    for name, labels in net_heads.items():
        result[name] = out[:, at : at + len(labels)]
        at += len(labels)
    return result

