"""Contractions: matrix products, einsum, tensordot, and what is made of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from .algebra import ZERO_AT, Index, IndexExpr, Size, Term, sized, step, summed, times
from .errors import ShapeMismatch, TraceError
from .factors import multiplied
from .reductions import axis_index, normal_axis
from .values import UNIT, At, Value, broadcast, conflict, finite, promoted, shape_text

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
    """Of the flattened arrays; here they have one axis."""
    left, right = ["i"] * x.ndim, ["j"] * y.ndim
    return contraction((x, y), (left, right), left + right, "outer")


def trace(v: Value, a: int, b: int) -> Value:
    first, second = normal_axis(a, v.ndim), normal_axis(b, v.ndim)
    same_size(v.shape[first], v.shape[second], "trace", v, v)
    labels: list[Label] = list(range(v.ndim))
    labels[second] = labels[first]
    v = v.cast("int") if v.dtype == "bool" else v
    return contraction((v,), (labels,), [x for k, x in enumerate(labels) if k not in (first, second)], "trace")


# --- einsum ----------------------------------------------------------------------------------


def labels(subscripts: str, values: Sequence[Value]) -> tuple[list[list[Label]], list[Label]]:
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


def kron_labels(ndim: int) -> tuple[list[Label], list[Label]]:
    return [("a", k) for k in range(ndim)], [("b", k) for k in range(ndim)]


def kron(x: Value, y: Value) -> tuple[Value, tuple[Size, ...]]:
    """The product with interleaved axes and the shape it is merged to."""
    n = max(x.ndim, y.ndim)
    xs, ys = (sized(1),) * (n - x.ndim) + x.shape, (sized(1),) * (n - y.ndim) + y.shape
    a, b = kron_labels(n)
    out = [label for pair in zip(a, b, strict=True) for label in pair]
    wide_x = x.remap(xs, lambda at: at[n - x.ndim :])
    wide_y = y.remap(ys, lambda at: at[n - y.ndim :])
    return contraction((wide_x, wide_y), (a, b), out, "kron"), tuple(p * q for p, q in zip(xs, ys, strict=True))
