"""Losses beyond those of dense networks, and the Hessian of logistic regression, line by line.

python derivations/losses.py [NAME ...] [--tex DIR]
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from symbackprop.story import Forward, tell


def smoothed_cross_entropy(z, t, eps):
    """With label smoothing: targets (1 - eps) t + eps / K."""
    zs = z - z.max(axis=-1, keepdims=True)
    logp = zs - np.log(np.exp(zs).sum(axis=-1, keepdims=True))
    smooth = (1 - eps) * t + eps / z.shape[-1]
    loss = -(smooth * logp).sum() / z.shape[0]
    return loss


def triplet(a, p, n, m):
    dp = ((a - p) ** 2).sum(1)
    dn = ((a - n) ** 2).sum(1)
    loss = np.maximum(0, dp - dn + m).mean()
    return loss


def ridge(X, w, y, lam):
    """Least squares with an L2 penalty."""
    r = X @ w - y
    loss = (r**2).mean() + lam * (w**2).sum()
    return loss


def logistic_regression(X, w, y):
    z = X @ w
    loss = np.logaddexp(0, z).sum() - (y * z).sum()
    return loss


def logistic_slope(X, w, y):
    """The gradient of logistic regression: its Jacobian is the Hessian of the loss."""
    z = X @ w
    p = expit(z)
    g = X.T @ (p - y)
    return g


LOSSES = {
    "smoothed_cross_entropy": Forward(smoothed_cross_entropy, {"z": "B K", "t": "B K", "eps": ""}, ("z",),
                                      title="Cross-entropy with label smoothing"),
    "triplet": Forward(triplet, {"a": "B D", "p": "B D", "n": "B D", "m": ""}, ("a", "p", "n"),
                       title="Triplet loss"),
    "ridge": Forward(ridge, {"X": "N D", "w": "D", "y": "N", "lam": ""}, ("w",),
                     title="Least squares with an L2 penalty"),
    "logistic_regression": Forward(logistic_regression, {"X": "N D", "w": "D", "y": "N"}, ("w",)),
    "logistic_hessian": Forward(logistic_slope, {"X": "N D", "w": "D", "y": "N"}, ("w",),
                                title="The Hessian of logistic regression"),
}  # fmt: skip


if __name__ == "__main__":
    tell(LOSSES)
