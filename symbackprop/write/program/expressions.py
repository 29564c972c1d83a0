"""Nodes of a graph as expressions of a dialect: names where they have one, written out in place where not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from symbackprop.core.indices import Pick, Size, as_affine, sized
from symbackprop.core.terms import PI, Num, SymbackpropError, Term
from symbackprop.read.numpy import CONSTANT, FORMULA, Node, SymInt, identity
from symbackprop.write.program.products import ATOM, PRODUCT, UNARY, Factor, Product, Text

from .dialects import METHODS, OPERATORS, REDUCTIONS, Dialect
from .naming import is_constant

SUM = 10
MADE = frozenset({"eye", "identity", "ones", "zeros", "full", "tri"})


class Expressions:
    """`names` has the nodes that are variables of the program, `symbol` says what a size symbol is there."""

    def __init__(
        self, dialect: Dialect, names: Mapping[Node, str], symbol: Callable[[str], str], like: str = ""
    ) -> None:
        """`like` is an argument whose dtype torch is to use where it would take another; `opposites` as in Naming."""
        self.dialect, self.names, self.symbol, self.like = dialect, names, symbol, like
        self.opposites: Mapping[Node, Node] = {}
        self.sizes_of: Mapping[Size, str] = {}  # arguments by how many entries they have
        self.carriers: Mapping[str, str] = {}  # arguments by the symbols that are sizes of their axes
        self.used: set[str] = set()  # helpers and modules that the code needs
        self.formulas: list[Node] = []
        self.texts: dict[tuple[Node, int], Text] = {}  # by how many names there are: signs are looked for in each part
        self.products: dict[tuple[Node, int], Product] = {}

    def of(self, x: Any, binding: int = 0) -> str:
        code, binds = self.written(x)
        return f"({code})" if binds < binding else code

    def written(self, x: Any) -> Text:
        match x:
            case Node():
                if x in self.names:
                    return self.names[x], ATOM
                key = x, len(self.names)
                if key not in self.texts:
                    self.texts[key] = self.factored(x).written if x in self.opposites else self.call(x)
                return self.texts[key]
            case SymInt():
                return self.whole(x)
            case Size():
                return self.size(x)
            case bool() | None | str():
                return repr(x), ATOM
            case int() | float():
                return self.number(x)
            case slice():
                ends = [x.start, x.stop] + ([x.step] if x.step is not None else [])
                return ":".join("" if e is None else self.of(e) for e in ends), ATOM
            case tuple():
                return f"({', '.join(map(self.of, x))}{',' if len(x) == 1 else ''})", ATOM
            case list():
                return f"[{', '.join(map(self.of, x))}]", ATOM
            case _ if x is Ellipsis:
                return "...", ATOM
            case _ if getattr(x, "__name__", "") in ("float", "float64", "int", "bool"):
                return {"float": "float", "float64": "float"}.get(x.__name__, x.__name__), ATOM
        raise SymbackpropError(f"no code is written for a {type(x).__name__} as an argument")

    def number(self, x: int | float) -> Text:
        if isinstance(x, float) and math.isinf(x):
            self.used.add(self.dialect.module)
            return ("-" if x < 0 else "") + self.dialect.infinity, UNARY if x < 0 else ATOM
        code = repr(int(x)) if x == int(x) and abs(x) < 1e15 else repr(x)
        return code, ATOM if x >= 0 else UNARY

    # --- sizes ---------------------------------------------------------------------------------

    def size(self, s: Size) -> Text:
        if not s.monomials:
            return "0", ATOM
        if (whole := self.sizes_of.get(s)) is not None:
            return f"{whole}.{self.dialect.size}", ATOM
        pieces = []
        for symbols, c in reversed(s.monomials):
            factors = [self.symbol(x) for x in symbols]
            if abs(c) != 1 or not factors:
                factors.insert(0, str(abs(c)))
            pieces.append((" - " if c < 0 else " + ") + " * ".join(factors))
        code = "".join(pieces).removeprefix(" + ").replace(" - ", "-", 1) if pieces[0][1] == "-" else ""
        code = code or "".join(pieces).removeprefix(" + ")
        alone = len(pieces) == 1
        return code, (PRODUCT if "*" in code else ATOM) if alone and code[0] != "-" else SUM

    def whole(self, x: SymInt) -> Text:
        constant, parts = as_affine(x.expr)
        if not parts:
            return self.size(constant)
        pieces = [] if not constant.monomials else [self.of(constant, PRODUCT)]
        for atom, factor in parts:
            if not isinstance(atom, Pick) or atom.at:
                raise SymbackpropError("no code is written for an index of a loop")
            pieces.append(atom.array if factor.constant == 1 else f"{self.of(factor, PRODUCT)} * {atom.array}")
        return " + ".join(pieces), ATOM if len(pieces) == 1 and pieces[0].isidentifier() else SUM

    # --- calls ---------------------------------------------------------------------------------

    def call(self, n: Node) -> Text:
        operation, args, d = n.operation, list(n.args), self.dialect
        if is_product(n):
            return self.product(n).written
        if operation in OPERATORS and len(args) == 2:
            return self.operator(operation, args)
        match operation:
            case "expand_dims":
                return f"{self.of(args[0], ATOM)}[{self.new_axes(n)}]", ATOM
            case "T":
                return f"{self.of(args[0], ATOM)}.T", ATOM
            case "getitem":
                return f"{self.of(args[0], ATOM)}[{self.key(args[1], args[0].shape)}]", ATOM
            case "eye" if len(args) == 2 and identity(args[0]) == identity(args[1]):
                return self.function(operation, args[:1], n.options)
            case "square":
                return f"{self.of(args[0], ATOM)} ** 2", 40
            case "scattered":
                return self.scattered(args), ATOM
            case "setitem" | "add.at" | "subtract.at":
                return self.changed(operation, args), ATOM
            case "einsum":
                return self.einsum(args), ATOM
            case "astype":
                return self.cast(args), ATOM
            case "sliding_window_view":
                return self.windows(args, n), ATOM
            case "reshape" | "broadcast_to" if operation == "reshape" or d.name != "torch":
                return self.reshaped(operation, args)
            case "maximum" | "minimum" if d.name == "torch":
                return self.clamped(operation, args), ATOM
            case _ if operation in (CONSTANT, FORMULA):
                return self.constant(n) if operation == CONSTANT else self.formula(n)
            case _ if operation in REDUCTIONS:
                return self.reduction(n)
            case "sqrt" | "exp" | "log" | "tanh" if d.name == "torch" and not self.is_array(args[0]):
                self.used.add("math")
                return f"math.{operation}({self.of(args[0])})", ATOM
        if d.name == "torch" and operation in MADE and self.like:
            code, binds = self.function(operation, args, n.options)
            return f"{code[:-1]}, dtype={self.like}.dtype)", binds
        return self.function(operation, args, n.options)

    def is_array(self, x: Any) -> bool:
        return isinstance(x, Node) and x.operation != CONSTANT

    def operator(self, operation: str, args: list[Any]) -> Text:
        sign, binds = OPERATORS[operation]
        left, right = args
        if sign == "**":
            return f"{self.of(left, ATOM)} ** {self.of(right, UNARY + 1)}", binds
        if sign in "+-" and (code := self.opposite(right)) is not None:
            if sign == "-" and (other := self.opposite(left)) is not None:  # -a - -b
                return f"{bracketed(code, SUM)} - {bracketed(other, SUM + 1)}", binds
            sign = "-" if sign == "+" else "+"
            return f"{self.of(left, SUM)} {sign} {bracketed(code, SUM + (sign == '-'))}", binds
        if sign == "+" and (code := self.opposite(left)) is not None:
            return f"{self.of(right, SUM)} - {bracketed(code, SUM + 1)}", binds
        strict = sign != "+"
        return f"{self.of(left, binds + (binds < SUM))} {sign} {self.of(right, binds + strict)}", binds

    def opposite(self, x: Any) -> Text | None:
        """-x where that is shorter."""
        if isinstance(x, int | float) and x < 0:
            return self.number(-x)
        if not isinstance(x, Node):
            return None
        if (term := self.factored(x)).is_negative:
            return (-term).written
        if x not in self.names and x.operation == "subtract" and (left := self.opposite(x.args[0])) is not None:
            return f"{bracketed(left, SUM)} + {self.of(x.args[1], SUM)}", SUM
        return None

    # --- products ------------------------------------------------------------------------------

    def product(self, n: Node) -> Product:
        """What n multiplies and divides, with its numbers together."""
        if n.operation == "negative":
            return -self.factored(n.args[0])
        left, right = map(self.factored, n.args)
        if "divide" in n.operation and not right.number:  # y / (0 / x) is written as it stands
            shape = n.args[1].shape if isinstance(n.args[1], Node) else ()
            right = Product(chain=(Factor(*right.written, shape),))
        return left.over(right) if "divide" in n.operation else left.times(right)

    def negated(self, n: Node) -> Text:
        """-n, written out."""
        inside = self.product(n) if is_product(n) else Product(chain=(Factor(*self.call(n), n.shape),))
        return (-inside).written

    def factored(self, x: Any) -> Product:
        if not isinstance(x, Node):
            return self.taken_apart(x)
        key = x, len(self.names)
        if key not in self.products:
            self.products[key] = self.taken_apart(x)
        return self.products[key]

    def taken_apart(self, x: Any) -> Product:
        if isinstance(x, Node):
            if x in self.opposites and x not in self.names:
                return -self.factored(self.opposites[x])
            if x not in self.names and is_product(x):
                return self.product(x)
            if x not in self.names and is_new_axis(x):
                return self.behind_new_axes(x, self.factored(x.args[0]))
        if is_constant(x, self.names):
            return self.constant_factor(x)
        return Product(chain=(self.factor(x),))

    def factor(self, x: Any) -> Factor:
        shape = x.shape if isinstance(x, Node) else ()
        if truth := isinstance(x, Node) and x.dtype == "bool":
            if self.dialect.name == "torch" and self.like:  # else float32 by the side of numbers
                return Factor(f"{self.of(x, ATOM)}.to({self.like}.dtype)", shape=shape)
        return Factor(*self.written(x), shape, truth=truth)

    def behind_new_axes(self, n: Node, inside: Product) -> Product:
        """The number of 2 v[:, None] in front."""
        code, binds = Product(chain=inside.chain).written
        key = self.key(n.args[1]) if n.operation == "getitem" else self.new_axes(n)
        truth = len(inside.chain) == 1 and inside.chain[0].truth
        seen = Factor(f"{bracketed((code, binds), ATOM)}[{key}]", shape=n.shape, truth=truth)
        return Product(inside.number, inside.above, inside.below, (seen,) if inside.chain else ())

    def constant_factor(self, x: Any) -> Product:
        """A number exactly, else as it is written."""
        if isinstance(x, Node) and x.operation == CONSTANT and isinstance(t := x.value.term(()), Num):
            return Product(t.value)
        if isinstance(x, int | float) and not math.isinf(x):
            return Product(Fraction(repr(x)))
        code, binds = self.written(x)
        return Product(above=(f"({code})" if binds < ATOM else code,))

    def function(self, operation: str, args: list[Any], options: Mapping[str, Any]) -> Text:
        operation, bracket, part = operation.partition("[")  # one of several results
        name = self.dialect.spelled(operation)
        self.used.add(name if name[0] == "_" else name.partition(".")[0])
        keywords = {"axis": self.dialect.axis, "keepdims": self.dialect.keepdims}
        parts = [*map(self.of, args), *(f"{keywords.get(k, k)}={self.of(v)}" for k, v in options.items())]
        if operation in METHODS and isinstance(args[0], Node):
            operand, tight = self.written(args[0])
            if tight >= ATOM and len(operand) < 40:
                return f"{operand}.{name.rpartition('.')[2]}({', '.join(parts[1:])})", ATOM
        return f"{name}({', '.join(parts)}){bracket}{part}", ATOM

    def reduction(self, n: Node) -> Text:
        """x.sum(axis=0, keepdims=True), with the axis by name whichever way it was given."""
        operation, options = n.operation, dict(n.options)
        args = list(n.args)
        if len(args) > 1:
            options = {"axis": args.pop(1), **options}
        if n.ndim == 0 and isinstance(args[0], Node) and operation in ("sum", "mean", "max", "min"):
            options["axis"] = None
        options = {k: v for k, v in options.items() if not (k == "axis" and v is None) and v is not False}
        return self.function(operation, args, options)

    def windows(self, args: list[Any], n: Node) -> str:
        """NumPy has a view; the others stack slices, one axis after the other."""
        axis = n.options.get("axis", args[2] if len(args) > 2 else tuple(range(args[0].ndim)))
        if self.dialect.name == "numpy":
            return self.function(n.operation, args[:2], {"axis": axis})[0]
        together = (args[1], axis) if isinstance(args[1], tuple | list) else ((args[1],), (axis,))
        return self.function(n.operation, [args[0], *together], {})[0]

    def reshaped(self, operation: str, args: list[Any]) -> Text:
        shape = args[1] if len(args) == 2 and isinstance(args[1], tuple | list) else tuple(args[1:])
        inside = ", ".join(map(self.of, shape))
        if operation == "reshape":
            return f"{self.of(args[0], ATOM)}.reshape({inside})", ATOM
        return self.function(operation, [args[0], tuple(shape)], {})

    def clamped(self, operation: str, args: list[Any]) -> str:
        self.used.add("torch")
        numbers = [a for a in args if not isinstance(a, Node)]
        if not numbers:
            return f"torch.{operation}({', '.join(map(self.of, args))})"
        (array,) = (a for a in args if isinstance(a, Node))
        return f"torch.clamp({self.of(array)}, {'min' if operation == 'maximum' else 'max'}={self.of(numbers[0])})"

    def cast(self, args: list[Any]) -> str:
        kind = self.of(args[1])
        if self.dialect.name != "torch":
            return f"{self.of(args[0], ATOM)}.astype({kind})"
        self.used.add("torch")
        return f"{self.of(args[0], ATOM)}.to(torch.{'float64' if kind == 'float' else kind})"

    def einsum(self, args: list[Any]) -> str:
        module = self.dialect.module
        self.used.add(module)
        more = ", optimize=True" if self.dialect.name == "numpy" else ""
        return f'{module}.einsum("{args[0]}", {", ".join(map(self.of, args[1:]))}{more})'

    def new_axes(self, n: Node) -> str:
        axis = n.options.get("axis", n.args[1] if len(n.args) > 1 else 0)
        new = {a % n.ndim for a in (axis if isinstance(axis, tuple | list) else (axis,))}
        return ", ".join("None" if k in new else ":" for k in range(max(new) + 1))

    # --- indexing ------------------------------------------------------------------------------

    def key(self, key: Any, shape: Sequence[Size] = ()) -> str:
        items = key if isinstance(key, tuple) else (key,)
        axes = iter(shape if not any(i is Ellipsis for i in items) else ())
        shown = [self.ends(i, next(axes, None)) if i is not None else "None" for i in items]
        return ", ".join(shown) + ("," if isinstance(key, tuple) and len(items) == 1 else "")

    def ends(self, i: Any, size: Size | None) -> str:
        """x[:n] for x[0:n], x[k:] where that goes to the end."""
        if not isinstance(i, slice) or i.step is not None:
            return self.of(i)
        end = i.stop.expr if isinstance(i.stop, SymInt) else i.stop
        return self.of(slice(None if i.start == 0 else i.start, None if end is not None and end == size else i.stop))

    def scattered(self, args: list[Any]) -> str:
        """Added into zeros; set where no place is named twice, which is quicker."""
        like, key, values = args
        items = key if isinstance(key, tuple) else (key,)
        once = all(not isinstance(i, Node) for i in items) or any(
            isinstance(i, Node) and i.operation == "arange" for i in items
        )
        return self.helped("_placed" if once else "_scattered", like, key, self.of(values))

    def changed(self, operation: str, args: list[Any]) -> str:
        """The array after x[key] = values, or after values are added there."""
        x, key, values = args
        helper = "_with" if operation == "setitem" else "_with_added"
        return self.helped(helper, x, key, f"-{self.of(values, 30)}" if operation == "subtract.at" else self.of(values))

    def helped(self, helper: str, array: Any, key: Any, values: str) -> str:
        items = key if isinstance(key, tuple) else (key,)
        self.used |= {helper, self.dialect.module}
        shown = ", ".join(map(self.item, items))
        return f"{helper}({self.of(array)}, ({shown}{',' if len(items) == 1 else ''}), {values})"

    def item(self, i: Any) -> str:
        if not isinstance(i, slice):
            return self.of(i)
        ends = ", ".join("None" if e is None else self.of(e) for e in (i.start, i.stop))
        return f"slice({ends})" if i.step is None else f"slice({ends}, {self.of(i.step)})"

    # --- what no call made ---------------------------------------------------------------------

    def constant(self, n: Node) -> Text:
        if n.ndim == 0:
            t: Term = n.value.term(())
            match t:
                case Num(value):
                    return self.number(int(value) if value.denominator == 1 else float(value))
                case Size():
                    return self.size(t)
                case _ if t == PI:
                    module = "math" if self.dialect.name == "torch" else self.dialect.module
                    self.used.add(module)
                    return f"{module}.pi", ATOM
        return self.formula(n)

    def formula(self, n: Node) -> Text:
        if n not in self.formulas:
            self.formulas.append(n)
        given = [*(self.of(p) for p in n.parents if p.named), *self.sizes_for(n)]
        return f"_formula{self.formulas.index(n) + 1}({', '.join(given)})[0]", ATOM

    def sizes_for(self, n: Node) -> list[str]:
        """Arguments that have the sizes of a formula, where what it is made from has them not."""
        there = {s for p in n.parents if p.named for s in alone(p.shape)}
        wanted = {s for size in n.shape for s in size.symbols} - there
        return list(dict.fromkeys(name for s, name in self.carriers.items() if s in wanted))


def alone(shape: Iterable[Size]) -> set[str]:
    """The symbols that are the size of an axis."""
    return {size.symbols[0] for size in shape if len(size.symbols) == 1 and size == sized(size.symbols[0])}


def bracketed(text: Text, binding: int) -> str:
    return f"({text[0]})" if text[1] < binding else text[0]


def is_product(n: Node) -> bool:
    return n.operation in ("multiply", "divide", "true_divide", "negative")


def is_new_axis(n: Node) -> bool:
    """x[:, None] and the like."""
    if n.operation == "expand_dims":
        return True
    key = n.args[1] if n.operation == "getitem" else ()
    return bool(key) and all(k is None or k == slice(None) for k in (key if isinstance(key, tuple) else (key,)))
