"""Products of arrays and windows: dot_general, conv_general_dilated, sums over windows."""

from __future__ import annotations

import math
from typing import Any

from .arranging import padded, rows
from .kinds import as_array
from .registry import Step, call, reads

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
MATRIX_PRODUCTS = {(m, n, (m - 1,), (0,), ()) for m in (1, 2) for n in (1, 2)}


@reads("dot_general")
def dot_general(step: Step, x: Any, y: Any) -> Any:
    """Batch axes first, then the free axes of both: a matrix product or an einsum by the places of the axes."""
    (left, right), (left_batch, right_batch) = step.params["dimension_numbers"]
    a, b = as_array(x), as_array(y)
    if (a.ndim, b.ndim, tuple(left), tuple(right), tuple(left_batch)) in MATRIX_PRODUCTS:
        return call("matmul", a, b)
    first: list[int] = list(range(a.ndim))
    second = [a.ndim + k for k in range(b.ndim)]
    for k, m in (*zip(left, right, strict=True), *zip(left_batch, right_batch, strict=True)):
        second[m] = first[k]
    batch = [first[k] for k in left_batch]
    free = [n for k, n in enumerate(first) if k not in (*left, *left_batch)]
    rest = [n for m, n in enumerate(second) if m not in (*right, *right_batch)]
    out = [*batch, *free, *rest]
    text = f"{letters(first)},{letters(second)}->{letters(out)}"
    return call("einsum", text, a, b)


def letters(labels: list[int]) -> str:
    return "".join(ALPHABET[n] for n in labels)


# --- windows ---------------------------------------------------------------------------------


@reads("conv_general_dilated", restricted="strides that divide the axes for all sizes; gaps in x of a plain number")
def conv_general_dilated(step: Step, x: Any, w: Any) -> Any:
    """Σ over channels and places k of x[n, c, s p + d k] w[o, c, k], on x padded and spread."""
    p, numbers = step.params, step.params["dimension_numbers"]
    spatial = len(numbers.lhs_spec) - 2
    x = call("transpose", as_array(x), tuple(numbers.lhs_spec))
    w = call("transpose", as_array(w), tuple(numbers.rhs_spec))
    gaps = [g - 1 for g in step.sizes(p["lhs_dilation"] or (1,) * spatial)]
    config = [(0, 0, 0), (0, 0, 0), *((*step.sizes(ends), g) for ends, g in zip(p["padding"], gaps, strict=True))]
    x = padded(x, config, 0)
    out = [step.shape[k] for k in numbers.out_spec[2:]]
    strides, dilations = p["window_strides"], p["rhs_dilation"] or (1,) * spatial
    patches = windows(x, out, w.shape[2:], strides, dilations)
    return call("transpose", contracted(patches, w, p["feature_group_count"], p["batch_group_count"], spatial),
                inverse(numbers.out_spec))  # fmt: skip


def inverse(order: Any) -> tuple[int, ...]:
    return tuple(list(order).index(k) for k in range(len(order)))


def windows(x: Any, out: list[Any], window: tuple[Any, ...], strides: Any, dilations: Any) -> Any:
    """The entries of x at s p + d k: the two leading axes, those of p, those of k."""
    n = len(out)
    places = [
        call("add", call("multiply", rows(out[a], a, 2 * n), strides[a]),
             call("multiply", rows(window[a], n + a, 2 * n), dilations[a]))
        for a in range(n)
    ]  # fmt: skip
    return x[(slice(None), slice(None), *places)]


def contracted(patches: Any, w: Any, features: int, batches: int, spatial: int) -> Any:
    """Products of the patches with w, in groups of channels or of samples: (samples, channels of w, places)."""
    out, inner = "pqrs"[:spatial], "uvwx"[:spatial]
    if features == batches == 1:
        return call("einsum", f"nc{out}{inner},oc{inner}->no{out}", patches, w)
    places = patches.shape[2:]
    if features > 1:
        patches = call("reshape", patches, (patches.shape[0], features, patches.shape[1] // features, *places))
        text = f"ngc{out}{inner},goc{inner}->ngo{out}"
    else:
        patches = call("reshape", patches, (batches, patches.shape[0] // batches, *patches.shape[1:]))
        text = f"gnc{out}{inner},goc{inner}->ngo{out}"
    groups = features if features > 1 else batches
    w = call("reshape", w, (groups, w.shape[0] // groups, *w.shape[1:]))
    found = call("einsum", text, patches, w)
    return call("reshape", found, (found.shape[0], groups * found.shape[2], *found.shape[3:]))


def over_windows(name: str, fill: float) -> Any:
    def run(step: Step, x: Any, *more: Any) -> Any:
        p, x = step.params, as_array(x)
        gaps = [g - 1 for g in step.sizes(p["base_dilation"])]
        x = padded(x, [(*step.sizes(ends), g) for ends, g in zip(p["padding"], gaps, strict=True)], fill)
        size = tuple(step.sizes(p["window_dimensions"]))
        lead = call("expand_dims", x, (0, 1))
        patches = windows(lead, list(step.shape), size, p["window_strides"], p["window_dilation"])
        n = x.ndim
        found = call(name, patches, axis=tuple(range(2 + n, 2 + 2 * n)))
        return found[0, 0]

    return run


for primitive, name, fill in (("reduce_window_sum", "sum", 0.0), ("reduce_window_max", "max", -math.inf)):
    reads(primitive, restricted="strides that divide the axes for all sizes")(over_windows(name, fill))
