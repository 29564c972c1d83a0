"""Contractions: matrix products, einsum, tensordot, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from symbackprop.core.terms import Index, IndexExpr, Size, Term, affine, dummy, sized

from . import layout
from .algebra import between, delta, multiplied, summed, times
from .arranging import viewed
from .array import SymArray, finished, wrap
from .axes import (
    UNIT,
    ZERO_AT,
    At,
    at_least_zero,
    axis_index,
    broadcast,
    conflict,
    index_of,
    normal_axis,
    quotient_and_rest,
    shape_text,
)
from .context import LINALG, NUMPY, ShapeMismatch, TraceError, provides, rows
from .lifting import lifted
from .steps import blend, step
from .values import Value, finite, promoted

Label = Hashable


def contraction(
    values: Sequence[Value], inputs: Sequence[Sequence[Label]], output: Sequence[Label], what: str
) -> Value:
    """Σ over the labels that are not in the output of the product of the entries; sizes of one label agree or are 1.

    Of truth values it is "for some", not a count, as in NumPy.
    """
    sizes: dict[Label, Size] = {}
    for v, labels in zip(values, inputs, strict=True):
        finite(v)
        if len(labels) != v.ndim:
            raise TraceError(f"{what}: {len(labels)} letters for an array of shape {shape_text(v.shape)}")
        for label, size in zip(labels, v.shape, strict=True):
            old = sizes.setdefault(label, size)
            if old == UNIT:
                sizes[label] = size
            elif size not in (old, UNIT):
                shapes = " and ".join(shape_text(v.shape) for v in values)
                raise ShapeMismatch(f"{what} of shapes {shapes}: {conflict(old, size)}")
    missing = [label for label in output if label not in sizes]
    if missing:
        raise TraceError(f"{what}: the letter {missing[0]!r} of the result is in no operand")
    bound = [label for label in sizes if label not in output]
    kind = promoted(*values)
    if kind == "narrow" or (kind == "int" and any(v.dtype == "narrow" for v in values)):
        raise TraceError(f"{what} of integers of less than 64 bits may wrap around: convert them with astype(int)")

    def term(at: At) -> Term:
        place: dict[Label, IndexExpr] = dict(zip(output, at, strict=True))
        indices: list[Index] = []
        for label in bound:
            dummies, place[label] = axis_index(sizes[label])
            indices.extend(dummies)
        entries = [
            v.term(tuple(ZERO_AT if s == UNIT else place[x] for x, s in zip(labels, v.shape, strict=True)))
            for v, labels in zip(values, inputs, strict=True)
        ]
        if kind == "bool":
            return step(summed(tuple(indices), times(*entries))) if indices else times(*entries)
        return summed(tuple(indices), multiplied(*entries))

    return Value(tuple(sizes[label] for label in output), kind, term)


def same_size(a: Size, b: Size, what: str, x: Value, y: Value) -> None:
    if a != b:
        raise ShapeMismatch(f"{what} of shapes {shape_text(x.shape)} and {shape_text(y.shape)}: {conflict(a, b)}")


def matmul(x: Value, y: Value) -> Value:
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeMismatch("matmul needs arrays with axes; a number is multiplied with *")
    same_size(x.shape[-1], y.shape[-1 if y.ndim == 1 else -2], "matmul", x, y)
    batch = broadcast(x.shape[:-2], y.shape[:-2])
    lead = [("batch", k) for k in range(len(batch))]
    left: list[Label] = [*lead[len(lead) - max(x.ndim - 2, 0) :], *(["row"] if x.ndim > 1 else []), "inner"]
    right: list[Label] = [*lead[len(lead) - max(y.ndim - 2, 0) :], "inner", *(["column"] if y.ndim > 1 else [])]
    out: list[Label] = [*lead, *(["row"] if x.ndim > 1 else []), *(["column"] if y.ndim > 1 else [])]
    return contraction((x, y), (left, right), out, "matmul")


def dot(x: Value, y: Value) -> Value:
    if x.ndim == 0 or y.ndim == 0:
        return contraction((x, y), (range(x.ndim), range(y.ndim)), range(max(x.ndim, y.ndim)), "dot")
    if y.ndim == 1:
        return tensordot(x, y, [-1], [0], "dot")
    return tensordot(x, y, [-1], [-2], "dot")


def inner(x: Value, y: Value) -> Value:
    return dot(x, y) if x.ndim == 0 or y.ndim == 0 else tensordot(x, y, [-1], [-1], "inner")


def tensordot(x: Value, y: Value, left: Sequence[int], right: Sequence[int], what: str = "tensordot") -> Value:
    a, b = [normal_axis(k, x.ndim) for k in left], [normal_axis(k, y.ndim) for k in right]
    if len(a) != len(b):
        raise ShapeMismatch(f"{what}: {len(a)} axes against {len(b)}")
    for k, m in zip(a, b, strict=True):
        same_size(x.shape[k], y.shape[m], what, x, y)
    first: list[Label] = [("x", k) for k in range(x.ndim)]
    second: list[Label] = [("y", k) for k in range(y.ndim)]
    for k, m in zip(a, b, strict=True):
        second[m] = first[k]
    out = [f for k, f in enumerate(first) if k not in a] + [s for m, s in enumerate(second) if m not in b]
    return contraction((x, y), (first, second), out, what)


def outer(x: Value, y: Value) -> Value:
    """Of the flattened arrays."""
    x, y = (layout.reshape(v, [None]) if v.ndim != 1 else v for v in (x, y))
    return contraction((x, y), (["i"], ["j"]), ["i", "j"], "outer")


def batched(x: Value, y: Value, left: str, right: str, out: str) -> Value:
    """With broadcast batch axes in front."""
    extra = (x.ndim - len(left), y.ndim - len(right))
    labels = ([*range(-extra[0], 0), *left], [*range(-extra[1], 0), *right])
    return contraction((x, y), labels, [*range(-max(extra), 0), *out], "matvec or vecmat")


def trace(v: Value, a: int, b: int) -> Value:
    first, second = normal_axis(a, v.ndim), normal_axis(b, v.ndim)
    same_size(v.shape[first], v.shape[second], "trace", v, v)
    labels: list[Label] = list(range(v.ndim))
    labels[second] = labels[first]
    v = v.cast("int") if v.dtype == "bool" else v
    return contraction((v,), (labels,), [x for k, x in enumerate(labels) if k not in (first, second)], "trace")


# --- einsum ----------------------------------------------------------------------------------


def letters(subscripts: str, values: Sequence[Value]) -> tuple[list[list[Label]], list[Label]]:
    """The letters of the operands and of the result of an einsum."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    parts = left.split(",")
    if len(parts) != len(values):
        raise TraceError(f"einsum({subscripts!r}) has {len(parts)} operands in its text but {len(values)} are given")
    inputs: list[list[Label]] = []
    widest = 0
    for part, v in zip(parts, values, strict=True):
        letters, dots = part.replace("...", ""), "..." in part
        if "." in letters or not all(c.isalpha() for c in letters):
            raise TraceError(f"einsum text {subscripts!r} is not understood")
        extra = v.ndim - len(letters)
        if extra < 0 or (extra and not dots):
            raise ShapeMismatch(f"einsum({subscripts!r}): {part!r} against shape {shape_text(v.shape)}")
        widest = max(widest, extra if dots else 0)
        inputs.append(expanded(part, extra))
    if arrow:
        output = expanded(right, widest)
    else:
        every = [label for labels in inputs for label in labels if isinstance(label, str)]
        once = sorted(label for label in set(every) if every.count(label) == 1)
        output = [*expanded("...", widest), *once]
    if len(set(output)) != len(output):
        raise TraceError(f"einsum({subscripts!r}): a letter is twice in the result")
    for row, v in zip(inputs, values, strict=True):  # 1 stretches between operands, but not on the diagonal of one
        for k, label in enumerate(row):
            same_size(v.shape[row.index(label)], v.shape[k], f"einsum({subscripts!r})", v, v)
    return inputs, output


def expanded(part: str, extra: int) -> list[Label]:
    """The letters, with negative numbers counted from the right for the dots."""
    if "..." not in part:
        return list(part)
    before, after = part.split("...", 1)
    return [*before, *range(-extra, 0), *after]


def kron(x: Value, y: Value) -> Value:
    """The product with interleaved axes, which are merged."""
    n = max(x.ndim, y.ndim)
    xs, ys = (sized(1),) * (n - x.ndim) + x.shape, (sized(1),) * (n - y.ndim) + y.shape
    a: list[Label] = [("a", k) for k in range(n)]
    b: list[Label] = [("b", k) for k in range(n)]
    out = [label for pair in zip(a, b, strict=True) for label in pair]
    wide_x = x.remap(xs, lambda at: at[n - x.ndim :])
    wide_y = y.remap(ys, lambda at: at[n - y.ndim :])
    product = contraction((wide_x, wide_y), (a, b), out, "kron")
    return layout.reshape(product, [p * q for p, q in zip(xs, ys, strict=True)])


# --- under NumPy's names ---------------------------------------------------------------------


def of_two(meaning: Callable[[Value, Value], Value]) -> Callable[..., Any]:
    def function(a: Any, b: Any, out: Any = None) -> Any:
        return finished(meaning(lifted(a), lifted(b)), out, True)

    return function


rows({"dot": of_two(dot)}, method=True)
rows({
    "inner": of_two(inner),
    "outer": of_two(outer),
    "kron": of_two(kron),
    "matvec": of_two(lambda a, b: batched(a, b, "mn", "n", "m")),
    "vecmat": of_two(lambda a, b: batched(a, b, "m", "mn", "n")),
    "vdot": lambda a, b: NUMPY["dot"](NUMPY["ravel"](a), NUMPY["ravel"](b)),
    "einsum_path": lambda *operands, optimize="greedy": (True, ""),  # where it is passed on it makes no difference
})  # fmt: skip
for _table in (NUMPY, LINALG):
    rows({"vecdot": lambda a, b, axis=-1: NUMPY["sum"](NUMPY["multiply"](a, b), axis)}, table=_table)
rows({"outer": of_two(outer)}, table=LINALG)


@provides("einsum")
def einsum(*operands: Any, out: Any = None) -> Any:
    if isinstance(operands[0], str):
        text, arrays = operands[0], list(operands[1:])
        inputs, output = letters(text, [lifted(x) for x in arrays])
        what = f"einsum({text!r})"
    else:
        arrays, inputs, output = einsum_lists(operands)
        what = "einsum"
    if len(arrays) == 1 and out is None and set(output) == set(inputs[0]):
        return relabelled(arrays[0], inputs[0], output, what)
    return finished(contraction([lifted(x) for x in arrays], inputs, output, what), out, True)


def relabelled(x: Any, labels: Any, output: Any, what: str) -> Any:
    """einsum of one operand without a sum: a view of the entries where equal letters agree, which can be written."""
    first = [labels.index(label) for label in labels]

    def put(old: Value, new: Value) -> Value:
        def term(at: Any) -> Any:
            mask = times(*(delta(at[k], at[p]) for k, p in enumerate(first) if k != p))
            return blend(mask, new.term(tuple(at[labels.index(label)] for label in output)), old.term(at))

        return Value(old.shape, old.dtype, term)

    return viewed(x, lambda v: contraction((v,), (labels,), output, what).cast(v.dtype), put)


def einsum_lists(given: tuple[Any, ...]) -> Any:
    """The form einsum(x, [0, 1], y, [1, 2], [0, 2]): arrays, their labels, and the labels of the result."""
    pairs = len(given) // 2
    arrays = [given[2 * k] for k in range(pairs)]
    inputs = [list(given[2 * k + 1]) for k in range(pairs)]
    if any(x is Ellipsis for labels in inputs for x in labels):
        raise TraceError("einsum with lists and an Ellipsis: write the letters as text")
    every = [x for labels in inputs for x in labels]
    output = list(given[-1]) if len(given) % 2 else sorted(x for x in set(every) if every.count(x) == 1)
    return arrays, inputs, output


@provides("tensordot")
@provides("tensordot", table=LINALG)
def over_axes(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = lifted(a), lifted(b)
    if isinstance(axes, int):
        left, right = list(range(x.ndim - axes, x.ndim)), list(range(axes))
    else:
        left, right = ([k] if isinstance(k, int) else list(k) for k in axes)
    return SymArray(tensordot(x, y, left, right))


@provides("trace", method=True)
@provides("trace", table=LINALG)
def trace_of(a: Any, offset: Any = 0, axis1: int = 0, axis2: int = 1) -> Any:
    value = lifted(a)
    if offset == 0 and value.shape[axis1] == value.shape[axis2]:
        return wrap(trace(value, axis1, axis2))
    return NUMPY["sum"](NUMPY["diagonal"](a, offset, axis1, axis2), -1)


@provides("cross")
def cross(a: Any, b: Any) -> Any:
    x, y = NUMPY["asarray"](a), NUMPY["asarray"](b)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise ShapeMismatch("cross needs vectors of three entries")
    p, q = [x[..., k] for k in range(3)], [y[..., k] for k in range(3)]
    return NUMPY["stack"]([p[(k + 1) % 3] * q[(k + 2) % 3] - p[(k + 2) % 3] * q[(k + 1) % 3] for k in range(3)], -1)


# --- convolutions ----------------------------------------------------------------------------


def convolved(x: Value, w: Value, mode: str) -> Value:
    """Σ_k x[k] w[i-k], NumPy's three modes."""
    finite(x), finite(w)
    if x.ndim == 0 or w.ndim == 0:
        raise TraceError("convolve and correlate of a number")
    if x.ndim != 1 or w.ndim != 1:
        raise ShapeMismatch("convolve and correlate need arrays with one axis")
    kind = promoted(x, w)
    if kind in ("bool", "narrow"):
        raise TraceError("convolve of booleans or of narrow integers")
    if not all(at_least_zero(v.shape[0] - 1) for v in (x, w)):
        raise TraceError("convolve of an array that may be empty")
    n, m = x.shape[0], w.shape[0]
    if mode != "full" and not at_least_zero(n - m):
        if not at_least_zero(m - n):
            raise TraceError(f"convolve in mode {mode!r}: which of {n} and {m} is larger is not known")
        x, w, n, m = w, x, m, n
    if mode == "full":
        start, size = sized(0), n + m - 1
    elif mode == "valid":
        start, size = m - 1, n - m + 1
    elif mode == "same":
        half = quotient_and_rest(index_of(m - 1), sized(2))
        if half is None:
            raise TraceError(f"convolve in mode 'same': write the size {m} as 2*h+1")
        start, size = half[0].constant, n  # type: ignore[union-attr]
    else:
        raise TraceError(f"convolve has no mode {mode!r}")

    def term(at: At) -> Term:
        k = dummy(m)
        place = affine(start, [(at[0], 1), (k, -1)])
        return summed((k,), times(between(place, n), multiplied(x.term((place,)), w.term((k,)))))

    return Value((size,), kind, term)


rows({
    "convolve": lambda a, v, mode="full": wrap(convolved(lifted(a), lifted(v), mode)),
    "correlate": lambda a, v, mode="valid": wrap(
        convolved(lifted(a), lifted(NUMPY["flip"](SymArray(lifted(v)))), mode)),
})  # fmt: skip
