"""Training loop: masked multi-task losses, length-bucketed batches, checkpoints that a killed run resumes from."""

import json
import math
import random
import time

import numpy as np
import torch
from torch.nn import functional as F

import labels as L
import network as N

MAX_TOKENS = 256
HEADS = {"sentiment": L.SENTIMENTS, "emotion": L.EMOTIONS, "cue": L.CUES}
# Each head's loss is a mean over its labels; the weights bring their gradients to one scale.
LOSS_WEIGHT = {"sentiment": 0.6, "emotion": 12.0, "cue": 10.0}


# Weight of the rationales beside the labels.
RATIONALE_WEIGHT = 0.5


def tokenise(tokenizer, examples):
    ids = tokenizer([e.text for e in examples], truncation=True, max_length=MAX_TOKENS)["input_ids"]
    marked = [e for e in examples if e.rationales]
    if marked:
        texts = tokenizer([e.text for e in marked], truncation=True, max_length=MAX_TOKENS, return_offsets_mapping=True)
        for e, offsets in zip(marked, texts["offset_mapping"]):
            e.meta["marks"] = [
                (head, label, [any(a < end and start < b for start, end in spans) for a, b in offsets])
                for head, label, spans in e.rationales
            ]
    return list(zip(ids, examples))


def padded(length):
    """Columns that a row of this length gets: a multiple of 8."""
    return -(-length // 8) * 8


def batches(items, tokens, rng):
    """Shuffled batches of one padded length each, a multiple of 8, with about `tokens` padded tokens. Few shapes come
    again and again, so that the kernels for them are made once."""
    groups = {}
    for item in items:
        groups.setdefault(padded(len(item[0])), []).append(item)
    out = []
    for length, group in sorted(groups.items()):
        rng.shuffle(group)
        rows = max(1, min(64, tokens // length))
        out += [group[start : start + rows] for start in range(0, len(group), rows)]
    rng.shuffle(out)
    return out


def tensors(batch):
    longest = padded(max(len(ids) for ids, _ in batch))
    input_ids = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    targets = {}
    for name, size in (("sentiment", 3), ("emotion", 28), ("cue", 20)):
        targets[name] = torch.full((len(batch), size), float("nan"))
    weight = torch.ones(len(batch))
    for row, (ids, e) in enumerate(batch):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        mask[row, : len(ids)] = 1
        weight[row] = e.weight
        for name, value in (("sentiment", e.sentiment), ("emotion", e.emotions), ("cue", e.cues)):
            if value is not None:
                targets[name][row] = torch.tensor(value)
    return input_ids, mask, targets, weight


def loss_of(logits, targets, weight):
    total = torch.zeros(())
    for name, target in targets.items():
        known = ~target.isnan()
        if not known.any():
            continue
        filled = torch.nan_to_num(target)
        if name == "sentiment":
            rows = known.all(1)
            each = -(filled * F.log_softmax(logits[name], 1)).sum(1)
            value = (each * rows * weight).sum() / len(rows)
        else:
            each = F.binary_cross_entropy_with_logits(logits[name], filled, reduction="none")
            value = (each * known * weight[:, None]).sum() / target.numel()
        total = total + LOSS_WEIGHT[name] * value
    return total


def rationale_loss(net, batch, hidden, weights):
    """How much of what speaks for a label stands outside the words that a person marked for it: the mean over the batch of
    -log(share of the positive contributions that the marked tokens hold)."""
    total, rows = torch.zeros(()), len(batch)
    for row, (_, e) in enumerate(batch):
        for head, label, marks in e.meta.get("marks", []):
            mask = torch.tensor(marks)
            terms = weights[head][row, : len(marks), 0].float() * (
                hidden[row, : len(marks)].float() @ net.out[head].weight[label]
            )
            positive = F.relu(terms)
            if mask.any():
                total = total - torch.log((positive[mask].sum() + 1e-3) / (positive.sum() + 1e-3)) / rows
    return RATIONALE_WEIGHT * total


def parameter_groups(net, rate, head_rate, decay):
    """Layer-wise learning-rate decay: lower layers move less."""
    layers = net.body.config.num_hidden_layers
    groups = {}
    for name, p in net.named_parameters():
        if name.startswith("body.embeddings"):
            lr = rate * decay ** (layers + 1)
        elif name.startswith("body.encoder.layer."):
            lr = rate * decay ** (layers - int(name.split(".")[3]))
        else:
            lr = head_rate
        wd = 0.01 if p.dim() > 1 else 0.0
        groups.setdefault((lr, wd), []).append(p)
    return [{"params": ps, "lr": lr, "peak": lr, "weight_decay": wd} for (lr, wd), ps in groups.items()]


@torch.no_grad()
def predict(net, tokenizer, examples, half=False):
    """Logits per head, as numpy arrays in the order of `examples`; `half` computes in bfloat16."""
    net.eval()
    items = tokenise(tokenizer, examples)
    order = sorted(range(len(items)), key=lambda i: len(items[i][0]))
    out = {name: np.zeros((len(items), len(labels)), np.float32) for name, labels in net.heads.items()}
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        input_ids, mask, _, _ = tensors([items[i] for i in rows])
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            logits = net(input_ids, mask)
        for name, value in logits.items():
            out[name][rows] = value.float().numpy()
    return out


def f1(truth, predicted):
    tp = (truth & predicted).sum(0)
    denominator = truth.sum(0) + predicted.sum(0)
    return np.where(denominator > 0, 2 * tp / np.maximum(denominator, 1), 0.0)


def dev_report(net, tokenizer, dev):
    """Macro-F1 by source and head on the dev split, with thresholds swept there (for choosing between runs)."""
    report = {}
    for source in sorted({e.source for e in dev}):
        rows = [e for e in dev if e.source == source]
        logits = predict(net, tokenizer, rows, half=True)
        graded = [i for i, e in enumerate(rows) if e.sentiment and e.meta.get("sentiment") != "mixed"]
        if graded:
            truth = np.array([np.argmax(rows[i].sentiment) for i in graded])
            guess = logits["sentiment"][graded].argmax(1)
            eye = np.eye(3, dtype=bool)
            report[f"{source}/sentiment"] = {
                "n": len(graded), "accuracy": float((truth == guess).mean()),
                "macro_f1": float(f1(eye[truth], eye[guess]).mean()),
            }
        for head, field in (("emotion", "emotions"), ("cue", "cues")):
            if getattr(rows[0], field) is None or source not in ("goemotions", "written", "annotated"):
                continue
            truth = np.array([getattr(e, field) for e in rows]) > 0.5
            best = np.zeros(truth.shape[1])
            for t in np.arange(0.05, 0.95, 0.05):
                best = np.maximum(best, f1(truth, 1 / (1 + np.exp(-logits[head])) > t))
            present = truth.any(0)
            report[f"{source}/{head}"] = {"n": len(rows), "labels": int(present.sum()), "macro_f1_swept": float(best[present].mean())}
    return report


def run(name, out, net, tokenizer, train, dev, epochs, rate, head_rate, decay=0.9, tokens=1024, seed=17, log=print):
    """Trains in place. `out/NAME.pt` holds the last checkpoint; a run that finds one goes on from it."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    items = tokenise(tokenizer, train)
    plan = [b for epoch in range(epochs) for b in batches(items, tokens, random.Random(rng.random()))]
    optimiser = torch.optim.AdamW(parameter_groups(net, rate, head_rate, decay), betas=(0.9, 0.98), eps=1e-6, fused=True)
    average = {k: v.clone() for k, v in net.state_dict().items()}
    checkpoint, start = out / f"{name}.pt", 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=False)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        average, start = state["average"], state["step"]
        torch.set_rng_state(state["rng"])
        log(f"{name}: resumed at step {start}")
    warmup = max(1, len(plan) // 16)
    log(f"{name}: {len(items)} texts, {len(plan)} steps")
    net.train()
    clock, running = time.time(), 0.0
    for step in range(start, len(plan)):
        scale = min((step + 1) / warmup, (len(plan) - step) / (len(plan) - warmup))
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * scale
        input_ids, mask, targets, weight = tensors(plan[step])
        # bfloat16 for the products, fp32 for weights and losses: nearly twice as fast where the processor has it.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, hidden, weights = net.parts(input_ids, mask)
        loss = loss_of({name: z.float() for name, z in logits.items()}, targets, weight)
        loss = loss + rationale_loss(net, plan[step], hidden, weights)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        running += loss.item()
        if step % 5 == 0:
            keep = min(0.99, (1 + step) / (10 + step))
            for k, v in net.state_dict().items():
                if v.is_floating_point():
                    average[k].mul_(keep).add_(v, alpha=1 - keep)
        if (step + 1) % 50 == 0:
            left = (time.time() - clock) / (step + 1 - start) * (len(plan) - step - 1)
            log(f"{name}: step {step + 1}/{len(plan)} loss {running / 50:.4f} left {left / 60:.1f} min")
            running = 0.0
        if (step + 1) % 250 == 0 and step + 1 < len(plan):
            partial = out / f"{name}.pt.part"
            torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "average": average,
                        "step": step + 1, "rng": torch.get_rng_state()}, partial)
            partial.replace(checkpoint)
    raw = dev_report(net, tokenizer, dev)
    mine = {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(average)
    averaged = dev_report(net, tokenizer, dev)

    def total(r):
        return sum(v.get("macro_f1", 0) + v.get("macro_f1_swept", 0) for v in r.values())

    chosen = "averaged" if total(averaged) >= total(raw) else "last"
    if chosen == "last":
        net.load_state_dict(mine)
    log(json.dumps({"chosen": chosen, "last": raw, "averaged": averaged}, indent=1))
    N.save(net, out / name)
    (out / name / "dev.json").write_text(json.dumps({"chosen": chosen, "last": raw, "averaged": averaged}, indent=1))
    checkpoint.unlink(missing_ok=True)
    return net
