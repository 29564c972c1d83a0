"""Names on paper: Greek letters, subscripts and accents of arrays, sizes and indices, and letters for dummies.

What the writers of terms ask about them: letters in use, factors and signs, indices that count from 1.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction

from symbackprop.core.indices import Bound, IndexExpr, Size, as_affine, sized
from symbackprop.core.terms import (
    ONE, ZERO, Add, Array, Entry, Holds, Mul, Num, Positive, Power, Sum, Term, Whole, add, flattened, free, mul,
    subterms,
)  # fmt: skip

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "Υ": "Upsilon",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "ℒ": "mathcal{L}", "ℓ": "ell",
}  # fmt: skip
SPELLED = {name.removeprefix("var"): letter for letter, name in GREEK.items() if "{" not in name}
SPECIAL = {c: "\\" + c for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "-": "-",
}  # fmt: skip
# What stands in formulas, and among words as formulas of its own.
SIGNS = {k: "\\" + v for k, v in GREEK.items()} | {
    "∂": r"\partial", "∇": r"\nabla", "⊙": r"\odot", "∘": r"\circ", "·": r"\cdot", "×": r"\times", "≤": r"\le",
    "≥": r"\ge", "≠": r"\ne", "∑": r"\sum", "√": r"\surd", "∈": r"\in", "ᵀ": "^{T}", "‖": r"\|", "ℝ": r"\mathbb{R}",
    "ϑ": r"\vartheta", "ϱ": r"\varrho", "ς": r"\varsigma", "→": r"\to", "…": r"\dots", "²": "^{2}", "½": r"\tfrac12",
    "−": "-",
}  # fmt: skip
NAME = re.compile(r"(?P<stem>[^\W\d_]+|@)(?P<digits>\d*)(_(?P<sub>\w+|\{[\w+*-]+\}))?(?P<primes>'*)")
POOL = ("k", "m", "p", "q", "r", "s", "u", "v", "i", "j")  # dummies whose own letter is taken


def latex_name(name: str) -> str:
    """A name of an array, a size or an index: n_{l+1}, θ, x', eps.  Any other text is spelled out harmlessly."""
    found = NAME.fullmatch(name)
    if found is None:
        return rf"\mathrm{{{escaped(name)}}}"
    stem, digits, sub = found["stem"], found["digits"], (found["sub"] or "").strip("{}")
    below = [part for part in (digits, latex_sub(sub)) if part]
    text = latex_stem(stem)
    if below:
        text += "_{" + ",".join(below) + "}"
    return text + found["primes"]


def latex_stem(stem: str) -> str:
    if stem == "@":  # a name that a proof gave to a denominator
        return "B"
    if stem in GREEK:
        return "\\" + GREEK[stem]
    if stem in SPELLED:
        return "\\" + GREEK[SPELLED[stem]]
    if len(stem) == 1 and stem.isascii():
        return stem
    return rf"\mathrm{{{escaped(stem)}}}"


def latex_sub(sub: str) -> str:
    if not sub:
        return ""
    parts = re.split(r"([+*-])", sub)
    return "".join(p if p in "+-" else " " if p == "*" else p if p.isdigit() else latex_stem_or_name(p) for p in parts)


def latex_stem_or_name(part: str) -> str:
    return latex_name(part) if NAME.fullmatch(part) else rf"\mathrm{{{escaped(part)}}}"


def escaped(text: str) -> str:
    """Text that LaTeX prints and never obeys."""
    return "".join(SPECIAL.get(c, c) if c.isascii() and c.isprintable() else c if c.isalnum() else "?" for c in text)


def words(text: str) -> str:
    r"""Inside \text{}: signs of mathematics in formulas of their own."""
    return "".join(f"${SIGNS[c]}$" if c in SIGNS else c for c in text)


def latex_words(text: str) -> str:
    """Words for LaTeX, which prints them and obeys nothing in them."""
    return "".join(f"${SIGNS[c]}$" if c in SIGNS else SPECIAL.get(c, c) if c.isascii() else "?" for c in text)


def plain_name(name: str) -> str:
    """A name for the terminal: n_l+1 loses its braces, Greek names become letters."""
    found = NAME.fullmatch(name)
    if found is None:
        return "".join(c if c.isprintable() else "?" for c in name)
    stem = "B" if found["stem"] == "@" else SPELLED.get(found["stem"], str(found["stem"]))
    sub = str(found["sub"] or "").strip("{}")
    if re.search(r"\W", sub):
        sub = f"({sub})"
    return f"{stem}{found['digits']}{f'_{sub}' if sub else ''}{found['primes']}"


def choose(wanted: str, taken: Iterable[str]) -> str:
    """The wanted letter, or the next that is free: another letter, then k', k'', ...

    A word is no letter: it comes from a program, ours or the user's.
    """
    used = set(taken)
    wanted = wanted if re.fullmatch(r"[^\W\d_]\d*'*", wanted) else "k"
    for name in (wanted, *POOL):
        if name not in used:
            return name
    primed = f"{wanted}'"
    while primed in used:
        primed += "'"
    return primed


F1 = Fraction(1)
Letters = frozenset[str]


def names_in(t: Term) -> Letters:
    """Letters that a dummy must not take: free indices, scalars and size symbols."""
    names = {i.name for i in free(t)}
    for s in subterms(t):
        match s:
            case (Size() as n) | Sum(n):
                names |= set(n.symbols)
            case Whole(_, _, sizes):
                names |= {x for n in sizes for x in n.symbols}
            case Entry(array, ()):
                names.add(array.name)
    return frozenset(names)


def equal_where(args: Sequence[Term]) -> tuple[Term, Term] | None:
    """The sides of [a = b], written as 1 - [a - b > 0] - [b - a > 0]."""
    steps = [u for a in args if (u := negated_step(a)) is not None]
    if len(args) != 3 or len(steps) != 2 or ONE not in args:
        return None
    one, other = (Counter(map(coefficient, flattened(Add, u))) for u in steps)
    if one != Counter((-c, rest) for c, rest in other.elements()):
        return None
    left, right = (add(*(scaled(abs(c), rest) for c, rest in one.elements() if (c > 0) is up)) for up in (True, False))
    return (left, right) if left != ZERO else (right, left)


def scaled(c: Fraction, rest: tuple[Term, ...]) -> Term:
    return mul(*rest) if c == 1 and rest else mul(Num(c), *rest)


def negated_step(t: Term) -> Term | None:
    """u of -[u > 0]."""
    match t:
        case Mul((Num(c), Holds(Positive(u)))) if c == -1:
            return u
        case _:
            return None


def coefficient(t: Term) -> tuple[Fraction, tuple[Term, ...]]:
    match t:
        case Mul():
            return split_number(t)
        case Num(value):
            return value, ()
        case _:
            return F1, (t,)


def split_number(t: Mul) -> tuple[Fraction, tuple[Term, ...]]:
    """The number in front, and the other factors in their order."""
    c, rest = F1, []
    for f in flattened(Mul, t):
        match f:
            case Num(value):
                c *= value
            case Power(Num(value), Fraction(numerator=-1, denominator=1)) if value:
                c /= value
            case _:
                rest.append(f)
    return c, tuple(rest)


def inverse(t: Power) -> Term:
    return t.base if t.exponent == -1 else Power(t.base, -t.exponent)


def is_short(t: Term) -> bool:
    """A number, a size or a scalar, or a power of one."""
    return (
        isinstance(t, Num | Size) or (isinstance(t, Entry) and not t.at) or (isinstance(t, Power) and is_short(t.base))
    )


def is_negative(k: Size) -> bool:
    return bool(k.monomials) and all(c < 0 for _, c in k.monomials)


def coefficient_sum(e: IndexExpr) -> Size:
    """By how much the expression changes when all its indices count from 1."""
    total = sized(0)
    for _, k in as_affine(e)[1]:
        total = total + k
    return total


def plain_array(w: Whole) -> Array | None:
    """The array, if w is a function of a declared array as it stands."""
    axes = tuple(Bound(len(w.sizes) - 1 - n) for n in range(len(w.sizes)))
    return w.body.array if isinstance(w.body, Entry) and w.body.at == axes else None
