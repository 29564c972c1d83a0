"""False theorems and malformed proofs, one for each guard of the core: what `test_kernel.py` must see refused.

Each row is a name and a function that commits the forgery.  With the guard that it is aimed at deleted the forgery
goes through, or falls over without saying why (`test_every_guard_is_needed`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from kernel_account import check_rows

from symbackprop.core import monomials, sums
from symbackprop.core.certificate import proof_rows
from symbackprop.core.context import EMPTY, Context, Equation, Recursion, Same
from symbackprop.core.indices import Index, IndexExpr, Least, Pick, Size, affine, sized
from symbackprop.core.kernel import (
    By,
    Chain,
    Digits,
    EveryDepth,
    Inside,
    Instance,
    Let,
    Linear,
    Proof,
    Rephrase,
    Seen,
    UnderDiff,
    UnderSum,
    Values,
    check,
)
from symbackprop.core.syntax import Tensor
from symbackprop.core.terms import (
    ONE,
    PI,
    ZERO,
    Add,
    Apply,
    Array,
    AtLeastZero,
    Bound,
    Delta,
    Diff,
    Entry,
    Holds,
    Mul,
    NonNegative,
    Nonzero,
    Positive,
    Power,
    ProofError,
    Term,
    Whole,
    add,
    bind,
    div,
    mul,
    num,
    open_body,
    opened,
    opened_whole,
    over,
    rebuilt,
    sub,
    whole,
)
from symbackprop.prove.equality import prove_gradient

N, M = sized("n"), sized("m")
i, j, p, q, r = (Index(s, N) for s in "ijpqr")
b, k = (Index(s, M) for s in "bk")
few = Index("j", N - 1)  # no values at n = 1
HALF = Fraction(1, 2)


def x(*at: IndexExpr) -> Entry:
    return Entry(Array("x"), at)


def y(*at: IndexExpr) -> Entry:
    return Entry(Array("y"), at)


def W(*at: IndexExpr) -> Entry:
    return Entry(Array("W"), at)


def layer(label: str | Size, *at: IndexExpr) -> Entry:
    return Entry(Array("V", sized(label)), at)


def same(t: Term) -> Linear:
    return Linear(t, t)


def step(t: Term) -> Term:
    return Holds(Positive(t))


INV = whole("inv", 0, (p, q), W(p, q), (i, j))
DET = whole("det", 0, (p, q), W(p, q), ())
MAX = whole("max", 0, (k,), x(k), ())
ARGMAX = whole("argmax", 0, (k,), x(k), (b,))
PROD = whole("prod", 0, (k,), x(k), ())
LOSS = whole("L", 0, (k,), x(k), ())
outside: IndexExpr = affine(M, ())  # the first index that an axis of size m does not have
X, Y = Array("x"), Array("y")

SUM_ONE = Context(hypotheses={"t": Same(over(k, x(k)), ONE)})
FALSE_SUM = Context(hypotheses={"h": Same(over(k, mul(x(k), W(k, i))), ZERO), "pos": Positive(x(i))})
DEFINED = Context(definitions={Array("z"): Tensor((i,), mul(x(i), x(i))), Array("V", sized("l")): Tensor((i,), x(i))})
VACUOUS = Context(hypotheses={"a": Same(x(), y(few)), "b": Same(y(few), ONE)})
AT_LEAST = Context(hypotheses={"h": AtLeastZero(x(i)), "p": Positive(y(i))})


LONG = Index("a", N * M)  # in digits: M j + k
two = Index("c", sized(2))
first, own = Index("~0", sized(1)), Index("!0", N)
SCALED = whole("inv", 0, (p, q), mul(W(p, q), y(own)), (i, j))


def refused(proof: Any, context: Context = EMPTY) -> Callable[[], Equation]:
    """Through rows, as every theorem."""
    return lambda: check_rows(proof_rows(proof, context))


Rows = list[list[Any]]
SIZE: Rows = [[["n"], 1]]  # n


def raw(
    *nodes: list[Any], steps: Rows | None = None, sizes: Sequence[Any] = (), **others: Any
) -> Callable[[], object]:
    """Rows that no writer writes: sizes 0 and 1 are n and n - 1; nodes 0, 1, 2 the number 1, the index i, its x_i.

    Without steps a law speaks of the last node.
    """
    given: dict[str, Any] = {
        "format": 2, "least": {}, "definitions": [], "hypotheses": {}, "recursion": None, "proof": 0,
        "sizes": [SIZE, [[[], -1], *SIZE], *sizes],
        "nodes": [["num", "1"], ["i", "i", 0], ["entry", ["x", None], [1]], *nodes],
        "steps": [["by", "log_of_exp", [2 + len(nodes)]]] if steps is None else steps,
    }  # fmt: skip
    return lambda: check_rows(given | others)


def by(law: Any, *args: Any, context: Context = EMPTY) -> Callable[[], Equation]:
    return refused(By(law, args), context)


def deep_sum(depth: int) -> Term:
    """Σ Σ .. Σ over two values each of an entry with as many indices."""
    axes = [Index(f"c{n}", sized(2)) for n in range(depth)]
    t: Term = x(*axes)
    for axis in axes:
        t = over(axis, t)
    return t


def refused_condition(proof: Any) -> None:
    """The theorem is right under a condition: refused when it comes without."""
    if check_rows(proof_rows(proof, EMPTY)).conditions:
        raise ProofError("under a condition")


def small(module: Any, name: str, value: int, proof: Any) -> Callable[[], Equation]:
    """The forgery under a smaller limit, so that it costs nothing without the guard."""

    def commit() -> Equation:
        old = getattr(module, name)
        setattr(module, name, value)
        try:
            return check_rows(proof_rows(proof, EMPTY))
        finally:
            setattr(module, name, old)

    return commit


Row = tuple[str, Callable[[], object]]

STRUCTURE: list[Row] = [
    ("a chain with a gap", refused(Chain(By("diff_mul", ((x(i), x(j)), x(p))), (By("diff_entry", (x(i), x(p))),)))),
    ("another argument", refused(Inside(Mul((x(i), x(j))), ((0, By("diff_entry", (x(i), x(p)))),)))),
    ("argument -1", refused(Inside(Mul((x(i), Diff(x(i), x(p)))), ((-1, By("diff_entry", (x(i), x(p)))),)))),
    ("a dummy without its sum", refused(same(x(Bound(0))))),
    ("a dummy under a sum", refused(UnderSum(i, same(x(Bound(0)))))),
    ("sides that differ", refused(Linear(x(i), x(j)))),
    ("a step that does not add up", refused(Linear(x(i), x(j), (((), num(2), By("diff_entry", (x(i), x(p)))),)))),
    ("no logarithm of a sum", refused(Linear(Apply("log", Add((x(i), x(j)))), Apply("log", x(i))))),
    ("a root of a negative", refused(Linear(sub(x(i), x(j)), sub(x(j), x(i))))),
    ("an instance outside its range", refused(Instance(((k, outside),), same(x(k))))),
    (
        "an instance at a dummy inside a gather",
        refused(Instance(((i, Pick("y", (Bound(0),), N)),), By("assume", ("h", ()))), FALSE_SUM),
    ),
    ("an instance of no index", refused(Instance(((Pick("y", (), N), i),), same(x(i))))),
    ("two values for one index", refused(Instance(((i, j), (i, p)), same(x(i))))),
    ("a case too few", refused(Values(Index("c", sized(2)), ONE, ZERO, ()))),
    (
        "another case",
        refused(
            Values(
                Index("c", sized(2)),
                x(Index("c", sized(2))),
                x(affine(0, ())),
                (same(x(affine(0, ()))), same(x(affine(1, ())))),
            )
        ),
    ),
    (
        "an index without values vanishes",
        refused(  # x = y_j = z for j < n - 1, which says nothing at n = 1
            Chain(By("assume", ("a", ())), (By("assume", ("b", ())),)), VACUOUS
        ),
    ),
    (
        "an index without values vanishes in a sum",
        refused(Linear(x(), ONE, (((), ONE, By("assume", ("a", ()))), ((), ONE, By("assume", ("b", ()))))), VACUOUS),
    ),
    (
        "... though another step sums over it",
        refused(
            Linear(
                x(),
                ONE,
                (((), ONE, By("assume", ("a", ()))), ((), ONE, By("assume", ("b", ()))), ((few,), ONE, same(y(few)))),
            ),
            VACUOUS,
        ),
    ),
    (
        "an index without values in a condition",
        refused(
            Rephrase(
                By("power_add", (x(i), Fraction(1), Fraction(-1))),
                ((Nonzero(x(i)), Linear(x(i), add(x(i), mul(num(0), y(few))))),),
            )
        ),
    ),
    ("digits of another size in a step", refused(Digits(i, x(i), x(i), j, k, same(x(affine(0, ((j, M), (k, 1)))))))),
    ("digits of negative sizes in a step",
     refused(Digits(Index("a", (N - 2) * (M - 3)), ONE, ONE, Index("c", N - 2), Index("d", M - 3), same(ONE)))),
    ("a digit that the equation has", refused(Digits(
        LONG, mul(x(j), x(LONG)), mul(x(j), x(LONG)), j, k, same(mul(x(j), x(affine(0, ((j, M), (k, 1))))))))),
    ("another equation of digits", refused(Digits(LONG, x(LONG), ONE, i, k, same(ONE)))),
    ("another condition", refused(Rephrase(By("exp_of_log", (x(i),)), ((Positive(x(i)), same(ONE)),)))),
    (
        "a condition on sizes restated",
        refused(
            Rephrase(Linear(over(Index("c", N - M), ONE), sub(N, M)), ((NonNegative(affine(N - M, ())), same(ONE)),))
        ),
    ),
    ("another context", lambda: check(same(ONE), EMPTY, Seen(DEFINED))),
]

LETS: list[Row] = [
    ("a name in a hypothesis", refused(Let(X, Tensor((k,), ONE), same(ONE)), SUM_ONE)),
    ("a name in a definition", refused(Let(X, Tensor((i,), ONE), same(ONE)), DEFINED)),
    ("a name in the theorem", refused(Let(Array("a"), Tensor((), ONE), By("unfold", (Entry(Array("a"), ()),))))),
    ("a name for its own", refused(Let(Array("a"), Tensor((), add(Entry(Array("a"), ()), ONE)), same(ONE)))),
    ("pi is three", refused(Let(PI.array, Tensor((), num(3)), same(ONE)))),
    ("a name with an index of its own", refused(Let(Array("a"), Tensor((), x(i)), same(ONE)))),
]

UNDER_DIFF: list[Row] = [
    ("an assumed sum is differentiated", refused(UnderDiff(x(b), By("assume", ("t", ()))), SUM_ONE)),
    (
        "an equation of one layer under another that may be it",
        refused(UnderDiff(layer("L", k), By("assume", ("h", ()))), Context(hypotheses={"h": Same(layer("l", i), ONE)})),
    ),
    (
        "an assumed equation through a definition",
        refused(
            UnderDiff(x(j), By("assume", ("h", ()))),
            Context(DEFINED.definitions, {"h": Same(Entry(Array("z"), (i,)), ONE)}),
        ),
    ),
    (
        "a >= that Let used",
        refused(UnderDiff(x(b), Let(Array("a"), Tensor((), ONE), By("exp_of_log", (add(x(i), ONE),)))), AT_LEAST),
    ),
    ("by a number", refused(UnderDiff(PI, same(ONE)))),
    ("by what is defined", refused(UnderDiff(Entry(Array("z"), (i,)), same(ONE)), DEFINED)),
    ("by what may be defined", refused(UnderDiff(layer("L", i), same(ONE)), DEFINED)),
]

DERIVATIVES: list[Row] = [
    ("it occurs", by("diff_independent", mul(x(i), y(j)), x(k))),
    ("it occurs in a definition", by("diff_independent", Entry(Array("z"), (i,)), x(j), context=DEFINED)),
    ("it may be a definition where it occurs", by("diff_independent", layer("L", i), x(j), context=DEFINED)),
    ("it may be the same layer", by("diff_independent", layer("l", i), layer("L", j))),
    ("an entry that is defined", by("diff_entry", Entry(Array("z"), (i,)), x(j), context=DEFINED)),
    ("an entry that may be defined", by("diff_entry", layer("L", i), x(j), context=DEFINED)),
    ("an entry of what may be the same layer", by("diff_entry", layer("l", i), layer("L", j))),
    ("an entry of an array of another shape", by("diff_entry", x(i), x(i, j))),
    ("a derivative by pi", by("diff_entry", PI, PI)),
    ("the dummy is an index of w", by("diff_sum", k, mul(W(i, k), x(k)), W(j, k))),
    ("a kink", by("diff_apply", "abs", 0, x(i), x(j))),
    ("the derivative symbol of exp", by("diff_apply", "exp", 1, x(i), x(j))),
    ("a maximum as a smooth loss", by("diff_whole", MAX, (b,), x(k))),
    ("a group of indices is missing", by("diff_whole", Whole("L", 1, (M,), x(Bound(0)), (i, k)), (b,), x(k))),
    ("the axis is an index of w", by("diff_whole", LOSS, (k,), x(k))),
    ("the axis is an index of the loss", by("diff_whole", whole("L", 0, (k,), W(k, i), ()), (i,), x(j))),
    ("the determinant of an inverse", by("diff_det", INV, (p, q), W(i, r))),
    ("the inverse of a determinant", by("diff_inverse", DET, (p, q), W(i, j))),
    ("the axes are indices of the inverse", by("diff_inverse", INV, (i, j), W(p, q))),
    ("the largest of a product", by("diff_max", PROD, (b,), x(k))),
    ("a maximum is no indicator", by("diff_argmax", MAX, x(b))),
    ("a product of a maximum", by("diff_prod", MAX, (b,), (Index("c", M),), x(k))),
    ("the other factors are the same", by("diff_prod", PROD, (b,), (b,), x(k))),
    ("the other factors are indices of w", by("diff_prod", PROD, (b,), (k,), x(k))),
    ("the other factors are indices of x", by("diff_prod", whole("prod", 0, (p,), W(p, i), ()), (j,), (i,), x(k))),
    ("axes of other sizes", by("diff_max", MAX, (i,), x(k))),
    ("the gap of a maximum is differentiated", by("diff_mul", (x(b), whole("gap", 0, (k,), x(k), ())), x(b))),
]

LAWS: list[Row] = [
    ("e^u in exponentials", by("in_exponentials", "erf", x(i))),
    ("exp is even", by("parity", "exp", x(i))),
    ("exp at 0", by("at_zero", "exp")),
    ("the tangent of a sum", by("sum_of_angles", "tan", x(i), x(j))),
    ("cases of no step", by("by_cases", Apply("f", ONE), x(i), x(j), x(k))),
    ("cases of a sum", by("by_cases", Add((ONE, ONE)), step(x(i)), x(j), x(k))),
    ("an undefined array", by("unfold", x(i))),
    ("a definition with an index too many", by("unfold", Entry(Array("z"), (i, j)), context=DEFINED)),
    ("an unknown hypothesis", by("assume", "h", ())),
    ("an inequality is no equation", by("assume", "pos", (), context=FALSE_SUM)),
    ("a hypothesis outside its range", by("assume", "h", ((i, affine(N, ())),), context=FALSE_SUM)),
    ("a hypothesis at a dummy", by("assume", "h", ((i, Pick("y", (Bound(0),), N)),), context=FALSE_SUM)),
    ("a new index that is twice the old one", by("reindex", i, k, affine(0, ((i, 2),)), x(i))),
    ("a shift by the old index", by("reindex", i, k, affine(0, ((i, 1), (Pick("y", (i,), N), 1))), x(i))),
    ("a new index that is the old one", by("reindex", i, i, affine(1, ((i, 1),)), x(i))),
    ("a new index in use", by("reindex", i, k, affine(0, ((i, 1),)), mul(x(i), y(k)))),
    ("more values than there are", by("count", i, affine(1, ((i, 1),)))),
    ("fewer values than none", by("count", i, affine(-2, ((i, -1),)))),
    ("every second value", by("count", i, affine(0, ((i, 2),)))),
    ("a number that depends on the index", by("count", i, affine(0, ((i, -1), (Pick("y", (i,), N), 1))))),
    (
        "two predicates that hold for i = j",
        by("no_room", (affine(0, ((i, 1), (j, -1))), affine(0, ((j, 1), (i, -1))))),
    ),
    ("outside of half", by("step_negated_outside", num(HALF), x(i))),
    ("digits of another size", by("by_radix", i, Index("a", N), Index("c", M), x(i))),
    (
        "digits of negative sizes",
        by("by_radix", Index("a", (N - 2) * (M - 3)), Index("c", N - 2), Index("d", M - 3), ONE),
    ),
    ("a digit in use", by("by_radix", Index("a", N * M), i, k, mul(x(i), x(Index("a", N * M))))),
    ("two digits in one", by("by_radix", Index("a", N * N), i, i, x(Index("a", N * N)))),
    ("a new index in the shift", by("reindex", i, k, affine(0, ((i, 1), (k, 1))), x(i))),
]

ARRAY_LAWS: list[Row] = [
    ("an axis too few in a maximum", by("maximum_of_maxima", (i,), (k,), (i,), x(i))),
    ("an axis twice in a maximum", by("maximum_of_maxima", (i,), (i,), (i,), x(i))),
    (
        "a maximum of nothing in a maximum",
        by("maximum_of_maxima", (i,), (Index("e", N - 1),), (i, Index("e", N - 1)), x(i)),
    ),
    ("a determinant times a matrix", by("inverse_times", DET, r)),
    ("a matrix times a determinant", by("times_inverse", DET, r)),
    ("a dummy of another size", by("inverse_times", INV, k)),
    ("a dummy of another size on the right", by("times_inverse", INV, k)),
    ("the dummy is an index of the inverse", by("inverse_times", INV, j)),
    ("the dummy is an index of the inverse on the right", by("times_inverse", INV, i)),
    ("an entry outside the inverse", by("inverse_times", whole("inv", 0, (p, q), W(p, q), (affine(N, ()), j)), r)),
    ("a maximum transposed", by("inverse_of_transpose", MAX)),
    ("a maximum of a product picks", by("maximum_picks", PROD, (b,))),
    ("a maximum of nothing", by("one_argmax", whole("max", 0, (few,), x(few), ()), (Index("a", N - 1),))),
    ("a maximum picks its own index", by("maximum_picks", whole("max", 0, (k,), W(k, b), ()), (b,))),
    ("one of its own index", by("one_argmax", whole("max", 0, (k,), W(k, b), ()), (b,))),
    ("one of fewer entries", by("one_argmax", MAX, (i,))),
    ("a pick among fewer entries", by("maximum_picks", MAX, (i,))),
    ("above what is not an entry", by("step_above_max", MAX, (outside,))),
    ("below what is not an entry", by("step_below_max", MAX, (outside,))),
    ("a product without what is not a factor", by("product_without", (k,), x(k), (outside,))),
    ("a product without its own index", by("product_without", (k,), x(k), (k,))),
    (
        "the maximum of a product of matrices",
        by("of_product", Whole("L", 0, (N, N), W(Bound(1), Bound(0)), (i, j)), (p, q), r, W(p, r), W(r, q)),
    ),
    ("a left factor with both indices", by("of_product", DET, (p, q), r, W(p, q), W(r, q))),
    ("a right factor with both indices", by("of_product", DET, (p, q), r, W(p, r), W(p, q))),
    (
        "an entry outside the product",
        by("of_product", whole("inv", 0, (p, q), W(p, q), (affine(N, ()), j)), (p, q), r, W(p, r), W(r, q)),
    ),
    (
        "the inner index of the product",
        by("of_product", whole("inv", 0, (p, q), W(p, q), (r, j)), (p, q), r, W(p, r), W(r, q)),
    ),
    ("a scale that depends on the row", by("inverse_scaled", (p, q), x(p), W(p, q), (i, j))),
    ("the maximum of an inverse", by("inverse_of_inverse", whole("L", 0, (p, q), W(p, q), (i, j)), (p, q))),
    ("the determinant of a part of an inverse", by("inverse_of_inverse", DET, (b, k))),
    ("the axes of an inverse in use", by("inverse_of_inverse", whole("det", 0, (p, q), W(p, i), ()), (i, q))),
    (
        "an entry outside the inverse of an inverse",
        by("inverse_of_inverse", whole("inv", 0, (p, q), W(p, q), (affine(N, ()), j)), (p, q)),
    ),
    ("an entry outside the identity", by("of_identity", (p, q), (affine(N, ()), affine(N, ())))),
]

ENTRY, ONE_ROW, LAST = 2, 0, 3  # of the rows that `raw` gives; the first that one adds
TYPES: list[Row] = [
    # plain data that is of another kind
    ("an index for a term", raw(steps=[["by", "log_of_exp", [1]]])),
    ("a term for an index", raw(["entry", ["x", None], [0]])),
    ("a text for a number of a row", raw(steps=[["by", "log_of_exp", ["2"]]])),
    ("a later row", raw(["add", [4]], ["num", "1"])),
    ("a row from the end", raw(steps=[["by", "log_of_exp", [-1]]])),
    ("a float", raw(["num", 0.1])),
    ("a truth value", raw(["num", True])),
    ("a decimal", raw(["num", "0.1"])),
    ("a number that is not in lowest terms", raw(["num", "2/4"])),
    ("a number that takes long to write out", raw(["num", "1e9999"])),
    ("a power of two in disguise", raw(["num", "1e3"])),
    ("a number over zero", raw(["num", "1/0"])),
    ("a float exponent", raw(steps=[["by", "power_add", [2, 0.5, "1/2"]]])),
    ("a text for a list of terms", raw(["add", "2"])),
    ("a tuple for a list", raw(("add", [2]))),  # type: ignore[arg-type]
    ("an array without a name", raw(["entry", ["", None], [1]])),
    ("a name that is a number", raw(["entry", [1, None], [1]])),
    ("half a size", raw(["size", 2], sizes=[[[[], 0.5]]])),
    ("a true size", raw(["size", 2], sizes=[[[[], True]]])),
    ("a size of a high degree", raw(["size", 2], sizes=[[[["n"] * 99, 1]]])),
    ("a negative depth", raw(["b", -1], ["entry", ["x", None], [3]], ["sum", 0, 4])),
    ("half a derivative", raw(["app", "f", 2, 0.5])),
    ("a derivative by a number", raw(["diff", 2, 0])),
    ("a step of an inequation", raw(["holds", ["ne0", 2]])),
    ("an unknown node", raw(["root", 2])),
    ("a node without a tag", raw([])),
    ("a part too many", raw(["num", "1", "1"])),
    ("a gather from nothing", raw(["pick", "y", [1], 1], ["entry", ["x", None], [3]])),
    ("a dummy for a term", raw(["b", 0], ["entry", ["x", None], [3]])),
    ("a term for an entry", raw(steps=[["by", "diff_independent", [0, 0]]])),
    ("a term for a function of an array", raw(steps=[["by", "diff_argmax", [0, 2]]])),
    ("one axis for two", raw(steps=[["by", "of_identity", [[1], []]]])),
    ("three axes for two", raw(["i", "j", 0], ["i", "k", 0], steps=[["by", "of_identity", [[1, 3, 4], []]]])),
    ("one axis twice", raw(steps=[["by", "of_identity", [[1, 1], []]]])),
    ("a dummy twice", raw(steps=[["linear", 2, 2, []], ["linear", 2, 2, [[[1, 1], 0, 0]]]], proof=1)),
    ("an axis twice", raw(steps=[["linear", 2, 2, []], ["underwhole", "L", 0, [1, 1], [], 0]], proof=1)),
    ("an axis of a name twice", raw(steps=[["linear", 0, 0, []], ["let", ["y", None], [1, 1], 2, 0]], proof=1)),
    ("a definition with an index twice in rows", raw(definitions=[[["y", None], [1, 1], 2]])),
    ("a value twice", raw(steps=[["linear", 2, 2, []], ["instance", [[1, 1], [1, 1]], 0]], proof=1)),
    ("a negative number of a law", raw(steps=[["by", "diff_apply", ["f", -1, 2, 2]]])),
    ("a truth value for a number of a law", raw(steps=[["by", "diff_apply", ["f", True, 2, 2]]])),
    ("a number for a text", raw(steps=[["by", "parity", [1, 2]]])),
    ("a chain of nothing", raw(steps=[["chain", []]])),
    ("an unknown step", raw(steps=[["believe", 2]])),
    ("an unknown law", raw(steps=[["by", "by_magic", []]])),
    ("a step for itself", raw(steps=[["flip", 0]])),
    ("another format", raw(format=1)),
    ("no certificate", lambda: check_rows([])),
    ("a list of hypotheses", raw(hypotheses=[])),
    ("a hypothesis without a name", raw(hypotheses={"": ["gt0", 2]})),
    ("a hypothesis that is a term", raw(hypotheses={"h": 2})),
    ("a size from 0 on", raw(least={"n": 0})),
    ("two definitions of one array", raw(definitions=[[["y", None], [], 0], [["y", None], [], 0]])),
]

SHAPES: list[Row] = [
    ("a derivative without its indices", lambda: Whole("L", 2, (N,), x(Bound(0)), (i,))),
    ("the derivative symbol of a maximum", lambda: Whole("max", 1, (N,), x(Bound(0)), ())),
    ("a maximum with an index", lambda: Whole("max", 0, (N,), x(Bound(0)), (i,))),
    ("an inverse that is not square", lambda: Whole("inv", 0, (N, M), W(Bound(1), Bound(0)), (i, k))),
]

CAPTURES: list[Row] = [
    # indices that are called what an implementation might call its own
    (
        "a sum over two values takes a free index along",
        refused(
            Linear(over(two, mul(x(two), y(first))), add(*(mul(x(v), y(v)) for v in (affine(0, ()), affine(1, ())))))
        ),
    ),
    (
        "an entry of an inverse takes a free index along",
        refused(
            Chain(
                same(over(r, Mul((Whole("inv", 0, (N, N), SCALED.body, (i, r)), mul(W(r, j), y(r)))))),
                (By("inverse_times", (SCALED, r)),),
            )
        ),
    ),
    (
        "a square of two indices that are one",
        lambda: refused_condition(
            By("power_add", (add(ONE, over(i, mul(x(i), x(Index("!1", N))))), Fraction(1), Fraction(-1)))
        ),
    ),
    ("a delta over itself", refused(Linear(div(Delta(i, j), Delta(i, j)), ONE))),
    ("a step over itself", refused(Linear(div(step(x(i)), step(x(i))), ONE))),
    ("a negative number of terms", lambda: refused_condition(Linear(over(Index("c", N - M), ONE), sub(N, M)))),
    ("zero over zero", refused(Linear(div(ZERO, ZERO), ONE))),
    ("a root of a square", refused(Linear(Power(Power(x(i), Fraction(2)), HALF), x(i)))),
]

# A network of any depth without activations: z^{l+1} = W^{l+1} z^l, and Σ_i t_i z^L_i for the loss.
WIDTHS = (("n_l", "n_l+1", "n_L"),)
here, above, last = (Index("i", sized(n)) for n in WIDTHS[0])
source, to = Index("k", sized("n_l")), Index("j", sized("n_l+1"))
at_l, at_next, at_last = sized("l"), sized("l") + 1, sized("L")


def state(label: Size, *at: IndexExpr, name: str = "z") -> Entry:
    return Entry(Array(name, label), at)


LAYERS = Recursion(
    "C", "l", "L", WIDTHS, "z", "δ",
    (last,), over(last, mul(Entry(Array("t"), (last,)), state(at_last, last))), Entry(Array("t"), (last,)),
    (above,), over(source, mul(state(at_next, above, source, name="W"), state(at_l, source))),
    (here,), over(to, mul(state(at_next, to, name="δ"), state(at_next, to, here, name="W"))),
)  # fmt: skip
ENTERS = over(source, mul(state(at_l, here, source, name="W"), Entry(Array("a"), (source,))))
TO_HERE = Index("j", sized("n_l"))
WEIGHT = state(at_l, TO_HERE, source, name="W")
BY_WEIGHT = mul(state(at_l, TO_HERE, name="δ"), Entry(Array("a"), (source,)))


def proved(loss: Term, wrt: Entry, claimed: Term, context: Context = EMPTY) -> Proof:
    found = prove_gradient(loss, wrt, claimed, context)
    assert found is not None, f"{claimed} is no derivative of {loss}"
    return found[0]


def deep(
    wrt: Entry | None = None, enters: Term = ENTERS, claimed: Term = BY_WEIGHT, base: Proof | None = None,
    context: Context = EMPTY, step: Proof | None = None, **changes: Any,
) -> Callable[[], Equation]:  # fmt: skip
    """The signals of these layers with some changes, or with `wrt` the gradient by a parameter: proofs that hold."""
    r = replace(LAYERS, **changes)
    after = Entry(Array(r.state, at_next), r.above)
    known = Context({
        after.array: Tensor(r.above, r.forward),
        Array(r.signal, at_next): Tensor(r.above, whole(r.cost, 1, r.above, after, r.above)),
    })  # fmt: skip
    base = base or proved(r.loss, Entry(Array(r.state, at_last), r.at_last), r.first)
    step = step or proved(whole("C", 0, r.above, after, ()), Entry(Array(r.state, at_l), r.here), r.backward, known)
    parameters = []
    if wrt is not None:
        signal = Context({Array(r.signal, at_l): Tensor(r.here, whole(r.cost, 1, r.here, enters, r.here))})
        parameters.append((wrt, enters, proved(whole("C", 0, r.here, enters, ()), wrt, claimed, signal)))
    proof = EveryDepth(base, step, tuple(parameters))
    return refused(proof, Context(context.definitions, context.hypotheses, context.least, r))


def with_loss(more: Term, slope: Term = ZERO, **changes: Any) -> Callable[[], Equation]:
    return deep(loss=add(LAYERS.loss, more), first=add(LAYERS.first, slope), **changes)


def with_forward(more: Term, **changes: Any) -> Callable[[], Equation]:
    return deep(forward=add(LAYERS.forward, more), **changes)


STARTS, ENDS = (here, Index("c", sized("m_l"))), (last, Index("c", sized("m_L")))
NEXTS = above, Index("c", above.size)


def summed(axes: tuple[Index, ...], body: Term) -> Term:
    for a in axes:
        body = over(a, body)
    return body


KINK = mul(ZERO, step(over(last, state(at_last, last))))  # 0, though its parts have no derivative at 0
UNIT = Entry(Array("u"), ())
FIXED = Index("i", at_last)  # an axis as long as the network is deep
WIDE = Index("j", M)
DEPTHS: list[Row] = [
    ("layers without a recursion", refused(EveryDepth(same(ONE), same(ONE)))),
    ("layers with a definition", deep(context=Context({X: Tensor((), ONE)}))),
    ("another step about layers", refused(same(ONE), Context(recursion=LAYERS))),
    ("a loss with a kink", with_loss(KINK, base=Chain(
        UnderDiff(state(at_last, last), Linear(add(LAYERS.loss, KINK), LAYERS.loss)),
        (proved(LAYERS.loss, state(at_last, last), add(LAYERS.first, ZERO)),)))),
    ("another base", deep(base=same(ONE))),
    ("a base under a condition", deep(
        first=mul(LAYERS.first, UNIT, Power(UNIT, Fraction(-1))),
        base=Chain(proved(LAYERS.loss, state(at_last, last), LAYERS.first),
                   (Linear(LAYERS.first, mul(LAYERS.first, UNIT, Power(UNIT, Fraction(-1)))),)))),
    ("a parameter of all layers", deep(
        Entry(Array("b"), (TO_HERE,)), add(ENTERS, Entry(Array("b"), (here,))), state(at_l, TO_HERE, name="δ"))),
    ("a loss that looks at the weights",
     with_loss(over(last, state(at_last, last, last, name="W")), wrt=WEIGHT)),
    ("tied weights", deep(WEIGHT, forward=over(source, mul(W(above, source), state(at_l, source))),
                          backward=over(to, mul(state(at_next, to, name="δ"), W(to, here))))),
    ("a layer that looks at the weights of the one before",
     with_forward(state(at_l, above, above, name="W"), wrt=WEIGHT)),
    ("a layer that looks at the last weights", with_forward(state(at_last, above, above, name="W"), wrt=WEIGHT)),
    ("one name for two widths", deep(
        widths=(WIDTHS[0], ("m_l", "n_l+1", "m_L")), at_last=ENDS, above=NEXTS, here=STARTS,
        loss=summed(ENDS, state(at_last, *ENDS)), first=ONE,
        forward=summed(STARTS, state(at_l, *STARTS)), backward=summed(NEXTS, state(at_next, *NEXTS, name="δ")))),
    ("widths from 2 on", deep(context=Context(least=Least({"n_l": 2})))),
    ("as many units as layers", deep(widths=(), at_last=(FIXED,), above=(FIXED,), here=(FIXED,),
        loss=over(FIXED, state(at_last, FIXED)), first=ONE,
        forward=state(at_l, FIXED), backward=state(at_next, FIXED, name="δ"))),
    ("a layer of another width", deep(above=(WIDE,), forward=over(
        source, mul(state(at_next, WIDE, source, name="W"), state(at_l, source))), backward=over(
        WIDE, mul(state(at_next, WIDE, name="δ"), state(at_next, WIDE, here, name="W"))))),
    ("a loss that depends on the layer", with_loss(sized("n_l"))),
    ("a loss for each index", with_loss(x(i))),
    ("a skip connection", with_forward(state(at_l - 1, above))),
    ("a layer that looks at the last state", lambda: with_forward(state(at_last, above))()),
    ("a loss that looks behind the last unit", with_loss(state(at_last, affine(sized("n_L"), ())))),
    ("a layer of the cost itself", with_forward(whole("C", 0, (k,), x(k), ()))),
    ("a layer with a derivative", with_forward(Diff(x(), y()))),
    ("a hypothesis about a state", deep(context=Context(hypotheses={"h": Same(state(at_last, last), ZERO)}))),
    ("a gradient of the state", deep(WEIGHT, claimed=add(BY_WEIGHT, mul(ZERO, state(at_l, source))))),
]  # fmt: skip

CONTEXTS: list[Row] = [
    ("a definition of itself", lambda: Context({X: Tensor((), add(x(), ONE))})),
    ("a circle of definitions", lambda: Context({X: Tensor((i,), y(i)), Y: Tensor((i,), x(i))})),
    ("a circle of layers", lambda: Context({Array("V", sized("l")): Tensor((i,), layer("L", i))})),
    ("a definition that depends on more than its axes", lambda: Context({X: Tensor((i,), W(i, j))})),
    ("a definition with one axis twice", lambda: Context({X: Tensor((i, i), y(i))})),
    ("a definition of pi", lambda: Context({PI.array: Tensor((), num(3))})),
    ("a definition with a dummy", refused(same(ONE), Context({X: Tensor((), y(Bound(0)))}))),
    ("a hypothesis with a dummy", refused(same(ONE), Context(hypotheses={"h": Same(x(Bound(0)), ONE)}))),
    ("a condition with a dummy", refused(same(ONE), Context(hypotheses={"h": NonNegative(Bound(0))}))),
]

DOORS: list[Row] = [
    ("a dangling dummy is bound", lambda: bind((i,), x(Bound(0)))),
    ("an index is bound twice", lambda: bind((i, i), x(i))),
    ("a dangling dummy is opened", lambda: open_body(x(Bound(1)), (i,))),
    ("a sum is opened with an index of another size", lambda: opened(over(k, x(k)), i)),
    ("an array is opened with axes of other sizes", lambda: opened_whole(MAX, (i,))),
    ("a tensor at too few indices", lambda: Tensor((i, j), W(i, j)).at(i)),
    ("arguments of an entry", lambda: rebuilt(x(i), (ONE,))),
]

a_third = Index("c", N)
ring_of_three = over(i, over(j, over(a_third, mul(W(i, j), W(j, a_third), W(a_third, i)))))

LIMITS: list[Row] = [
    ("a long product", small(sums, "LIMIT", 8, same(mul(*(add(x(i), y(i)),) * 8)))),
    ("a long sum", small(sums, "LIMIT", 8, same(deep_sum(4)))),
    ("a high power", refused(same(Power(add(x(i), y(i)), Fraction(65))))),
    ("a long number", small(sums, "BITS", 8, same(Power(num(3), Fraction(50))))),
    ("dummies that look alike", small(monomials, "TRIES", 1, same(ring_of_three))),
]

FORGERIES: dict[str, Callable[[], object]] = dict([
    *STRUCTURE, *CAPTURES, *LETS, *UNDER_DIFF, *DERIVATIVES, *LAWS, *ARRAY_LAWS, *DEPTHS,
    *TYPES, *SHAPES, *CONTEXTS, *DOORS, *LIMITS,
])  # fmt: skip
