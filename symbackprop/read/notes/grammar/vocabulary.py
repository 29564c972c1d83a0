"""The words of written mathematics: what each command and each sign is, as a table.

Every entry says (kind, text) of the token it becomes; LaTeX and Unicode spellings meet here, so that
`\\circ` and `∘` are one token from then on.
"""

from __future__ import annotations

from typing import Final

from symbackprop.core.functions import COMPOSED, FUNCTIONS, UNREAD, words

GAMMA, FACTORIAL = "Γ", "ln!"
"""The gamma function and the logarithm of a factorial: that they have derivatives is all that is known of them."""
GREEK: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "vartheta": "ϑ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "varrho": "ϱ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "varphi": "φ", "chi": "χ",
    "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π",
    "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ", "jmath": "j", "imath": "i",
    "Alpha": "Α", "Beta": "Β", "varsigma": "ς", "digamma": "ϝ",
}  # fmt: skip
SAME_LETTER: Final = {"ϵ": "ε", "ϕ": "φ", "µ": "μ"}

NEUTRAL: Final = frozenset(
    "vec overrightarrow overleftarrow overleftrightarrow mathbf boldsymbol bm pmb mathit mathrm mathsf mathnormal "
    "underline textbf symbf symbfit".split()
)
"""Marks that say what a thing is, not which: \\vec{a} is a unless \\vec{a} itself is declared."""

BOLD: Final = frozenset("vec overrightarrow mathbf boldsymbol bm pmb textbf symbf symbfit".split())

DISTINCT: Final = frozenset(
    "hat widehat tilde widetilde bar overline dot ddot check breve acute grave mathcal mathscr mathfrak mathbb mathbbm "
    "mathring cal".split()
)
"""Marks that usually name another thing (ŷ is not y): the marked name must be declared."""

COMBINING: Final = {
    "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "bar", "\u0307": "dot", "\u0308": "ddot",
    "\u030c": "check", "\u20d7": "vec", "\u20d1": "vec", "\u0332": "underline",
}  # fmt: skip

ELEMENTWISE_WORDS: Final = {**words(), **{word: word for word in UNREAD}}
ACTIVATION_WORDS: Final = (
    *(word for c in COMPOSED.values() if c.activation for word in c.words),
    *(word for name in ("sigmoid", "softplus", "tanh", "atan") for word in FUNCTIONS[name].words),
)
WHOLE_WORDS: Final = {
    "tr": "tr", "Tr": "tr", "trace": "tr", "diag": "diag", "Diag": "diag", "det": "det", "softmax": "softmax",
    "logsumexp": "logsumexp", "max": "max", "min": "min", "argmax": "argmax", "argmin": "argmin", "vec": "vec",
    "mean": "mean", "sum": "sum", "rank": "rank", "inv": "inv", "norm": "norm", "Var": "Var",
    "mat": "mat", "dim": "dim", "size": "size", "shape": "shape", "lim": "lim", "sup": "sup", "inf": "inf",
    "Cov": "Cov", "Pr": "Pr",
}  # fmt: skip
NABLA_WORDS: Final = {"grad": "nabla", "Grad": "nabla", "Hess": "hessian", "hess": "hessian"}
FUNCTION_WORDS: Final = {**ELEMENTWISE_WORDS, **WHOLE_WORDS}

_SPELLED: Final = {
    "op": {
        "+": "+", "-": "- − –", "*": "* ∗ ast star", "/": "/ ∕ ÷ div slash", "@": "@", "cdot": "· ⋅ ∙ cdot bullet",
        "times": "× times", "had": "∘ ⊙ ⨀ circ odot", "outer": "⊗ otimes",
    },
    "rel": {
        "=": "= eq", ":=": "≔ ≜ coloneqq coloneq triangleq defeq", "~": "∼ sim", "∈": "∈ in",
        "≈": "≈ approx simeq cong", "≡": "≡ equiv", "∝": "∝ propto", "≠": "≠ ne neq", "≤": "≤ le leq leqslant",
        "≥": "≥ ge geq geqslant", "<": "< lt", ">": "> gt", "≪": "ll", "≫": "gg",
        "←": "← leftarrow gets", "=:": "eqqcolon",
    },
    "arrow": {
        "implies": "⇒ ⟹ ⇓ ∴ Rightarrow implies Longrightarrow Downarrow leadsto rightsquigarrow therefore",
        "iff": "⇔ Leftrightarrow iff Longleftrightarrow",
        "becomes": "→ ⟶ ↦ ↓ rightarrow to longrightarrow mapsto longmapsto downarrow swarrow searrow",
    },
    "open": {"(": "( lparen", "[": "[ lbrack", "\\{": "lbrace", "⟨": "⟨ langle", "‖": "lVert", "|": "lvert"},
    "close": {")": ") rparen", "]": "] rbrack", "\\}": "rbrace", "⟩": "⟩ rangle", "‖": "rVert", "|": "rvert"},
    "bar": {"‖": "‖ ∥ Vert parallel", "|": "| vert mid"},
    "dots": {
        "…": "… ⋯ dots ldots cdots dotsc dotsb dotsm dotso", "⋮": "⋮ vdots", "⋱": "⋱ ddots", "⋰": "iddots adots",
    },
    "tick": {"✓": "✓ ✔ checkmark", "□": "□ square qed blacksquare"}, "and": {"&": "And", "∧": "∧ land wedge"},
    "prime": {"'": "' ’ ′", "\'\'": "″", "\'\'\'": "‴"}, "top": {"⊤": "⊤ ⊺", "ᵀ": "ᵀ"}, "ones": {"1": "𝟙 𝟏"},
    "gap": {"": "quad qquad"}, "row": {"": "cr newline"}, "colon": {":": ": colon"}, "reals": {"R": "ℝ"},
    "bad": {
        "±": "± pm", "∓": "mp", "⊕": "oplus", "∪": "cup", "∩": "cap", "∫": "∫ int", "\\": "backslash", "†": "dagger",
        "⌊": "lfloor", "⌋": "rfloor", "!": "!",
    },
    **{sign: {sign: sign} for sign in "{}^_"},
    **{kind: {sign: sign} for kind, sign in zip(
        "amp comma semi dot question partial nabla sum prod sqrt infty forall uparrow setminus".split(),
        "&,;.?∂∇∑∏√∞∀↑∖", strict=True,
    )},
}  # fmt: skip
"""By kind and text of the token: its spellings, characters and the commands of LaTeX."""
_PLAIN = {
    **{w: w for w in "sum prod partial nabla sqrt binom begin end infty prime substack norm abs".split()},
    "frac": "frac dfrac tfrac cfrac", "forall": "forall exists", "top": "top intercal",
    "stack": "overset stackrel underset", "over": "underbrace overbrace", "colored": "textcolor colorbox",
    "unwrap": "boxed bbox cancel bcancel xcancel cancelto mathop mathord mathrel mathbin ensuremath fbox mathclap "
              "mathrlap mathllap",
    "drop1": "label tag hspace vspace color phantom hphantom vphantom ref eqref cite mspace kern",
    "uparrow": "uparrow nearrow nwarrow Uparrow updownarrow", "reals": "R RR reals Reals Real",
    "setminus": "setminus smallsetminus",
}  # fmt: skip
_SKIPPED = (
    "left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm displaystyle textstyle "
    "scriptstyle limits nolimits nonumber notag thinspace medspace thickspace negthinspace enspace hfill noindent "
    "mathstrut strut hline smallskip medskip par rm bf it allowbreak nobreak space relax centering scriptscriptstyle "
    "negmedspace negthickspace tiny scriptsize footnotesize small normalsize large Large LARGE huge Huge"
)

_TOKENS: Final = {
    spelling: (kind, text)
    for kind, texts in _SPELLED.items() for text, spellings in texts.items() for spelling in spellings.split()
}  # fmt: skip
SIGNS: Final[dict[str, tuple[str, str]]] = {c: t for c, t in _TOKENS.items() if not (c.isascii() and c.isalpha())}
COMMANDS: Final[dict[str, tuple[str, str]]] = {c: t for c, t in _TOKENS.items() if c not in SIGNS}
for _text, _names in _PLAIN.items():
    COMMANDS.update({n: (_text, n) for n in _names.split()})
COMMANDS.update({n: ("skip", "") for n in _SKIPPED.split()})
COMMANDS.update({n: ("name", c) for n, c in GREEK.items()})
COMMANDS.update({n: ("deco", n) for n in NEUTRAL | DISTINCT})
COMMANDS.update(
    {n: ("text", n) for n in ("text", "textrm", "textit", "mbox", "textsf", "texttt", "textnormal", "hbox")}
)
COMMANDS.update({n: ("operator", n) for n in ("operatorname", "mathop")})
COMMANDS.update({n: ("func", w) for n, w in FUNCTION_WORDS.items() if n not in ("vec", "sqrt", "sum", "norm", "abs")})

SUBSCRIPT_WORDS: Final = frozenset(
    "prev next new old hid opt avg tot pos neg ref train test val pred true obs model data loss enc dec reg rec err "
    "hidden input output out max min final init last curr mask noise mse rmse map mle ols".split()
)
"""Letters that, below a name, are a word and not indices."""
