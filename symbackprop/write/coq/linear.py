"""Equality of sums of products as a Coq proof: both sides become linear combinations of the same sums.

Each step is an instance of a lemma of `Sums.v`, and the last one compares coefficients.  Coq checks what is written
here, so nothing of it is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from symbackprop.core.monomials import Monomial, is_symbol, surely_positive

from ...core.indices import Index
from ...core.terms import (
    Add, Apply, IndexExpr, Mul, Num, Ordinal, Positive, Power, Predicate, Size, Sum, Term, add, affine, as_affine, num,
    open_body, over, sized,
)  # fmt: skip
from symbackprop.write.coq.monomials import congruent, listed
from .monomials import F1, SAME, Mono, Rewritten
from .tidying import Tidying
from .vocabulary import NotAlike, NotExported, Vocabulary

Row = tuple[tuple[str, ...], int, IndexExpr | None]  # c times sizes times an index, if any
LITERAL = 6  # sums over at most so many values are written out, as in the kernel
MOST = 400  # monomials


class Linear(Tidying):
    def __init__(self, words: Vocabulary, holds: Callable[[Predicate], str]) -> None:
        super().__init__(words)
        self.holds = holds
        self.expand = self.normal

    def equation(self, lhs: Term, rhs: Term, sources: Sequence[tuple[tuple[Index, ...], Term, Term, Term, str]]) -> str:
        """A proof of lhs = rhs from equations left = right, each times a factor and summed over dummies."""
        left = self.weighted([(d, f, a) for d, f, a, _, _ in sources])
        right = self.weighted([(d, f, b) for d, f, _, b, _ in sources])
        parts = [self.collected_normal(t) for t in (lhs, rhs, left, right)]
        equal = "erefl"
        for k, (dummies, f, _, _, proof) in enumerate(sources):
            one = proof if f == num(1) else f"(f_equal2 *%R erefl {proof})"
            one = self.under(dummies, one)
            equal = one if k == 0 else f"(f_equal2 +%R {equal} {one})"
        here = [self.words.text(t) for t in (left, right)]
        equal = f"({equal} : {here[0]} = {here[1]})"
        return f"(linear {' '.join(p.proof for p in parts)} {equal} {self.cancelling([p.monos for p in parts])})"

    def weighted(self, sources: Sequence[tuple[tuple[Index, ...], Term, Term]]) -> Term:
        """Σ_k Σ_{dummies} factor * side, as a term."""
        out = []
        for dummies, f, side in sources:
            t = side if f == num(1) else Mul((f, side))
            for d in reversed(dummies):
                t = over(d, t)
            out.append(t)
        return add(*out)

    def cancelling(self, sides: Sequence[Sequence[Mono]]) -> str:
        """The coefficients of lhs - rhs - left + right add up to 0."""
        texts = list(dict.fromkeys(self.sum(m) for monos in sides for m in monos))
        signs = (1, -1, -1, 1)
        parts = zip(sides, signs, strict=True)
        all_of = [(m.c * s, texts.index(self.sum(m))) for monos, s in parts for m in monos]
        for k, text in enumerate(texts):
            if sum(c for c, j in all_of if j == k):
                raise NotAlike(f"a linear step leaves {text[:200]}")
        return f"(@lin_cancels R {listed(texts)} {self.numbered(all_of)} erefl)"

    # --- sums of products ----------------------------------------------------------------------

    def collected_normal(self, t: Term) -> Rewritten:
        found = self.normal(t)
        rest = self.collected(found.monos)
        if rest.proof == SAME:
            return Rewritten(rest.monos, found.proof)
        return self.kept(t, rest.monos, f"(etrans {found.proof} {rest.proof})")

    def normal(self, t: Term) -> Rewritten:
        """t = lin of tidy monomials."""
        found = self.raw(t)
        if len(found.monos) > MOST:
            raise NotExported(f"a product of more than {MOST} terms")
        return found

    def stated(self, t: Term, proof: str, monos: Sequence[Mono]) -> str:
        return f"({proof} : {self.words.text(t)} = {self.lin(monos)})"

    def kept(self, t: Term, monos: list[Mono], proof: str) -> Rewritten:
        """With the statement written out."""
        return Rewritten(monos, self.stated(t, proof, monos))

    def made(self, t: Term, monos: list[Mono], proof: str) -> Rewritten:
        """The same tidied."""
        rest = self.tidied(monos)
        if rest.proof == SAME:
            return self.kept(t, rest.monos, proof)
        return self.kept(t, rest.monos, f"(etrans {self.stated(t, proof, monos)} {rest.proof})")

    def raw(self, t: Term) -> Rewritten:
        match t:
            case Num(value):
                c = self.words.rational(value)
                monos = [Mono(value, (), ())] if value else []
                return self.kept(t, monos, f"(lin_num R {c})" if value else "(lin_zero R)")
            case Size():
                return self.integer(t, self.words.size(t), [(names, c, None) for names, c in t.monomials])
            case Ordinal():
                return self.ordinal(t)
            case Add(args):
                return self.added(t, args)
            case Mul(args):
                return self.multiplied(t, args)
            case Power(base, q):
                return self.power(t, base, q)
            case Sum(size, body, _):
                return self.summation(t, size, body)
            case Apply("exp", arg, 0):
                return self.exponential(t, arg)
            case _:
                return self.opaque(t, t, F1)

    def opaque(self, t: Term, base: Term, e: Fraction) -> Rewritten:
        return self.made(t, [Mono(F1, (), ((base, e),))], f"(lin_of {self.words.text(t)})")

    def ordinal(self, t: Ordinal) -> Rewritten:
        constant, parts = as_affine(t.of)
        if len(parts) == 1 and t.of == parts[0][0]:
            return self.opaque(t, t, F1)
        rows: list[Row] = [(names, c, None) for names, c in constant.monomials]
        rows += [(names, c, atom) for atom, k in parts for names, c in k.monomials]
        return self.integer(t, self.words.at(t.of), rows)

    def integer(self, t: Term, text: str, rows: Sequence[Row]) -> Rewritten:
        """zr of a polynomial: a sum of products of sizes and indices."""
        if isinstance(t, Size) and is_symbol(t):
            return self.kept(t, [Mono(F1, (), ((t, F1),))], f"(lin_of {self.words.text(t)})")
        monos = []
        for names, c, atom in rows:
            factors: list[tuple[Term, Fraction]] = [(sized(n), F1) for n in names]
            if atom is not None:
                factors.append((Ordinal(atom), F1))
            monos.append(Mono(Fraction(c), (), tuple(factors)))
        return self.made(t, monos, "ltac:(integers)")

    def added(self, t: Term, args: tuple[Term, ...]) -> Rewritten:
        if not args:
            return self.kept(t, [], "(lin_zero R)")
        found = [self.normal(a) for a in args]
        proof = found[0].proof
        for r in found[1:]:
            proof = f"(lin_add {proof} {r.proof})"
        return self.kept(t, [m for r in found for m in r.monos], proof)

    def multiplied(self, t: Term, args: tuple[Term, ...]) -> Rewritten:
        if not args:
            return self.kept(t, [Mono(F1, (), ())], f"(lin_num R {self.words.rational(F1)})")
        total = self.normal(args[0])
        for k, a in enumerate(args[1:], 2):
            total = self.multiply(Mul(args[:k]), total, self.normal(a))
        return self.kept(t, total.monos, total.proof)

    def multiply(self, t: Term, a: Rewritten, b: Rewritten) -> Rewritten:
        product = self.product(a.monos, b.monos)
        return self.made(t, product.monos, f"(lin_mul {a.proof} {b.proof} {product.proof})")

    def summation(self, t: Term, size: Size, body: Term) -> Rewritten:
        n = size.constant
        if n is not None and 0 <= n <= LITERAL:
            values = [open_body(body, (affine(v, ()),)) for v in range(n)]
            found = [self.normal(v) for v in values]
            proof = "erefl"
            for r in reversed(found):
                proof = f"(lin_add {r.proof} {proof})"
            return self.kept(t, [m for r in found for m in r.monos], f"(etrans (Sum_values {n} _) {proof})")
        i = self.new(size)
        opened = open_body(body, (i,))
        inside = self.summed(i, self.words.text(opened), self.normal(opened))
        return self.made(t, inside.monos, inside.proof)

    # --- powers --------------------------------------------------------------------------------

    def power(self, t: Term, base: Term, q: Fraction) -> Rewritten:
        if q == 0:
            proof = "(etrans (pw_0 _) (etrans (esym (qr1 R)) (lin_num R (Frac 1 1))))"
            return self.kept(t, [Mono(F1, (), ())], proof)
        inner = self.collected_normal(base)
        if not inner.monos:
            zero = f"(@pw_zero R ({q.numerator})%Z {q.denominator} ltac:(index))"
            return self.kept(t, [], f"(etrans {self.raised(inner.proof, q)} {zero})")
        if len(inner.monos) == 1 and not inner.monos[0].dummies:
            return self.monomial_power(t, base, q, inner)
        if q.denominator == 1 and q > 0:
            return self.repeated(t, base, int(q), inner)
        return self.opaque(t, base, q)

    def raised(self, proof: str, q: Fraction) -> str:
        return f"(f_equal (fun x => pw x {self.words.rational(q)}) {proof})"

    def repeated(self, t: Term, base: Term, n: int, inner: Rewritten) -> Rewritten:
        if n == 1:
            return self.kept(t, inner.monos, f"(etrans (pw_1 _) {inner.proof})")
        before = self.repeated(Power(base, Fraction(n - 1)), base, n - 1, inner)
        again = self.normal(base)
        product = self.product(before.monos, again.monos)
        raised = f"(@pw_times R _ _ {n - 1}%Z _ {n}%Z {before.proof} erefl ltac:(index) {again.proof})"
        proof = f"(etrans {raised} {product.proof})"
        return self.made(t, product.monos, proof)

    def monomial_power(self, t: Term, base: Term, q: Fraction, inner: Rewritten) -> Rewritten:
        (m,) = inner.monos
        if m.c == 1 and len(m.factors) == 1 and m.factors[0][1] == 1 and q.denominator > 1:
            b = m.factors[0][0]
            alone = f"(esym (lin_of {self.words.text(b)}))"
            proof = f"(etrans {self.raised(f'(etrans {inner.proof} {alone})', q)} (lin_of _))"
            return self.made(t, [Mono(F1, (), ((b, q),))], proof)
        if q.denominator > 1 and (m.c != 1 or not all(surely_positive(b) for b, _ in m.factors)):
            return self.opaque(t, base, q)
        parts = [self.power_of(b, e, q) for b, e in m.factors]
        if q.denominator == 1 and None in parts:
            return self.opaque(t, base, q)
        new = Mono(m.c ** int(q) if q.denominator == 1 else F1, (), tuple((b, e * q) for b, e in m.factors))
        lists = f"{self.factors(m.factors)} {self.factors(new.factors)}"
        if q.denominator == 1:
            step = f"(@pw_mono R _ _ {lists} _ {self.number_power(m.c, q)} {congruent(parts)})"
        else:
            step = f"(@pw_mono_root R {lists} _ {congruent(parts)} ltac:(all_positive))"
        return self.made(t, [new], f"(etrans {self.raised(inner.proof, q)} {step})")

    def power_of(self, b: Term, e: Fraction, q: Fraction) -> str | None:
        """(b^e)^q = b^{eq}."""
        x = self.words.text(b)
        if e == 1:
            return "erefl"
        if e.denominator == q.denominator == 1:
            proof = f"(pw_powz {x} erefl)"
        else:
            try:
                proof = f"(pw_pow {self.holds(Positive(b))} erefl)"
            except NotExported:
                return None
        powers = f"pw (pw {x} {self.words.rational(e)}) {self.words.rational(q)}"
        proof = f"({proof} : {powers} = pw {x} {self.words.rational(e * q)})"
        return f"(etrans {proof} (pw_1 _))" if e * q == 1 else proof

    def exponential(self, t: Term, arg: Term) -> Rewritten:
        """e^{Σ c m} = Π (e^m)^c."""
        inner = self.collected_normal(arg)
        proof = "(exp_lin_nil R)"
        factors: list[tuple[Term, Fraction]] = []
        for m in reversed(inner.monos):
            one = m._replace(c=F1)
            term = Monomial(F1, one.dummies, one.factors).term()
            x, c = self.sum(one), self.words.rational(m.c)
            if m.c == 1:
                proof = f"(exp_lin_one {x} {proof})"
            else:
                proof = f"(exp_lin_cons {c} {x} {proof})"
            factors.insert(0, (Apply("exp", term), m.c))
        new = Mono(F1, (), tuple(factors))
        whole = f"(etrans (f_equal (@expR R) {inner.proof}) {proof} : {self.words.text(t)} = {self.body(new.factors)})"
        return self.made(t, [new], f"(etrans {whole} (lin_of {self.body(new.factors)}))")
