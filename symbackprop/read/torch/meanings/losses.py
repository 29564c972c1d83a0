"""Losses that PyTorch has as one operation."""

from __future__ import annotations

from typing import Any

from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import TRACED_SPECIAL as special

from ..registry import aten

NONE, MEAN, SUM = 0, 1, 2


def reduced(losses: Any, reduction: int) -> Any:
    return losses if reduction == NONE else np.mean(losses) if reduction == MEAN else np.sum(losses)


@aten("mse_loss")
def squared_error(x: Any, t: Any, reduction: int = MEAN) -> Any:
    return reduced(np.square(np.subtract(x, t)), reduction)


@aten("smooth_l1_loss")
def smooth_l1(x: Any, t: Any, reduction: int = MEAN, beta: Any = 1.0) -> Any:
    r = np.subtract(x, t)
    size = np.absolute(r)
    if beta == 0:
        return reduced(size, reduction)
    inside = np.divide(np.multiply(0.5, np.square(r)), beta)
    return reduced(np.where(np.less(size, beta), inside, np.subtract(size, 0.5 * beta)), reduction)


@aten("huber_loss")
def huber(x: Any, t: Any, reduction: int = MEAN, delta: Any = 1.0) -> Any:
    r = np.subtract(x, t)
    size = np.absolute(r)
    outside = np.multiply(delta, np.subtract(size, 0.5 * delta))
    return reduced(np.where(np.less_equal(size, delta), np.multiply(0.5, np.square(r)), outside), reduction)


@aten("soft_margin_loss")
def soft_margin(x: Any, t: Any, reduction: int = MEAN) -> Any:
    return reduced(np.log(np.add(1.0, np.exp(np.negative(np.multiply(t, x))))), reduction)


@aten("binary_cross_entropy", where="the bound of -100 on a logarithm is left out: no value at 0 and 1")
def binary_cross_entropy(x: Any, t: Any, weight: Any = None, reduction: int = MEAN) -> Any:
    loss = np.negative(np.add(np.multiply(t, np.log(x)), np.multiply(np.subtract(1.0, t), np.log(np.subtract(1.0, x)))))
    return reduced(loss if weight is None else np.multiply(weight, loss), reduction)


@aten("binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    x: Any, t: Any, weight: Any = None, pos_weight: Any = None, reduction: int = MEAN
) -> Any:
    right = np.negative(special.log_expit(x))
    if pos_weight is not None:
        right = np.multiply(pos_weight, right)
    wrong = np.negative(special.log_expit(np.negative(x)))
    loss = np.add(np.multiply(t, right), np.multiply(np.subtract(1.0, t), wrong))
    return reduced(loss if weight is None else np.multiply(weight, loss), reduction)


# --- labels --------------------------------------------------------------------------------------


@aten("nll_loss_forward", "nll_loss2d_forward")
def nll_loss(x: Any, labels: Any, weight: Any, reduction: int, ignore_index: Any) -> Any:
    """Minus the entry that each label names along axis 1, and what the labels weigh together."""
    batched = len(x.shape) > 1
    rows = np.expand_dims(labels, 1 if batched else 0)
    picked = np.take_along_axis(x, rows, axis=1 if batched else 0)
    losses = np.negative(np.squeeze(picked, 1 if batched else 0))
    weights = weights_of(labels, weight, ignore_index)
    total = np.sum(np.ones(labels.shape) if weights is None else weights)
    if weights is not None:
        losses = np.multiply(weights, losses)
    if reduction == NONE:
        return losses, total
    if reduction == SUM:
        return np.sum(losses), total
    return (np.mean(losses) if weights is None else np.divide(np.sum(losses), total)), total


@aten("nll_loss_backward", "nll_loss2d_backward")
def nll_loss_backward(
    g: Any, x: Any, labels: Any, weight: Any, reduction: int, ignore_index: Any, total: Any
) -> Any:
    weights = weights_of(labels, weight, ignore_index)
    dim = 1 if len(x.shape) > 1 else 0
    rows = np.expand_dims(labels, dim)
    each = np.expand_dims(g, dim) if reduction == NONE and labels.shape else g
    scale = np.negative(each if weights is None else np.multiply(each, np.expand_dims(weights, dim)))
    if reduction == MEAN:
        scale = np.divide(scale, total)
    found = np.zeros(x.shape)
    np.put_along_axis(found, rows, np.broadcast_to(scale, rows.shape), dim)
    return found


def weights_of(labels: Any, weight: Any, ignore_index: Any) -> Any:
    """What each label weighs, 0 where it is ignored; None where all weigh 1."""
    known = None if weight is None else weight[labels]
    if isinstance(ignore_index, int) and ignore_index < 0:  # no label
        return known
    counted = np.not_equal(labels, ignore_index) * 1.0
    return counted if known is None else np.multiply(known, counted)
