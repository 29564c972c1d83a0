"""Names on paper: Greek letters, subscripts and accents of arrays, sizes and indices, and letters for dummies."""

from __future__ import annotations

import re
from collections.abc import Iterable

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "varepsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda",
    "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
    "ℒ": "mathcal{L}", "ℓ": "ell",
}  # fmt: skip
SPELLED = {name.removeprefix("var"): letter for letter, name in GREEK.items() if "{" not in name}
SPECIAL = {c: "\\" + c for c in "&%$#_{}"} | {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "-": "-",
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
