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
