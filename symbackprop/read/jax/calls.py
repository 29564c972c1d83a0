"""Primitives that run inner jaxprs: jit, custom_jvp_call, remat, cond, scan, while."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symbackprop.read.numpy import TraceError
from symbackprop.read.numpy.context import LINALG
from symbackprop.read.numpy.copying import Copier

from .entries import choice
from .registry import LAX, Step, as_array, call, cast, kind_of, settled_truth
from .sizes import of_library

UNROLLED = 256  # rounds of a loop whose count is a number


LINEAR_ALGEBRA = ("inv", "det", "slogdet", "solve")  # of jax.numpy.linalg, as the NumPy reader has them


@LAX("jit", "pjit", "closed_call", "core_call", "remat", "remat2", "checkpoint")
def inner(step: Step, *operands: Any) -> list[Any]:
    jaxpr = step.params.get("jaxpr") or step.params["call_jaxpr"]
    name = step.params.get("name")
    if name not in LINEAR_ALGEBRA or not of_linear_algebra(jaxpr):
        return step.run(jaxpr, *operands)
    found = LINALG[name](*map(as_array, operands))
    return list(found) if name == "slogdet" else [found]


def of_linear_algebra(jaxpr: Any) -> bool:
    """Whether it is a function of JAX's own, which is known by its file."""
    written = getattr(getattr(jaxpr, "jaxpr", jaxpr), "debug_info", None)
    filename = str(getattr(written, "func_filename", None) or "")
    return of_library(filename) and Path(filename).parts[-2:] == ("numpy", "linalg.py")


@LAX("custom_jvp_call", "custom_vjp_call", "custom_vjp_call_jaxpr")
def custom(step: Step, *operands: Any) -> list[Any]:
    """The function itself: its own rule is no part of what it computes."""
    params = step.params
    return step.run(params.get("call_jaxpr") or params.get("fun_jaxpr") or params["jaxpr"], *operands)


LAX.rows({
    "name sharding_constraint mesh_cast": lambda step, x: x,
    "dim_as_value": lambda step: step.size(step.params["dim"]),
})  # fmt: skip
LAX.rows(
    {"stop_gradient": lambda step, x: step.evaluation.held(x)},
    where="in what is differentiated the value counts as a constant, and the verdict says so",
)
LAX.rows(
    {"platform_index": lambda step: [names is None for names in step.params["platforms"]].index(True)},
    where="the branch for platforms that are not named",
)


@LAX("cond")
def cond(step: Step, index: Any, *operands: Any) -> list[Any]:
    """The branch of this number; where it depends on the data, the branches entry by entry."""
    branches = step.params["branches"]
    places = [call("less_equal" if k == 0 else "equal", index, k) for k in range(len(branches) - 1)]
    known = [settled_truth(here) for here in places]
    if True in known:
        return step.run(branches[known.index(True)], *operands)
    results = step.run(branches[-1], *operands)
    for k in reversed(range(len(places))):
        if known[k] is None:
            found = step.run(branches[k], *operands)
            results = [choice(places[k], a, b) for a, b in zip(found, results, strict=True)]
    return results


@LAX("while", where="a count that is a number")
def while_loop(step: Step, *operands: Any) -> list[Any]:
    p = step.params
    a, b = p["cond_nconsts"], p["cond_nconsts"] + p["body_nconsts"]
    for_condition, for_body, carry = operands[:a], operands[a:b], list(operands[b:])
    for _ in range(UNROLLED):
        (more,) = step.run(p["cond_jaxpr"], *for_condition, *carry)
        known = settled_truth(more)
        if known is None:
            raise TraceError("a while loop whose end depends on the data or on the sizes")
        if not known:
            return carry
        carry = step.run(p["body_jaxpr"], *for_body, *carry)
    raise TraceError(f"a while loop of more than {UNROLLED} rounds")


@LAX("scan", where="over a symbolic length where the NumPy reader knows what such a loop computes")
def scan(step: Step, *operands: Any) -> list[Any]:
    p = step.params
    constants, count = p["num_consts"], step.size(p["length"])
    carry = list(operands[constants : constants + p["num_carry"]])
    body = Body(step, operands[:constants], len(carry))
    scanned = [as_array(x) for x in operands[constants + len(carry) :]]
    if isinstance(count, int):
        return unrolled(body, carry, scanned, count, p["reverse"])
    return looped(body, carry, scanned, count, p["reverse"])


class Body:
    """One round: (carry, rows of the scanned arrays) to (carry, rows of the results)."""

    def __init__(self, step: Step, constants: Sequence[Any], carried: int) -> None:
        self.step, self.constants, self.carried = step, tuple(constants), carried
        inner = step.params["jaxpr"]
        self.results = [v.aval for v in inner.jaxpr.outvars[carried:]]
        self.kinds = [kind_of(aval.dtype) for aval in self.results]

    def __call__(self, carry: Sequence[Any], rows: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        found = self.step.run(self.step.params["jaxpr"], *self.constants, *carry, *rows)
        return found[: self.carried], found[self.carried :]

    def empty(self, count: Any) -> list[Any]:
        """Arrays for the results of all rounds."""
        return [
            cast(call("zeros", (count, *self.step.sizes(aval.shape))), kind)
            for aval, kind in zip(self.results, self.kinds, strict=True)
        ]


def unrolled(body: Body, carry: list[Any], rows: list[Any], count: int, reverse: bool) -> list[Any]:
    if count > UNROLLED:
        raise TraceError(f"a scan of {count} rounds; at most {UNROLLED} are unrolled")
    kept: list[list[Any]] = []
    for t in reversed(range(count)) if reverse else range(count):
        carry, found = body(carry, [x[t] for x in rows])
        kept.append(found)
    if not kept:
        return [*carry, *body.empty(0)]
    return [*carry, *(call("stack", list(column)) for column in zip(*(kept[::-1] if reverse else kept), strict=True))]


def looped(body: Body, carry: list[Any], rows: list[Any], count: Any, reverse: bool) -> list[Any]:
    """The NumPy reader's own loop: it runs in a copy of `rounds`, whose variables it can see."""
    results = body.empty(count)
    Copier().convert(rounds)(body, carry, rows, results, count, reverse)
    return [*carry, *results]


def rounds(body: Any, carry: Any, rows: Any, results: Any, count: Any, reverse: Any) -> None:
    for k in range(count):
        t = count - 1 - k if reverse else k
        after, found = body(carry, [x[t] for x in rows])
        for n, new in enumerate(after):
            carry[n] = new
        for n, new in enumerate(found):
            results[n][t] = new


FACTORS = "is a factorisation, which has no index term: inv, det, slogdet and solve of jax.numpy.linalg are read"
LAX.refuses(
    "custom_root", "custom_linear_solve", "lu", "lu_pivots_to_permutation", "qr", "geqrf", "householder_product", "svd",
    "eig", "eigh", "schur", "triangular_solve", "cholesky", "cholesky_update", "tridiagonal_solve", "hessenberg",
    "tridiagonal", because=FACTORS,
)  # fmt: skip
LAX.refuses("pure_callback", "io_callback", "debug_callback", "pallas_call", "xla_call", "custom_call", "ffi_call",
        because="runs code that JAX does not show")  # fmt: skip
