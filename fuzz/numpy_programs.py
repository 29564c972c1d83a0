"""Random NumPy programs: what the tracer reads in them against what NumPy computes.

    python fuzz/numpy_programs.py [--seed 0] [--seconds 60] [--programs 100000] [--show]

Programs have views, in-place writes, gathers, masks, reshapes, loops, dtypes, reductions with their options,
broadcasting and einsum.  Each is traced once for all sizes; NumPy runs it at sizes from 1 to 4, and the traced terms
are evaluated there.  A program counts as

    agreed    the same numbers (or no value on both sides) at all sizes tried
    refused   the tracer says that it does not understand it
    valueless the term has no value where NumPy has one: the reading is narrower than NumPy
    noted     another number, with a note of the reading that says why (a mask constant that is taken for -inf)
    wrong     another number, another shape, a number where NumPy raises or has none

Exit code 1 if anything is wrong; a wrong program is shortened before it is printed.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import Array
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.numbers.floats import FloatEvaluation
from symbackprop.numbers.points import Point
from symbackprop.read.numpy import ShapeMismatch, TraceError, parse_shapes, trace

SHAPES = {
    "x": "n m", "y": "n m", "w": "m k", "t": "n", "u": "m", "a": "", "idx": "int[n] m", "lab": "int[m] n", "s": "n n",
}  # fmt: skip
SIZES = ((1, 1, 1), (1, 3, 2), (3, 1, 2), (2, 3, 4), (4, 2, 1), (3, 4, 2), (2, 2, 2), (1, 1, 3))
PROBES = ((3, 4, 2), (2, 5, 3))
HEADER = "def f(" + ", ".join(SHAPES) + "):\n    n, m, k = x.shape[0], x.shape[1], w.shape[1]\n"
AGREED, REFUSED, VALUELESS, NOTED, WRONG = "agreed", "refused", "valueless", "noted", "wrong"


def arguments(sizes: tuple[int, int, int], seed: int) -> dict[str, Any]:
    """Entries that are multiples of 1/8 of both signs, some equal, some 0."""
    n, m, k = sizes
    draw = np.random.default_rng(seed)

    def real(*shape: int) -> Any:
        return draw.integers(-12, 13, size=shape) / 8.0

    return {"x": real(n, m), "y": real(n, m), "w": real(m, k), "t": real(n), "u": real(m), "a": float(real(1)[0]),
            "idx": draw.integers(0, n, size=m), "lab": draw.integers(0, m, size=n), "s": real(n, n)}  # fmt: skip


# --- programs --------------------------------------------------------------------------------

UNARY = (
    "np.tanh({0})", "np.abs({0})", "np.square({0})", "-{0}", "np.sign({0})", "np.exp(-np.abs({0}))",
    "~({0} > 0)", "np.maximum({0}, 0)", "np.sqrt(np.abs({0}) + 1)", "1 / (2 + np.sin({0}))", "{0} ** 2",
    "{0} ** 3", "np.clip({0}, -0.5, 0.75)", "1.0 * ({0} > 0.25)", "({0} != 0)", "np.log({0})", "1 / {0}",
    "np.sqrt({0})", "np.minimum({0}, 0.5)", "np.where({0} > 0, {0}, 0.1 * {0})", "np.logical_not({0} > 0)",
    "{0} * 1.0", "+{0}", "np.heaviside({0}, 0.5)", "np.nan_to_num({0})", "np.fmax({0}, 0.25)",
    "np.isfinite({0})", "np.cbrt({0})", "{0} ** -1.0", "np.reciprocal({0})", "{0} ** 0.5",
    "np.where({0} > 0, np.log(np.abs({0}) + 1), {0})", "np.isclose({0}, 0.25, atol=0.2)", "{0}.copy()",
    "np.positive({0})", "abs({0})",
)  # fmt: skip
BINARY = (
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "np.maximum({0}, {1})", "np.minimum({0}, {1})", "({0} > {1})",
    "({0} <= {1})", "({0} == {1})", "np.where({0} > {1}, {0}, {1})", "np.where({0} > 0, {1}, 2.0)",
    "({0} > 0) * {1}", "({0} > 0) & ({1} > 0)", "({0} > 0) | ({1} > 0)", "({0} > 0) + ({1} > 0)",
    "({0} > 0) ^ ({1} > 0)", "{0} / (1 + {1} * {1})", "{0} / {1}", "np.hypot({0}, {1})",
    "np.multiply({0}, {1})", "np.logical_and({0}, {1})", "({0} > 0) * ({1} > 0)", "np.fmin({0}, {1})",
    "np.where({0} > 0, {1}, -1e9)", "({0} >= {1}) * np.log({0})", "np.add({0}, {1}, out=np.zeros_like({0}))",
    "np.where({0} > 0, 1, {1})", "{0} // {1}", "{0} % {1}", "np.power({0}, {1})",
)  # fmt: skip
PRODUCTS = (
    "{0} @ {1}", "np.dot({0}, {1})", "{0} @ {1}.T", "{0}.T @ {1}", "np.outer({0}, {1})", "np.inner({0}, {1})",
    "np.einsum('ij,jk->ik', {0}, {1})", "np.einsum('ij,ij->i', {0}, {1})", "np.einsum('ij,kj->ik', {0}, {1})",
    "np.einsum('i,i->', {0}, {1})", "np.einsum('i,j->ij', {0}, {1})", "np.einsum('ij,j->i', {0}, {1})",
    "np.einsum('ij,i->j', {0}, {1})", "np.tensordot({0}, {1}, axes=1)", "np.vdot({0}, {1})",
    "np.kron({0}, {1})", "({0} > 0) @ ({1} > 0)", "({0} > 0).T @ ({1} > 0)", "np.dot({0} > 0, {1})",
    "np.einsum('ij,jk->ik', {0} > 0, {1} > 0)", "np.einsum('...j,j->...', {0}, {1})",
    "np.tensordot({0}, {1}, axes=([0], [0]))",
)  # fmt: skip
REDUCED = (
    "{0}.sum()", "{0}.sum(axis=0)", "{0}.sum(axis=-1, keepdims=True)", "{0}.mean(axis=0)", "{0}.mean()",
    "{0}.max(axis=-1, keepdims=True)", "{0}.max()", "{0}.min(axis=0)", "np.prod({0}, axis=-1)",
    "({0} > 0).any(axis=0)", "({0} > 0).all(axis=-1)", "np.cumsum({0}, axis=0)", "np.cumsum({0}, axis=-1)",
    "np.sum({0}, axis=0, initial=2.0)", "np.max({0}, axis=0, initial=0.5)", "np.sum({0}, where={0} > 0)",
    "np.prod({0}, axis=0, where={0} > 0.25)", "np.max({0}, axis=-1, where={0} > 0, initial=-1.0)",
    "({0} > 0).sum(axis=0)", "({0} > 0).mean()", "np.var({0}, axis=0)", "np.std({0}, axis=-1)", "len({0})",
    "np.count_nonzero({0}, axis=0)", "np.linalg.norm({0})", "np.cumprod({0}, axis=-1)", "np.ptp({0}, axis=0)",
    "np.add.reduce({0} > 0, axis=0)", "np.logical_or.reduce({0} > 0, axis=0)", "np.trace({0})",
    "np.maximum.reduce({0}, axis=0)", "np.average({0}, axis=0)", "np.nansum({0})", "np.nanmax({0}, axis=0)",
    "np.nansum(np.log({0}))", "sum({0})", "np.einsum('ij->j', {0})", "np.einsum('ii', {0})", "np.diff({0})",
    "np.linalg.norm({0}, axis=0)", "np.allclose({0}, {0})", "({0} > 0).max(axis=0)",
    "np.mean({0}, dtype=float)", "np.sum({0} > 0, dtype=int)", "{0}.sum(dtype=float)",
    "np.sum({0} > 0, dtype=np.int8)", "np.exp({0} - {0}.max(axis=-1, keepdims=True))", "({0} > 0).cumsum()",
    "np.any({0})",
)  # fmt: skip
VIEWS = (
    "{0}.T", "{0}[::-1]", "{0}[1:]", "{0}[:-1]", "{0}[0]", "{0}[-1]", "{0}[..., None]", "{0}[:, 0]",
    "{0}[None]", "{0}.reshape(-1)", "{0}.ravel()", "{0}.swapaxes(0, 1)", "np.diagonal({0})",
    "np.einsum('ij->ji', {0})", "np.einsum('ii->i', {0})", "np.expand_dims({0}, 0)", "np.flip({0}, -1)",
    "{0}.reshape(m, n)", "{0}[:, ::-1]", "np.asarray({0})", "np.ascontiguousarray({0})",
    "{0}.astype(float, copy=False)", "np.atleast_2d({0})", "np.atleast_1d({0})", "np.moveaxis({0}, 0, -1)",
    "{0}[:, 1:]", "{0}[:1]", "{0}.reshape(n, -1)", "{0}.flatten()", "np.array({0})",
    "np.array({0}, copy=None)", "{0}[...]", "np.squeeze({0}[None], axis=0)", "{0}.squeeze()",
    "np.reshape({0}, (1, -1))", "{0}.astype(np.float32, copy=False)", "np.asarray({0}, dtype=float)",
    "{0}[()]", "np.einsum('i->i', {0})", "np.broadcast_to({0}, (2, *{0}.shape))", "{0}.real", "np.rot90({0})",
    "{0}[1:-1]", "np.split({0}, 1)[0]", "np.ravel({0}.T)", "{0}.T.reshape(-1)", "np.copy({0})",
    "{0}.transpose()", "np.rollaxis({0}, 1)", "{0}[0:n]", "{0}[-1:]", "np.asfortranarray({0})",
    "{0}.reshape(-1, 1)",
)  # fmt: skip
GATHERS = (
    "{0}[lab]", "{0}[idx]", "{0}[np.arange(n), lab]", "{0}[:, idx]", "np.take({0}, lab, axis=1)",
    "np.take_along_axis({0}, lab[:, None], axis=1)", "{0}[lab][:, 0]", "np.eye(m)[lab]", "{0}[[0, 0]]",
    "(np.arange(m) == lab[:, None])", "np.take({0}, 0, axis=0)", "{0}[np.arange(n)[::-1]]",
    "{0}[lab, np.arange(n)]", "{0}[idx[:, None], lab[:1]]", "np.bincount(lab, minlength=m)",
    "{0}.argmax(axis=-1)", "np.argmin({0}, axis=0)", "np.argmax({0})", "{0}[np.argmax({1}, axis=0)]",
    "{0}[np.arange(n), {0}.argmax(axis=1)]", "np.argsort({0}, kind='stable')", "np.sort({0}, axis=0)",
    "np.sort({0})[..., -1]",
    "np.take_along_axis({0}, np.argsort({0}, axis=-1, kind='stable'), axis=-1)", "{0}[np.argmax(t)]",
    "np.argsort(np.argsort({0}, kind='stable'), kind='stable')", "np.unravel_index(np.argmax({0}), {0}.shape)[0]",
    "np.arange(m) == np.argmax({0}, axis=-1)[..., None]", "np.argmax({0}, axis=0) + lab",
    "{0}[np.argsort(t, kind='stable')[:1]]",
)  # fmt: skip
MADE = (
    "np.arange(n)", "np.arange(m)[::-1]", "np.zeros((n, m))", "np.ones(m)", "np.eye(n)", "np.tri(n)",
    "np.eye(n, m)", "np.zeros_like({0})", "np.ones_like({0})", "np.full((n, m), 0.5)", "np.tril({0})",
    "np.triu({0}, 1)", "np.diag({0})", "np.pad({0}, 1)", "np.roll({0}, 1, axis=0)", "np.tile({0}, 2)",
    "np.repeat({0}, 2, axis=0)", "np.concatenate([{0}, {1}])", "np.stack([{0}, {1}])",
    "np.concatenate([{0}, {1}], axis=1)", "np.array([a, 1.0])", "np.vstack([{0}, {1}])",
    "np.hstack([{0}, {1}])", "np.arange(n, dtype=float)", "np.linspace(0, 1, m + 1)", "np.arange(1, n)",
    "a ** np.arange(n)", "{0} ** np.arange(m)", "(-1) ** np.arange(m)", "2.0 ** np.arange(n)",
    "a ** np.arange(n)[::-1]", "np.tril(np.ones((n, n), dtype=bool))", "np.where(np.eye(n) > 0, {0}, 0)",
    "np.pad({0}, ((0, 0), (1, 0)))", "np.triu(np.full((n, n), -1e9), 1)", "np.linspace(-1, 1, m)",
    "np.eye(n) * {0}", "np.convolve({0}, {1})", "np.full(n, 3)", "np.array([[1, 2], [3, 4]])",
    "np.array([True, False])", "np.array([1, 2], dtype=np.int8)", "np.append({0}, {1})",
    "np.select([{0} > 0.5, {0} < -0.5], [{0}, 1.0], 0.0)", "[v * 2 for v in {0}]",
    "np.array([v * v for v in {0}])", "np.stack([r + 1 for r in {0}])", "n * m", "n / (m + 1)",
    "np.array([{0}[i] * i for i in range(n)])", "sum({0}[i] * i for i in range(n))", "max(n, m)", "n - 1",
    "np.vectorize(lambda v: v * v + 1)({0})", "np.vectorize(lambda v: max(v, 0))({0})",
    "np.vectorize(lambda v: max(v, 0), otypes=[float])({0})", "{0} / n", "(n > 1) * 1", "(n > 1) + (m > 1)",
    "np.apply_along_axis(lambda r: r - r.mean(), 0, {0})", "np.meshgrid({0}, {1})[0]", "x.shape", "{0}.size",
    "np.c_[{0}, {1}]", "np.r_[{0}, {1}]", "np.r_[{0}, 1.5, 0:3]", "int((n - 1) / 1 + 1)", "int(n / 2)",
    "int((2 * n - 1) / 2)",
    "math.floor(n + 0.5)", "np.interp({0}, [-0.5, 0.25, 1.0], [1.0, a, 3.0])", "np.arctan2({0}, {1})",
    "np.clip({0}, -0.25, 0.5)", "np.clip({0}, 0.5, a)", "np.zeros(int((n + 3) / 1))",
    "{{17: 2.0}}.get(n, 1.0)", "len(f'{{n}}')", "[1.0] * (n - 1)", "np.zeros(n - 1)", "np.zeros(n - 2)",
)  # fmt: skip
DTYPES = (
    "({0} > 0).astype(np.int8)", "({0} > 0).astype(int)", "({0} > 0).astype(float)", "{0}.astype(np.float32)",
    "({0} > 0).astype(np.uint8)", "{0}.astype(bool)", "{0}.astype(float)", "np.arange(n) // 2",
    "np.arange(m) % 2", "np.arange(n) * 2 + 1", "np.arange(n)[:, None] - np.arange(m)", "np.arange(n) ** 2",
    "{0}.astype(int)", "np.arange(n) / 2", "np.float64({0})", "np.int8(100)", "lab * 2", "lab - idx[0]",
    "({0} > 0).astype(np.int8) * 100", "({0} > 0).astype(np.uint8) - 1", "np.array([100, 100], dtype=np.int8)",
    "lab == 0", "lab.astype(float)", "-({0} > 0).astype(np.uint8)", "lab ** 2", "2 ** np.arange(n)",
    "np.asarray({0}, dtype=np.float32)", "np.minimum(lab, 1)", "np.abs(lab - 1)", "lab.astype(np.int8)",
    "lab / (n + 1)", "np.sign(lab)", "~(lab > 0)", "lab.sum()", "lab.max()", "np.prod(lab + 1)", "lab.mean()",
    "np.square(lab)", "(lab > 0) * lab",
)  # fmt: skip
WRITES = (
    "{0} += {1}", "{0} -= 0.5", "{0} *= 2", "{0}[...] = {1}", "{0}[0] = {1}", "{0}[1:] += 1",
    "{0}[:, 0] = 2.5", "{0}[lab] += 1", "np.add.at({0}, lab, 1.0)", "{0}[np.arange(n), lab] -= 1",
    "{0}[{0} > 0] = 0", "{0}[::-1] = {1}", "np.fill_diagonal({0}, 7)", "{0}.fill(0.25)",
    "np.multiply({0}, 2, out={0})", "{0} /= 2", "{0}[{0} < 0] *= -1", "{0}[:-1] = {0}[1:]",
    "{0}[1:] = {0}[:-1]", "{0}.flat[0] = 9", "{0}[:, idx] = 0.5", "np.copyto({0}, {1})", "{0} **= 2",
    "{0}.T[0] = 3", "{0}.ravel()[0] = 4", "{0}.reshape(-1)[-1] = 5", "{0} = {0} + {1}",
    "np.einsum('ii->i', {0})[...] = 1", "{0}[lab] = {1}", "np.subtract({0}, {1}, out={0})", "{0}[-1] = {0}[0]",
    "{0} @= {1}", "{0}[0], {0}[-1] = {1}[-1], {1}[0]", "{0} |= {0} > 0", "np.putmask({0}, {0} > 0, 1)",
    "{0}[{0} > 0.5] = {1}[{0} > 0.5]", "{0}[..., None][0] = 6", "np.maximum({0}, 0, out={0})", "{0}[:] = 0",
    "np.put_along_axis({0}, lab[:, None], 2.0, axis=1)", "{0}[lab, 0] = 1",
    "{0}[np.arange(n), {0}.argmax(axis=1)] = 0", "{0}[{1}.argmax(axis=0)] += 1.5",
    "{0}[np.argsort({0}[:, 0], kind='stable')] = {1}",
    "{0}[:, u > 0] = 0.5", "{0}[..., {1} > 0] = 1.5", "{0}[{1} > 0, ...] = 2.5", "{0}[np.triu_indices(n, 1, m)] = 4",
    "{0}[np.tril_indices_from({0}, -1)] -= 1",
    "{0}[np.argmax(t)] = 3", "{0}[np.argmax(t)][0] = 4", "{0}[{0}.argmin()] -= 1",
)  # fmt: skip
LOOPS = tuple(
    """
for i in range(n):
    {0}[i] = {0}[i] * 2

for i in range(n):
    {0}[i] += {1}[i]

{2} = 0.0
for i in range(len({0})):
    {2} += {0}[i]

{2} = []
for r in {0}:
    {2}.append(r * 2)

{2} = 0.0
for i in range(n - 1):
    {2} = {2} + {0}[i] * {0}[i + 1]

{2} = np.zeros(n)
for i in range(n):
    {2}[i] = {0}[i].sum()

for i in range(n):
    for j in range(m):
        {0}[i, j] += i * j

{2} = 1.0
for r in {0}:
    {2} = {2} * r

{2} = 0
for i, r in enumerate({0}):
    {2} = {2} + i * r

{2} = 0
for i in range(2):
    {2} = {2} + {0}[0] * i

for i in range(1, n):
    {0}[i] = {1}[i - 1]

{2} = 0.0
for i in reversed(range(n)):
    {2} = 0.5 * {2} + {0}[i]

{2} = {0}[0]
for r in {0}:
    {2} = np.maximum({2}, r)

for i in range(n):
    {0}[i, lab[i]] -= 1

{2} = 0.0
for i in range(n):
    {2} += {0}[i]
    break

{2} = 0.0
for p, q in zip({0}, {1}):
    {2} = {2} + p * q

{2} = {{}}
for i in range(n):
    {2}[i] = {0}[i]
{2} = sum({2}.values())

for i in range(n):
    if i > 0:
        {0}[i] = 0

{2} = 0
for i in range(n):
    {2} = i

{2} = 0.0
for i in range(n - 2):
    {2} += {0}[i]

for i in range(n):
    np.add.at({0}, lab[i], 1.0)

try:
    {2} = {0}.reshape(2, -1)
except ValueError:
    {2} = {0}

{2} = set()
for i in range(n):
    {2}.add(len({2}))
{2} = len({2})

{2} = 0.0
while n > 3:
    {2} = 1.0
    break

{2} = {0}
for i in range(n):
    {2} = {2} * 0.5

{2} = 1
for i in range(n):
    {2} *= 2
""".strip().split("\n\n")
)
KINDS: tuple[tuple[int, Sequence[str], bool], ...] = (
    (3, UNARY, True), (4, BINARY, True), (3, PRODUCTS, True), (4, REDUCED, True), (5, VIEWS, True), (2, GATHERS, True),
    (3, MADE, True), (2, DTYPES, True), (5, WRITES, False), (2, LOOPS, False),
)  # fmt: skip


@dataclass
class Program:
    """Statements over the arguments and v0, v1, ...; each one ran at the probe sizes."""

    chunks: list[str]

    def source(self, chunks: Sequence[str] | None = None) -> str:
        body = "\n".join(self.chunks if chunks is None else chunks)
        names = sorted({name for name in [*SHAPES, *(f"v{i}" for i in range(40))] if name in body.replace("lab[", "")})
        shown = [v for v in names if v.startswith("v") or v in ("x", "y", "t", "w", "u", "s")]
        text = HEADER + "".join(f"    {line}\n" for line in body.split("\n"))
        return text + f"    return ({', '.join(assigned(shown, body))},)\n"


def assigned(names: Sequence[str], body: str) -> list[str]:
    """Those names that are arguments or were made by a statement."""
    return [v for v in names if v in SHAPES or f"{v} = " in body] or ["a"]


def generate(rng: random.Random) -> Program:
    """Statements that NumPy accepts at the probe sizes, with arrays it has copied first so that it may write."""
    chunks: list[str] = []
    spaces = [probe(sizes) for sizes in PROBES]
    made: list[str] = []
    wanted, tries = rng.randint(2, 7), 0
    while len(chunks) < wanted and tries < 40:
        tries += 1
        _, templates, value = rng.choices(KINDS, [w for w, *_ in KINDS])[0]
        names = [*made, *made, "x", "y", "w", "t", "u", "s"]
        target = f"v{len(made)}"
        template = rng.choice(templates)
        chunk = template.format(rng.choice(names), rng.choice(names), target)
        chunk = f"{target} = {chunk}" if value else chunk
        if runs(chunk, spaces):
            chunks.append(chunk)
            if f"{target} = " in chunk:
                made.append(target)
        else:
            spaces = [replayed(chunks, sizes) for sizes in PROBES]
    return Program(chunks)


def probe(sizes: tuple[int, int, int]) -> dict[str, Any]:
    n, m, k = sizes
    return {"np": np, "math": math, "n": n, "m": m, "k": k, **arguments(sizes, sum(sizes))}


def replayed(chunks: Sequence[str], sizes: tuple[int, int, int]) -> dict[str, Any]:
    space = probe(sizes)
    with np.errstate(all="ignore"):
        for chunk in chunks:
            exec(chunk, space)
    return space


def runs(chunk: str, spaces: Sequence[dict[str, Any]]) -> bool:
    try:
        with np.errstate(all="ignore"):
            code = compile(chunk, "<fuzz>", "exec")
            for space in spaces:
                exec(code, space)
    except Exception:
        return False
    return True


# --- comparing -------------------------------------------------------------------------------


def function_of(source: str) -> Callable[..., Any]:
    names: dict[str, Any] = {"np": np, "math": math}
    exec(compile(source, "<fuzz>", "exec"), names)
    return names["f"]  # type: ignore[no-any-return]


def point(sizes: tuple[int, int, int], given: dict[str, Any]) -> Point:
    reals = {Array(k): entries(v, Fraction) for k, v in given.items() if k not in ("idx", "lab")}
    integers = {k: entries(v, int) for k, v in given.items() if k in ("idx", "lab")}
    return Point(dict(zip("nmk", sizes, strict=True)), reals, integers)  # type: ignore[arg-type]


def entries(v: Any, kind: Callable[[Any], Any]) -> dict[tuple[int, ...], Any]:
    return {at: kind(x.item()) for at, x in np.ndenumerate(np.asarray(v))}


def verdict(source: str, sizes: Sequence[tuple[int, int, int]], seed: int) -> tuple[str, str]:
    """What became of the program, and why."""
    f = function_of(source)
    try:
        traced = trace(f, parse_shapes(SHAPES))
    except ShapeMismatch as error:
        raised = any(isinstance(numpy_at(f, s, seed), Exception) for s in product(range(1, 6), repeat=3))
        return (REFUSED, str(error)) if raised else (WRONG, f"ShapeMismatch, but NumPy raises at no size: {error}")
    except TraceError as error:
        return REFUSED, str(error).strip().split("\n")[0].split(": ", 1)[-1]
    found = AGREED
    for s in sizes:
        want = numpy_at(f, s, seed)
        evaluation = FloatEvaluation(point(s, arguments(s, seed)))
        if isinstance(want, Exception):
            plain = re.search(r"'(float|int|bool)' object", str(want))  # Python's own number
            if not plain and all(valued(got, evaluation) for got in traced.outputs):
                return WRONG, f"at {s} NumPy raises {want!r}"
            continue
        half = any(getattr(v, "dtype", None) == np.float16 for v in want)  # NumPy's functions of booleans
        for k, (got, value) in enumerate(zip(traced.outputs, want, strict=True)):
            here = compared(
                got, value, evaluation, 5e-3 if half else 1e-4 if "32" in source or "1e9" in source else 1e-8
            )
            if here.startswith(WRONG):
                return (NOTED, traced.notes[0]) if traced.notes else (WRONG, f"at {s}, output {k}: {here}")
            found = VALUELESS if here == VALUELESS else found
    return found, ""


def numpy_at(f: Callable[..., Any], sizes: tuple[int, int, int], seed: int) -> Any:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return f(**arguments(sizes, seed))
        except Exception as error:
            return error


def valued(got: Any, evaluation: FloatEvaluation) -> bool:
    """Whether the term has a value everywhere."""
    if not isinstance(got, Tensor):
        return not isinstance(got, tuple | list) or all(valued(g, evaluation) for g in got)
    try:
        return bool(np.isfinite(evaluation.tensor(got.axes, got.body)).all())
    except Undefined:
        return False


def compared(got: Any, want: Any, evaluation: FloatEvaluation, tolerance: float) -> str:
    if not isinstance(got, Tensor):
        if isinstance(got, tuple | list) and isinstance(want, tuple | list) and len(got) == len(want):
            parts = [compared(g, v, evaluation, tolerance) for g, v in zip(got, want, strict=True)]
            return next((p for p in parts if p.startswith(WRONG)), VALUELESS if VALUELESS in parts else AGREED)
        return AGREED if got == want else f"{WRONG}: {got!r}, not {want!r}"
    value = np.asarray(want)
    if value.dtype == object:
        return f"{WRONG}: an array of objects"
    shape = tuple(s.at(dict(evaluation.sizes)) for s in got.shape)
    if shape != value.shape:
        return f"{WRONG}: shape {shape}, not {value.shape}"
    try:
        mine = evaluation.tensor(got.axes, got.body)
    except Undefined:
        return VALUELESS if np.isfinite(value.astype(float)).any() else AGREED
    if value.dtype.kind == "f":
        tolerance = max(tolerance, 100 * float(np.finfo(value.dtype).eps))
    value = value.astype(float)
    close = np.isclose(mine, value, rtol=tolerance, atol=tolerance) | ~np.isfinite(mine)
    if not close.all():
        return f"{WRONG}: {mine.tolist()}, not {value.tolist()}"
    return VALUELESS if (~np.isfinite(mine) & np.isfinite(value)).any() else AGREED


def shortened(program: Program, sizes: Sequence[tuple[int, int, int]], seed: int) -> str:
    """Without the statements that the difference does not need."""
    chunks = list(program.chunks)
    for chunk in list(reversed(chunks)):
        fewer = [c for c in chunks if c is not chunk]
        try:
            if fewer and verdict(program.source(fewer), sizes, seed)[0] == WRONG:
                chunks = fewer
        except Exception:
            continue
    return program.source(chunks)


def run(seed: int, seconds: float, programs: int, show: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    start = time.perf_counter()
    for number in range(seed, seed + programs):
        if time.perf_counter() - start > seconds:
            break
        rng = random.Random(number)
        program = generate(rng)
        sizes = [(1, 1, 1), *rng.sample(SIZES[1:], 2)]
        try:
            status, why = verdict(program.source(), sizes, number)
        except Exception as error:  # a crash of the reader is a fault, too
            status, why = WRONG, f"crash {error!r}"
        counts[status] += 1
        if status == WRONG:
            print(f"\nseed {number}: {why}\n{shortened(program, sizes, number)}", flush=True)
        elif status == REFUSED:
            reasons[why[:70]] += 1
    spent = time.perf_counter() - start
    total = sum(counts.values())
    print(f"seeds {seed} to {seed + total - 1}, {total} programs in {spent:.0f} s ({total / max(spent, 1e-9):.0f}/s): "
          + ", ".join(f"{counts[k]} {k}" for k in (AGREED, REFUSED, VALUELESS, NOTED, WRONG)))  # fmt: skip
    if show:
        print("\n".join(f"{c:6d}  {reason}" for reason, c in reasons.most_common(60)))
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--programs", type=int, default=10**9)
    parser.add_argument("--show", action="store_true", help="the reasons of what was refused, most frequent first")
    given = parser.parse_args()
    return 1 if run(given.seed, given.seconds, given.programs, given.show)[WRONG] else 0


if __name__ == "__main__":
    sys.exit(main())
