"""Documents as authors write them, without declarations: sections of eight kinds, each with letters and numbers of its
own, so that no statement is remembered from another; in every fourth section one statement is wrong."""

from __future__ import annotations

SECTIONS = [
r"""
## {k}. Least squares

Let ${X} \in \mathbb{{R}}^{{n \times d}}$, ${y} \in \mathbb{{R}}^n$, and consider the loss

$$J({w}) = \frac{{{c}}}{{2}} \|{X} {w} - {y}\|^2.$$

Its gradient is

$$\nabla J({w}) = {c} {X}^T({X} {w} - {y}) = {c}({X}^T {X} {w} - {X}^T {y})$$

and the Hessian $\nabla^2 J({w}) = {c} {X}^T {X}$. With a ridge term

$$R({w}) = \|{X} {w} - {y}\|^2 + {c} \|{w}\|^2$$

$$\frac{{\partial R}}{{\partial {w}}} = 2 {X}^T ({X} {w} - {y}) + {d} {w}$$

$$\|{X} {w} - {y}\|^2 = {w}^T {X}^T {X} {w} - 2 {y}^T {X} {w} + {y}^T {y}$$
""",
r"""
## {k}. A layer

The layer computes ${z} = {W} {x} + {b}$, ${a} = \tanh({z})$ and $L = \frac{{{c}}}{{2}}\|{a} - {y}\|^2$
with ${W} \in \mathbb{{R}}^{{m \times n}}$.

$$\frac{{\partial L}}{{\partial {a}}} = {c} ({a} - {y})$$

$$\frac{{\partial L}}{{\partial {z}}} = {c} ({a} - {y}) \odot (1 - {a}^2)$$

$$\frac{{\partial L}}{{\partial {W}}} = {c} \left(({a} - {y}) \odot (1 - {a}^2)\right) {x}^T$$

$$\frac{{\partial L}}{{\partial {b}}} = {c} ({a} - {y}) \odot (1 - {a}^2)$$

$$\frac{{\partial L}}{{\partial {x}}} = {c} {W}^T \left(({a} - {y}) \odot (1 - {a}^2)\right)$$
""",
r"""
## {k}. Softmax

With $p_i = \frac{{e^{{{z}_i}}}}{{\sum_j e^{{{z}_j}}}}$ and $L = -{c} \sum_i t_i \log p_i$, where $\sum_i t_i = 1$:

$$\frac{{\partial p_i}}{{\partial {z}_j}} = p_i (\delta_{{ij}} - p_j)$$

$$\frac{{\partial L}}{{\partial {z}_i}} = {c} (p_i - t_i)$$

$$\sum_i p_i = 1$$

$$\sum_j \frac{{\partial p_i}}{{\partial {z}_j}} = 0$$
""",
r"""
## {k}. Quadratic forms

Let ${A} \in \mathbb{{R}}^{{n \times n}}$ and $f({x}) = {c} {x}^T {A} {x} + {b}^T {x}$. Then

$$\nabla f({x}) = {c} ({A} + {A}^T) {x} + {b}$$

$$\nabla^2 f({x}) = {c} ({A} + {A}^T)$$

$${x}^T {A} {x} = {x}^T {A}^T {x}$$

$$({A} {x})^T = {x}^T {A}^T$$

$$\frac{{\partial}}{{\partial {x}}} ({b}^T {x})^2 = 2 ({b}^T {x}) {b}$$
""",
r"""
## {k}. Logistic regression

The model is ${a} = \sigma({w}^T {x})$ with $\sigma(u) = \frac{{1}}{{1 + e^{{-u}}}}$ and the loss

$$E = -{c} \left( t \log {a} + (1 - t) \log (1 - {a}) \right).$$

$$\sigma'(u) = \sigma(u) (1 - \sigma(u))$$

$$\frac{{\partial E}}{{\partial {w}}} = {c} ({a} - t) {x}$$

$$\frac{{\partial {a}}}{{\partial {w}}} = {a} (1 - {a}) {x}$$
""",
r"""
## {k}. Traces

For matrices ${A}$ and ${X}$:

$$\frac{{\partial}}{{\partial {X}}} \operatorname{{tr}}({A}^T {X}) = {A}$$

$$\frac{{\partial}}{{\partial {X}}} \operatorname{{tr}}({X}^T {A} {X}) = ({A} + {A}^T) {X}$$

$$\operatorname{{tr}}({A} {X}) = \operatorname{{tr}}({X} {A})$$

$$\frac{{\partial}}{{\partial {X}}} \frac{{{c}}}{{2}} \|{X}\|_F^2 = {c} {X}$$

$$({A} {X})^T = {X}^T {A}^T$$
""",
r"""
## {k}. Numbers

For $g(u) = {c} u^3 - u$ and $h(u) = e^{{{c} u}}$ we have

$$g'(u) = {e} u^2 - 1$$

$$h'(u) = {c} e^{{{c} u}}$$

$$\frac{{d}}{{du}} \log(1 + e^{{u}}) = \frac{{e^u}}{{1 + e^u}}$$
""",
r"""
## {k}. Entries

Let ${z}_i = \sum_j {W}_{{ij}} {x}_j + {b}_i$, ${a}_i = f({z}_i)$ and
$C = \frac{{{c}}}{{2}} \sum_i ({a}_i - {y}_i)^2$. Then

$$\frac{{\partial {z}_i}}{{\partial {W}_{{jk}}}} = \delta_{{ij}} {x}_k$$

$$\frac{{\partial C}}{{\partial {z}_i}} = {c} ({a}_i - {y}_i) f'({z}_i)$$

$$\frac{{\partial C}}{{\partial {W}_{{ij}}}} = {c} ({a}_i - {y}_i) f'({z}_i) {x}_j$$

$$\frac{{\partial C}}{{\partial {x}_j}} = {c} \sum_i ({a}_i - {y}_i) f'({z}_i) {W}_{{ij}}$$
""",
]
WRONG = [
    r"$$\nabla J({w}) = {c} {X} ({X} {w} - {y})$$",
    r"$$\frac{{\partial L}}{{\partial {W}}} = {c} {x} ({a} - {y})^T$$",
    r"$$\frac{{\partial L}}{{\partial {z}_i}} = {c} (t_i - p_i)$$",
    r"$$\nabla f({x}) = 2 {c} {A} {x} + {b}$$",
    r"$$\frac{{\partial E}}{{\partial {w}}} = {c} (t - {a}) {x}$$",
    r"$$\frac{{\partial}}{{\partial {X}}} \operatorname{{tr}}({A}^T {X}) = {A}^T$$",
    r"$$g'(u) = {c} u^2 - 1$$",
    r"$$\frac{{\partial C}}{{\partial {x}_j}} = {c} \sum_i ({a}_i - {y}_i) {W}_{{ij}}$$",
]
LETTERS = {"X": "XZKVM", "y": "ytr", "w": "wvq", "W": "WUVQ", "x": "xhs", "b": "bc", "z": "zv", "a": "aoh", "A": "ABPS"}


def letters(k: int) -> dict[str, object]:
    out: dict[str, object] = {}
    for name, pool in LETTERS.items():
        turned = pool[k % len(pool) :] + pool[: k % len(pool)]
        out[name] = next((c for c in turned if c not in out.values()), name)
    return {**out, "k": k + 1, "c": k + 2, "d": 2 * (k + 2), "e": 3 * (k + 2)}


def sections(count: int) -> str:
    out = ["# Generated\n"]
    for k in range(count):
        names = letters(k)
        out.append(SECTIONS[k % len(SECTIONS)].format(**names))
        if k % 4 == 0:
            out.append("\n" + WRONG[k % len(WRONG)].format(**names) + "\n")
    return "".join(out)


def one_section(claims: int) -> str:
    """A section with so many claims about a few letters whose shapes must be inferred."""
    head = "# A network\n\nIt computes $z = Wx + b$, $a = \\tanh(z)$, $L = \\frac12 \\|a - y\\|^2$.\n\n"
    return head + "".join(f"$${CLAIMS[k % len(CLAIMS)].format(c=k + 2, b=k + 1)}$$\n\n" for k in range(claims))


CLAIMS = [
    r"\frac{{\partial L}}{{\partial z}} = {c} (a - y) \odot (1 - a^2) - {b} (a - y) \odot (1 - a^2)",
    r"\frac{{\partial L}}{{\partial W}} = \left((a - y) \odot (1 - a^2)\right) x^T",
    r"\frac{{\partial}}{{\partial x}} {c} c^T x = {c} c",
    r"\frac{{\partial}}{{\partial v}} v^T B v = (B + B^T) v",
    r"\operatorname{{tr}}({c} B C) = {c} \operatorname{{tr}}(C B)",
    r"\frac{{\partial L}}{{\partial b}} = (a - y) \odot (1 - a^2)",
]
