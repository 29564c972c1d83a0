"""Products, quotients, powers, sums, matrices written out, conditions."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

from symbackprop.core.indices import Index
from symbackprop.core.matrix import (
    UNIT, Given, Hadamard as HadamardForm, Matrix, Ones, Product as ProductForm, Transpose as TransposeForm, times,
)  # fmt: skip
from symbackprop.core.terms import (
    Add as AddTerm, Apply, Delta, Holds, Mul, Num as NumTerm, Positive, Power as PowerTerm, Size as SizeTerm, Term, add,
    dummy, mul, num, sized, sub, sum_over, whole,
)  # fmt: skip

from ..declared.sizes import Match, shown_dims
from ..files.place import Span, Unsettled
from ..grammar.tree import Add, Chain, Entry, Expr, IndexName, Link, Neg, Norm, Num, Power, Sum, Symbol
from .functions import Functions
from .values import Loose, Mat, Scalar, Value, as_scalar, dummies, entrywise, number, total
from ..grammar.walking import grouped, made_of


@dataclass(slots=True)
class Operations(Functions):
    def product(self, args: tuple[Expr, ...], signs: tuple[str, ...], span: Span) -> Value:
        if "*" in signs and not any(as_scalar(self.value(a)) is not None for a in args):
            return self.star(args, signs, span)
        if len(args) == 2 and signs == ("cdot",):
            dotted = self.dot(args, span)
            if dotted is not None:
                return dotted
        out = self.value(args[0])
        number_so_far = as_scalar(out) is not None
        for k, a in enumerate(args[1:], 1):
            factor, here = self.value(a), (args[0].span[0], args[k].span[1])
            is_number = as_scalar(factor) is not None
            before = out
            out = self.algebra.product(out, factor, here, self.decl.layout)
            if not number_so_far and not is_number and isinstance(factor, Mat) and isinstance(before, Mat):
                n, m = factor.shape
                if before.shape == (UNIT, UNIT) and n != UNIT:  # (1×n)(n×1)(m×1): a number only with parentheses
                    raise self.fail(f"product of 1×1 and {n}×{m}; parentheses around the number?", here)
            number_so_far = number_so_far and is_number
        return out

    def star(self, args: tuple[Expr, ...], signs: tuple[str, ...], span: Span) -> Value:
        """a * b of arrays: what the document says * means; products without a sign are done first."""
        meaning = self.decl.star
        if not meaning:
            raise self.fail(
                "* between arrays: a product of matrices, or of entries? declare star: elementwise or matrix", span
            )
        if meaning == "matrix":
            return self.product(args, tuple("" if s == "*" else s for s in signs), span)
        return self.hadamard(tuple(grouped(args, signs, "*")))

    def dot(self, args: tuple[Expr, ...], span: Span) -> Value | None:
        """a · b of two columns, or two rows, of one shape is not their matrix product: refuse to guess."""
        a, b = self.value(args[0]), self.value(args[1])
        if isinstance(a, Mat) and isinstance(b, Mat) and a.shape == b.shape != (UNIT, UNIT) and UNIT in a.shape:
            n, k = a.shape
            raise self.fail(
                f"· of two {n}×{k} vectors: the inner product is written with ^T, the product of entries with \\odot",
                span,
            )
        return None

    def hadamard(self, args: tuple[Expr, ...]) -> Value:
        out = self.value(args[0])
        for a in args[1:]:
            out = self.algebra.hadamard(out, self.value(a), (args[0].span[0], a.span[1]), self.written(a))
        return out

    def outer(self, args: tuple[Expr, ...], span: Span) -> Value:
        if len(args) != 2:
            raise Unsettled("⊗ of more than two vectors is not supported", span)
        forms: list[Matrix] = []
        for a in args:
            v = self.value(a)
            if not isinstance(v, Mat) or UNIT not in v.shape:
                raise self.fail("⊗ is read as the outer product of two vectors", a.span)
            forms.append(v.form if v.shape[1] == UNIT else TransposeForm(v.form))
        return Mat(ProductForm(forms[0], TransposeForm(forms[1])))

    def inner(self, left: Expr, right: Expr, span: Span) -> Value:
        a, b = self.value(left), self.value(right)
        if not isinstance(a, Mat) or not isinstance(b, Mat) or a.shape != b.shape:
            raise self.fail("⟨a, b⟩ needs two arrays of one shape", span)
        return Scalar(total(Mat(HadamardForm(a.form, b.form)), lambda t: t))

    def quotient(self, top: Value, bottom: Expr, span: Span) -> Value:
        divisor = self.value(bottom)
        below = as_scalar(divisor)
        if below is None:
            entries = self.algebra.quotient(top, divisor)
            if entries is None:
                raise self.fail("division by an array", bottom.span)
            return entries
        inverse = (
            NumTerm(1 / below.value) if isinstance(below, NumTerm) and below.value else PowerTerm(below, Fraction(-1))
        )
        if isinstance(top, Scalar) and isinstance(top.term, NumTerm) and isinstance(inverse, NumTerm):
            return Scalar(NumTerm(top.term.value * inverse.value))
        if isinstance(top, Scalar):
            return Scalar(inverse if top.term == num(1) else times(top.term, inverse))
        return self.algebra.product(Scalar(inverse), top, span, self.decl.layout)

    def power(self, node: Power) -> Value:
        exponent = as_scalar(self.value(node.exponent))
        q = constant(exponent) if exponent is not None else None
        if isinstance(node.base, Norm) and node.base.order in ("2", "F") and q is not None and q % 2 == 0:
            return self.algebra.power(self.square_norm(self.value(node.base.arg), node.span), q / 2, False, node.span)
        if q is None and exponent is not None and not node.elementwise and self.decl.inferred:
            base = as_scalar(self.value(node.base))
            if base is not None and not isinstance(exponent, SizeTerm):  # u^γ, for positive u
                self.algebra.note("a power with a letter as exponent is exp of it times the logarithm")
                return Scalar(Apply("exp", times(exponent, Apply("log", base))))
        if q is None:
            raise Unsettled("an exponent must be a number (or the base e)", node.exponent.span)
        return self.algebra.power(self.value(node.base), q, node.elementwise, node.span)

    def annotated(self, v: Value, shape_expr: Expr, span: Span) -> Value:
        """x_{1 × n}: x, if that is its shape."""
        claimed = self.sizes.dims(shape_expr)
        actual = v.shape if isinstance(v, Mat) else ()
        match = Match(self.sizes)
        if not match.same(actual, claimed):
            raise self.fail(f"this is {shown_dims(actual)}, not {shown_dims(claimed)}", span)
        for c in match.conditions:
            self.algebra.note(c)
        return v

    def ones(self, sizes: tuple[Expr, ...]) -> Value:
        found = [self.sizes.size(s) for s in sizes]
        if not found:
            return Loose("ones")
        if len(found) == 1:
            return Mat(Ones((found[0], UNIT)))
        return Mat(Ones((found[0], found[1])))

    def matrix(self, rows: tuple[tuple[Expr, ...], ...], span: Span) -> Value:
        """A matrix written out: Σ_rc (entry rc) δ_ir δ_jc."""
        width = len(rows[0])
        if any(len(r) != width for r in rows):
            raise self.fail("the rows of this matrix have different lengths", span)
        i, j = dummy(sized(len(rows)), "i"), dummy(sized(width), "j")
        terms: list[Term] = []
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                value = as_scalar(self.value(cell))
                if value is None:
                    raise Unsettled("a block matrix is not supported", cell.span)
                if value != num(0):
                    at = ((Delta(i, number(r)), len(rows)), (Delta(j, number(c)), width))
                    terms.append(mul(value, *(d for d, size in at if size > 1)))
        return Mat(Given(i, j, add(*terms)))

    def cases(self, rows: tuple[tuple[Expr, Chain | None], ...], span: Span) -> Value:
        """Values with conditions, the first that holds; without one of the others: 0."""
        found = entrywise(lambda terms: self.chosen(terms, rows), [self.value(value) for value, _ in rows])
        if found is None:
            raise self.fail("the cases have different shapes", span)
        return found

    def chosen(self, terms: list[Term], rows: tuple[tuple[Expr, Chain | None], ...]) -> Term:
        total: Term = num(0)
        for term, (_, condition) in reversed(list(zip(terms, rows, strict=True))):
            if condition is None:
                total = term
            else:
                holds = self.truth(condition)
                total = AddTerm((times(holds, term), times(sub(num(1), holds), total)))
        return total

    def indicator(self, condition: Chain) -> Value:
        """1 where a relation holds; entry by entry where it is one between arrays: 𝟙[z > 0]."""
        match condition:
            case Chain((left,), (Link((">" | "<" | "≥" | "≤") as relation, right),)):
                values = [self.value(left), self.value(right)]
                if (found := entrywise(lambda sides: compared(relation, *sides), values)) is not None:
                    return found
        return Scalar(self.truth(condition))

    def truth(self, condition: Chain) -> Term:
        """1 where the relation holds, else 0: i = j of indices, u > v of numbers."""
        if len(condition.links) != 1 or len(condition.subjects) != 1:
            raise self.fail("one relation is expected here", condition.span)
        left, relation, right = condition.subjects[0], condition.links[0].relation, condition.links[0].rhs
        if relation in ("=", "≠"):
            if not (index_like(left) and index_like(right)):
                raise Unsettled("an equality of numbers as a condition is not supported", condition.span)
            equal = self.equal_indices(left, right)
            return equal if relation == "=" else sub(num(1), equal)
        if relation in (">", "<", "≥", "≤"):
            a, b = as_scalar(self.value(left)), as_scalar(self.value(right))
            if a is None or b is None:
                raise self.fail("a comparison of arrays", condition.span)
            return compared(relation, a, b)
        raise self.fail(f"{relation} is no condition", condition.span)

    def big(self, node: Sum) -> Value:
        outer, kind = self.scope, node.kind
        indices = [Index(b.name, self.ranges.at(id(node), b.name, node.span)) for b in node.binders]
        self.scope = {**outer, **{i.name: i for i in indices}}
        try:
            v = self.value(node.body)
        finally:
            self.scope = outer
        if kind != "sum":
            return self.over(kind, tuple(indices), as_scalar(v), node.span)
        if isinstance(v, Scalar):
            return Scalar(sum_over(indices, v.term))
        if isinstance(v, Mat):
            r, c, term = dummies(v)
            return Mat(Given(r, c, sum_over(indices, term)))
        raise Unsettled("a sum of this is not supported", node.span)

    @staticmethod
    def over(kind: str, indices: tuple[Index, ...], term: Term | None, span: Span) -> Value:
        if term is None:
            raise Unsettled(f"{kind} of arrays is not supported", span)
        if kind == "min":
            return Scalar(times(num(-1), whole("max", 0, indices, times(num(-1), term), ())))
        return Scalar(whole(kind, 0, indices, term, ()))


def index_like(node: Expr) -> bool:
    return made_of(node, lambda n: isinstance(n, (IndexName, Num, Symbol, Entry)), Add, Neg)


def compared(relation: str, a: Term, b: Term) -> Term:
    """1 where a > b (or <, ≥, ≤), else 0."""
    greater = {">": (a, b), "≥": (b, a), "<": (b, a), "≤": (a, b)}[relation]
    positive = Holds(Positive(greater[0] if greater[1] == num(0) else sub(*greater)))
    return positive if relation in "><" else sub(num(1), positive)


def constant(t: Term) -> Fraction | None:
    match t:
        case NumTerm(value):
            return value
        case Mul(args):
            values = [constant(a) for a in args]
            return None if None in values else prod((v for v in values if v is not None), start=Fraction(1))
        case PowerTerm(base, exponent) if exponent.denominator == 1 and (c := constant(base)):
            return c ** int(exponent)
    return None
