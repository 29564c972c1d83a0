"""Every rule of a vector-Jacobian product is a theorem for all sizes; altered ones are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from symbackprop.gradients.derived import derived
from symbackprop.gradients.rules import RULES
from symbackprop.read.numpy import parse_shapes, trace_assumptions
from symbackprop.write.program.source import Program

Function = Callable[..., Any]
TABLE: dict[str, tuple[Function, dict[str, str], Function | None]] = {
    "add": (lambda a, b: a + b, {"a": "n m", "b": "m"}, None),
    "add a column": (lambda a, b: a + b, {"a": "n 1", "b": "n m"}, None),
    "add a number": (lambda a, b: a + b, {"a": "n", "b": ""}, None),
    "subtract": (lambda a, b: a - b, {"a": "m", "b": "n m"}, None),
    "multiply": (lambda a, b: a * b, {"a": "n m", "b": "n 1"}, None),
    "divide": (lambda a, b: a / b, {"a": "n m", "b": "m"}, lambda a, b: [b > 0]),
    "negative": (lambda a: -a, {"a": "n"}, None),
    "power 2": (lambda a: a**2, {"a": "n"}, None),
    "power 5": (lambda a: a**5, {"a": "n"}, None),
    "power -1": (lambda a: a**-1.0, {"a": "n"}, lambda a: [a > 0]),
    "power 1/2": (lambda a: a**0.5, {"a": "n"}, lambda a: [a > 0]),
    "power -1/2": (lambda a: a**-0.5, {"a": "n"}, lambda a: [a > 0]),
    "power -3/2": (lambda a: a**-1.5, {"a": "n"}, lambda a: [a > 0]),
    "power of an array": (lambda a, b: a**b, {"a": "n", "b": "n"}, lambda a: [a > 0]),
    "power of a number": (lambda a, b: a**b, {"a": "n m", "b": ""}, lambda a: [a > 0]),
    "var of two axes": (lambda a: a.var((1, 2)), {"a": "n m k"}, None),
    "var of images": (lambda a: a.var(axis=(2, 3), keepdims=True), {"a": "n c h w"}, None),
    "std of two axes": (lambda a: a.std((0, 1)), {"a": "n m k"}, None),
    "tan": (lambda a: np.tan(a), {"a": "n"}, None),
    "arcsin": (lambda a: np.arcsin(a), {"a": "n"}, lambda a: [a > -1, 1 - a > 0]),
    "arccos": (lambda a: np.arccos(a), {"a": "n"}, lambda a: [a > -1, 1 - a > 0]),
    "exp2": (lambda a: np.exp2(a), {"a": "n"}, None),
    "log2": (lambda a: np.log2(a), {"a": "n"}, lambda a: [a > 0]),
    "log10": (lambda a: np.log10(a), {"a": "n"}, lambda a: [a > 0]),
    "logit": (lambda a: special.logit(a), {"a": "n"}, lambda a: [a > 0, 1 - a > 0]),
    "erfc": (lambda a: special.erfc(a), {"a": "n"}, None),
    "ndtr": (lambda a: special.ndtr(a), {"a": "n"}, None),
    "entr": (lambda a: special.entr(a), {"a": "n"}, lambda a: [a > 0]),
    "hypot": (lambda a, b: np.hypot(a, b), {"a": "n m", "b": "m"}, lambda a, b: [a > 0, b > 0]),
    "xlogy": (lambda a, b: special.xlogy(a, b), {"a": "n", "b": "n"}, lambda a, b: [a > 0, b > 0]),
    "rel_entr": (lambda a, b: special.rel_entr(a, b), {"a": "n", "b": "n"}, lambda a, b: [a > 0, b > 0]),
    "repeat": (lambda a: np.repeat(a, 2, axis=0), {"a": "n m"}, None),
    "tile": (lambda a: np.tile(a, (2, 3)), {"a": "n m"}, None),
    "square": (np.square, {"x": "n"}, None),
    "reciprocal": (np.reciprocal, {"x": "n"}, lambda x: [x > 0]),
    "sqrt": (np.sqrt, {"x": "n"}, lambda x: [x > 0]),
    "exp": (np.exp, {"x": "n"}, None),
    "expm1": (np.expm1, {"x": "n"}, None),
    "log": (np.log, {"x": "n"}, lambda x: [x > 0]),
    "log1p": (np.log1p, {"x": "n"}, lambda x: [x > 0]),
    "tanh": (np.tanh, {"x": "n"}, None),
    "sinh": (np.sinh, {"x": "n"}, None),
    "cosh": (np.cosh, {"x": "n"}, None),
    "sin": (np.sin, {"x": "n"}, None),
    "cos": (np.cos, {"x": "n"}, None),
    "arctan": (np.arctan, {"x": "n"}, None),
    "expit": (special.expit, {"x": "n"}, None),
    "log_expit": (special.log_expit, {"x": "n"}, None),
    "erf": (special.erf, {"x": "n"}, None),
    "logaddexp": (np.logaddexp, {"a": "n", "b": "n"}, None),
    "absolute": (np.abs, {"x": "n"}, None),
    "maximum": (lambda a, b: np.maximum(a, b), {"a": "n m", "b": "m"}, None),
    "relu": (lambda a: np.maximum(a, 0), {"a": "n"}, None),
    "minimum": (lambda a, b: np.minimum(a, b), {"a": "n", "b": "n"}, None),
    "clip": (lambda a: np.clip(a, -1, 1), {"a": "n"}, None),
    "where": (lambda a, b, c: np.where(c > 0, a, b), {"a": "n", "b": "n", "c": "n"}, None),
    "sum": (lambda a: a.sum(), {"a": "n m"}, None),
    "sum of an axis": (lambda a: a.sum(0), {"a": "n m"}, None),
    "sum of the last axis": (lambda a: a.sum(-1), {"a": "n m"}, None),
    "sum kept": (lambda a: a.sum(1, keepdims=True), {"a": "n m k"}, None),
    "sum of two axes": (lambda a: a.sum((0, 2)), {"a": "n m k"}, None),
    "mean": (lambda a: a.mean(1), {"a": "n m"}, None),
    "var": (lambda a: a.var(0), {"a": "n m"}, None),
    "var with ddof": (lambda a: a.var(0, ddof=1), {"a": "n m"}, None),
    "std": (lambda a: a.std(-1), {"a": "n m"}, None),
    "logsumexp": (lambda a: special.logsumexp(a, axis=-1), {"a": "n m"}, None),
    "logsumexp of all": (lambda a: special.logsumexp(a), {"a": "n"}, None),
    "softmax": (lambda a: special.softmax(a, axis=-1), {"a": "n m"}, None),
    "log_softmax": (lambda a: special.log_softmax(a, axis=0), {"a": "n m"}, None),
    "norm": (lambda a: np.linalg.norm(a), {"a": "n"}, None),
    "norm of rows": (lambda a: np.linalg.norm(a, axis=1), {"a": "n m"}, None),
    "cumsum": (lambda a: np.cumsum(a, axis=1), {"a": "n m"}, None),
    "matmul": (lambda a, b: a @ b, {"a": "n m", "b": "m k"}, None),
    "matrix and vector": (lambda a, b: a @ b, {"a": "n m", "b": "m"}, None),
    "vector and matrix": (lambda a, b: a @ b, {"a": "n", "b": "n m"}, None),
    "vectors": (lambda a, b: a @ b, {"a": "n", "b": "n"}, None),
    "matmul in a batch": (lambda a, b: a @ b, {"a": "s n m", "b": "s m k"}, None),
    "matmul with one matrix": (lambda a, b: a @ b, {"a": "s n m", "b": "m k"}, None),
    "einsum": (lambda a, b: np.einsum("bij,jk->bki", a, b), {"a": "b i j", "b": "j k"}, None),
    "outer": (lambda a, b: np.outer(a, b), {"a": "n", "b": "m"}, None),
    "inner": (lambda a, b: np.inner(a, b), {"a": "n", "b": "n"}, None),
    "trace": (lambda a: np.trace(a), {"a": "n n"}, None),
    "diagonal of a matrix": (lambda a: np.diag(a), {"a": "n n"}, None),
    "diagonal by its method": (lambda a: a.diagonal(), {"a": "n n"}, None),
    "diagonal matrix": (lambda a: np.diag(a), {"a": "n"}, None),
    "inv": (lambda a: np.linalg.inv(a), {"a": "n n"}, None),
    "solve": (lambda a, b: np.linalg.solve(a, b), {"a": "n n", "b": "n"}, None),
    "solve for several": (lambda a, b: np.linalg.solve(a, b), {"a": "n n", "b": "n m"}, None),
    "det": (lambda a: np.linalg.det(a), {"a": "n n"}, None),
    "slogdet": (lambda a, s: s * np.linalg.slogdet(a)[1], {"a": "n n", "s": ""}, None),
    "T": (lambda a: a.T, {"a": "n m"}, None),
    "transpose": (lambda a: a.transpose(1, 2, 0), {"a": "n m k"}, None),
    "swapaxes": (lambda a: np.swapaxes(a, 0, 1), {"a": "n m k"}, None),
    "moveaxis": (lambda a: np.moveaxis(a, 0, 2), {"a": "n m k"}, None),
    "reshape": (lambda a: a.reshape(a.shape[0], -1), {"a": "n m k"}, None),
    "expand_dims": (lambda a: np.expand_dims(a, 1), {"a": "n m"}, None),
    "squeeze": (lambda a: np.squeeze(a, 1), {"a": "n 1 m"}, None),
    "broadcast_to": (lambda a: np.broadcast_to(a, (3, a.shape[0])), {"a": "n"}, None),
    "flip": (lambda a: np.flip(a, 0), {"a": "n m"}, None),
    "tril": (lambda a: np.tril(a), {"a": "n n"}, None),
    "triu": (lambda a: np.triu(a), {"a": "n n"}, None),
    "concatenate": (lambda a, b: np.concatenate([a, b], axis=1), {"a": "n m", "b": "n k"}, None),
    "stack": (lambda a, b: np.stack([a, b], axis=1), {"a": "n m", "b": "n m"}, None),
    "pad": (lambda a: np.pad(a, ((0, 0), (1, 2))), {"a": "n m"}, None),
    "new axis": (lambda a: a[:, None], {"a": "n m"}, None),
    "slice": (lambda a: a[:, 1:], {"a": "n m+1"}, None),
    "one entry": (lambda a: a[0], {"a": "n m"}, None),
    "gather": (lambda a, t: a[np.arange(len(t)), t], {"a": "n m", "t": "int[m] n"}, None),
    "rows of a table": (lambda a, t: a[t], {"a": "v d", "t": "int[v] n"}, None),
    "take": (lambda a, t: np.take(a, t, axis=0), {"a": "v d", "t": "int[v] n"}, None),
    "added at": (lambda a, b, t: at_chosen(np.add, a, b, t), {"a": "n", "b": "m", "t": "int[n] m"}, None),
    "subtracted at": (lambda a, b, t: at_chosen(np.subtract, a, b, t), {"a": "n", "b": "m", "t": "int[n] m"}, None),
    "windows": (
        lambda a: np.lib.stride_tricks.sliding_window_view(a, 3, axis=1), {"a": "n m+2"}, None,
    ),
}  # fmt: skip


def at_chosen(operation: Any, a: Any, b: Any, t: Any) -> Any:
    out = a * a
    operation.at(out, t, b)
    return out


def prove(f: Function, shapes: dict[str, str], assuming: Function | None) -> Any:
    declared = parse_shapes(shapes)
    variables = [n for n, d in declared.items() if d.values is None]
    hypotheses = {} if assuming is None else dict(enumerate_named(trace_assumptions(assuming, declared)))
    if not hasattr(f, "__code__"):
        g = f
        f = eval(f"lambda {', '.join(shapes)}: g({', '.join(shapes)})", {"g": g})
    return derived(f, declared, variables, hypotheses=hypotheses)


def enumerate_named(hypotheses: Any) -> Any:
    return ((f"h{k}", h) for k, h in enumerate(hypotheses))


@pytest.mark.parametrize("name", TABLE)
def test_a_rule_is_a_theorem(name: str) -> None:
    found = prove(*TABLE[name])
    for variable, theorem in found.theorems.items():
        assert theorem.equation.lhs.wrt.array.name == variable
    assert not any(n.operation == "formula" for n in found.reverse.graph.nodes if n.backward), "by a rule"


def test_every_rule_is_in_the_table() -> None:
    used = set()
    for f, shapes, assuming in TABLE.values():
        used |= {n.operation for n in prove(f, shapes, assuming).reverse.forward}
    aliases = {"true_divide", "positive", "conjugate", "conj", "nan_to_num", "float_power", "pow", "atan", "fmax",
               "fmin", "softplus", "min", "vector_norm", "dot", "vdot", "matrix_transpose", "ravel", "flatten",
               "roll", "setitem", "array", "astype", "max"}  # fmt: skip
    aliases |= {"strided_windows", "added_windows"}  # PyTorch's convolutions are made of them, and tested with it
    assert set(RULES) - used <= aliases

# What is recorded as other operations, which have rules.
COMPOSED: dict[str, tuple[Function, dict[str, str], Function | None]] = {
    "hstack": (lambda a, b: np.hstack([a, b]), {"a": "n m", "b": "n k"}, None),
    "hstack of vectors": (lambda a, b: np.hstack((a, b)), {"a": "n", "b": "m"}, None),
    "vstack": (lambda a, b: np.vstack([a, b]), {"a": "n m", "b": "m"}, None),
    "column_stack": (lambda a, b: np.column_stack([a, b]), {"a": "n m", "b": "n"}, None),
    "tensordot": (lambda a, b: np.tensordot(a, b, axes=([0, 2], [1, 0])), {"a": "n m k", "b": "k n p"}, None),
    "tensordot of an axis": (lambda a, b: np.tensordot(a, b, 1), {"a": "n m", "b": "m k"}, None),
    "kron": (lambda a, b: np.kron(a, b), {"a": "n m", "b": "p q"}, None),
    "trace of a kron": (lambda a, b, c: np.trace(np.kron(a, b) @ c), {"a": "n n", "b": "m m", "c": "n*m n*m"}, None),
    "outer of matrices": (lambda a, b: np.outer(a, b), {"a": "n m", "b": "k"}, None),
    "inner of matrices": (lambda a, b: np.inner(a, b), {"a": "n m", "b": "k m"}, None),
    "vecdot": (lambda a, b: np.vecdot(a, b), {"a": "n m", "b": "n m"}, None),
    "multi_dot": (lambda a, b, c: np.linalg.multi_dot([a, b, c]), {"a": "n m", "b": "m k", "c": "k l"}, None),
    "matrix_power": (lambda a: np.linalg.matrix_power(a, 3), {"a": "n n"}, None),
    "diff": (lambda a: np.diff(a, axis=0), {"a": "n+1 m"}, None),
    "average": (lambda a: np.average(a, axis=0), {"a": "n m"}, None),
    "weighted average": (lambda a, w: np.average(a, axis=1, weights=w), {"a": "n m", "w": "m"}, lambda w: [w > 0]),
    "matrices and a vector": (lambda a, b: a @ b, {"a": "s n m", "b": "m"}, None),
    "a vector and matrices": (lambda a, b: a @ b, {"a": "m", "b": "s m n"}, None),
    "einsum with an ellipsis": (lambda a, b: np.einsum("...i,ij->...j", a, b), {"a": "s n m", "b": "m k"}, None),
    "einsum without an arrow": (lambda a, b: np.einsum("ij,jk", a, b), {"a": "n m", "b": "m k"}, None),
    "fabs": (lambda a: np.fabs(a), {"a": "n"}, None),
    "norm 1": (lambda a: np.linalg.norm(a, 1, axis=1), {"a": "n m"}, None),
    "inverses": (lambda a: np.linalg.inv(a), {"a": "s n n"}, None),
    "determinants": (lambda a: np.linalg.det(a), {"a": "s n n"}, None),
    "log-determinants": (lambda a: np.linalg.slogdet(a)[1], {"a": "s n n"}, None),
    "systems": (lambda a, b: np.linalg.solve(a, b), {"a": "s n n", "b": "s n k"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPOSED)
def test_what_is_made_of_others_has_their_rules(name: str) -> None:
    """And what is recorded in its place has its values: the code of the gradient is compared with differences."""
    f, shapes, assuming = COMPOSED[name]
    found = prove(f, shapes, assuming)
    assert len(found.theorems) == len(shapes)
    assert not any(n.operation == "formula" for n in found.reverse.graph.nodes if n.backward), "by rules"
    program = Program(found.reverse)
    rng, sizes = np.random.default_rng(0), dict(zip("nmkpqls", (3, 2, 4, 2, 3, 2, 2), strict=True))
    drawn = {v: rng.random(tuple(s.at(sizes) for s in d.shape)) + 0.5 for v, d in parse_shapes(shapes).items()}
    g = rng.normal(size=np.shape(f(**drawn)))
    given = [*drawn.values(), *([g] if found.reverse.upstream else [])]
    inputs = tuple((n, found.reverse.declared[n].shape) for n in program.arguments)
    gradients = dict(zip(drawn, program.compiled(inputs).function(*given), strict=True))
    for v, x in drawn.items():
        direction = rng.normal(size=x.shape)
        ends = [np.sum((g if g.shape else 1) * f(**{**drawn, v: x + e * direction})) for e in (1e-6, -1e-6)]
        wanted = (ends[0] - ends[1]) / 2e-6
        assert abs((gradients[v] * direction).sum() - wanted) < 1e-5 * (1 + abs(wanted))
