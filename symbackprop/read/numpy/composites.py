"""Functions recorded as what they are made of, for which there are rules: hstack as concatenate, kron as einsum.

Each takes the arguments of the call; None where this call is recorded as it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from string import ascii_lowercase
from typing import Any

from .array import SymArray
from .context import NUMPY

Composite = Callable[..., Any]


def ndim(x: Any) -> int:
    return x.ndim if isinstance(x, SymArray) else 0


def listed(parts: Any) -> bool:
    return isinstance(parts, tuple | list) and bool(parts) and all(isinstance(p, SymArray) for p in parts)


def hstack(parts: Any) -> Any:
    return NUMPY["concatenate"](parts, axis=0 if ndim(parts[0]) == 1 else 1) if listed(parts) else None


def vstack(parts: Any) -> Any:
    if not listed(parts) or not all(map(ndim, parts)):
        return None
    return NUMPY["concatenate"]([p[None, :] if p.ndim == 1 else p for p in parts], axis=0)


def column_stack(parts: Any) -> Any:
    if not listed(parts) or not all(map(ndim, parts)):
        return None
    return NUMPY["concatenate"]([p[:, None] if p.ndim == 1 else p for p in parts], axis=1)


def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if not ndim(a) or not ndim(b):
        return None
    ours, theirs = (range(ndim(a) - axes, ndim(a)), range(axes)) if isinstance(axes, int) else axes
    sides = (((x,) if isinstance(x, int) else x, ndim(y)) for x, y in ((ours, a), (theirs, b)))
    left, right = ([k % n for k in x] for x, n in sides)
    first = ascii_lowercase[: ndim(a)]
    free = iter(ascii_lowercase[ndim(a) :])
    second = "".join(first[left[right.index(k)]] if k in right else next(free) for k in range(ndim(b)))
    kept = [c for k, c in enumerate(first) if k not in left] + [c for k, c in enumerate(second) if k not in right]
    if not kept:
        return None
    return NUMPY["einsum"](f"{first},{second}->{''.join(kept)}", a, b)


def kron(a: Any, b: Any) -> Any:
    if ndim(a) != 2 or ndim(b) != 2:
        return None
    (m, n), (p, q) = a.shape, b.shape
    return NUMPY["reshape"](NUMPY["einsum"]("ij,kl->ikjl", a, b), (m * p, n * q))


def outer(a: Any, b: Any) -> Any:
    return NUMPY["outer"](a.ravel(), b.ravel()) if ndim(a) and ndim(b) and max(ndim(a), ndim(b)) > 1 else None


def inner(a: Any, b: Any) -> Any:
    return NUMPY["matmul"](a, b.T) if ndim(a) == 2 and ndim(b) == 2 else None


def multi_dot(parts: Any) -> Any:
    return reduce(NUMPY["matmul"], parts) if listed(parts) else None


def matrix_power(a: Any, n: Any) -> Any:
    return reduce(NUMPY["matmul"], [a] * n) if isinstance(n, int) and 2 <= n <= 8 and ndim(a) >= 2 else None


def diff(a: Any, n: Any = 1, axis: Any = -1) -> Any:
    if n != 1 or not ndim(a) or not isinstance(axis, int):
        return None
    lead = (slice(None),) * (axis % ndim(a))
    return NUMPY["subtract"](a[(*lead, slice(1, None))], a[(*lead, slice(None, -1))])


def average(a: Any, axis: Any = None, weights: Any = None) -> Any:
    if weights is None:
        return NUMPY["mean"](a, axis=axis)
    if not ndim(a) or ndim(weights) not in (1, ndim(a)) or (axis is None and ndim(weights) != ndim(a)):
        return None
    if ndim(weights) < ndim(a):
        total = NUMPY["sum"](weights)
        weights = weights[tuple(slice(None) if k == axis % ndim(a) else None for k in range(ndim(a)))]
    else:
        total = NUMPY["sum"](weights, axis=axis)
    return NUMPY["divide"](NUMPY["sum"](NUMPY["multiply"](a, weights), axis=axis), total)


def matmul(a: Any, b: Any) -> Any:
    """A stack of matrices with one vector."""
    letters = ascii_lowercase
    if ndim(b) == 1 and 3 <= ndim(a):
        first = letters[: ndim(a)]
        return NUMPY["einsum"](f"{first},{first[-1]}->{first[:-1]}", a, b)
    if ndim(a) == 1 and 3 <= ndim(b):
        second = letters[: ndim(b)]
        return NUMPY["einsum"](f"{second[-2]},{second}->{second[:-2]}{second[-1]}", a, b)
    return None


def einsum(spec: Any, *operands: Any, **options: Any) -> Any:
    """With all letters written: no ellipsis, and the result said."""
    if not isinstance(spec, str) or not all(map(ndim, operands)) or options.keys() - {"optimize"}:
        return None
    words, arrow, result = spec.replace(" ", "").partition("->")
    parts = words.split(",")
    if (arrow and "." not in spec) or len(parts) != len(operands):
        return None
    unused = [c for c in ascii_lowercase if c not in spec]
    spread = [ndim(o) - len(p.replace("...", "")) if "..." in p else 0 for p, o in zip(parts, operands, strict=True)]
    for_dots = "".join(unused[: max(spread)])
    written = [p.replace("...", for_dots[len(for_dots) - n :]) for p, n in zip(parts, spread, strict=True)]
    if not arrow:
        every = words.replace(",", "").replace("...", "")
        result = ("..." if for_dots else "") + "".join(sorted(c for c in set(every) if every.count(c) == 1))
    return NUMPY["einsum"](f"{','.join(written)}->{result.replace('...', for_dots)}", *operands)


def fabs(a: Any) -> Any:
    return NUMPY["absolute"](a)


def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    """The sum of absolute values of a vector."""
    if ord != 1 or not (ndim(a) == 1 or isinstance(axis, int)):
        return None
    return NUMPY["sum"](NUMPY["absolute"](a), axis=axis, keepdims=keepdims)


def vecdot(a: Any, b: Any, axis: Any = -1) -> Any:
    return NUMPY["sum"](NUMPY["multiply"](a, b), axis=axis) if axis == -1 and ndim(a) == ndim(b) > 1 else None


COMPOSITES: dict[str, Composite] = {
    f.__name__: f
    for f in (hstack, vstack, column_stack, tensordot, kron, outer, inner, multi_dot, matrix_power, diff, average,
              matmul, einsum, fabs, norm, vecdot)
}  # fmt: skip


def composed(operation: str, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """The result of such a call, by recorded operations; None where it is to be recorded as it stands."""
    composite = COMPOSITES.get(operation)
    try:
        return None if composite is None else composite(*args, **options)
    except (TypeError, ValueError):
        return None
