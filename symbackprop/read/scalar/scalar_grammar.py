r"""The grammar of scalar LaTeX: what may stand in a formula, how it is written without ambiguity, and what it is worth.

A recursive descent over tokens that gives, for each part, an unambiguous spelling in names x_1, x_2, ... and its values
at a few sample points.  Functions that latex2sympy lacks become names of their own: their arguments are readings again.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from symbackprop.core.terms import SymbackpropError

from .scalar_pieces import (
    NATIVE,
    OWN,
    SAMPLES,
    Applied,
    Hole,
    Piece,
    Reading,
    Sample,
    constant,
    each,
    power,
    sampled,
    tokens,
)

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 40
MAX_DIGITS: Final = 15
MAX_POWER: Final = 64


def read(text: str, variables: Sequence[str], functions: Sequence[str]) -> Reading:
    """Raises SymbackpropError for what is too long, unknown, undeclared or ambiguous."""
    if len(text) > MAX_LENGTH:
        raise SymbackpropError(f"a scalar formula of {len(text):,} characters: at most {MAX_LENGTH:,} are read")
    if not text.isascii() or not text.isprintable():
        raise SymbackpropError("a scalar formula is written in LaTeX with ASCII characters only")
    words = tokens(text, variables)
    return _Parser(text, words, tuple(variables), tuple(functions)).whole()


@dataclass(slots=True)
class _Parser:
    text: str
    words: list[str]
    variables: tuple[str, ...]
    functions: tuple[str, ...]
    at: int = 0
    depth: int = 0
    holes: list[Hole] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)

    def whole(self) -> Reading:
        piece = self.sum()
        if self.at < len(self.words):
            raise self.fail(f"{self.words[self.at]} is not expected here")
        if all(v is None for v in piece.values):
            raise self.fail("no value was found anywhere")
        samples = tuple(Sample(tuple(v[n] for v in self.values), piece.values[n]) for n in range(SAMPLES))
        return Reading(self.text, piece.latex, tuple(self.holes), samples)

    def fail(self, why: str) -> SymbackpropError:
        return SymbackpropError(f"{why} (in {self.text[:80]!r})")

    @property
    def token(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def take(self, token: str) -> None:
        if self.token != token:
            raise self.fail(f"{token} is missing before {self.token or 'the end'}")
        self.at += 1

    # --- sums and products -------------------------------------------------------------------

    def sum(self) -> Piece:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.fail(f"nested deeper than {MAX_DEPTH}")
        first = self.signed()
        latex, values, alone = first.latex, first.values, True
        while self.token in ("+", "-"):
            minus = self.token == "-"
            self.at += 1
            p = self.product()
            latex += f" {'-' if minus else '+'} {p.bracketed}"
            values = each(lambda a, b, m=minus: a - b if m else a + b, values, p.values)
            alone = False
        self.depth -= 1
        return Piece(latex, values, first.atom and alone)

    def signed(self) -> Piece:
        if self.token not in ("+", "-"):
            return self.product()
        minus = self.token == "-"
        self.at += 1
        p = self.product()
        return Piece(f"-{p.bracketed}", each(lambda a: -a, p.values)) if minus else p

    def product(self) -> Piece:
        first = self.factor()
        latex, values, divided, count, before = first.bracketed, first.values, False, 1, first
        while True:
            if self.token == "/":
                self.at += 1
                p = self.factor()
                latex, divided = rf"\frac{{{latex}}}{{{p.latex}}}", True
                values = each(lambda a, b: a / b, values, p.values)
            elif self.token == r"\cdot" or self.starts():
                beside = self.token != r"\cdot"
                if not beside:
                    self.at += 1
                elif divided:
                    raise self.fail("a / b c: is c below? put parentheses")
                elif before.number and self.token[0].isdigit():
                    raise self.fail("two numbers side by side")
                p = self.factor()
                latex += rf" \cdot {p.bracketed}"
                values = each(lambda a, b: a * b, values, p.values)
                before = p
            else:
                return first if count == 1 else Piece(latex, values)
            count += 1

    def starts(self) -> bool:
        t = self.token
        return bool(t) and (
            t in self.variables or t in self.functions or t[0].isdigit() or t[0] == "." or t in ("(", "[", "{", "e")
            or (t.startswith("\\") and t not in (r"\cdot", r"\|"))
        )  # fmt: skip

    def factor(self) -> Piece:
        base = self.atom()
        if self.token != "^":
            return base
        self.at += 1
        exponent = self.script()
        if constant(exponent) and not all(v is not None and abs(v) <= MAX_POWER for v in exponent.values):
            raise self.fail(f"a number as exponent goes to {MAX_POWER}")
        values = each(power, base.values, exponent.values)
        if self.token == "^":
            raise self.fail("a tower of exponents: put braces")
        return Piece(f"{base.bracketed}^{{{exponent.latex}}}", values)

    def script(self) -> Piece:
        if self.token == "{":
            return self.group()
        t = self.token
        if not (t in self.variables or (t.isdigit() and len(t) == 1)):
            raise self.fail(f"braces are needed around the exponent {t}")
        return self.atom()

    def group(self) -> Piece:
        """{…}, or the one sign that stands for it."""
        if self.token == "{":
            self.at += 1
            p = self.sum()
            self.take("}")
            return p
        t = self.token
        if t.isdigit() and len(t) > 1:  # \frac12
            self.words[self.at : self.at + 1] = [t[0], t[1:]]
        return self.atom()

    # --- atoms -------------------------------------------------------------------------------

    def atom(self) -> Piece:
        t = self.token
        if not t:
            raise self.fail("the formula ends where a value should be")
        if t in self.variables:
            self.at += 1
            return self.named(t, sampled(self.variables.index(t)))
        if t in self.functions:
            self.at += 1
            order = 0
            while self.token == "'":
                order += 1
                self.at += 1
            return self.applied(t, order, self.bracket())
        if t[0].isdigit() or t[0] == ".":
            if len(t) > MAX_DIGITS:
                raise self.fail(f"a number of {len(t)} digits: at most {MAX_DIGITS} are read")
            self.at += 1
            return Piece(t, (complex(float(t)),) * SAMPLES, True, True)
        if t == "e":
            return self.euler()
        self.at += 1
        match t:
            case "(" | "{":
                p = self.sum()
                self.take(")" if t == "(" else "}")
                return p
            case "[":
                return self.square_brackets()
            case "|":
                p = self.sum()
                self.take("|")
                return Piece(f"|{p.latex}|", each(lambda a: complex(abs(a)), p.values), True)
            case r"\frac":
                top, bottom = self.group(), self.group()
                values = each(lambda a, b: a / b, top.values, bottom.values)
                return Piece(rf"\frac{{{top.latex}}}{{{bottom.latex}}}", values, True)
            case r"\sqrt":
                return self.root()
            case r"\pi":
                return Piece(r"\pi", (complex(math.pi),) * SAMPLES, True)
            case r"\max" | r"\min":
                return self.largest(t)
            case r"\sigma":
                return self.applied("sigmoid", 0, self.bracket())
            case _ if t[1:] in OWN and t not in (r"\step", r"\identity"):
                return self.applied(t[1:], 0, self.bracket())
            case _ if t[1:] in NATIVE and t.startswith("\\"):
                return self.function(t[1:])
        if t.isalpha():
            raise self.fail(f"the symbol {t!r} is not declared")
        raise self.fail(f"{t} is not read in a scalar formula")

    def euler(self) -> Piece:
        self.at += 1
        if self.token != "^":
            return Piece("e", (complex(math.e),) * SAMPLES, True)
        self.at += 1
        p = self.script()
        return Piece(rf"\exp({p.latex})", each(cmath.exp, p.values), True)

    def root(self) -> Piece:
        degree = 2
        if self.token == "[":
            self.at += 1
            if not self.token.isdigit() or not 2 <= int(self.token) <= 9:
                raise self.fail("the degree of a root is a digit from 2 to 9")
            degree = int(self.token)
            self.at += 1
            self.take("]")
        p = self.group()
        shown = rf"\sqrt{{{p.latex}}}" if degree == 2 else rf"\sqrt[{degree}]{{{p.latex}}}"
        return Piece(shown, each(lambda a: power(a, 1 / degree), p.values), True)

    def function(self, name: str) -> Piece:
        r"""\tanh(z), \log z, \sin^2(z)."""
        exponent = ""
        if self.token == "^":
            self.at += 1
            p = self.script()
            if not p.number or "." in p.latex:
                raise self.fail(rf"\{name}^…: is a power meant, or the inverse? write (\{name}(…))^…")
            exponent = p.latex
        inner = self.argument(name)
        out = Piece(rf"\{'ln' if name == 'log' else name}({inner.latex})", each(NATIVE[name], inner.values), True)
        if not exponent:
            return out
        return Piece(f"({out.latex})^{{{exponent}}}", each(lambda a: a ** int(exponent), out.values))

    def argument(self, name: str) -> Piece:
        if self.token in ("(", "{"):
            return self.bracket()
        p = self.factor()
        if self.starts() and not (self.token.startswith("\\") and self.token[1:] in (*NATIVE, *OWN, "max", "min")):
            raise self.fail(rf"\{name}: how far does its argument go? put parentheses")
        return p

    def bracket(self) -> Piece:
        opening = self.token
        if opening not in ("(", "{"):
            raise self.fail("parentheses are needed around the argument")
        self.at += 1
        p = self.sum()
        self.take(")" if opening == "(" else "}")
        return p

    def largest(self, t: str) -> Piece:
        opening = self.token
        self.take("(")
        parts = [self.sum()]
        while self.token == ",":
            self.at += 1
            parts.append(self.sum())
        self.take(")")
        if len(parts) < 2 or not opening:
            raise self.fail(f"{t} needs two values")
        pick = max if t == r"\max" else min
        # latex2sympy reads no maximum inside another: what holds one gets a name
        parts = [self.applied("identity", 0, p) if "max" in p.latex or "min" in p.latex else p for p in parts]
        values = each(lambda *row: complex(pick(v.real for v in row)), *(p.values for p in parts))
        return Piece(f"{t}({', '.join(p.latex for p in parts)})", values, True)

    def square_brackets(self) -> Piece:
        """[u > v] is 1 or 0; [u] are plain brackets."""
        left = self.sum()
        if self.token in (">", "<"):
            sign = self.token
            self.at += 1
            right = self.sum()
            self.take("]")
            a, b = (left, right) if sign == ">" else (right, left)
            difference = (
                a
                if b.latex == "0"
                else Piece(f"{a.bracketed} - {b.bracketed}", each(lambda x, y: x - y, a.values, b.values))
            )
            return self.applied("step", 0, difference)
        self.take("]")
        return left

    # --- names -------------------------------------------------------------------------------

    def named(self, hole: Hole, values: tuple[float, ...]) -> Piece:
        if hole not in self.holes:
            self.holes.append(hole)
            self.values.append(values)
        k = self.holes.index(hole)
        return Piece(f"x_{{{k + 1}}}", tuple(map(complex, self.values[k])), True)

    def applied(self, fn: str, order: int, p: Piece) -> Piece:
        """A name for fn(p): p is a reading of its own, in the same names."""
        samples = tuple(Sample(tuple(v[n] for v in self.values), p.values[n]) for n in range(SAMPLES))
        inner = Reading(self.text, p.latex, tuple(self.holes), samples)
        values = []
        for n, v in enumerate(p.values):
            if v is None or abs(v.imag) > 1e-12:
                values.append(0.37 + 0.1 * n)
            elif fn in OWN and fn not in self.functions:
                values.append(OWN[fn](v.real))
            else:  # an abstract function: any values will do
                values.append(math.cos(3 * v.real + order + len(fn)) + 0.2)
        return self.named(Applied(fn, order, inner), tuple(values))
