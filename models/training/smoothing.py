"""Moves activation outliers into the weights before int8 (SmoothQuant, Xiao et al., ICML 2023).

Dynamic int8 takes one range per activation tensor: a few channels that are ten times larger than the others cost all others
their precision, and make a text's scores depend on the texts beside it. Dividing channel j of a layer's input by
s_j and multiplying the weights' column j by it changes nothing in exact arithmetic and evens the range out:

    s_j = max|x_j| ** alpha / max|w_j| ** (1 - alpha)
"""

import copy

import torch
from torch import nn


class Smoothed(nn.Module):
    """A linear layer that divides its input's channels by `scale` first."""

    def __init__(self, linear, inverse):
        super().__init__()
        self.linear = linear
        self.inverse = inverse  # one tensor for all layers with the same input, so that the division happens once

    def forward(self, x):
        return self.linear(x * self.inverse)


def inputs(layer):
    """Groups of (owner, attribute) of one encoder layer's linears that share their input."""
    own = layer.attention.self
    return [
        [(own, "query"), (own, "key"), (own, "value")],
        [(layer.attention.output, "dense")],
        [(layer.intermediate, "dense")],
        [(layer.output, "dense")],
    ]


@torch.no_grad()
def smooth(network, tokenizer, texts, alpha=0.5):
    """Returns a smoothed copy of `network`; ranges come from `texts`."""
    network = copy.deepcopy(network).eval()
    groups = [g for layer in network.body.encoder.layer for g in inputs(layer)]
    peak, hooks = {}, []
    for number, group in enumerate(groups):
        owner, name = group[0]

        def watch(_, args, number=number):
            # A high quantile: one odd token must not set a channel's range.
            top = torch.quantile(args[0].abs().flatten(0, 1), 0.999, dim=0)
            peak[number] = torch.maximum(peak[number], top) if number in peak else top

        hooks.append(getattr(owner, name).register_forward_pre_hook(watch))
    for start in range(0, len(texts), 16):
        batch = tokenizer(texts[start : start + 16], truncation=True, max_length=256, padding=True, return_tensors="pt")
        keep = batch["attention_mask"]
        network.encode(batch["input_ids"] * keep, keep)
    for hook in hooks:
        hook.remove()
    for number, group in enumerate(groups):
        weight = torch.stack([getattr(o, n).weight.abs().amax(0) for o, n in group]).amax(0)
        scale = (peak[number].clamp(min=1e-3) ** alpha / weight.clamp(min=1e-3) ** (1 - alpha)).clamp(min=1e-3)
        scale = scale / scale.log().mean().exp()
        inverse = nn.Parameter(1 / scale, requires_grad=False)
        for owner, name in group:
            linear = getattr(owner, name)
            linear.weight.mul_(scale)
            setattr(owner, name, Smoothed(linear, inverse))
    return network
