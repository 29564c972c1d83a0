"""A derived gradient as the source of a function, in the user's names, broken where a person would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from symbackprop.core.terms import Size, SymbackpropError, sized
from symbackprop.gradients.reverse import Reverse
from symbackprop.gradients.theorem import behind
from symbackprop.read.numpy import CONSTANT, INPUT, Declared, Node
from symbackprop.write.code.compiled import Compiled, read_off
from symbackprop.write.code.index_code import compile_tensors
from symbackprop.write.program.dialects import DIALECTS, REDUCTIONS
from symbackprop.write.program.equations import Equations
from symbackprop.write.program.expressions import Expressions, alone
from symbackprop.write.program.naming import PLAIN, Naming, is_constant, written_in

OPENS, CLOSES = "([{", ")]}"
FOUR = "    "


def rows(statement: str, width: int) -> list[str]:
    """`name = expression` in rows of at most this width where it can be broken at a sign or a comma."""
    if len(statement) <= width:
        return [statement]
    name, _, value = statement.partition(" = ")
    inner = outermost(value)
    if pieces(value, "+-"):
        return [f"{name} = (", *indented(pieces(value, "+-")), ")"]
    if inner is not None:
        start, end = inner
        inside = pieces(value[start + 1 : end], "+-") or listed(value[start + 1 : end])
        if inside:
            return [f"{name} = {value[: start + 1]}", *indented(inside), value[end:]]
    if pieces(value, "*/"):
        return [f"{name} = (", *indented(pieces(value, "*/")), ")"]
    return [statement]


def indented(lines: list[str]) -> list[str]:
    return [FOUR + p for p in lines]


def depths(code: str) -> list[int]:
    """How many brackets are open at each character; those of a string count for nothing."""
    found, depth, quoted = [], 0, False
    for c in code:
        quoted ^= c == '"'
        depth -= not quoted and c in CLOSES
        found.append(depth + quoted * 100)
        depth += not quoted and c in OPENS
    return found


def pieces(code: str, signs: str) -> list[str]:
    """Split before each of these operators outside all brackets; nothing where there is none."""
    depth = depths(code)
    cuts = [m.start() + 1 for m in re.finditer(r" [-+*/] ", code) if m[0].strip() in signs and not depth[m.start()]]
    return [code[a:b].rstrip() for a, b in zip([0, *cuts], [*cuts, None], strict=True)] if cuts else []


def listed(code: str) -> list[str]:
    """Split after each comma outside all brackets."""
    depth = depths(code)
    cuts = [k + 1 for k, c in enumerate(code) if c == "," and not depth[k]]
    return [code[a:b].strip() for a, b in zip([0, *cuts], [*cuts, None], strict=True)] if cuts else []


def outermost(code: str) -> tuple[int, int] | None:
    """The places of the longest pair of brackets that no other is around."""
    depth = depths(code)
    starts = [k for k, c in enumerate(code) if c in OPENS and not depth[k]]
    ends = [k for k, c in enumerate(code) if c in CLOSES and not depth[k]]
    return max(zip(starts, ends, strict=False), key=lambda p: p[1] - p[0], default=None)


WIDE, LONG = 112, 200  # characters of a line, of a statement
SHORT, NUMBER = 80, 24  # characters of a statement with more put in, of a number without a name
ENTRYWISE = frozenset({"add", "subtract", "multiply", "divide", "negative", "power", "square"})


@dataclass(frozen=True, slots=True)
class Line:
    node: Node
    code: str
    equation: str = ""


class Program:
    """The statements that compute the gradients of a sweep, and the source around them."""

    def __init__(self, reverse: Reverse, dialect: str = "numpy", outputs: bool = False) -> None:
        if dialect not in DIALECTS:
            raise SymbackpropError(f"code is written for {', '.join(DIALECTS)}, not for {dialect!r}")
        self.reverse, self.dialect = reverse, DIALECTS[dialect]
        self.results: list[Node] = [g for g in reverse.gradients.values() if isinstance(g, Node)]
        if outputs:
            self.results += reverse.graph.outputs
        taken = {*self.arguments, self.dialect.module, "jax", "math", "scipy", *DIALECTS}
        self.naming = Naming(reverse, self.results, taken)
        self.nodes, self.fresh = self.naming.nodes, self.naming.fresh
        self.names = dict(self.naming.names)
        self.expressions = Expressions(self.dialect, self.names, self.symbol, self.like)
        self.expressions.opposites = self.naming.opposites
        self.expressions.sizes_of = {
            prod(d.shape, start=sized(1)): n for n in reversed(self.arguments)
            if (d := reverse.declared.get(n)) and len(d.shape) > 1
        }  # fmt: skip
        self.expressions.carriers = {
            s: n for n in reversed(self.arguments) if (d := reverse.declared.get(n)) for s in alone(d.shape)
        }
        self.in_place()
        self.lines = self.written()

    @property
    def arguments(self) -> list[str]:
        return [*self.reverse.graph.inputs, *(str(u.name) for u in self.reverse.upstream.values())]

    @property
    def like(self) -> str:
        """A real array among the arguments."""
        real = (n for n in self.arguments if (d := self.reverse.declared.get(n)) and d.values is None and d.shape)
        return next(real, "")

    # --- names ---------------------------------------------------------------------------------

    def in_place(self) -> None:
        """A name for a number that is long, and none for what is written once in a line that stays short."""
        for n in self.nodes:
            if self.naming.uses[n] > 1 and is_constant(n, self.names) and len(self.expressions.of(n)) > NUMBER:
                self.names[n] = self.fresh("u" if n.backward else "t")
            if n not in self.names or n.operation == INPUT or n in self.results:
                continue
            name, readers = self.names.pop(n), self.readers(n)
            if len(readers) != 1 or not self.belongs(n, readers[0]) or len(self.statement(readers[0])) > SHORT:
                self.names[n] = name

    def belongs(self, n: Node, reader: Node) -> bool:
        """Whether n is better read in its reader's line: what goes entry by entry; a sum for a gradient's sake."""
        if reader.operation not in ENTRYWISE or not (reader.name or reader in self.naming.gradient_of):
            return False
        return n.operation in ENTRYWISE if n.backward else reader.backward and n.operation in REDUCTIONS

    def readers(self, n: Node) -> list[Node]:
        """The lines in which n is written, as often as it is."""
        found = []
        for m in self.nodes:
            times = written_in(m).count(n)
            if times and m.number > n.number:
                found += ([m] if m in self.names else self.readers(m)) * times
        return found

    def symbol(self, symbol: str) -> str:
        """Where the number is read off: an axis of an argument."""
        declared = self.reverse.declared
        found = read_off(symbol, {n: declared[n].shape for n in self.arguments if n in declared})
        if found is not None:
            name, k, factor, rest = found
            if not rest.monomials and factor == 1:
                return f"{name}.shape[{k}]"
            return f"(({name}.shape[{k}] - ({self.expressions.size(rest)[0]})) // {factor})"
        raise SymbackpropError(f"the size {symbol} is no axis of an argument")

    # --- lines ---------------------------------------------------------------------------------

    def written(self) -> list[Line]:
        equations = Equations(self.names)
        found = []
        places = {r: v.number for v, r in self.naming.opposites.items()}
        for n in sorted(self.nodes, key=lambda n: places.get(n, n.number)):
            if n in self.names and n.operation != INPUT:
                for part in self.too_long(n):
                    found.append(Line(part, self.statement(part), equations.of(part)))
        return found

    def statement(self, n: Node) -> str:
        code = self.expressions.call(n)[0]
        if n.operation == "negative" and n.args[0] in self.naming.opposites:
            code = self.expressions.negated(n.args[0])[0]
        return f"{self.names[n]} = {code}"

    def too_long(self, n: Node) -> Iterator[Node]:
        """Parts of a long line that get a name and a line first, then the node."""
        while len(self.statement(n)) > LONG:
            parts = [p for p in n.parents if p not in self.names and p.operation not in (*PLAIN, CONSTANT)]
            longest = max(parts, key=lambda p: len(self.expressions.of(p)), default=None)
            if longest is None or len(self.expressions.of(longest)) < 12:
                break
            self.names[longest] = self.fresh("u" if longest.backward else "t")
            yield from self.too_long(longest)
        yield n

    # --- for people and for running ------------------------------------------------------------

    @cached_property
    def equations(self) -> Equations:
        return Equations(self.names)

    def formulas(self, variable: str) -> tuple[str, str]:
        """`∂L/∂x[i,j] = ...` with what the names in it are, as text and as LaTeX."""
        g = self.reverse.gradients[variable]
        if not isinstance(g, Node):
            return f"∂L/∂{variable} = {g:g}", rf"\frac{{\partial L}}{{\partial {variable}}} = {g:g}"
        lines = [n for n in behind([g]) if n in self.names and n.operation != INPUT]
        sides = self.equations.sides
        main, *rest = [sides(n) for n in reversed(lines)] or [sides(g)]
        text = [f"∂L/∂{variable}{main.at} = {main.text}", *(f"with {r.name}{r.at} = {r.text}" for r in rest)]
        latex = [rf"\left(\frac{{\partial L}}{{\partial {variable}}}\right){main.below} = {main.latex}"]
        return "\n".join(text), r",\quad ".join([*latex, *(f"{r.latex_name} = {r.latex}" for r in rest)])

    def compiled(self, inputs: tuple[tuple[str, tuple[Size, ...]], ...]) -> Compiled:
        """The function itself, checking shapes."""
        source = self.source()
        scope: dict[str, Any] = {}
        exec(compile(source, "<derived by symbackprop>", "exec"), scope)
        outputs = tuple(self.reverse.gradients)

        def function(*arrays: Any) -> tuple[Any, ...]:
            found = scope["gradient"](*arrays)
            return tuple(found[v] for v in outputs)

        return Compiled(source, function, inputs, outputs, False)

    # --- the whole -----------------------------------------------------------------------------

    def source(self, name: str = "gradient") -> str:
        returned = ", ".join(
            f'"{v}": {self.expressions.of(self.returned(g))}' for v, g in self.reverse.gradients.items()
        )
        body = [f'"""{line}' if k == 0 else line for k, line in enumerate(self.docstring())]
        lines = [f"def {name}({', '.join(self.arguments)}):", *(FOUR + b if b else "" for b in body)]
        backward = False
        for line in self.lines:
            if line.node.backward and not backward:
                backward = True
                if not lines[-1].endswith('"""'):
                    lines.append("")
            lines += commented(line)
        lines.append(f"{FOUR}return {{{returned}}}")
        return "\n\n\n".join([self.imports(), *self.helpers(), "\n".join(lines) + "\n"])

    def returned(self, g: Node | float) -> Node | float:
        return g

    def docstring(self) -> list[str]:
        shapes = [f"{n}: {shape_text(self.reverse.declared[n])}" for n in self.arguments if n in self.reverse.declared]
        what = ", ".join(self.reverse.gradients)
        return [
            f"The gradients by {what}, each of the shape of its variable.",
            "",
            f"Shapes: {'; '.join(shapes)}",
            '"""',
        ]

    def imports(self) -> str:
        lines = [line for part, line in self.dialect.imports.items() if part in self.used()]
        more = [line for code in self.formula_codes for line in code[: code.index("def ")].split("\n") if line]
        return "\n".join(dict.fromkeys([*(lines or [self.dialect.imports[self.dialect.module]]), *more]))

    def used(self) -> set[str]:
        found = {u for u in self.expressions.used}
        for helper, code in self.dialect.helpers.items():
            if helper in found:
                found |= {part for part in self.dialect.imports if f"{part}." in code}
        return found

    def helpers(self) -> list[str]:
        written = [code.rstrip("\n") for name, code in self.dialect.helpers.items() if name in self.expressions.used]
        return written + [code[code.index("def ") :] for code in self.formula_codes]

    @cached_property
    def formula_codes(self) -> list[str]:
        return [self.formula(k, n) for k, n in enumerate(self.expressions.formulas, 1)]

    def formula(self, number: int, n: Node) -> str:
        """An operation without a rule, entry by entry."""
        if self.dialect.name != "numpy":
            raise SymbackpropError(f"no {self.dialect.name} code is written for {n.operation}: numpy code is")
        inputs = {p.array.name: Declared(p.shape) for p in n.parents if p.named}
        inputs |= {name: Declared(self.reverse.declared[name].shape) for name in self.expressions.sizes_for(n)}
        code = compile_tensors({"out": n.entries}, inputs).source
        return code.replace("def compute(", f"def _formula{number}(").rstrip("\n")


def commented(line: Line) -> list[str]:
    """The equation beside the statement, or above it where that is too long."""
    code = [FOUR + row for row in rows(line.code, WIDE)]
    if not line.equation or not line.node.backward:
        return code
    if len(code) == 1 and len(line.code) + len(line.equation) < WIDE:
        return [f"{code[0]}  # {line.equation}"]
    return [f"{FOUR}# {line.equation}", *code]


def shape_text(d: Declared) -> str:
    return str(d) or "()"
