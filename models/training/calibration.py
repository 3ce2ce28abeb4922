"""Calibration and thresholds, fitted on dev splits only.

Each label gets `calibrated = scale * logit + shift`: Platt scaling for sigmoid heads (with a pull towards the identity where
positives are few), one temperature for softmax heads. Thresholds: see `threshold`.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -40, 40)))


def platt(logits, truth, prior=8.0):
    """scale, shift that minimise the log loss, with a ridge towards (1, 0) worth `prior` observations. Newton's steps, each halved
    until the loss falls: a whole one leaps too far where few texts lie between the two sides."""

    def loss(scale, shift):
        z = scale * logits + shift
        return (np.logaddexp(0, z) - truth * z).sum() + prior / 2 * ((scale - 1) ** 2 + 0.25 * shift**2)

    scale, shift = 1.0, 0.0
    for _ in range(100):
        p = sigmoid(scale * logits + shift)
        error, weight = p - truth, np.maximum(p * (1 - p), 1e-6)
        gradient = np.array([(error * logits).sum() + prior * (scale - 1), error.sum() + prior * 0.25 * shift])
        hessian = np.array([
            [(weight * logits**2).sum() + prior, (weight * logits).sum()],
            [(weight * logits).sum(), weight.sum() + prior * 0.25],
        ])
        step, length, before = np.linalg.solve(hessian, gradient), 1.0, loss(scale, shift)
        while length > 1e-6 and loss(scale - length * step[0], shift - length * step[1]) > before:
            length /= 2
        if length <= 1e-6:
            break
        scale, shift = scale - length * step[0], shift - length * step[1]
        if np.abs(length * step).max() < 1e-6:
            break
    return float(max(scale, 0.05)), float(shift)


def temperature(logits, truth):
    """The scale in a grid that minimises the log loss of a softmax; `truth` holds class numbers."""
    best = (np.inf, 1.0)
    for scale in np.exp(np.linspace(np.log(0.3), np.log(3.0), 200)):
        z = logits * scale
        z = z - z.max(1, keepdims=True)
        loss = (np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), truth]).mean()
        best = min(best, (float(loss), float(scale)))
    return best[1]


def threshold(p, truth, grid=np.arange(0.04, 0.9, 0.01), pull=6.0):
    """The mean of two thresholds, which held up better on the other half of a dev split than either: the one with the best F1
    there (smoothed over neighbouring thresholds, and pulled towards a third where positives are few), and half of the best
    F1 that the calibrated probabilities promise, which is where F1 is best in expectation (Lipton et al., 2014)."""
    scores = []
    for t in grid:
        guess = p >= t
        tp = (guess & truth).sum()
        scores.append(2 * tp / max(guess.sum() + truth.sum(), 1))
    smooth = np.convolve(np.pad(scores, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    best = grid[int(smooth.argmax())]
    n = truth.sum()
    found = (best * n + 0.33 * pull) / (n + pull)
    return float(round((found + promised(p, truth)) / 2, 3))


def promised(p, truth):
    """Half of the best expected F1, on the scale of `p`."""
    logits = np.log(np.clip(p, 1e-6, 1 - 1e-6) / (1 - np.clip(p, 1e-6, 1 - 1e-6)))
    scale, shift = platt(logits, truth.astype(float))
    ranked = np.sort(sigmoid(scale * logits + shift))[::-1]
    expected = 2 * np.cumsum(ranked) / (np.arange(1, len(ranked) + 1) + ranked.sum())
    half = np.clip(expected.max() / 2, 1e-3, 1 - 1e-3)
    return float(sigmoid((np.log(half / (1 - half)) - shift) / scale))


def ece(p, truth, bins=15):
    """Expected calibration error of one label, equal-width bins."""
    index = np.minimum((p * bins).astype(int), bins - 1)
    total = 0.0
    for b in range(bins):
        rows = index == b
        if rows.any():
            total += rows.mean() * abs(p[rows].mean() - truth[rows].mean())
    return float(total)
