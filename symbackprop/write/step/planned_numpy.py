"""The step as calls of NumPy into buffers that are made once.

Sample matrices lie features × samples, each bias as one more row of its weights: one product then computes Z, one
writes both gradients, and the optimiser changes one flat vector.  (A [W; b] is [A 1] [W; b] by `network.bias_row`.)
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from types import CodeType

from symbackprop.core.functions import ROWS
from symbackprop.write.code.compiled import ARITHMETIC, Language
from symbackprop.write.step.assignments import accumulating, in_place

from .assignments import (
    BATCH, Call, Entrywise, Map, Multiply, Reduce, Ref, Shape, Step, constant, extent, gradient_of, references,
    rewritten, spelled,
)  # fmt: skip

LARGE = 20_000  # weights from which a pass over them costs more than a call of SciPy

# What NumPy calls a function; a tuple is a sequence of calls, the later ones on the result.
UFUNCS: dict[str, tuple[str, ...]] = {
    "add": ("add({}, {}, out={})",), "sub": ("subtract({}, {}, out={})",), "mul": ("multiply({}, {}, out={})",),
    "div": ("divide({}, {}, out={})",), "power": ("power({}, {}, out={})",), "neg": ("negative({}, out={})",),
    **{f.name: (f.code.replace("{}", "{}, out={}"),) for f in ROWS},
    "abs": ("absolute({}, out={})",), "nonpositive": ("minimum({}, 0, out={})",), "relu": ("maximum({}, 0, out={})",),
    "sigmoid": ("negative({}, out={})", "exp({}, out={})", "add({}, 1, out={})", "reciprocal({}, out={})"),
    "sign": ("sign({}, out={})",), "sqrt": ("sqrt({}, out={})",), "step": ("greater({}, 0, out={})",),
}  # fmt: skip
UFUNC_NAMES = frozenset(template.partition("(")[0] for templates in UFUNCS.values() for template in templates)
LANGUAGE = Language(
    UFUNC_NAMES | {"dot", "empty", "ones", "copyto", "bool", "gemm"}, ARITHMETIC,
    methods=frozenset({"reduce", "reshape"}), keywords=frozenset({"out", "axis", "keepdims"}), statements=True,
)  # fmt: skip
SCIPY = frozenset({"erf", "gemm"})


def compiled_plan(source: str) -> tuple[CodeType, frozenset[str]]:
    """The code of `plan`, and the names that it needs.  Raises UnsafeSource for anything but calls on arrays."""
    return LANGUAGE.checked(source, "plan", "step")


@dataclass(frozen=True, slots=True)
class Plan:
    """`body` are the statements of a step; `buffers` and `views` are made before, in this order.

    `vectors` are what `plan` takes beside the number of samples and their type, `given` what a step takes.
    """

    buffers: tuple[tuple[str, str], ...]
    views: tuple[tuple[str, str], ...]
    body: tuple[str, ...]
    vectors: tuple[str, ...]
    given: tuple[str, ...]

    @property
    def source(self) -> str:
        """def plan(n0, y0, P0, G0, ...): the function `step(x0, t0, s0, ...)` for batches of n0 samples of type y0."""
        made = [f"    {name} = {value}" for name, value in (*self.buffers, *self.views)]
        head = [f"def plan(n0, y0, {', '.join(self.vectors)}):", *made]
        inner = [f"    def step({', '.join(self.given)}):", *(f"        {s}" for s in self.body), "    return step"]
        return "\n".join([*head, *inner]) + "\n"


def planned(step: Step, gemm: bool = False) -> Plan:
    """With `gemm` large weights take their gradients up in SciPy's product, where an optimiser allows it."""
    reordered, taken = accumulating(step)
    large = [n for n in step.parameters if n[0] == "W" and math.prod(map(int, step.shapes[n])) > LARGE]
    into = frozenset(gradient_of(n) for n in large if gemm and gradient_of(n) in taken)
    return _Planner(in_place(reordered if into else step), into).plan()


@dataclass(slots=True)
class _Planner:
    step: Step
    taken: frozenset[str]  # weights that take their gradient up in the product
    body: list[str] = field(default_factory=list)
    buffers: dict[str, str] = field(default_factory=dict)
    views: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    extended_ones: set[str] = field(default_factory=set)  # what is multiplied with weights or makes their gradient

    def plan(self) -> Plan:
        step, update = self.step, self.step.update
        self.shapes = {**step.shapes, **dict.fromkeys(self.vectors, (step.count, 0))}
        products = [a for a in step.assignments if isinstance(a, Multiply)]
        self.extended_ones = {a.left for a in products if self.forward(a) or a.target[0] == "d"}
        for name, offset, rows, columns in step.places():
            if name[0] == "W":
                block = f"[{offset}:{offset + (rows + 1) * columns}].reshape({rows + 1}, {columns})"
                self.views |= {f"k{name}": f"P0{block}", name: f"k{name}[:-1]"}
                self.views |= {f"h{name}": f"G0{block}", gradient_of(name): f"h{name}[:-1]"}
        for a in step.assignments:
            self.statement(a)
        if self.taken:
            self.rest_of_descent()
        else:
            for m in (*step.shrinking(), *update.maps):
                self.into(m.value, m.target, frozenset())
        given = ("x0", "t0", *update.scalars)
        return Plan(tuple(self.buffers.items()), self.needed(), tuple(self.body), self.vectors, given)

    @property
    def vectors(self) -> tuple[str, ...]:
        return ("P0", "G0", *self.step.update.slots)

    def needed(self) -> tuple[tuple[str, str], ...]:
        """The views that the body or another view uses."""
        wanted = set(re.findall(r"\w+", " ".join((*self.body, *self.views.values()))))
        return tuple((name, value) for name, value in self.views.items() if name in wanted)

    def forward(self, a: Multiply) -> bool:
        return a.right[0] == "W" and not a.right_turned and not a.left_turned

    # --- statements

    def statement(self, a: Multiply | Map | Reduce) -> None:
        match a:
            case Multiply():
                self.multiply(a)
            case Reduce(target, "sum", 0, _) if target[0] == "d":
                pass  # the bias row of the weights' gradient
            case Reduce(target, how, axis, value):
                operand = self.operand(value, self.scratch(extent(value, self.shapes), ()), frozenset())
                word = "add" if how == "sum" else "maximum"
                self.body.append(f"{word}.reduce({operand}, axis={1 - axis}, keepdims=True, out={self.place(target)})")
            case Map(target, value):
                value = rewritten(value, without_bias)
                if value != Ref(target):
                    self.into(value, target, frozenset())

    def rest_of_descent(self) -> None:
        """Block by block, for those that no product took up."""
        for name in self.step.parameters:
            if name[0] == "W" and gradient_of(name) not in self.taken:
                self.body.append(f"subtract(k{name}, h{name}, out=k{name})")

    def multiply(self, a: Multiply) -> None:
        target, left, right = a.target, a.left, a.right
        if self.forward(a):  # Z' = [W; b]' [A 1]'
            code = (self.turned("k" + right), self.extended(left), self.place(target))
        elif target in self.taken:  # [W; b]' - D' [A 1], where BLAS wants columns in a row of memory
            before, flag = (left, 1) if left == "x0" else (self.turned(self.extended(left)), 0)
            weights = self.turned("k" + target[1:])
            self.body.append(f"gemm(-1.0, {self.turned(self.place(right))}, {before}, 1.0, {weights}, 1, {flag}, 1)")
            return
        elif target[0] == "d":  # [A 1]' D
            code = (self.extended(left), self.turned(self.place(right)), "h" + target[1:])
        else:  # D W' as W D' in this layout
            first = right if a.right_turned else self.turned(right)
            code = (first, self.turned(self.place(left)) if a.left_turned else self.place(left), self.place(target))
        self.body.append("dot({}, {}, out={})".format(*code))

    def turned(self, name: str) -> str:
        view = {"k": "t", "a": "e"}[name[0]] + name[1:] if name[0] in "ka" else f"t{name}"
        self.views[view] = f"{name}.T"
        return view

    def extended(self, name: str) -> str:
        """The matrix with its row of ones."""
        if name == "x0":
            return name
        self.place(name)
        return f"a{name}"

    def place(self, name: str) -> str:
        """The buffer of a matrix, made when first asked for."""
        if name in self.buffers or name in self.views or name in self.step.fixed or name in self.vectors:
            return name
        rows, columns = self.shapes[name]
        if name in self.extended_ones:
            assert isinstance(columns, int)
            self.buffers[f"a{name}"] = f"ones(({columns + 1}, n0), y0)"
            self.views[name] = f"a{name}[:-1]"
        else:
            self.buffers[name] = f"empty({stored((rows, columns))}, y0)"
        return name

    # --- entries

    def leaf(self, e: Entrywise) -> str | None:
        """A name or a number: what needs no call."""
        if constant(e, frozenset(self.step.update.scalars)):
            return python(e)
        return self.place(e.name) if isinstance(e, Ref) else None

    def operand(self, e: Entrywise, target: str, pending: frozenset[str]) -> str:
        """Where e is after the code for it: in target, or where nothing that is pending is lost."""
        found = self.leaf(e)
        if found is not None:
            return found
        here = extent(e, self.shapes)
        if target in pending or self.shapes[target] != here:
            target = self.scratch(here, pending)
        self.into(e, target, pending)
        return target

    def into(self, e: Entrywise, target: str, pending: frozenset[str]) -> None:
        """The code that leaves e in target and keeps what is pending."""
        place = self.place(target)
        match e:
            case Call("mul", (a, Call("step", (b,)))) | Call("mul", (Call("step", (b,)), a)):
                value = self.operand(a, target, pending | set(references(b)))
                mask = self.mask(self.shapes[target])
                free = self.scratch(self.shapes[target], (*pending, value))
                self.body += [
                    f"greater({self.operand(b, free, pending | {value})}, 0, out={mask})",
                    f"multiply({value}, {mask}, out={place})",
                ]
            case Call(fn, (a, b)):
                x, y = self.both(a, b, target, pending)
                self.calls(fn, (x, y), place)
            case Call(fn, (a,)):
                self.calls(fn, (self.operand(a, target, pending),), place)
            case _:
                leaf = self.leaf(e)
                self.body.append(f"copyto({place}, {leaf})")

    def both(self, a: Entrywise, b: Entrywise, target: str, pending: frozenset[str]) -> tuple[str, str]:
        if self.leaf(b) is not None:
            return self.operand(a, target, pending | set(references(b))), str(self.leaf(b))
        y = self.operand(b, target, pending | set(references(a)))
        return self.operand(a, target, pending | {y}), y

    def calls(self, fn: str, arguments: tuple[str, ...], place: str) -> None:
        for k, template in enumerate(UFUNCS[fn]):
            self.body.append(template.format(*(arguments if k == 0 else (place,)), place))

    def scratch(self, shape: Shape, used: Iterable[str], letter: str = "w") -> str:
        names = (f"{letter}{k}" for k in count())
        name = next(n for n in names if n not in used and self.shapes.get(n, shape) == shape)
        self.shapes[name] = shape
        return name

    def mask(self, shape: Shape) -> str:
        name = self.scratch(shape, (), "m")
        self.buffers[name] = f"empty({stored(shape)}, bool)"
        return name


def without_bias(e: Entrywise) -> Entrywise | None:
    """Z of Z + b, which has its bias already."""
    match e:
        case Call("add", (inner, Ref(name))) if name[0] == "b":
            return inner
    return None


def stored(shape: Shape) -> str:
    """The shape in memory: features × samples, a vector where there is one of either."""
    rows, columns = shape
    if rows == BATCH:
        return f"({columns}, n0)"
    return f"({rows}, {columns})" if columns else f"({rows},)"


SCALARS = {"power": "({} ** {})", "neg": "(-{})", "sqrt": "({} ** 0.5)"}  # what Python calls of numbers


def python(e: Entrywise) -> str:
    """A scalar, which is the same at every entry."""
    return spelled(e, str, whole, "n0", lambda fn, args: SCALARS[fn].format(*args))


def whole(value: float) -> str:
    return repr(int(value)) if value.is_integer() else repr(value)
