"""From the keyboard to the notation of documents: transposes, products entry by entry, functions by the names that
numerical code has for them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar, cast

from symbackprop.core.terms import Array, SymbackpropError

from ..notes.grammar.vocabulary import FUNCTION_WORDS, GREEK

NOT_NAMES = frozenset({*FUNCTION_WORDS, "log", "ln", "exp", "text"})
PRIME = re.compile(r"(?<=[)\]}])'|(?<=\w)'(?!\s*\()")
APPLIED = re.compile(r"(?<![\\A-Za-z])([A-Za-z])\(")  # f(x); a (x) is a product
BESIDE = re.compile(r"(?<![\\A-Za-z])([A-Za-z])'(?=\s*\()")
SUMS = re.compile(r"(?<![A-Za-z\\])(?:sum|mean)\s*\(")
SIGMA = re.compile(r"(?<![A-Za-z\\])sum(?=_)")
CALLED = re.compile(r"(?<![\\A-Za-z_])([A-Za-z]{2,}\d*)\(")
COMMANDS = re.compile(r"(?<![A-Za-z\\])(exp|log|ln|sin|cos|tanh|sinh|cosh|det|max|min)(?=\s*\()")
BELOW = re.compile(r"\./\s*(\w+|\([^()]*\))(?![\w(^'])")
QUOTED = re.compile(r"""(['"])([\w,\s>.-]*?)\1""")
PLAIN_NAME = re.compile(r"[A-Za-z]\w*")
ORDERS = {"": "", "2": "_2", "1": "_1", "'fro'": "", '"fro"': ""}
LIMIT = 20_000
SPARE = "CDEFGHKMNOPQRSUVWYZ"
UNREAD = {
    "kron": "a Kronecker product is read in functions: explain FILE::FUNCTION with np.kron",
    "vec": "write the sum over all entries, as in sum(A .* X), or a function with np.reshape",
    "prod": "write \\prod_i x_i, or exp(sum(log(x))) for positive entries",
}


# --- functions that are written out -------------------------------------------------------------


def written_out(pieces: Sequence[str], notes: list[str], beside: str = "") -> list[str]:
    """var, dot, einsum and the like in terms of what documents have; what needs a name of its own becomes a definition.

    `beside` is text that has names, too.  Raises SymbackpropError.
    """
    taken = {c for p in (*pieces, beside) for c in re.findall(r"[A-Za-z]", p)}
    free = [x for x in SPARE if x not in taken]
    found: list[str] = []
    for piece in pieces:
        for name, meaning in MEANINGS.items():
            piece = replaced(piece, name, meaning, notes)
        while (call := next(calls(piece, "einsum"), None)) is not None:
            start, end, args = call
            more, piece = einsum_as_sum(piece[:start], args, piece[end:], free)
            found += more
        found.append(piece)
    functions = {f for p in (*pieces, beside) for f in APPLIED.findall(p)}
    return with_transposes(found, functions)


def with_transposes(pieces: Sequence[str], functions: Collection[str]) -> list[str]:
    """a' (x + y) is a transpose where a is no function here."""
    return [BESIDE.sub(lambda m: m[0] if m[1] in functions else f"{m[1]}^{{T}} ", p) for p in pieces]


def calls(text: str, name: str) -> Iterator[tuple[int, int, list[str]]]:
    """Where `name(...)` stands in the text, and its arguments; the last one first, so that inner ones are first."""
    for m in reversed(list(re.finditer(rf"(?<![A-Za-z\\\\]){name}\s*\(", text))):
        end = closing(text, m.end() - 1)
        if end is not None:
            yield m.start(), end + 1, arguments(text[m.end() : end])


def arguments(text: str) -> list[str]:
    """Separated by the commas that stand in no brackets and no quotation marks."""
    found, depth, quoted = [""], 0, ""
    for c in text:
        if c in "'\"" and (quoted == c or (not quoted and not found[-1].strip())):
            quoted = "" if quoted else c
        depth += (c in "([{") - (c in ")]}")
        if c == "," and not depth and not quoted:
            found.append("")
        else:
            found[-1] += c
    return [a.strip() for a in found]


def replaced(piece: str, name: str, meaning: Meaning, notes: list[str]) -> str:
    count, write, note = meaning
    while (call := next(calls(piece, name), None)) is not None:
        start, end, args = call
        if len(args) not in count or not all(args):
            wanted = " or ".join(map(str, count))
            raise SymbackpropError(f"{name}({', '.join(args)}): {wanted} argument{'s' * (count != (1,))} expected")
        piece = f"{piece[:start]}{write(*args)}{piece[end:]}"
        if len(piece) > LIMIT:
            raise SymbackpropError(f"{name} inside {name} is too long written out: at most {LIMIT} characters are read")
        if note and note not in notes:
            notes.append(note)
    return piece


def norm(x: str, order: str = "") -> str:
    if order not in ORDERS:
        raise SymbackpropError(f"norm({x}, {order}): the orders 1, 2 and 'fro' are read")
    return rf"\lVert {x} \rVert{ORDERS[order]}"


def variance(x: str) -> str:
    return f"mean(({x} - mean({x})).^2)"


Meaning = tuple[tuple[int, ...], Callable[..., str], str]
ONE, TWO = (1,), (2,)
POPULATION = "a variance is divided by the number of entries"
MEANINGS: Mapping[str, Meaning] = {
    "norm": ((1, 2), norm, ""),
    "frobenius": (ONE, norm, ""),
    "var": (ONE, variance, POPULATION), "std": (ONE, lambda x: f"({variance(x)})^(1/2)", POPULATION),
    "logdet": (ONE, lambda x: f"log(det({x}))", ""), "inverse": (ONE, lambda x: f"inv({x})", ""),
    "outer": (TWO, lambda x, y: rf"(({x}) \otimes ({y}))", ""),
    "dot": (TWO, lambda x, y: rf"\langle {x}, {y} \rangle", ""),
    "inner": (TWO, lambda x, y: rf"\langle {x}, {y} \rangle", ""),
}  # fmt: skip


def einsum_as_sum(before: str, args: list[str], after: str, free: list[str]) -> tuple[list[str], str]:
    """Definitions of what needs a name, and the piece with the sum over indices in place of the call."""
    spec = QUOTED.fullmatch(args[0]) if args else None
    words, arrow, result = (spec[2].replace(" ", "") if spec else "").partition("->")
    ins = words.split(",")
    if not arrow or len(ins) != len(args) - 1 or not all(w.isalpha() for w in ins) or not set(result) <= set(words):
        raise SymbackpropError(f"einsum({', '.join(args)}): read is einsum('ij,jk->ik', A, B), an index for each axis")
    more: list[str] = []
    names = [a if PLAIN_NAME.fullmatch(a) else named(a, free, more) for a in args[1:]]
    dummies = dict.fromkeys(c for c in words if c.isalpha() and c not in result)
    sums = "".join(rf"\sum_{{{c}}} " for c in dummies)
    body = sums + " ".join(f"{n}_{{{w}}}" for n, w in zip(names, ins, strict=True))
    head = re.fullmatch(r"\s*([A-Za-z]\w*)\s*=\s*", before)
    if not result:
        return more, f"{before}({body}){after}"
    if head is not None and not after.strip():
        return more, f"{head[1]}_{{{result}}} = {body}"
    name = named(body, free, more, result)
    return more, f"{before}{name}{after}"


def named(meaning: str, free: list[str], more: list[str], indices: str = "") -> str:
    if not free:
        raise SymbackpropError("too many names: define what is inside einsum(...) on lines of their own")
    name = free.pop(0)
    name = name.lower() if len(indices) == 1 else name
    more.append(f"{name}_{{{indices}}} = {meaning}" if indices else f"{name} = {meaning}")
    return name


# --- signs ---------------------------------------------------------------------------------------


def in_documents(piece: str, notes: list[str]) -> str:
    piece = CALLED.sub(lambda m: f"\\{m[0]}" if m[1] in GREEK else m[0], piece)
    for called in CALLED.finditer(piece):
        if called[1] not in NOT_NAMES or called[1] in UNREAD:
            name = called[1]
            hint = UNREAD.get(name, f"for a product write {name} * (")
            raise SymbackpropError(f"{name}( is no function that is known here; {hint}")
    text = SIGMA.sub(r"\\sum", re.sub(r"\.T\b", "^T", piece))
    text = PRIME.sub("^{T} ", text)
    text = text.replace("**", "^").replace(".*", r" \odot ")
    text = BELOW.sub(r" \\odot \1^{\\circ -1}", text).replace("./", "/")
    text = re.sub(r"\.\^\s*(\d+|\([^()]*\)|\{[^{}]*\})", lambda m: rf"^{{\circ {m[1].strip('(){}')}}}", text)
    text = re.sub(r"\^\s*(-T\b|\(-T\)|-\d+|\d{2,}|\(-?[\d./]+\))", lambda m: f"^{{{m[1].strip('()')}}}", text)
    return COMMANDS.sub(r"\\\1", entrywise_powers(text, notes))


def entrywise_powers(text: str, notes: list[str]) -> str:
    """( ... )^2 inside sum( ... ) is the power of each entry."""
    out = text
    inside = ((m.end(), closing(text, m.end() - 1)) for m in SUMS.finditer(text))
    spans = [(a, b) for a, b in inside if b is not None]
    for m in reversed(list(re.finditer(r"(?<=\))\s*\^\s*\{?\s*(\d+)\s*\}?", text))):
        if any(a <= m.start() < b for a, b in spans):
            out = out[: m.start()] + rf"^{{\circ {m[1]}}}" + out[m.end() :]
            note = "a power of brackets inside a sum of all entries is that of each entry"
            if note not in notes:
                notes.append(note)
    return out


def closing(text: str, opening: int) -> int | None:
    depth = 0
    for k in range(opening, len(text)):
        depth += (text[k] == "(") - (text[k] == ")")
        if depth == 0:
            return k
    return None


# --- W1 as one name -----------------------------------------------------------------------------
# A document would read W times 1, so that a typed W1 is written as a letter with a mark there, \acute{W}, which is
# another thing of the same kind; what comes out has the typed name again.

NUMBERED = re.compile(r"(?<![\\A-Za-z0-9_^])([A-Za-z]+)(\d+)(?![A-Za-z0-9.])")
MARKS = dict(zip("123456", "acute grave breve check mathring ddot".split(), strict=True))
DIGITS = "abcdefghij"  # for other numbers, and where a mark is used for itself
Names = Mapping[str, str]  # what stands in the document: what was typed
T = TypeVar("T")


def without_digits(text: str) -> tuple[str, Names]:
    """Formulas in which no name has digits; all that belongs together is to be given at once."""
    own = any(f"\\{mark}" in text for mark in MARKS.values())
    names: dict[str, str] = {}

    def name(m: re.Match[str]) -> str:
        mark = "" if own or len(m[1]) > 1 else MARKS.get(m[2], "")
        new = rf"\{mark}{{{m[1]}}}" if mark else f"{m[1]}Z{''.join(DIGITS[int(d)] for d in m[2])}Z"
        names[new] = m[0]
        return new

    return NUMBERED.sub(name, text), names


def in_digits(text: str, names: Names, latex: bool = False) -> str:
    """Names as they were typed, or as LaTeX sets them."""
    for new, typed in names.items():
        text = text.replace(new, NUMBERED.sub(r"\1_{\2}", typed) if latex else typed)
    return text


def with_digits(x: T, names: Names) -> T:
    """Plain data with the names of its arrays as they were typed."""

    def go(y: Any) -> Any:
        match y:
            case Array(name, label):
                return Array(names[name], label) if name in names else y
            case tuple():
                return tuple(map(go, y))
            case dict() | MappingProxyType():
                return {go(k): go(v) for k, v in y.items()}
            case _ if is_dataclass(y) and not isinstance(y, type):
                values = {f.name: getattr(y, f.name) for f in fields(y) if f.init}
                new = {k: go(v) for k, v in values.items()}
                return replace(y, **new) if any(new[k] is not values[k] for k in values) else y
            case _:
                return y

    return cast(T, go(x)) if names else x
