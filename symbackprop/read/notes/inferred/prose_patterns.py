"""Ways of saying things in English, as patterns over paragraphs in which ⟦k⟧ stands for the k-th formula."""

from __future__ import annotations

import re


def said(pattern: str) -> re.Pattern[str]:
    """Words in any case."""
    return re.compile(pattern, re.IGNORECASE)


MATH = re.compile(
    r"\$\$(?P<a>.*?)\$\$|\$(?P<b>[^$]*)\$|\\\((?P<c>.*?)\\\)|\\\[(?P<d>.*?)\\\]"
    r"|\\begin\{(?P<env>equation|align|gather|multline|eqnarray|alignat|flalign)\*?\}(?P<e>.*?)\\end\{(?P=env)\*?\}",
    re.DOTALL,
)
F = r"⟦(\d+)⟧"
LIST = rf"{F}(?:\s*(?:,|and|or|,\s*and)\s*{F})*"
RANK = {"scalar": 0, "number": 0, "real": 0, "vector": 1, "matrix": 2, "matrice": 2}
KIND = r"(?P<kind>scalar|number|real|vector|matrix|matrice)"
ADJ = (
    r"(?:(?:an?|the|two|three|some|different|distinct|fixed|given|constant|real|column|row|data|weight|design|random|square"
    r"|symmetric|invertible|non-?singular|orthogonal|input|output|unit|positive|small|feature|mean|parameter|covariance"
    r"|target|label|one-hot|nonzero|non-zero|definite|semi-?definite|diagonal|differentiable|univariate|possibly"
    r"|rectangular|arbitrary|fixed|valued|response|residual|bias|embedding|both|all|single|ordinary)[\s-]+)*"
)
IS = r"(?:is|are|be|being|denotes?|as|stands? for|for|,)"
AFTER = said(
    rf"(?P<list>{LIST})(?:\s*∈\s*\S+)?\s*(?:{IS}\s+)?(?:both\s+|all\s+)?(?P<adj>{ADJ}){KIND}(?:e?s)?\b(?!\s*(?:⟦|of\s+(?:rows|scalars)))"
)
BEFORE = said(rf"\b(?P<adj>{ADJ}){KIND}(?:e?s)?(?:[\s-](?:variable|parameter|valued))?s?\s+(?P<list>{LIST})")
NAMED = said(rf"{F}\s+the\s+(?:\w+\s+){{0,2}}{KIND}(?:e?s)?\b")
LOSS = re.compile(
    rf"\b(?:loss|cost|objective|energy|penalty|regulari[sz]er|risk|likelihood|error)(?:\s+(?:function|term|value))?s?,?\s+{F}"
    rf"(?!\s*(?:vector|matri))", re.IGNORECASE,
)
SHAPED = said(
    rf"(?P<list>{LIST})\s*(?:is|are|be|has|have|of|with|,)?\s*(?:an?\s+|of\s+|the\s+|shape\s+|size\s+|dimensions?\s+|real\s+"
    rf"|invertible\s+|symmetric\s+|square\s+|orthogonal\s+|matrix\s+|matrices\s+|has\s+|have\s+|(?:non-?)?singular\s+|positive\s+|definite\s+)*"
    rf"⟦(?P<shape>\d+)⟧(?:\s*-?\s*(?P<what>matri\w+|vectors?|arrays?))?"
)
LATER = said(rf"⟦(?P<shape>\d+)⟧\s*-?\s*(?:real\s+)?(?:matri\w+|arrays?)\s+(?P<list>{LIST})")
DIMENSIONAL = said(rf"⟦(?P<shape>\d+)⟧\s*-?\s*(?:dimensional\s+)?(?:column\s+|row\s+)?vectors?\s+(?P<list>{LIST})")
PROPERTIES = {
    "symmetric": r"(?<!skew.)(?<!skew)(?<!anti.)(?<!anti)(?<!non)(?<!un)\bsymmetri(?:c|sch|que)",
    "skew": r"\b(?:skew|anti)-?\s?symmetric",
    "diagonal": r"(?<!off.)(?<!block.)\bdiagonal\b(?!\s+(?:of|entr|elem))",
    "idempotent": r"\bidempotent\b|\bprojection\s+matri",
    "orthogonal": r"(?<!rows\s)\b(?:orthogonal|orthonormal|rotation)\b(?!\s+(?:rows|to))",
    "other": r"\b(?:triangular|permutation|circulant|toeplitz|unitary|nilpotent|cent(?:er|r)ed|whitened|standardi[sz]ed"
             r"|isotropic|block[\s-]diagonal|doubly\s+stochastic|hermitian|(?:orthogonal|orthonormal)\s+rows|low[\s-]rank|sparse"
             r"|(?<!symmetric )(?<!symmetric, )(?<!symmetric and )(?<!symmetric, and )"
             r"positive[\s-](?:semi-?)?definite)\b",
    "unit": r"unit(?:[\s-]norm)?\s+vectors?|unit[\s-]norm|unit\s+length",
    "one-hot": r"one[\s-]?hot",
    "sums": r"probability\s+(?:distribution|vector)s?|probabilities|distributions?\b"
            r"|sums?\s+to\s+(?:one|1|⟦1⟧)|(?:entries|components|weights)\s+(?:that\s+)?sum\s+to\s+(?:one|1|⟦1⟧)",
    "positive": r"(?<!semi-)(?<!non-)positive(?!\s+(?:semi|definite))",
    "invertible": r"invertible|non-?singular",
    "binary": r"\b(?:binary|boolean|0[/-]1|zero[\s-]one)[\s-](?:\w+[\s-])?(?:mask|matri|vector|array)\w*"
              r"|\b(?:entries|elements|components|values)\s+(?:are\s+|is\s+|lie\s+|all\s+)*in\s+⟦binary⟧",
    "fixed": r"\b(?:fixed|constants?|held|data|does\s+not\s+(?:change|move|vary))\b",
    "sign": r"\b(?:entries|elements|components|values)\s+(?:are\s+|is\s+|lie\s+|all\s+)*in\s+⟦sign⟧",
}  # fmt: skip
VALUES = {
    "binary": re.compile(r"\\\{\s*0\s*,\s*1\s*\\\}"),
    "sign": re.compile(r"\\\{\s*(?:-\s*1\s*,\s*\+?\s*1|\+?\s*1\s*,\s*-\s*1|\\pm\s*1)\s*\\\}"),
}
"""The set of two values of which an entry has one: its powers are known."""
AS_LARGE = re.compile(r"\bsame\s+(?:shape|size|dimensions?)\s+as\s+⟦\d+⟧")
NEGATED = said(
    r"\b(?:not|no|nothing|without|instead|no longer|need not|drop|never|unless|isn't|aren't|neither|non)\b"
    r"|only a vector|arbitrary"
)
NOUNS = {
    "symmetric": "symmetr", "orthogonal": "orthogonal|orthonormal", "unit": r"\bunit\b|length", "one-hot": "one-hot",
    "sums": "normali[sz]|distribution", "positive": "positiv", "invertible": "invertib|singular",
}  # fmt: skip
DROPPED = re.compile(
    r"\b(?:drop|lift|relax|remov|abandon|discard|giv(?:e|ing) up|forget|do away with|no longer|without|not assum"
    r"|never assum|do(?:es)? not (?:assum|requir|need|hold))\w*\b[^.;⟦]{0,40}?"
    r"\b(?:assum\w*|hypothes\w*|restriction\w*|requirement\w*|symmetry|orthogonality|orthonormality|normali[sz]ation"
    r"|positivity|invertibility)\b", re.IGNORECASE,
)
"""What was assumed is assumed no more."""
ANEW = re.compile(
    r"\b(?:now|next|if|let|when|for|in case|consider|take|instead|once|given|suppose|conversely|special case|otherwise"
    r"|from (?:here|now) on|in (?:the|this|that|our) case|in general|more generally)\b", re.IGNORECASE,
)
"""What the sentence says holds from there on, not of what stands above."""
CASE = said(r"\W*(?:now\W+)?(?:if|when(?:ever)?|for|with|in\s+(?:the|this)\s+case)\b")
GENERAL = said(r"\W*(?:(?:but|and|now|however)\W+)?(?:(?:more\s+)?generally|in\s+general)\b")
"""A sentence that assumes something, and one that does so no more."""
GOES_ON = re.compile(r"\s*(?:for|if|when(?:ever)?|where|with|provided|as long as)\b")
"""Behind a display, whose sentence it goes on with."""
SOFTMAX_OF = said(
    rf"{F}\s*(?:is|be|=|,|denotes?|for)\s*(?:the\s+)?(?P<wise>(?:row|column)[\s-]?wise\s+)?softmax\s+(?:of\s+|applied\s+to\s+|over\s+)?(?:each\s+|every\s+|the\s+)?(?P<axis>rows?|columns?)?\s*(?:of\s+)?{F}"
)
LOGISTIC = said(
    rf"{F}\s*(?:is|,|being|denotes?|for|stands)[^.;⟦]{{0,30}}\b(?:logistic|sigmoid)\b|\b(?:logistic|sigmoid)\b(?:\s+(?:function|sigmoid|activation|unit))*,?\s*{F}|\blogistic\b|\bsigmoid\b"
)
LOGISTIC_FORMULA = r"\frac{1}{1+\exp(-z)}"  # e may be a letter of the author's
_CDF = r"(?:cumulative\s+)?(?:distribution\s+function|c\.?d\.?f\b\.?)"
_PDF = r"(?:probability\s+)?(?:density(?:\s+function)?|p\.?d\.?f\b\.?)"


def of_normal(noun: str) -> re.Pattern[str]:
    """Φ, the distribution function of a standard normal variable; the Gaussian cdf Φ."""
    law = r"(?:standard\s+)?(?:normal|gaussian)"
    its = rf"(?:{law}\s+{noun}|{noun}(?:\s+and\s+{F}\s+(?:the\s+)?(?:{_CDF}|{_PDF}))?\s+of\s+(?:the|a)\s+{law}\b)"
    return said(rf"{F}\s*(?:is|are|be|being|denotes?|for|as|,|\s)*(?:the\s+)?{its}|\b{law}\s+{noun},?\s+{F}")


WORDED = {
    LOGISTIC_FORMULA: LOGISTIC,
    r"\frac{1}{2}(1+\operatorname{erf}(\frac{z}{\sqrt{2}}))": of_normal(_CDF),
    r"\frac{1}{\sqrt{2\pi}}\exp(-\frac{z^2}{2})": of_normal(_PDF),
}
"""Functions of z that words give to a letter."""
ROWS = said(
    rf"(?:{F}\s*(?:is|be|are|denotes?)\s+the\s+(?:{F}|\w+)?\s*(?:-?th)?\s*(?P<one>row|column)s?\s+of\s+{F})"
    rf"|(?:(?P<two>row|column)s\s+of\s+{F}\s+(?:are|is|being)\s+(?:the\s+)?(?:vectors\s+|samples\s+|inputs\s+)?{F})"
    rf"|(?:{F},?\s+(?:whose|with|having)\s+(?P<three>row|column)s\s+(?:are\s+)?(?:the\s+)?(?:vectors\s+)?{F})"
)
SAMPLES = said(
    rf"(?:samples|inputs|examples|observations|data(?:\s+points)?|vectors|features|points)\s+(?:\w+\s+){{0,3}}?(?:as|in)\s+(?:the\s+)?(?P<axis>row|column)s\s+of\s+{F}"
    rf"|stack(?:ed|ing)?\s+(?:the\s+)?(?:samples|inputs|vectors|\w+)\s+(?:as|in)\s+(?P<axis2>row|column)s\s*,?\s*{F}"
)
ADJOINT = said(r"\b(bar|hat|tilde|dot)\b[^.;]{0,40}\b(?:adjoint|gradient|derivative|cotangent)")
PARTIALS = re.compile(
    r"\b(?:subscripts?|ind(?:ex|ices))\b[^.;]{0,50}\b(?:partial|derivatives?|differentiation)\b"
    r"|\b(?:partial\s+)?derivatives?\b[^.;]{0,40}\bsubscripts?\b", re.IGNORECASE,
)
MOVING = said(
    r"\b(?:over)?dots?\b[^.;]{0,60}\b(?:time|tangents?|directional|forward[\s-]mode|respect\s+to\s+⟦\d+⟧)"
    r"|\b(?:time\s+derivatives?|derivatives?\s+(?:with\s+respect\s+to|by|in)\s+time|tangents?)\b[^.;]{0,60}\b(?:over)?dots?\b"
)
_BAR = r"\b(?:over(?:line|bar)s?|bars?)\b"
_MEAN = r"\b(?:averag\w+|means?\s+(?:over|of)|sample\s+means?|empirical)\b"
BAR_MEANS = said(rf"{_BAR}[^.;]{{0,60}}{_MEAN}|{_MEAN}[^.;]{{0,60}}{_BAR}")
RANDOM = re.compile(
    rf"\brandom\s+(?:variables?|vectors?|quantit\w+|numbers?)\s+(?P<list>{LIST})"
    rf"|(?P<list2>{LIST})\s+(?:is|are|be)\s+(?:an?\s+)?(?:real\s+|independent\s+)?random\b", re.IGNORECASE,
)
LAW = re.compile(
    r"\b(?:independen\w+|i\.?i\.?d|gaussian|normal(?:ly)?|uniform\w*|zero[\s-]mean|cent(?:er|r)ed|unbiased|distribut\w+"
    r"|bernoulli|poisson|binomial|uncorrelated|white|variance|standardi[sz]ed|mean\s+zero)\b", re.IGNORECASE,
)
MEANS = re.compile(
    r"(?:(?P<d>\bd[A-Z])|⟦(?P<k>\d+)⟧)\s+(?:means?|denotes?|stands\s+for|is\s+short\s+for|abbreviates?|denote|is\s+written\s+for)"
    r"\s+(?:the\s+(?:gradient|derivative|adjoint)\s+)?⟦(?P<of>\d+)⟧", re.IGNORECASE,
)
DECOMPOSED = said(
    r"\b(?:singular[\s-]values?|SVD|eigen-?decompos\w+|spectral decompos\w+|diagonali[sz]\w+|eigen-?vectors?)\b"
)
_REALS = r"(?:\\mathbb\s*\{?\s*R\s*\}?|\\R{1,2}(?![A-Za-z])|ℝ)"
TO_NUMBERS = re.compile(
    rf"(\\?[A-Za-z]+)\s*(?::|\\colon(?![a-z]))\s*{_REALS}\s*\^[^$\\]*(?:\\times[^$\\]*)?\\(?:to|rightarrow|mapsto)\s*{_REALS}\s*(?![\s^])"
)
EINSTEIN = said(
    r"\bEinstein\b|summation\s+convention|(?:sum(?:mation|med)?)\s+over\s+repeated\s+ind|repeated\s+ind\w+\s+(?:is|are)\s+summed|index\s+that\s+(?:appears|occurs)\s+twice[^.]*\bsummed"
)
ALL_NUMBERS = said(
    r"\ball\s+(?:of\s+(?:these|them|this)|these|quantities|letters|variables|symbols)[^.;⟦]{0,30}\b(?:numbers|scalars|real)\b"
    r"|\beverything\s+(?:here\s+)?is\s+(?:a\s+)?(?:scalar|number)|\b(?:state|weights?|inputs?|quantit\w+)\s+(?:is|are)\s+(?:a\s+)?(?:numbers?|scalars?)\b|\bunivariate\b|\bon\s+the\s+(?:line|reals)\b|\bone[\s-]dimensional\b"
    r"|\bone\s+example\s+with\s+features\b"
)
ALL_MATRICES = said(
    r"\b(?:for|all|these\s+are)\s+(?:\w+\s+)?matrices\s+of\s+(?:matching|compatible|suitable|conforming)"
)
BOLD = said(
    r"\bbold(?:face)?\s+(?P<case>lower|upper|capital)\w*(?:\s+case)?(?:\s+letters?)?\s+(?:is|are|denotes?|stands?\s+for|for|,)?\s*(?P<adj>(?:an?\s+|the\s+|column\s+|row\s+|square\s+|real\s+)*)(?P<kind>vector|matri)"
)
ABBREVIATES = said(
    rf"(?:abbreviate|write|denote|call|use)[^.;]{{0,60}}(?:derivative|gradient)[^.;]{{0,60}}\bof\s+{F}[^.;]{{0,80}}(?:`d`|⟦\d+⟧|\bd\b)[^.;]{{0,30}}(?:variable|name|letter)?"
)
FOR = said(rf"(?:write|writing|abbreviate|denote|set|use|put)\s+{F}\s+(?:for|to\s+mean|instead\s+of)\s+{F}")
ROW_VECTOR = said(rf"\brow(?:\s+vectors?)?\s+(?P<list>{LIST})")
ELEMENTWISE = said(
    r"(?:element|component|entry|coordinate)[\s-]?wise\b|entry\s+by\s+entry|on\s+each\s+(?:entry|component|element)"
)
FUNCTION = said(
    rf"\b(?:function|activation|nonlinearity|non-linearity|kernel)\s+(?P<list>{LIST})|(?P<list2>{LIST})\s*(?:is|be|,|,?\s+being)\s+(?:an?\s+|the\s+|any\s+|some\s+)(?:\w+\s+){{0,3}}(?:function|activation|nonlinearity|non-linearity)\b"
)
OF = said(
    rf"(?P<loss>{F})\s*(?:is\s+|be\s+|,\s*|that\s+|which\s+|an?\s+|any\s+|some\s+|the\s+|\w+\s+){{0,4}}?"
    rf"(?:function\s+of|depends?\s+(?:only\s+)?(?:up)?on)\s+(?:the\s+(?:\w+\s+){{0,3}})?(?P<list>{LIST})"
)
LAYER = said(r"\blayers?\b")
APPLIED = re.compile(rf"{F}\s*(?:that\s+|which\s+)?(?:acts|is\s+applied|works|acting|applied|elementwise)")
BOLD_CASE = said(
    r"\bbold\b[^.;]*?\b(?P<case>upper|lower)\s+case\s+(?:an?\s+|the\s+)?(?P<square>square\s+)?(?P<kind>vector|matri)"
)
N_BY_M = re.compile(rf"(?P<list>{LIST})\s+(?:is|are|be)\s+(?:an?\s+)?(?:\w+\s+)?(?P<n>⟦\d+⟧)-by-(?P<m>⟦\d+⟧)")
FLAGS = {
    "einstein": EINSTEIN, "layered": LAYER, "decomposed": DECOMPOSED, "law": LAW,
    "partials": PARTIALS, "moving": MOVING, "means": BAR_MEANS,
}  # fmt: skip
"""What a sentence says by holding such words."""
LISTED = {"functions": FUNCTION, "random": RANDOM}
"""What letters are said to be in a list."""
