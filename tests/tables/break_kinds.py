"""Questions that are easy to get wrong, drawn by kind; what may be answered follows from how each is made.

A false claim is made from the right one by a change on a null set, at one size, in a rare region and so on, so that it
is false by construction; a true one is the right one in other words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

FALSE, HONEST_DOUBT, TRUE, SURE = {"refuted"}, {"refuted", "ill-formed", "unknown"}, {"proved", "unknown"}, {"proved"}

# Forward and its gradient, entry by entry, for x of shape n.
SMOOTH = {
    "x**2": "2*x", "x**3": "3*x**2", "np.exp(x)": "np.exp(x)", "np.tanh(x)": "1 - np.tanh(x)**2", "5*x": "5 + 0*x",
    "np.sin(x)": "np.cos(x)", "x*np.exp(x)": "(1 + x)*np.exp(x)", "1/(1 + x**2)": "-2*x/(1 + x**2)**2",
}  # fmt: skip


class Question(NamedTuple):
    forward: str
    backward: str
    shapes: dict[str, str]
    wrt: str
    assuming: tuple[str, ...]
    want: set[str]


def total(f: str, g: str, want: set[str], *assuming: str, shape: str = "n") -> Question:
    return Question(f"lambda x: ({f}).sum()", f"lambda x: {g}", {"x": shape}, "x", assuming, want)


def pairs(draw: Random) -> Iterator[tuple[str, str]]:
    while True:
        yield from draw.sample(sorted(SMOOTH.items()), len(SMOOTH))


def null_sets(draw: Random) -> Iterator[Question]:
    for (f, g), where in zip(pairs(draw), NULL * 2, strict=False):
        yield total(f, f"np.where({where}, {draw.choice(('7.0', '-3.0', '100.0', '1 + 2*(' + g + ')'))}, {g})", FALSE)
    for c in ("s", "s**2", "(1 + s)"):
        mask = f"np.where(x == 0, dy, dy*({c}*m*x)/np.where(x == 0, 1.0, x))"
        yield Question(
            f"lambda x, m, s: {c}*m*x", f"lambda x, m, s, dy: {mask}", {"x": "N", "m": "N", "s": ""}, "x", (), FALSE
        )
    for kink in ("np.maximum(x, 0)", "np.where(x > 0, x, 0)", "(x + np.abs(x))/2", "x*(x > 0)"):
        for value in ("(x >= 0)*1.0", "(x > 0)*1.0", "np.where(x > 0, 1.0, 0.0)"):
            yield total(kink, value, SURE)


NULL = ["x == 0", "x == 1", "x == -2", "x == 3", "(x == 0) | (x == 1)", "np.abs(x) == 1", "x*x == 4"]


def no_value(draw: Random) -> Iterator[Question]:
    for f, g in SMOOTH.items():
        u = draw.choice(("np.log1p(x/100)", "np.sqrt(x + 30)", "1/(len(x) - 13)", "1/(x - 2)", "np.log(x + 20)", "1/x"))
        yield total(f, f"{g} + {u} - {u}", FALSE)
    for k in (2, 3, 4):
        yield total(f"x**{k}", f"{k}*x**{k}/x", FALSE)
        yield total(f"x**{k}", f"{k}*x**{k}/x", SURE, "x > 0")
        yield total(f"x**{k}", f"{k}*x**{k}/x", SURE, "x != 0")
    for n in (5, 9, 17, 23):
        yield total("x**2", f"2*x*(len(x) - {n})/(len(x) - {n})", FALSE)
    yield Question("lambda x: x.prod()", "lambda x: x.prod()/x", {"x": "n"}, "x", (), FALSE)
    yield Question("lambda x: x.prod()", "lambda x: x.prod()/x", {"x": "n"}, "x", ("x != 0",), TRUE)


def powers(draw: Random) -> Iterator[Question]:
    for c in ("", "2*", "-1*", "x.sum()*", "3*"):
        f = f"(a**np.arange(len(x))*x).sum()*({c}1)" if "x" not in c else "(a**np.arange(len(x))*x).sum()"
        right = f"a**np.arange(len(x))*({c}1)" if "x" not in c else "a**np.arange(len(x))"
        yield Question(f"lambda a, x: {f}", f"lambda a, x: {right}", {"a": "", "x": "T"}, "x", (), TRUE)
        yield Question(f"lambda a, x: {f}", f"lambda a, x: np.abs({right})", {"a": "", "x": "T"}, "x", (), FALSE)
        yield Question(
            f"lambda a, x: {f}", f"lambda a, x: np.exp(0*np.log(np.abs(a)))*np.abs({right})",
            {"a": "", "x": "T"}, "x", (), HONEST_DOUBT,
        )  # fmt: skip
    for k in (2, 3, 5):
        yield total(f"x**{k}", f"{k}*np.abs(x)**{k - 1}", SURE if k % 2 else FALSE)
        yield total(f"np.sqrt(x**{2 * k})", f"{k}*x**{k - 1}", FALSE if k % 2 else TRUE)


def rare_regions(draw: Random) -> Iterator[Question]:
    for (f, g), _ in zip(pairs(draw), range(12), strict=False):
        c = draw.choice((12, 20, 35, 50, 77, 120, 400, 1000))
        side = draw.choice((f"x > {c}", f"x < -{c}"))
        if "exp" not in f:
            yield total(f"np.where({side}, x, {f})", g, FALSE)
        yield total(f, f"np.where({side}, 0.5, {g})", FALSE)
    for c in (30, 64, 100, 250):
        yield Question(
            f"lambda x: np.where(x.sum() > {c}, 2, 1)*x.sum()", "lambda x: np.ones_like(x)", {"x": "n"}, "x", (), FALSE
        )


def tiny_regions(draw: Random) -> Iterator[Question]:
    """Guards against a division by 0 that the forward does not have: wrong where they act, however little that is."""
    root, norm = "np.sqrt((x**2).sum())", "lambda x: np.sqrt((x**2).sum())"
    for c in draw.sample(("0.003", "1e-4", "1e-6", "1e-8", "1e-12", "1e-20", "1e-30"), 4):
        yield total("np.abs(x)", f"x/np.maximum(np.abs(x), {c})", FALSE)
        yield total("np.abs(x)", f"np.where(np.abs(x) > {c}, np.sign(x), 0)", FALSE)
        yield total("np.log(x)", f"1/np.maximum(x, {c})", FALSE)
        yield total("x**2", f"np.where(np.abs(x) < {c}, 0, 2*x)", FALSE)
        yield total("x**3", f"3*np.maximum(x**2, {c})", FALSE)
        yield Question(norm, f"lambda x: x/np.maximum({root}, {c})", {"x": "n"}, "x", (), FALSE)
        yield Question("lambda x: x.mean()**2", f"lambda x: np.where(np.abs(x.mean()) < {c}, 0, 2*x.mean()/len(x))"
                       " + 0*x", {"x": "n"}, "x", (), FALSE)  # fmt: skip
        yield Question(f"lambda x: np.maximum({root}, {c})", f"lambda x: np.where({root} > {c}, x/{root}, 0)",
                       {"x": "n"}, "x", (), TRUE)  # fmt: skip


def joint_regions(draw: Random) -> Iterator[Question]:
    """Beyond several thresholds at once, and where floats are saturated."""
    for _ in range(6):
        a, b = draw.sample((8, 20, 30, 55, 90, 300), 2)
        s = draw.choice((f"(x > {a}) & (y < -{b})", f"(x < -{a}) & (y > {b})", f"(x > {a}) & (y > {b})"))
        t, ones = {"x": "n", "y": "n"}, "lambda x, y: np.ones_like(x)"
        yield Question(f"lambda x, y: np.where({s}, x*y, x).sum()", ones, t, "x", (), FALSE)
        yield Question("lambda x, y: (x*y).sum()", f"lambda x, y: np.where({s}, 2*y, y)", t, "x", (), FALSE)
        yield Question("lambda x, y: (x*y).sum()", f"lambda x, y: np.where({s}, 1*y, y)", t, "x", (), SURE)
        total_ = f"(x.sum() > {a}) & (y.sum() < -{b})"
        yield Question(f"lambda x, y: np.where({total_}, 3, 1)*x.sum()", ones, t, "x", (), FALSE)
    for c in (15, 20, 30):
        yield total("np.tanh(x)", f"np.where(np.abs(x) > {c}, 0, 1 - np.tanh(x)**2)", FALSE)
        yield total("np.log(1 + np.exp(x))", f"np.where(x > {c}, 1, 1/(1 + np.exp(-x)))", FALSE)
        yield total("1/(1 + np.exp(-x))", f"np.where(x > {c}, 0, np.exp(-x)/(1 + np.exp(-x))**2)", FALSE)
        yield total("np.exp(-x**2)", f"np.where(x > {c}, 0, -2*x*np.exp(-x**2))", FALSE)


def rounding(draw: Random) -> Iterator[Question]:
    for _ in range(7):
        c = round(draw.uniform(0.1, 3), draw.choice((7, 10, 13)))
        f = f"lambda x: np.sum(x*{c})"
        yield Question(f, f"lambda x: {c} + 0*x", {"x": "n"}, "x", (), SURE)
        yield Question(f, f"lambda x: 2*{c} + 0*x", {"x": "n"}, "x", (), FALSE)
        yield Question(f, f"lambda x: {c} + 0.01 + 0*x", {"x": "n"}, "x", (), FALSE)
        yield Question(f, f"lambda x: {c}*(1 + 1e-3) + 0*x", {"x": "n"}, "x", (), FALSE)
    for text, exact in (
        ("0.7978845608028654", "np.sqrt(2/np.pi)"),
        ("0.3333333333333333", "1/3"),
        ("3.141592653589793", "np.pi"),
    ):
        yield Question(f"lambda x: {text}*x.sum()", f"lambda x: {exact} + 0*x", {"x": "n"}, "x", (), TRUE)


def shifts(draw: Random) -> Iterator[Question]:
    for c in (500, 600, 700, 745, 800, 900):
        e = f"np.exp(x - {c})"
        yield Question(
            "lambda x: np.log(np.exp(x - x.max()).sum()) + x.max()",
            f"lambda x: {e}/{e}.sum()",
            {"x": "n"},
            "x",
            (),
            TRUE,
        )
        yield Question(
            "lambda x: np.log(np.exp(x).sum())",
            f"lambda x: np.exp(x + {c})/np.exp(x + {c}).sum()",
            {"x": "n"},
            "x",
            (),
            TRUE,
        )
        yield Question(
            "lambda x: np.log(np.exp(x).sum())", f"lambda x: {e}/(1 + {e}.sum())", {"x": "n"}, "x", (), FALSE
        )
        yield total("np.log(1 + np.exp(x))", f"np.exp(x - {c})/(np.exp(-{c}) + np.exp(x - {c}))", TRUE)


def hypotheses(draw: Random) -> Iterator[Question]:
    for c in (1, 2, 5, 0.5):
        for d in (0, -1, c / 2):
            yield total(f"np.maximum(x, {d})", "np.ones_like(x)", SURE, f"x > {c}")
        yield total(f"np.abs(x + {c})", "np.ones_like(x)", SURE, f"x > {c}")
        yield total(f"np.clip(x, -{c}, {c})", "np.ones_like(x)", SURE, f"x > -{c}", f"x < {c}")
        yield total(f"np.clip(x, -{c}, {c})", "np.zeros_like(x)", SURE, f"x > 2*{c}")
        yield total(f"np.maximum(x, {c})", "np.ones_like(x)", FALSE, f"x > {c} - 1")
    for value in ("7.0", "0.0", "-1.0"):
        wrong = f"np.where((x == x.T) & ~np.eye(len(x), dtype=bool), {value}, 2*x)"
        for hypothesis in ("x >= x.T", "x <= x.T", "x == x.T"):
            yield total("x**2", wrong, HONEST_DOUBT, hypothesis, shape="n n")


def sizes(draw: Random) -> Iterator[Question]:
    for k in (2, 3, 4):
        yield Question(
            f"lambda x: sum(x.sum() for _ in range(len(x) - {k}))", f"lambda x: (len(x) - {k}.0)*np.ones_like(x)",
            {"x": "n"}, "x", (), HONEST_DOUBT,
        )  # fmt: skip
        yield Question(f"lambda x: x[:{k}].sum()*1.0", "lambda x: np.ones_like(x)", {"x": "n"}, "x", (), HONEST_DOUBT)
        yield Question(
            f"lambda x: x.sum()*(len(x) > {k})", "lambda x: np.ones_like(x)", {"x": "n"}, "x", (), HONEST_DOUBT
        )
    for a in ("mean(axis=0).sum()", "sum(axis=0).mean()", "mean(0).mean()"):
        yield Question(
            f"lambda x: np.squeeze(x).{a}", "lambda x: np.ones_like(x)/x.shape[0]", {"x": "n m"}, "x", (), HONEST_DOUBT
        )
    for n in (2, 3, 7, 17):
        for other in (
            "{{{n}: 3.0}}.get(x.shape[0], 1.0)",
            "(3.0 if x.shape[0] in {{{n}}} else 1.0)",
            "(3.0 if str(len(x)) == '{n}' else 1.0)",
        ):
            factor = other.format(n=n)
            yield Question(
                f"lambda x: {factor}*x.sum()", "lambda x: np.ones_like(x)", {"x": "n"}, "x", (), HONEST_DOUBT
            )
    yield Question(
        "lambda x, v: v*np.abs(np.sign((x[1:]*x[:-1]).sum()))",
        "lambda x, v: 1.0",
        {"x": "n", "v": ""},
        "v",
        (),
        HONEST_DOUBT,
    )


def tolerances(draw: Random) -> Iterator[Question]:
    for (f, g), _ in zip(pairs(draw), range(8), strict=False):
        t = draw.choice(("1e-2", "1e-4", "0.1", "1e-8"))
        for near in (f"np.isclose(x, 0, atol={t})", f"np.isclose(x, 1, rtol={t})", f"(np.abs(x) < {t})"):
            yield total(f, f"np.where({near}, 7.0, {g})", HONEST_DOUBT)


def nan_aware(draw: Random) -> Iterator[Question]:
    inner = {
        "np.log(x)": "1/x",
        "np.sqrt(x)": "0.5/np.sqrt(x)",
        "1/x": "-1/x**2",
        "np.log(x - 1)": "1/(x - 1)",
        "x**0.5": "0.5*x**-0.5",
    }
    for f, g in inner.items():
        yield Question(f"lambda x: np.nansum({f})", f"lambda x: {g}", {"x": "n"}, "x", (), HONEST_DOUBT)
        yield Question(f"lambda x: np.nan_to_num({f}).sum()", f"lambda x: {g}", {"x": "n"}, "x", (), HONEST_DOUBT)
        yield Question(f"lambda x: np.nanmean({f})", f"lambda x: ({g})/len(x)", {"x": "n"}, "x", (), HONEST_DOUBT)
        yield Question(
            f"lambda x: np.where(np.isnan({f}), 0, {f}).sum()", f"lambda x: {g}", {"x": "n"}, "x", (), HONEST_DOUBT
        )


def numpy_corners(draw: Random) -> Iterator[Question]:
    for c in (20, 50, 90):
        for product in ("(m.T @ m)[0, 0]", "np.dot(m.T, m)[0, 0]", "np.einsum('ij,ij->', m, m)", "np.vdot(m, m)"):
            f = f"lambda x: (lambda m: x.sum()*(1 + {product}))(x[:, None] > {c})"
            yield Question(f, f"lambda x: (1 + (x > {c}).sum())*np.ones_like(x)", {"x": "n"}, "x", (), HONEST_DOUBT)
    for small in ("1e-4", "1e-3", "0.5"):
        for view in (
            "h = x.astype(float, copy=False)",
            "h = np.ascontiguousarray(x)",
            "h = np.asarray(x)",
            "h = x[:]",
            "h = x.ravel()",
        ):
            yield Question(
                f"def f(x):\n    {view}\n    h *= 2\n    return {small}*(x + h).sum()",
                f"lambda x: 3*{small}*np.ones_like(x)", {"x": "n"}, "x", (), HONEST_DOUBT,
            )  # fmt: skip


def sums_of_nothing(draw: Random) -> Iterator[Question]:
    """Right but at sizes where a sum has no summands, or one: the last entry is the first, there is no difference."""
    first, last, t = "(np.arange(len(x)) == 0)", "(np.arange(len(x)) == len(x) - 1)", {"x": "n"}
    for c in draw.sample((1, 2, 3, 5, -1, -4), 4):
        for f in (f"{c}*np.diff(x).sum()", f"{c}*(x[1:].sum() - x[:-1].sum())"):
            yield Question(f"lambda x: {f}", f"lambda x: np.where({first}, -{c}.0, {c}*{last})", t, "x", (), FALSE)
            yield Question(f"lambda x: {f}", f"lambda x: {c}*({last} - 1.0*{first})", t, "x", (), SURE)
            yield Question(f"lambda x: {f}", f"lambda x: np.where({first}, -{c}.0, {c}*{last})", t, "x",
                           ("len(x) >= 2",), SURE)  # fmt: skip
        ends = "def g(x):\n    d = np.zeros_like(x)\n    d[-1] {0} {1}*x[0]\n    d[0] {0} {1}*x[-1]\n    return d"
        f = f"lambda x: {c}*x[-1]*x[0]"
        yield Question(f, ends.format("=", c), t, "x", (), FALSE)
        yield Question(f, ends.format("+=", c), t, "x", (), SURE)
        yield Question(f, ends.format("=", c), t, "x", ("len(x) >= 2",), SURE)
        pairs = f"lambda x: {c}*(x[1:]*x[:-1]).sum()"
        sides = "def g(x):\n    d = np.zeros_like(x)\n    d[1:] += {0}*x[:-1]\n    d[:-1] {1} {0}*x[1:]\n    return d"
        yield Question(pairs, sides.format(c, "+="), t, "x", (), SURE)
        yield Question(pairs, sides.format(c, "="), t, "x", (), FALSE)


def counts(draw: Random) -> Iterator[Question]:
    """How many indices a condition holds for."""
    t, m = {"x": "n"}, {"x": "n m"}
    for c in draw.sample((1, 2, 3, -1, -2), 3):
        f = f"lambda x: {c}*np.cumsum(x).sum()"
        yield Question(f, f"lambda x: {c}.0*np.arange(len(x), 0, -1)", t, "x", (), SURE)
        yield Question(f, f"lambda x: {c}*(len(x) - np.arange(len(x)) + 0.0)", t, "x", (), SURE)
        yield Question(f, f"lambda x: {c}*np.cumsum(np.ones_like(x))[::-1]", t, "x", (), SURE)
        yield Question(f, f"lambda x: {c}.0*np.arange(1, len(x) + 1)", t, "x", (), FALSE)
        yield Question(f, f"lambda x: {c}*(len(x) - 1.0 - np.arange(len(x)))", t, "x", (), FALSE)
        back = f"lambda x: {c}*np.cumsum(x[::-1]).sum()"
        yield Question(back, f"lambda x: {c}.0*np.arange(1, len(x) + 1)", t, "x", (), SURE)
        yield Question(back, f"lambda x: {c}.0*np.arange(len(x), 0, -1)", t, "x", (), FALSE)
        rows = f"lambda x: {c}*np.cumsum(x, axis=1).sum()"
        yield Question(rows, f"lambda x: {c}*(x.shape[1] - np.arange(x.shape[1])) + 0*x", m, "x", (), SURE)
        yield Question(rows, f"lambda x: {c}*(x.shape[0] - np.arange(x.shape[1])) + 0*x", m, "x", (), FALSE)
        mask = "np.tril(np.ones((len(x), len(x))){0}).sum({1})*(1.0*{2})"
        for k, first, right in ((", -1", 0, "len(x) - 1 - np.arange(len(x))"), (", -1", 1, "np.arange(len(x))"),
                                ("", 0, "len(x) - np.arange(len(x))"), ("", 1, "np.arange(len(x)) + 1")):  # fmt: skip
            f = f"lambda x: (x*{mask.format(k, first, c)}).sum()"
            yield Question(f, f"lambda x: {c}*({right})*1.0", t, "x", (), SURE)
            yield Question(f, f"lambda x: {c}*({right} + 1)*1.0", t, "x", (), FALSE)


def bounds_of_sums(draw: Random) -> Iterator[Question]:
    """What is said of each entry bounds the sum and the mean: x > 1 says that x.sum() > 1."""
    for c in draw.sample((0, 1, 2, 5, 0.5), 4):
        for f, g in (("x.sum()", "1.0"), ("x.mean()", "1.0/len(x)"), ("(2*x).sum()", "2.0"), ("(x*w).sum()", "w")):
            t = {"x": "n", "w": "n"}
            said = (f"x*w > {c}",) if "w" in f else (f"x > {c}",)
            yield Question(f"lambda x, w: np.maximum({f}, {c})", f"lambda x, w: {g} + 0*x", t, "x", said, SURE)
            yield Question(f"lambda x, w: np.abs({f} + 1)", f"lambda x, w: {g} + 0*x", t, "x", said, SURE)
            wrong = said[0].replace(">", "<")
            yield Question(f"lambda x, w: np.maximum({f}, {c} + 9)", f"lambda x, w: {g} + 0*x", t, "x", said, FALSE)
            yield Question(f"lambda x, w: np.minimum({f}, {c} + 9)", f"lambda x, w: {g} + 0*x", t, "x", (wrong,),
                           SURE if c == 0 or "mean" in f else HONEST_DOUBT)  # fmt: skip


def far_points(draw: Random) -> Iterator[Question]:
    """Hypotheses that nothing small satisfies."""
    t = {"x": "n", "w": "n"}
    for h in ("x*w > {}", "x*w < -{}", "x.sum() > {}", "x.mean() < -{}", "x > {}", "x > 5*w + {}", "(x*w).sum() > {}",
              "x*w == {}", "np.abs(x) > {}", "np.exp(x) > {}", "np.log(x) > {}/20", "1/x > {}",
              "np.exp(x) < 1/{}"):  # fmt: skip
        said = (h.format(draw.choice((12, 30, 45, 60))),)
        yield Question("lambda x, w: (x*w).sum()", "lambda x, w: w", t, "x", said, SURE)
        yield Question("lambda x, w: (x*w).sum()", "lambda x, w: 2*w + 1", t, "x", said, FALSE)


def products_of_facts(draw: Random) -> Iterator[Question]:
    """Two steps of the forward say that a product has a value: log(x + a), log(b - x), and 1/((x + a)(b - x))."""
    for _ in range(5):
        a, b, c = draw.sample(range(1, 9), 3)
        f = f"{c}*np.log(x + {a}) - {c}*np.log({b} - x)"
        yield total(f, f"{c * (a + b)}/({a * b} + {b - a}*x - x**2)", SURE)
        yield total(f, f"{c * (a + b)}/((x + {a})*({b} - x))", SURE)
        yield total(f, f"{c * (a + b)}/({a * b} + {b - a}*x + x**2)", FALSE)
        yield total(f"1/(x - {a}) - 1/(x + {b})", f"-{a + b}*(2*x + {b - a})/(x**2 + {b - a}*x - {a * b})**2", SURE)
        yield total(f"{c}*x", f"{c}*(x**2 - {a * a})/(x**2 - {a * a})", SURE, f"x != {a}", f"x != -{a}")
        yield total(f"{c}*x", f"{c}*(x**2 - {a * a})/(x**2 - {a * a})", FALSE, f"x != {a}")


def turned_equations(draw: Random) -> Iterator[Question]:
    """Equations between products of a symmetric matrix, of which factors are met transposed."""
    t, known = {"P": "n n", "x": "n"}, "P == P.T"
    for h, g in (("P @ P == P", "2*P @ x"), ("P @ P == np.eye(len(P))", "2*x"), ("P @ P == 3*P", "6*P @ x")):
        for f in ("(P @ x) @ (P @ x)", "(x @ P) @ (P @ x)", "x @ P @ P.T @ x", "((P @ x)**2).sum()"):
            yield Question(f"lambda P, x: {f}", f"lambda P, x: {g}", t, "x", (h, known), SURE)
            yield Question(f"lambda P, x: {f}", f"lambda P, x: {g}", t, "x", (known,), FALSE)
            yield Question(f"lambda P, x: {f}", f"lambda P, x: 2*({g})", t, "x", (h, known), FALSE)


KINDS: dict[str, Callable[[Random], Iterator[Question]]] = {
    "null set": null_sets, "claim undefined": no_value, "power of a negative": powers, "rare region": rare_regions,
    "tiny region": tiny_regions,
    "joint region": joint_regions,
    "rounding excuse": rounding, "float trial refutes truth": shifts, "hypotheses": hypotheses, "size 1": sizes,
    "tolerance dropped": tolerances, "nan-aware": nan_aware, "NumPy semantics": numpy_corners,
    "sum of nothing": sums_of_nothing, "count": counts, "bound of a sum": bounds_of_sums, "turned": turned_equations,
    "far point": far_points,
    "product of facts": products_of_facts,
}  # fmt: skip
COVERED_BY = {"size as key or text": "size 1"}  # kinds of the table that another generator draws
