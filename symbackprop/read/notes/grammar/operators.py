"""Operators with a form of their own: sums, fractions and derivatives, ∇, roots, norms, matrices, cases."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from ..files.place import ReadError
from .cursor import HADAMARD, SUM, Range, nests, shown
from .differentials import Differentials
from .lexer import Token
from .tree import (
    Binder, Cases, Chain, Dots, Equated, Expr, Indicator, Matrix, Name, Norm, Num, Ones, Paren, Power, Product,
    Quotient, Sum, Words,
)  # fmt: skip
from .walking import walk

MATRICES = frozenset(
    "matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix array psmallmatrix bsmallmatrix".split()
)
ROWS = frozenset(
    "aligned split gathered align gather equation alignedat eqnarray multline displaymath flalign alignat".split()
)


_CASE_WORDS = re.compile(
    r"\W*(?:(?:if|when(?:ever)?|where(?:ver)?|for(?: all| every| any)?|in (?:the )?cases?|as long as|provided(?: that)?"
    r"|given(?: that)?|otherwise|else|elsewhere|in all other cases|and|or|all other|any other)\W*)*",
    re.IGNORECASE,
)


class Operators(Differentials):
    __slots__ = ()

    # --- Σ, ∏, max ---------------------------------------------------------------------------

    def big(self, kind: str) -> Expr:
        token = self.advance()
        limits: dict[str, Range] = {}
        while self.tok.kind in ("_", "^"):
            side = self.advance().kind
            if side in limits:
                raise self.fail("a second script on the same side", token)
            limits[side] = self.group()
        low, high = limits.get("_"), limits.get("^")
        binders, where = ((), ()) if low is None else self.binders(low, high)
        if self.tok.kind in ("end", "}", "close", "rel", "comma"):
            raise self.fail(f"nothing under the {token.text}", token)
        if kind in ("max", "min") and self.tok.kind == "open":
            body = self.prefix()
        else:
            body = self.expression(HADAMARD)
        span = (token.start, self.end())
        binders = without_others(binders, where, body)
        if low is None:
            binders = self.only_index(body)
            if kind != "sum" or high is not None or len(binders) != 1:
                raise self.unsupported(f"{token.text}: over which index? a subscript is missing", token)
        return Sum(binders, body, where, span, kind)

    @staticmethod
    def only_index(body: Expr) -> tuple[Binder, ...]:
        """Σ y_i log p_i: over the only letter that stands as a subscript."""
        scripts = [n.sub for n in walk(body) if isinstance(n, Name) and n.sub is not None]
        inside = {b.name for n in walk(body) if isinstance(n, Sum) for b in n.binders}
        items = [i for s in scripts for i in s.items]
        letters = {i.letter: i.span for i in items if isinstance(i, Name) and i.letter.islower() and i.sub is None}
        return tuple(Binder(n, span=span) for n, span in letters.items() if n not in inside)

    def binders(self, low: Range, high: Range | None) -> tuple[tuple[Binder, ...], tuple[Chain, ...]]:
        if self.tokens[low[0]].kind == "substack" and self.tokens[low[0] + 1].kind == "{":
            low = (low[0] + 2, low[1] - 1)
        out: list[Binder] = []
        where: list[Chain] = []
        for run in self.split(low, ("comma", "row", "gap")):
            self.binder(run, out, where)
        if not out:
            raise self.fail("a sum over nothing")
        if len({b.name for b in out}) < len(out):
            raise ReadError("one index is bound twice", out[-1].span)
        if high is not None:
            top = self.inside(*high)
            if where and all(b.low is None for b in out):  # Σ_{j ≠ i}^n
                out = out[:1]
            if len(out) > 1 and any(b.low is None for b in out):
                raise ReadError("one upper limit for several indices", out[-1].span)
            out = [replace(b, high=top) for b in out]
        return tuple(out), tuple(where)

    def binder(self, r: Range, out: list[Binder], where: list[Chain]) -> None:
        """i, i=1, k ≠ i, i < j: the index (or two), and what is said of it."""
        token = self.tokens[r[0]]
        colon = next((k for k in range(*r) if self.tokens[k].kind == "colon" or self.tokens[k].text == "|"), None)
        if colon is not None and colon > r[0]:  # j : (i, j) ∈ Ω
            self.binder((r[0], colon), out, where)
            where.append(self.chain_inside(colon + 1, r[1]))
            return
        chain = self.chain_inside(*r)
        names = [s for s in (*chain.subjects, *(k.rhs for k in chain.links)) if isinstance(s, Name)]
        if not chain.links and names and isinstance(chain.subjects[0], Name):
            out.append(bound(names[0]))
            return
        subject = chain.subjects[-1]
        if not chain.links:
            if isinstance(subject, Product) and all(isinstance(a, Name) for a in subject.args):  # \sum_{ij}
                out.extend(bound(a) for a in subject.args if isinstance(a, Name))
                return
            raise self.fail(f"a sum runs over an index, not over {shown(token)}", token)
        relation = chain.links[0].relation
        if relation == "∈" and isinstance(chain.links[0].rhs, Name):
            inner = [c.subjects[-1] for c in subject.chains] if isinstance(subject, Paren) else [subject]
            if all(isinstance(n, Name) and n.sub is None for n in inner):
                where.append(chain)
                out.extend(bound(n) for n in inner if isinstance(n, Name))
                return
        if relation == "=" and isinstance(subject, Name) and len(chain.links) == 1:
            out.append(replace(bound(subject), low=chain.links[0].rhs))
            return
        if relation not in ("≠", "<", ">", "≤", "≥") or not names:
            raise self.unsupported(f"a condition under a sum ({relation}) is not supported", token)
        where.append(chain)
        known = {b.name for b in out}
        if not known & {n.letter for n in names}:
            before = {t.text for t in self.tokens[: r[0]] if t.kind == "name"}
            fresh = [n for n in names if n.letter not in before] or names[:1]
            out.extend(bound(n) for n in fresh)

    # --- fractions and derivatives -----------------------------------------------------------

    def fraction(self) -> Expr:
        token = self.advance()
        found = self.derivative_fraction(token)
        if found is not None:
            return found
        top = self.argument()
        bottom = self.argument()
        return Quotient(top, bottom, (token.start, self.end()))

    # --- roots, bars, matrices ---------------------------------------------------------------

    def root(self) -> Expr:
        token = self.advance()
        degree = 2
        if self.tok.kind == "open" and self.tok.text == "[":
            self.advance()
            digits = self.advance()
            degree = int(digits.text) if digits.kind == "number" and digits.text.isdigit() else 0
            if self.tok.text != "]" or not 1 <= degree <= 64:
                raise self.fail("the degree of a root is a whole number up to 64", digits)
            self.advance()
        body = self.argument()
        span = (token.start, self.end())
        return Power(body, Num(Fraction(1, degree), span), False, span)

    def norm(self) -> Expr:
        """‖x‖_2, |x|, also as || x ||."""
        token = self.advance()
        double = token.text == "‖"
        if not double and self.tok.kind == "bar" and self.tok.text == "|" and self.tok.start == token.end:
            self.advance()
            double = True
        self.bars += 1
        body = self.expression(SUM)
        self.bars -= 1
        if self.tok.kind not in ("bar", "close") or (self.tok.text not in ("|", "‖")):
            if double:
                raise self.unsupported("‖ between two things, or around one and never closed", token)
            raise self.fail("this bar is never closed", token)
        closing = self.advance()
        if double and closing.text == "|":
            if self.tok.kind != "bar":
                raise self.fail("this double bar is never closed", token)
            self.advance()
        return self.normed(body, double, token)

    def normed(self, body: Expr, double: bool, token: Token) -> Expr:
        order = "2" if double else "abs"
        back = self.i
        if self.tok.kind == "_":
            self.advance()
            order = self.spelled(self.group())
            if not double and order not in ("1", "2", "F"):  # |x|_i is an entry
                self.go(back)
                return Norm(body, "abs", (token.start, self.end()))
            if order not in ("1", "2", "F", "∞"):
                raise self.unsupported(f"the norm ‖·‖_{order} is not known", token)
        return Norm(body, order, (token.start, self.end()))

    def norm_command(self) -> Expr:
        """\\norm{x}, \\abs{x}: macros that everyone has."""
        token = self.advance()
        return self.normed(self.argument(), token.kind == "norm", token)

    def ones(self) -> Expr:
        """𝟏, 𝟏_N, 𝟏_{n × m}, 𝟏_{i=j}, 𝟏[x > 0], 𝟏{i = j}."""
        token = self.advance()
        if self.tok.kind == "_":
            self.advance()
            first, past = self.group()
            if self.tokens[first].kind == "open" and self.tokens[past - 1].kind == "close":
                inner = (first + 1, past - 1)
                if any(self.tokens[k].kind == "rel" for k in range(*inner)):
                    first, past = inner
            if any(self.tokens[k].kind == "rel" for k in range(first, past)):
                return Indicator(self.chain_inside(first, past), (token.start, self.end()))
            return Ones((self.inside(first, past),), (token.start, self.end()))
        if self.tok.kind == "open" and self.closes_with_relation(self.i):
            self.advance()
            chain = self.chain()
            if self.tok.kind != "close":
                raise self.fail(f"the condition is not closed before {shown(self.tok)}")
            self.advance()
            return Indicator(chain, (token.start, self.end()))
        return Ones((), (token.start, self.end()))

    def closes_with_relation(self, at: int) -> bool:
        """The bracket there holds a relation at its own level."""
        depth = 0
        for token in self.tokens[at:]:
            depth += nests(token.kind)
            if not depth or (depth == 1 and token.kind == "rel") or token.kind == "end":
                return token.kind == "rel"
        return False

    def environment(self) -> Expr:
        token = self.advance()
        if token.text != "cases" and token.text not in MATRICES:
            raise self.fail(f"the environment {token.text} is not expected inside a formula", token)
        self.deeper()
        bars, self.bars = self.bars, 0
        node = self.cases() if token.text == "cases" else self.matrix(token.text)
        self.bars = bars
        self.depth -= 1
        if self.tok.text != token.text:
            raise self.fail(f"\\end{{{token.text}}} is missing", token)
        self.advance()
        return replace(node, span=(token.start, self.end()))

    def matrix(self, name: str) -> Matrix:
        rows: list[list[Expr]] = [[]]
        while True:
            rows[-1].append(self.cell())
            if self.tok.kind == "end":
                break
            if self.tok.kind not in ("amp", "row"):
                raise self.fail(f"{shown(self.tok)} is not expected in a matrix")
            if self.advance().kind == "row":
                if self.tok.kind == "end" and self.tok.text == name:
                    break
                rows.append([])
        return Matrix(tuple(map(tuple, rows)))

    def cell(self) -> Expr:
        token = self.tok
        while self.tok.kind in ("gap", "arrow", "uparrow", "bar"):
            self.advance()
        ends = ("amp", "row", "end")
        if self.tok.kind == "op" and self.tok.text in ("cdot", "*", "times") and self.tokens[self.i + 1].kind in ends:
            self.advance()
        if self.tok.kind in ends:
            return Dots((token.start, token.end))
        if self.tok.kind == "text":
            self.advance()
            return Words(token.text, (token.start, token.end))
        chain = self.chain()
        return Equated(chain, chain.span) if chain.links else chain.subjects[-1]

    def cases(self) -> Cases:
        rows: list[tuple[Expr, Chain | None]] = []
        while self.tok.kind != "end":
            value = self.expression(SUM)
            while self.tok.kind in ("amp", "gap", "comma", "semi", "colon"):
                self.advance()
            when: Chain | None = None
            if [t.text for t in self.tokens[self.i : self.i + 2]] == ["i", "f"]:
                self.advance()
                self.advance()
            while self.tok.kind in ("text", "forall", "amp"):  # "& if & i = j"
                if self.tok.kind == "text" and _CASE_WORDS.fullmatch(self.tok.text) is None:
                    raise self.unsupported(f"“{self.tok.text.strip()}” in a case is not understood", self.tok)
                self.advance()
            if self.tok.kind not in ("row", "end"):
                when = self.chain()
            rows.append((value, when))
            while self.tok.kind in ("row", "gap", "comma", "dot", "semi", "text"):
                self.advance()
        return Cases(tuple(rows))


def without_others(binders: tuple[Binder, ...], where: tuple[Chain, ...], body: Expr) -> tuple[Binder, ...]:
    """Of Σ_{k ≠ i} x_k only k is bound: i does not stand under the sum."""
    if len(binders) != 2 or len(where) != 1 or [k.relation for k in where[0].links] != ["≠"]:
        return binders
    inside = {n.letter + "'" * n.primes for n in walk(body) if isinstance(n, Name)}
    kept = tuple(b for b in binders if b.name in inside)
    return kept if len(kept) == 1 else binders


def bound(name: Name) -> Binder:
    return Binder(name.letter + "'" * name.primes, None, None, name.span)
