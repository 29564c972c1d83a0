"""What the words of a text declare: functions that act elementwise, the convention, the layout, softmax by rows."""

from __future__ import annotations

import re
from dataclasses import replace

from ..files.place import ReadError
from ..grammar.resolve import parse_leniently
from ..grammar.tree import Symbol
from .symbols import Declarations, FunctionSymbol

_WISE = r"\b(?:element|component|entry|coordinate)[\s-]?wise\b"
_ELEMENTWISE = re.compile(
    rf"\$(?P<before>\\?[A-Za-z]+)\$[^.;$]{{0,60}}?{_WISE}|{_WISE}[^.;$]{{0,40}}?\$(?P<after>\\?[A-Za-z]+)\$"
    rf"|(?<![\w$\\])(?P<bare>[B-HJ-Zb-z]|\\[a-z]+)\s+(?:(?:acts|acting|is|works|applied)\s+)*{_WISE}",
    re.IGNORECASE,
)


_SOFTMAX = r"\bsoftmax\b[^.;:]{0,60}\b"
_CHOICES = (("convention", ("column", "row")), ("layout", ("numerator", "gradient")), ("softmax", ("rows", "columns")))
_NOT = r"\b(?:not|instead|rather|unlike|versus|vs|other|whereas|while|would|some|many|if)\b"
_VECTORS = (
    r"\bvectors?\s+(?:are|is)\s+(?:all\s+|always\s+|assumed\s+to\s+be\s+|(?:treated|taken|written|considered)"
    r"\s+(?:as\s+|to\s+be\s+)?)?{0}s?(?:[\s-]+vectors?)?\b(?!\s+(?:of|in))"
    r"|\b(?:treat|regard|take|write|consider)\s[^.;:$]{{0,20}}vectors?\s+(?:as|to\s+be)\s+{0}s?\b(?!\s+(?:of|in))"
    r"|\bwe\s+(?:use|work\s+with)\s+{0}[\s-]+vectors?\b|\b{0}[\s-](?:vector[\s-])?convention\b"
)
_SAYS = {
    "column": re.compile(_VECTORS.format("column"), re.IGNORECASE),
    "row": re.compile(_VECTORS.format("row"), re.IGNORECASE),
    "rows": re.compile(
        _SOFTMAX + r"(?:row[\s-]?wise|(?:each|every|by|over the|along the|to the|of the) rows?"
        r"|last (?:axis|dimension))\b"
        r"|\brow[\s-]?wise softmax\b", re.IGNORECASE,
    ),
    "columns": re.compile(
        _SOFTMAX + r"(?:column[\s-]?wise|(?:each|every|by|over the|along the|to the|of the) columns?)\b"
        r"|\bcolumn[\s-]?wise softmax\b", re.IGNORECASE,
    ),
    "numerator": re.compile(r"\b(?:numerator|Jacobian)(?:[\s-]layout|[\s-]convention)\b", re.IGNORECASE),
    "gradient": re.compile(
        r"\b(?:denominator|gradient|Hessian)[\s-](?:layout|convention)\b"
        r"|\b(?:gradients?|derivatives?)\b[^.;:]{0,60}\bha(?:s|ve) the (?:same )?(?:shape|size|dimensions?)\b"
        r"|\bsame shape as the (?:variable|parameter)s?\b", re.IGNORECASE,
    ),
}  # fmt: skip


_NAMED = re.compile(
    r"\b(?:sigmoid|logistic|tanh|hyperbolic|relu|rectif\w+|softplus|exponential|logarithm|swish|silu|gelu)\b",
    re.IGNORECASE,
)


def declared_in_prose(prose: str, decl: Declarations) -> Declarations:
    """“$f$ acts elementwise”, “applied element-wise by $f$”, “f elementwise”: f becomes an elementwise function.

    And “we use column vectors and the denominator layout”, where nothing has said so yet, in a sentence that does not
    speak of both or of something else.
    """
    decl = _conventions(prose, decl)
    for found in _ELEMENTWISE.finditer(prose):
        if _NAMED.search(found.group()):  # which one it is, is said: no arbitrary function
            continue
        written = found["before"] or found["after"] or found["bare"]
        try:
            statement, free = parse_leniently(written, decl)
        except ReadError:
            continue
        node = statement.parts[0].chain.subjects[-1]
        if len(free) == 1 and isinstance(node, Symbol) and node.label is None:  # a known name is left alone
            decl = decl.with_function(FunctionSymbol(node.name, "elementwise"))
    return decl


_SWITCHES = re.compile(
    r"\b(?:us(?:e|ed|ing)|switch\w*|adopt\w*|work\w*|now|from here|change\w*|turn\w*|rest of|remainder"
    r"|following|go over)\b",
    re.IGNORECASE,
)


def layout_named(sentence: str) -> str:
    """The one layout that a sentence speaks of, "" where it is none or several."""
    found = [way for way in ("numerator", "gradient") if _SAYS[way].search(sentence)]
    other = re.search(_NOT.replace("instead|", ""), sentence, re.IGNORECASE)
    return found[0] if len(found) == 1 and not other else ""


def layout_changed(sentence: str) -> str:
    """The layout that holds from a sentence on."""
    return layout_named(sentence) if _SWITCHES.search(sentence) else ""


def _conventions(prose: str, decl: Declarations) -> Declarations:
    for field, ways in _CHOICES:
        if getattr(decl, field):
            continue
        said = set()
        for sentence in re.split(r"(?<=[.;!?])\s+", prose):
            found = {way for way in ways if _SAYS[way].search(sentence)}
            if found and (len(found) > 1 or re.search(_NOT, sentence, re.IGNORECASE)):
                said |= set(ways)  # compared, not chosen
            said |= found
        if len(said) == 1:
            decl = replace(decl, **{field: said.pop()})  # type: ignore[arg-type]
    return decl
