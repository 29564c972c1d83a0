"""Normalisations that PyTorch has as one operation: the result, and what it keeps for its own backward."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np

from ..registry import aten


def normalized(x: Any, axes: Any, eps: Any) -> Any:
    """(x - mean) / sqrt(var + eps) along axes, with mean and 1 / sqrt(var + eps), thin."""
    mean = np.mean(x, axis=axes, keepdims=True)
    centred = np.subtract(x, mean)
    scale = np.sqrt(np.add(np.mean(np.square(centred), axis=axes, keepdims=True), eps))
    return np.divide(centred, scale), mean, np.divide(1.0, scale)


def affine(x: Any, weight: Any, bias: Any) -> Any:
    x = x if weight is None else np.multiply(x, weight)
    return x if bias is None else np.add(x, bias)


def per_channel(v: Any, rank: int) -> Any:
    """A vector of channels beside an array whose axis 1 they are."""
    return None if v is None else np.reshape(v, (v.shape[0], *(1,) * (rank - 2)))


@aten("native_layer_norm")
def layer_norm(x: Any, shape: Any, weight: Any, bias: Any, eps: Any) -> Any:
    rank = len(x.shape)
    found, mean, scale = normalized(x, tuple(range(rank - len(shape), rank)), eps)
    return affine(found, weight, bias), mean, scale


@aten("_fused_rms_norm")
def rms_norm(x: Any, shape: Any, weight: Any, eps: Any) -> Any:
    rank = len(x.shape)
    axes = tuple(range(rank - len(shape), rank))
    least = 2.0**-52 if eps is None else eps
    scale = np.sqrt(np.add(np.mean(np.square(x), axis=axes, keepdims=True), least))
    return affine(np.divide(x, scale), weight, None), np.divide(1.0, scale)


@aten("native_group_norm")
def group_norm(x: Any, weight: Any, bias: Any, n: Any, c: Any, entries: Any, groups: Any, eps: Any) -> Any:
    rank = len(x.shape)
    apart = np.reshape(x, (n, groups, c // groups, *x.shape[2:]))
    found, mean, scale = normalized(apart, tuple(range(2, rank + 1)), eps)
    found = affine(np.reshape(found, x.shape), per_channel(weight, rank), per_channel(bias, rank))
    return found, np.reshape(mean, (n, groups)), np.reshape(scale, (n, groups))


@aten("native_batch_norm", "_native_batch_norm_legit")
def batch_norm(
    x: Any, weight: Any, bias: Any, running_mean: Any, running_var: Any, training: bool, momentum: Any, eps: Any
) -> Any:
    rank = len(x.shape)
    weight, bias = per_channel(weight, rank), per_channel(bias, rank)
    if not training:
        mean, var = per_channel(running_mean, rank), per_channel(running_var, rank)
        found = np.divide(np.subtract(x, mean), np.sqrt(np.add(var, eps)))
        unused = np.zeros((x.shape[1],))
        return affine(found, weight, bias), unused, unused
    axes = (0, *range(2, rank))
    found, mean, scale = normalized(x, axes, eps)
    mean, scale = np.reshape(mean, (x.shape[1],)), np.reshape(scale, (x.shape[1],))
    if running_mean is not None:
        moved(running_mean, mean, momentum)
        moved(running_var, np.var(x, axis=axes, ddof=1), momentum)
    return affine(found, weight, bias), mean, scale


@aten("_native_batch_norm_legit.no_stats")
def batch_norm_alone(x: Any, weight: Any, bias: Any, training: bool, momentum: Any, eps: Any) -> Any:
    return batch_norm(x, weight, bias, None, None, training, momentum, eps)


def moved(running: Any, new: Any, momentum: Any) -> None:
    """running = (1 - momentum) running + momentum new, in place."""
    running[...] = np.add(np.multiply(1 - momentum, running), np.multiply(momentum, new))
