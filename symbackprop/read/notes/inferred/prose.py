"""What the words of a paragraph say of its letters: kinds, shapes, properties, conventions.

A paragraph becomes a template in which ⟦k⟧ stands for its k-th formula; every pattern below is one way of saying
something in English.  Only what a sentence says plainly is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..files.place import ReadError
from ..grammar.parser import parse
from ..grammar.statement import Statement
from ..grammar.tree import Dots, Expr, Name, Num, Paren, Product
from .occurrences import key_of

_MATH = re.compile(
    r"\$\$(?P<a>.*?)\$\$|\$(?P<b>[^$]*)\$|\\\((?P<c>.*?)\\\)|\\\[(?P<d>.*?)\\\]"
    r"|\\begin\{(?P<env>equation|align|gather|multline|eqnarray|alignat|flalign)\*?\}(?P<e>.*?)\\end\{(?P=env)\*?\}",
    re.DOTALL,
)
_F = r"⟦(\d+)⟧"
_LIST = rf"{_F}(?:\s*(?:,|and|or|,\s*and)\s*{_F})*"
_RANK = {"scalar": 0, "number": 0, "real": 0, "vector": 1, "matrix": 2, "matrice": 2}
_KIND = r"(?P<kind>scalar|number|real|vector|matrix|matrice)"
_ADJ = (
    r"(?:(?:an?|the|two|three|some|different|distinct|fixed|given|constant|real|column|row|data|weight|design|random|square"
    r"|symmetric|invertible|non-?singular|orthogonal|input|output|unit|positive|small|feature|mean|parameter|covariance"
    r"|target|label|one-hot|nonzero|non-zero|definite|semi-?definite|diagonal|differentiable|univariate|possibly"
    r"|rectangular|arbitrary|fixed|valued|response|residual|bias|embedding|both|all|single|ordinary)[\s-]+)*"
)
_IS = r"(?:is|are|be|being|denotes?|as|stands? for|for|,)"
_AFTER = re.compile(
    rf"(?P<list>{_LIST})(?:\s*∈\s*\S+)?\s*(?:{_IS}\s+)?(?:both\s+|all\s+)?(?P<adj>{_ADJ}){_KIND}(?:e?s)?\b(?!\s*(?:⟦|of\s+(?:rows|scalars)))",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"\b(?P<adj>{_ADJ}){_KIND}(?:e?s)?(?:[\s-](?:variable|parameter|valued))?s?\s+(?P<list>{_LIST})", re.IGNORECASE
)
_NAMED = re.compile(rf"{_F}\s+the\s+(?:\w+\s+){{0,2}}{_KIND}(?:e?s)?\b", re.IGNORECASE)
_SHAPED = re.compile(
    rf"(?P<list>{_LIST})\s*(?:is|are|be|has|have|of|with|,)?\s*(?:an?\s+|of\s+|the\s+|shape\s+|size\s+|dimensions?\s+|real\s+"
    rf"|invertible\s+|symmetric\s+|square\s+|orthogonal\s+|matrix\s+|matrices\s+|has\s+|have\s+|(?:non-?)?singular\s+|positive\s+|definite\s+)*"
    rf"⟦(?P<shape>\d+)⟧(?:\s*-?\s*(?P<what>matri\w+|vectors?|arrays?))?",
    re.IGNORECASE,
)
_LATER = re.compile(rf"⟦(?P<shape>\d+)⟧\s*-?\s*(?:real\s+)?(?:matri\w+|arrays?)\s+(?P<list>{_LIST})", re.IGNORECASE)
_DIMENSIONAL = re.compile(
    rf"⟦(?P<shape>\d+)⟧\s*-?\s*(?:dimensional\s+)?(?:column\s+|row\s+)?vectors?\s+(?P<list>{_LIST})", re.IGNORECASE
)
_PROPERTIES = {
    "symmetric": r"symmetric",
    "orthogonal": r"orthogonal|orthonormal|rotation",
    "unit": r"unit(?:[\s-]norm)?\s+vectors?|unit[\s-]norm|unit\s+length",
    "one-hot": r"one[\s-]?hot",
    "sums": r"probability\s+(?:distribution|vector)s?|probabilities|distributions?\b"
            r"|sums?\s+to\s+(?:one|1|⟦1⟧)|(?:entries|components|weights)\s+(?:that\s+)?sum\s+to\s+(?:one|1|⟦1⟧)",
    "positive": r"(?<!semi-)(?<!non-)positive(?!\s+(?:semi|definite))",
    "invertible": r"invertible|non-?singular|full\s+(?:column\s+|row\s+)?rank",
}  # fmt: skip
_NEGATED = re.compile(
    r"\b(?:not|no|nothing|without|instead|no longer|need not|drop|never|unless|isn't|aren't|neither|non)\b"
    r"|only a vector|arbitrary",
    re.IGNORECASE,
)
_SOFTMAX_OF = re.compile(
    rf"{_F}\s*(?:is|be|=|,|denotes?|for)\s*(?:the\s+)?(?P<wise>(?:row|column)[\s-]?wise\s+)?softmax\s+(?:of\s+|applied\s+to\s+|over\s+)?(?:each\s+|every\s+|the\s+)?(?P<axis>rows?|columns?)?\s*(?:of\s+)?{_F}",
    re.IGNORECASE,
)
_LOGISTIC = re.compile(
    rf"{_F}\s*(?:is|,|being|denotes?|for|stands)[^.;⟦]{{0,30}}\b(?:logistic|sigmoid)\b|\b(?:logistic|sigmoid)\b(?:\s+(?:function|sigmoid|activation|unit))*,?\s*{_F}|\blogistic\b|\bsigmoid\b",
    re.IGNORECASE,
)
_ROWS = re.compile(
    rf"(?:{_F}\s*(?:is|be|are|denotes?)\s+the\s+(?:{_F}|\w+)?\s*(?:-?th)?\s*(?P<one>row|column)s?\s+of\s+{_F})"
    rf"|(?:(?P<two>row|column)s\s+of\s+{_F}\s+(?:are|is|being)\s+(?:the\s+)?(?:vectors\s+|samples\s+|inputs\s+)?{_F})"
    rf"|(?:{_F},?\s+(?:whose|with|having)\s+(?P<three>row|column)s\s+(?:are\s+)?(?:the\s+)?(?:vectors\s+)?{_F})",
    re.IGNORECASE,
)
_SAMPLES = re.compile(
    rf"(?:samples|inputs|examples|observations|data(?:\s+points)?|vectors|features|points)\s+(?:\w+\s+){{0,3}}?(?:as|in)\s+(?:the\s+)?(?P<axis>row|column)s\s+of\s+{_F}"
    rf"|stack(?:ed|ing)?\s+(?:the\s+)?(?:samples|inputs|vectors|\w+)\s+(?:as|in)\s+(?P<axis2>row|column)s\s*,?\s*{_F}",
    re.IGNORECASE,
)
_ADJOINT = re.compile(r"\b(bar|hat|tilde|dot)\b[^.;]{0,40}\b(?:adjoint|gradient|derivative|cotangent)", re.IGNORECASE)
_LIKEWISE = re.compile(
    r"\band\s+so\s+on\b|\blikewise\b|\bsimilarly\b|\betc\b|\band\s+the\s+like\b|\bfor\s+short\b|\banalogous|\babbreviat",
    re.IGNORECASE,
)
_EINSTEIN = re.compile(
    r"\bEinstein\b|summation\s+convention|(?:sum(?:mation|med)?)\s+over\s+repeated\s+ind|repeated\s+ind\w+\s+(?:is|are)\s+summed|index\s+that\s+(?:appears|occurs)\s+twice[^.]*\bsummed",
    re.IGNORECASE,
)
_ALL_NUMBERS = re.compile(
    r"\ball\s+(?:of\s+(?:these|them|this)|these|quantities|letters|variables|symbols)[^.;⟦]{0,30}\b(?:numbers|scalars|real)\b"
    r"|\beverything\s+(?:here\s+)?is\s+(?:a\s+)?(?:scalar|number)|\b(?:state|weights?|inputs?|quantit\w+)\s+(?:is|are)\s+(?:a\s+)?(?:numbers?|scalars?)\b|\bunivariate\b|\bon\s+the\s+(?:line|reals)\b|\bone[\s-]dimensional\b"
    r"|\bone\s+example\s+with\s+features\b",
    re.IGNORECASE,
)
_ALL_VECTORS = re.compile(r"\ball\s+(?:(?:of\s+)?(?:these|them)\s+)?(?:are\s+)?vectors\b", re.IGNORECASE)
_ALL_MATRICES = re.compile(
    r"\b(?:for|all|these\s+are)\s+(?:\w+\s+)?matrices\s+of\s+(?:matching|compatible|suitable|conforming)", re.IGNORECASE
)
_BOLD = re.compile(
    r"\bbold(?:face)?\s+(?P<case>lower|upper|capital)\w*(?:\s+case)?(?:\s+letters?)?\s+(?:is|are|denotes?|stands?\s+for|for|,)?\s*(?P<adj>(?:an?\s+|the\s+|column\s+|row\s+|square\s+|real\s+)*)(?P<kind>vector|matri)",
    re.IGNORECASE,
)
_ABBREVIATES = re.compile(
    rf"(?:abbreviate|write|denote|call|use)[^.;]{{0,60}}(?:derivative|gradient)[^.;]{{0,60}}\bof\s+{_F}[^.;]{{0,80}}(?:`d`|⟦\d+⟧|\bd\b)[^.;]{{0,30}}(?:variable|name|letter)?",
    re.IGNORECASE,
)
_FOR = re.compile(
    rf"(?:write|writing|abbreviate|denote|set|use|put)\s+{_F}\s+(?:for|to\s+mean|instead\s+of)\s+{_F}", re.IGNORECASE
)
_ROW_VECTOR = re.compile(rf"\brow(?:\s+vectors?)?\s+(?P<list>{_LIST})", re.IGNORECASE)
_CONSTANT = re.compile(
    rf"(?:fixed|constant|given)\s+(?:\w+\s+){{0,2}}(?P<list>{_LIST})|(?P<list2>{_LIST})\s+(?:is|are|be)\s+(?:a\s+)?(?:fixed|constant)",
    re.IGNORECASE,
)
_ELEMENTWISE = re.compile(
    r"(?:element|component|entry|coordinate)[\s-]?wise\b|entry\s+by\s+entry|on\s+each\s+(?:entry|component|element)",
    re.IGNORECASE,
)
_FUNCTION = re.compile(
    rf"\b(?:function|activation|nonlinearity|non-linearity|kernel)\s+(?P<list>{_LIST})|(?P<list2>{_LIST})\s*(?:is|be|,|,?\s+being)\s+(?:an?\s+|the\s+|any\s+|some\s+)(?:\w+\s+){{0,3}}(?:function|activation|nonlinearity|non-linearity)\b",
    re.IGNORECASE,
)
_LAYER = re.compile(r"\blayers?\b", re.IGNORECASE)


@dataclass(slots=True)
class Template:
    """A paragraph with its formulas taken out."""

    text: str
    formulas: list[str]
    _parsed: dict[int, Statement | None] = field(default_factory=dict)

    def statement(self, k: int) -> Statement | None:
        if k not in self._parsed:
            try:
                self._parsed[k] = parse(self.formulas[k])
            except ReadError:
                self._parsed[k] = None
        return self._parsed[k]

    def keys(self, group: str | None) -> Iterator[str]:
        """The letters that the formulas of a list are about."""
        for m in re.finditer(r"⟦(\d+)⟧", group or ""):
            yield from self.subjects(int(m[1]))

    def subjects(self, k: int) -> Iterator[str]:
        statement = self.statement(k)
        if statement is None:
            return
        for part in statement.parts:
            for s in part.chain.subjects:
                if isinstance(s, Name):
                    yield subject_key(s)
                elif (
                    isinstance(s, Product)
                    and isinstance(s.args[0], Name)
                    and len(s.args) == 2
                    and isinstance(s.args[1], Paren)
                ):
                    yield subject_key(s.args[0])


def subject_key(name: Name) -> str:
    return key_of(name) + ("_" + name.sub.text if name.sub is not None else "")


def template(text: str) -> Template:
    formulas: list[str] = []

    def out(m: re.Match[str]) -> str:
        body = next(m[g] for g in "abcde" if m[g] is not None)
        formulas.append(body)
        return f" ⟦{len(formulas) - 1}⟧ "

    made = _MATH.sub(out, text)
    made = (
        re.sub(r"\\(?:emph|textbf|textit|textrm|text)\{([^{}]*)\}", r"\1", made)
        .replace("**", " ")
        .replace("~", " ")
        .replace("_", " ")
    )
    made = re.sub(r"\\(?:begin|end|label|section|subsection)\*?\{[^{}]*\}", " ", made)
    return Template(re.sub(r"\s+", " ", made), formulas)


@dataclass(slots=True)
class Facts:
    """What is said, by letter; a letter with a subscript is kept as x_i."""

    ranks: dict[str, int] = field(default_factory=dict)
    shapes: dict[str, tuple[Expr, ...]] = field(default_factory=dict)
    square: set[str] = field(default_factory=set)
    rows_of: dict[str, tuple[str, str]] = field(default_factory=dict)
    properties: dict[str, set[str]] = field(default_factory=dict)
    rows: set[str] = field(default_factory=set)
    constants: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    softmaxes: list[tuple[str, str, str]] = field(default_factory=list)
    everything: int | None = None
    bold: dict[str, int] = field(default_factory=dict)
    einstein: bool = False
    logistic: bool = False
    logistic_keys: set[str] = field(default_factory=set)
    adjoint: str = ""
    likewise: bool = False
    short_d: str = ""
    stacked: dict[str, str] = field(default_factory=dict)
    layered: bool = False
    withdrawn: set[str] = field(default_factory=set)

    def read(self, text: str) -> Facts:
        t = template(text)
        for sentence in re.split(r"(?<=[.;!?:])\s+", t.text):
            self.sentence(sentence, t)
        return self

    def sentence(self, s: str, t: Template) -> None:
        self.kinds(s, t)
        self.shapes_in(s, t)
        self.properties_in(s, t)
        self.conventions(s, t)

    def say(self, keys: Iterator[str], rank: int, adj: str) -> None:
        for key in keys:
            self.ranks.setdefault(key, rank)
            if rank == 2 and "square" in adj.lower():
                self.square.add(key)
            if rank == 1 and re.search(r"\brow\b", adj, re.IGNORECASE):
                self.rows.add(key)

    def kinds(self, s: str, t: Template) -> None:
        for pattern in (_AFTER, _BEFORE):
            for m in pattern.finditer(s):
                if m["kind"].lower() == "real" and re.match(r"\s*⟦\d+⟧\s*⟦|\s*⟦\d+⟧\s*matri", s[m.end() - 4 :]):
                    continue
                self.say(t.keys(m["list"]), _RANK[m["kind"].lower()], m["adj"] or "")
        for m in _NAMED.finditer(s):
            self.say(t.keys(f"⟦{m[1]}⟧"), _RANK[m["kind"].lower()], "")
        for m in _ROW_VECTOR.finditer(s):
            self.rows |= set(t.keys(m["list"]))
            self.say(t.keys(m["list"]), 1, "row")
        if _ALL_NUMBERS.search(s):
            self.everything = 0
        if _ALL_MATRICES.search(s):
            self.everything = 2
        for m in _BOLD.finditer(s):
            case = "lower" if m["case"].lower() == "lower" else "upper"
            self.bold[case] = 2 if m["kind"].lower() == "matri" else 1
            if "square" in (m["adj"] or "").lower():
                self.square.add(f"bold {case}")
        for m in re.finditer(
            r"\bbold\b[^.;]*?\b(?P<case>upper|lower)\s+case\s+(?:an?\s+|the\s+)?(?P<square>square\s+)?(?P<kind>vector|matri)",
            s,
            re.IGNORECASE,
        ):
            self.bold[m["case"].lower()] = 2 if m["kind"].lower() == "matri" else 1
            if m["square"]:
                self.square.add(f"bold {m['case'].lower()}")
        for m in _FUNCTION.finditer(s):
            self.functions |= set(t.keys(m["list"] or m["list2"]))
        if _ELEMENTWISE.search(s):
            for m in re.finditer(
                rf"{_F}\s*(?:that\s+|which\s+)?(?:acts|is\s+applied|works|acting|applied|elementwise)", s
            ):
                self.functions |= set(t.keys(f"⟦{m[1]}⟧"))

    def shapes_in(self, s: str, t: Template) -> None:
        for pattern in (_SHAPED, _LATER, _DIMENSIONAL):
            for m in pattern.finditer(s):
                shape = shape_of(t.statement(int(m["shape"])), pattern is _DIMENSIONAL)
                if shape is None:
                    continue
                for key in t.keys(m["list"]):
                    self.shapes.setdefault(key, shape)
        for m in re.finditer(
            rf"(?P<list>{_LIST})\s+(?:is|are|be)\s+(?:an?\s+)?(?:\w+\s+)?(?P<n>⟦\d+⟧)-by-(?P<m>⟦\d+⟧)", s
        ):
            parts = [shape_of(t.statement(int(m[g].strip("⟦⟧"))), True) for g in "nm"]
            if all(parts):
                for key in t.keys(m["list"]):
                    self.shapes.setdefault(key, (*parts[0], *parts[1]))  # type: ignore[misc]

    def properties_in(self, s: str, t: Template) -> None:
        for name, pattern in _PROPERTIES.items():
            for m in re.finditer(pattern, s, re.IGNORECASE):
                clause = s[max(0, m.start() - 60) : m.end()]
                around = list(self.about(s, m, t))
                if _NEGATED.search(clause.split("⟦")[-1]) or re.search(
                    r"\bwithout\b|\binstead\b|\bnot\b", s[max(0, m.start() - 25) : m.end() + 25]
                ):
                    self.withdrawn |= {f"{name}:{k}" for k in around}
                    continue
                for key in around:
                    self.properties.setdefault(key, set()).add(name)
        if re.search(r"\binstead\b|\bno longer\b|\bonly\s+a\s+vector\b", s, re.IGNORECASE):
            for k in t.keys(s):
                self.withdrawn.add(f"*:{k}")

    @staticmethod
    def about(s: str, m: re.Match[str], t: Template) -> Iterator[str]:
        """What an adjective is said of: the formulas right behind its noun, else those of the clause before it."""
        behind = re.match(rf"[\w\s-]{{0,40}}?(?P<list>{_LIST})", s[m.end() :])
        between = s[m.end() : m.end() + behind.start("list")] if behind else ""
        if behind and not re.search(r"\b(?:is|are|where|with|and|over|that|let|has|have)\b", between):
            shape = shape_of(t.statement(int(re.findall(r"\d+", behind["list"])[0])), False)
            if shape is None:
                yield from t.keys(behind["list"])
                return
            more = re.match(rf"[\w\s-]*⟦\d+⟧\s*-?\s*(?:matri\w+|vectors?)\s+(?P<list>{_LIST})", s[m.end() :])
            if more:
                yield from t.keys(more["list"])
                return
        before = s[: m.start()]
        lists = list(re.finditer(rf"(?P<list>{_LIST})", before))
        while lists:
            last = lists.pop()
            keys = list(t.keys(last["list"]))
            if keys:
                yield from keys
                return

    def conventions(self, s: str, t: Template) -> None:
        self.einstein |= _EINSTEIN.search(s) is not None
        self.layered |= _LAYER.search(s) is not None
        for m in _LOGISTIC.finditer(s):
            self.logistic = True
            self.logistic_keys |= set(t.keys("".join(f"⟦{g}⟧" for g in m.groups() if g)))
        for m in _SOFTMAX_OF.finditer(s):
            axis = (m["axis"] or m["wise"] or "").lower()
            names = [list(t.subjects(int(k))) for k in re.findall(r"⟦(\d+)⟧", m.group())]
            if len(names) == 2 and all(names) and axis:
                self.softmaxes.append((names[0][0], names[1][0], "rows" if axis.startswith("row") else "columns"))
        for m in _ROWS.finditer(s):
            axis = (m["one"] or m["two"] or m["three"]).lower()
            ks = [int(k) for k in re.findall(r"⟦(\d+)⟧", m.group())]
            first, last = (ks[-1], ks[0]) if m["one"] else (ks[0], ks[-1])
            whole, item = list(t.subjects(first)), list(t.subjects(last))
            if whole and item:
                self.rows_of[whole[0]] = (item[0].split("_")[0], axis)
        for m in _SAMPLES.finditer(s):
            for k in re.findall(r"⟦(\d+)⟧", m.group()):
                for key in t.subjects(int(k)):
                    self.stacked[key] = (m["axis"] or m["axis2"]).lower()
        if said := _ADJOINT.search(s):
            self.adjoint = said[1].lower()
        self.likewise |= _LIKEWISE.search(s) is not None
        for m in _FOR.finditer(s):
            if re.match(r"\s*(?:\\mathrm\s*\{?\s*)?d\s*\}?\s*\\?[A-Za-z]", t.formulas[int(m[1])]):
                self.short_d = self.short_d or loss_below(t.formulas[int(m[2])])
        if said := _ABBREVIATES.search(s):
            self.short_d = self.short_d or next(t.subjects(int(said[1])), "")
        for m in _CONSTANT.finditer(s):
            self.constants |= set(t.keys(m["list"] or m["list2"]))


def loss_below(formula: str) -> str:
    """The L of ∂L/∂Y."""
    try:
        statement = parse(formula)
    except ReadError:
        return ""
    node = statement.parts[0].chain.subjects[-1]
    body = getattr(node, "body", None)
    return key_of(body) if isinstance(body, Name) else ""


def shape_of(statement: Statement | None, lone: bool) -> tuple[Expr, ...] | None:
    """n × m, (N, D); with `lone` also n."""
    if statement is None or len(statement.parts) != 1 or statement.parts[0].chain.links:
        return None
    node = statement.parts[0].chain.subjects[-1]
    match node:
        case Product(args, signs) if signs and set(signs) == {"times"}:
            return args
        case Paren(chains, "(") if len(chains) == 2 and not any(c.links for c in chains):
            parts = tuple(c.subjects[-1] for c in chains)
            return parts if all(isinstance(p, (Name, Num)) for p in parts) else None
        case Name(_, _, None, ()) if lone:
            return (node,)
        case _:
            return None


__all__ = ["Dots", "Facts", "Template", "shape_of", "subject_key", "template"]
