"""Contractions: matrix products, einsum, tensordot, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from string import ascii_letters
from typing import Any

from symbackprop.core.terms import Delta, Index, IndexExpr, Size, Term, affine, dummy, over, sized

from . import layout
from .algebra import between, delta, multiplied, summed, times
from .arranging import viewed
from .array import SymArray, finished, wrap
from .axes import (
    UNIT, ZERO_AT, At, at_least_zero, axis_index, broadcast, conflict, index_of, normal_axis, quotient_and_rest,
    shape_text,
)  # fmt: skip
from .context import LINALG, NUMPY, ShapeMismatch, TraceError, noted, provides, rows
from .lifting import lifted, size_of
from .moving import windows
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


def letters_of(m: int, n: int, pairs: Iterable[tuple[int, int]], batch: int = 0) -> tuple[str, str, str]:
    """For arrays with m and n axes, of which these are the same, and of the result: those of the first, of the second.

    The first `batch` pairs stay, in front.
    """
    pairs = [(k % m, p % n) for k, p in pairs]
    first, second = ascii_letters[:m], list(ascii_letters[m : m + n])
    for k, p in pairs:
        second[p] = first[k]
    kept = [first[k] for k, _ in pairs[:batch]]
    gone = {first[k] for k, _ in pairs}
    out = [c for c in (*first, *second) if c not in gone]
    return first, "".join(second), "".join([*kept, *out])


def paired(x: Value, y: Value, right: int, what: str) -> Value:
    """Over the last axis of the first and this one of the second; with a number, the product."""
    if not x.ndim or not y.ndim:
        return contraction((x, y), (range(x.ndim), range(y.ndim)), range(max(x.ndim, y.ndim)), what)
    right = max(right, -y.ndim)
    same_size(x.shape[-1], y.shape[right], what, x, y)
    first, second, out = letters_of(x.ndim, y.ndim, [(-1, right)])
    return contraction((x, y), (first, second), out, what)


def outer(x: Value, y: Value) -> Value:
    """Of the flattened arrays."""
    x, y = (layout.reshape(v, [None]) if v.ndim != 1 else v for v in (x, y))
    return contraction((x, y), ("i", "j"), "ij", "outer")


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


# --- under NumPy's names ---------------------------------------------------------------------


def of_two(meaning: Callable[[Value, Value], Value]) -> Callable[..., Any]:
    def function(a: Any, b: Any, out: Any = None) -> Any:
        return finished(meaning(lifted(a), lifted(b)), out, True)

    return function


rows({"dot": of_two(lambda a, b: paired(a, b, -2, "dot"))}, method=True)
rows({"inner": of_two(lambda a, b: paired(a, b, -1, "inner")), "outer": of_two(outer)})
rows({"outer": of_two(outer)}, table=LINALG)
rows({
    "matvec": lambda a, b, out=None: NUMPY["einsum"]("...mn,...n->...m", a, b, out=out),
    "vecmat": lambda a, b, out=None: NUMPY["einsum"]("...m,...mn->...n", a, b, out=out),
    "vdot": lambda a, b: NUMPY["dot"](NUMPY["ravel"](a), NUMPY["ravel"](b)),
    "einsum_path": lambda *operands, optimize="greedy": (True, ""),  # where it is passed on it makes no difference
})  # fmt: skip
for _table in (NUMPY, LINALG):
    rows({"vecdot": lambda a, b, axis=-1: NUMPY["sum"](NUMPY["multiply"](a, b), axis=axis)}, _table, composed=True)


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


@provides("tensordot", composed=True)
@provides("tensordot", table=LINALG, composed=True)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = lifted(a), lifted(b)
    left, right = (range(x.ndim - axes, x.ndim), range(axes)) if isinstance(axes, int) else axes
    left, right = ([k] if isinstance(k, int) else list(k) for k in (left, right))
    if len(left) != len(right):
        raise ShapeMismatch(f"tensordot: {len(left)} axes against {len(right)}")
    pairs = [(normal_axis(k, x.ndim), normal_axis(p, y.ndim)) for k, p in zip(left, right, strict=True)]
    for k, p in pairs:
        same_size(x.shape[k], y.shape[p], "tensordot", x, y)
    return NUMPY["einsum"]("{},{}->{}".format(*letters_of(x.ndim, y.ndim, pairs)), a, b)


@provides("kron", composed=True)
def kron(a: Any, b: Any) -> Any:
    """The product with interleaved axes, which are merged."""
    a, b = NUMPY["asarray"](a), NUMPY["asarray"](b)
    n = max(a.ndim, b.ndim)
    a, b = (x[(None,) * (n - x.ndim)] if x.ndim < n else x for x in (a, b))
    first, second, _ = letters_of(n, n, ())
    out = "".join(map("".join, zip(first, second, strict=True)))
    product = NUMPY["einsum"](f"{first},{second}->{out}", a, b)
    return NUMPY["reshape"](product, tuple(p * q for p, q in zip(a.shape, b.shape, strict=True)))


rows({"trace": lambda a, offset=0, axis1=0, axis2=1: NUMPY["sum"](NUMPY["diagonal"](a, offset, axis1, axis2), -1)},
     method=True)  # fmt: skip
rows({"trace": lambda x, *, offset=0: NUMPY["trace"](x, offset, -2, -1)}, table=LINALG, composed=True)


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


# --- what libraries have and NumPy has no name for: windows and their products with filters, padding that cuts 


@noted("scattered")
def scattered(like: Any, key: Any, values: Any) -> Any:
    """Zeros like `like` with the values added at the key; a place that the key names twice gets both."""
    target = NUMPY["zeros_like"](like)
    NUMPY["add"].at(target, key, values)
    return target


@noted("strided_windows")
def strided_windows(x: Any, kernel: tuple[Any, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> Any:
    """Windows along the last axes, x[..., s i + d j, ...], with their places j as new last axes."""
    v = lifted(x)
    widths = tuple(size_of(k, "a window") for k in kernel)
    return SymArray(windows(v, widths, range(v.ndim - len(widths), v.ndim), stride, dilation))


@noted("added_windows")
def added_windows(
    windows: Any, like: Any, axes: tuple[int, ...], stride: tuple[int, ...] = (), dilation: tuple[int, ...] = ()
) -> Any:
    """Windows of these axes (their entries on the last axes) added up where they came from."""
    v, shape = lifted(windows), lifted(like).shape
    rank = len(shape)
    steps = list(zip(axes, stride or (1,) * len(axes), dilation or (1,) * len(axes), strict=True))

    def term(at: At) -> Any:
        starts, inside = {a: dummy(v.shape[a]) for a in axes}, [dummy(n) for n in v.shape[rank:]]
        places = [starts.get(k, at[k]) for k in range(rank)]
        here = [Delta(at[a], affine(0, [(starts[a], s), (j, d)])) for (a, s, d), j in zip(steps, inside, strict=True)]
        total: Term = times(v.term((*places, *inside)), *here)
        for i in reversed([*starts.values(), *inside]):
            total = over(i, total)
        return total

    return SymArray(Value(shape, "real", term))


def padded(x: Any, widths: Sequence[tuple[Any, Any]], fill: Any) -> Any:
    """Entries before and after those of each axis; negative numbers cut entries off."""
    if any(negative(e) for pair in widths for e in pair):
        x = x[tuple(slice(-a if negative(a) else None, b if negative(b) else None) for a, b in widths)]
    grown = [tuple(0 if negative(e) else e for e in pair) for pair in widths]
    if all(isinstance(e, int) and e == 0 for pair in grown for e in pair):
        return NUMPY["copy"](x)
    return NUMPY["pad"](x, grown, constant_values=fill)


def negative(n: Any) -> bool:
    return isinstance(n, int) and n < 0


def correlated(patches: Any, w: Any, channels: Any = 1, samples: Any = 1) -> Any:
    """Windows times filters: (samples, channels, places, inside) and (channels of the result, channels, inside).

    The channels, or the samples, and the filters may stand in groups.
    """
    rank = w.ndim - 2
    out, inner = "pqrs"[:rank], "uvwx"[:rank]
    if all(isinstance(n, int) and n == 1 for n in (channels, samples)):
        return NUMPY["einsum"](f"nc{out}{inner},oc{inner}->no{out}", patches, w)
    n, c, *places = patches.shape
    groups, first = (samples, "gnc") if isinstance(channels, int) and channels == 1 else (channels, "ngc")
    shape = (groups, n // groups, c, *places) if first == "gnc" else (n, groups, c // groups, *places)
    filters = NUMPY["reshape"](w, (groups, w.shape[0] // groups, *w.shape[1:]))
    found = NUMPY["einsum"](f"{first}{out}{inner},goc{inner}->ngo{out}", NUMPY["reshape"](patches, shape), filters)
    return NUMPY["reshape"](found, (found.shape[0], w.shape[0], *found.shape[3:]))
