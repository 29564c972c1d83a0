r"""Functions that the text gives by a formula: σ(z) = \frac{1}{1+e^{-z}}, and J(w, b) = … for what depends on w and b.

A letter that stands only for the argument of a function needs no declaration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..files.place import ReadError
from ..grammar.lexer import tokenize
from ..grammar.resolve import parse_expression, parse_statement
from ..grammar.tree import Call, Derivative, Entry, Expr, Function, Inner, Norm, Over, Sum, Symbol, Transpose
from ..grammar.vocabulary import FUNCTION_WORDS
from ..grammar.walking import walk
from .symbols import ArraySymbol, Declarations, FunctionSymbol

_LETTER = r"\\?[A-Za-z]+|\\(?:vec|mathbf|bm|boldsymbol|mathrm|hat|tilde|bar)\s*\{\s*\\?[A-Za-z]+\s*\}|[α-ωΑ-Ω]"
_MARK = "mathrm|operatorname|text|textrm|mathsf|mathcal|mathit|mathbf|bm|boldsymbol|hat"
_WORD = rf"\\(?:{_MARK})\*?\s*\{{\s*\\?[A-Za-z]+\s*\}}"
_OPEN, _CLOSE = r"\s*(?:\\left|\\bigl?|\\Bigl?)?\s*\(\s*", r"\s*(?:\\right|\\bigr?|\\Bigr?)?\s*\)\s*"
_RELATION = (
    r"&?\s*(?:=|:=|≔|≜|≡|\\(?:coloneqq|coloneq|triangleq|equiv|defeq)(?![A-Za-z])"
    r"|\\(?:stackrel|overset)\s*\{(?:[^{}!?]|\{[^{}]*\})*\}\s*\{?=\}?)\s*&?"
)
_FUNCTION = re.compile(
    rf"\s*(?P<name>{_WORD}|{_LETTER}){_OPEN}(?P<arg>{_LETTER}){_CLOSE}{_RELATION}(?P<body>.+)\Z", re.DOTALL
)
_DEPENDENT = re.compile(
    rf"\s*(?P<name>{_WORD}|{_LETTER})(?P<scripts>(?:[_^](?:\{{[^{{}}]*\}}|\w))*)(?P<call>{_OPEN}(?P<args>(?:{_LETTER})"
    rf"(?:\s*[,;]\s*(?:{_LETTER}))*){_CLOSE})(?={_RELATION})"
)
_CASE = re.compile(
    r"\b(?:if|when|for example|e\.g\.|for instance|such as|suppose|case|say|for|with|take|choose|choosing|using)\b"
    r"[^.;]{0,60}\Z",
    re.IGNORECASE,
)
_NAMED = re.compile(
    r"\b(?:sigmoid|logistic|tanh|hyperbolic|tangent|relu|rectif\w+|linear|identity|softplus|swish|silu|gelu|elu|gaussian|"
    r"step|sine|arctan|softsign|activation|function|unit)s?\b[^.;]{0,30}\Z",
    re.IGNORECASE,
)
_ENDS = frozenset(("=", ",", ";", "\\quad", "\\qquad", "\\text", "\\implies", "\\Rightarrow", "\\\\"))
_LOSSES = frozenset(("J", "L", "E", "C", "ℓ", "\\mathcal{L}", "\\mathcal{J}", "\\mathcal{E}", "\\mathcal{C}"))
"""Letters of what is minimised: J(θ) = … says what J depends on."""
_WHOLE_ARRAYS = (Transpose, Norm, Sum, Over, Inner, Entry)


@dataclass(frozen=True, slots=True)
class Said:
    """A function given by the text.  `local`: only an example, so it holds to the end of the section."""

    table: Declarations
    name: str
    local: bool


def name_of(written: str, decl: Declarations) -> str | None:
    """The canonical name of one letter or word; None when it is a known function of the language, or more than one."""
    try:
        tokens = tokenize(written, decl.words)[:-1]
    except ReadError:
        return None
    if tokens and tokens[0].kind == "deco":  # \mathrm{f}
        tokens = [t for t in tokens[1:] if t.kind not in "{}"]
    if len(tokens) != 1:
        word = re.fullmatch(r"(?:\\[a-z]+\*?\s*\{\s*)?([A-Za-z]+)\s*\}?", written)
        return word[1] if word and len(word[1]) > 1 and word[1] not in FUNCTION_WORDS and "{" in written else None
    token = tokens[0]
    if token.kind == "text" and token.text.isalpha() and token.text not in FUNCTION_WORDS:
        return token.text
    return decl.key(token.text, token.deco) if token.kind == "name" else None


def function_said(text: str, before: str, decl: Declarations) -> Said | None:
    r"""The table after σ(z) = formula, for a σ that nothing declares, or that is elementwise without a formula."""
    found = _FUNCTION.match(text)
    if found is None:
        return None
    name, letter = name_of(found["name"], decl), name_of(found["arg"], decl)
    if name is None or letter is None or name == letter or letter in decl.indices or letter in decl.layers:
        return None
    known = decl.functions.get(name)
    if known is None and (decl.known(name) or (name in _LOSSES and letter in decl.arrays)):
        return None
    if known is not None and (known.kind != "elementwise" or known.layer or (known.body and not known.said)):
        return None
    case = _CASE.search(before) is not None
    if known is not None and known.body and not (known.abstract or case or _NAMED.search(before)):
        return None  # said once, so that this is a claim
    body = first_side(found["body"])
    if not body or not formula_of(letter, body, name, decl):
        return None
    symbol = FunctionSymbol(
        name,
        "elementwise",
        (letter,),
        body,
        said=True,
        abstract=known is not None and (known.abstract or not known.body),
    )
    return Said(decl.with_function(symbol), name, case and symbol.abstract)


def first_side(body: str) -> str:
    """Up to the next = or comma or gap that stands outside braces and brackets."""
    depth, out = 0, len(body)
    for m in re.finditer(r"\\[A-Za-z]+|\\.|[{}()\[\]=,;]", body):
        piece = m.group()
        if piece in ("{", "(", "["):
            depth += 1
        elif piece in ("}", ")", "]"):
            depth -= 1
        elif piece == "\\begin":
            depth += 1
        elif piece == "\\end":
            depth -= 1
        elif depth == 0 and piece in _ENDS:
            out = m.start()
            break
    return body[:out].strip().rstrip(".").strip()


def formula_of(letter: str, body: str, name: str, decl: Declarations) -> bool:
    """The body is a formula in the letter as a number, and of nothing that is an array."""
    inner = replace(decl, arrays={k: s for k, s in decl.arrays.items() if k != letter})
    inner = inner.with_array(ArraySymbol(letter, (), "scalar"))
    try:
        node = parse_expression(body, inner)
    except ReadError:
        return False
    held = False
    for n in walk(node):
        if isinstance(n, _WHOLE_ARRAYS) or (isinstance(n, Function) and n.name == name):
            return False
        if isinstance(n, Symbol):
            array = inner.layered.get(n.name) if n.label is not None else inner.arrays.get(n.name)
            if array is None or array.shape or n.sample is not None:
                return False
            held |= n.name == letter
    return held


def dummies(text: str, name: str, decl: Declarations) -> Declarations | None:
    """The table in which an undeclared letter is a number, where the formula speaks of functions of it and of nothing
    else: \\sigma'(z) = \\sigma(z) (1 - \\sigma(z))."""
    if not re.fullmatch(r"[A-Za-zα-ω]", name):
        return None
    inner = decl.with_array(ArraySymbol(name, (), "scalar"))
    node = sides(text, inner)
    if node is None:
        return None
    argument = False
    for n in walk(node):
        match n:
            case Symbol(other, label, sample):
                if other != name or label is not None or sample is not None:
                    return None
            case Entry():
                return None
            case Call(function, (Symbol(other),)) if other == name:
                argument |= function.name != "exp" or function.name in decl.functions
            case Derivative():
                argument = True
    return inner if argument else None


def sides(text: str, decl: Declarations) -> tuple[Expr, ...] | None:
    try:
        statement = parse_statement(text, decl)
    except ReadError:
        return None
    out: list[Expr] = []
    for part in statement.parts:
        out += [*part.chain.subjects, *(link.rhs for link in part.chain.links)]
    return tuple(out)


def dependent_said(text: str, decl: Declarations) -> tuple[str, str, tuple[int, int]] | None:
    """J(w, b) = …: (the name J, the names of its arguments, the span of the bracket), where J is no function."""
    found = _DEPENDENT.match(text)
    if found is None:
        return None
    name = name_of(found["name"], decl)
    if name is None or name in decl.functions or name in decl.indices or name in decl.sizes or name in decl.aliases:
        return None
    array = decl.arrays.get(name)
    if array is not None and len(array.shape) > 1:  # W(x) is the product
        return None
    args = [name_of(a.strip(), decl) for a in re.split(r"[,;]", found["args"])]
    if any(a is None or not (a in decl.arrays or a in decl.layered) for a in args):
        return None
    return name, ",".join(a for a in args if a is not None), found.span("call")
