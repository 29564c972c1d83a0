"""Habits of lecturers and authors: each in generated variants, with what is true and what is not."""

from __future__ import annotations

from itertools import product

import pytest

from symbackprop.documents.check import check_text

P, R, U, I = "proved", "refuted", "unknown", "ill-formed"

MASKS = (
    r"$R\in\mathbb{R}^{m\times n}$, $M\in\{0,1\}^{m\times n}$.",
    r"$R, M\in\mathbb{R}^{m\times n}$, a mask $M$ with entries in $\{0, 1\}$.",
    r"$R, M\in\mathbb{R}^{m\times n}$ with a binary mask $M$.",
)
SIGNS = (r"\{-1,1\}", r"\{-1,+1\}", r"\{+1, -1\}", r"\{\pm 1\}")
PARAMETERS = (("q", "h_q"), (r"\kappa", r"\rho_\kappa"), ("p", "f_p"))
ON = ("for", "if", "when")
AT = ("At $w=0$ we have", "At $w = 0$,", "When $w=0$:")
NORMAL = (
    r"$\Phi$ is the standard normal CDF.", r"Let $\Phi$ be the distribution function of the standard normal.",
    r"Here $\Phi$ denotes the Gaussian cumulative distribution function.", r"With the standard normal cdf $\Phi$,",
)  # fmt: skip
SYMMETRIC = (
    (r"$\Sigma\in\mathbb{R}^{d\times d}$ symmetric, $A = \Sigma^{-1}$", "A"),
    (r"$X\in\mathbb{R}^{n\times d}$, $S = X^\top X$ is invertible", "S"),
    (r"$X\in\mathbb{R}^{n\times d}$, $S = X^\top X + \lambda I$ is invertible", "S"),
)
WAYS = ("", r"The loss $\ell$ is a function of $Y$.", r"Let $G = \frac{\partial\ell}{\partial Y}$.")
CALLS = ("Call this", "Denote it by", "We write this as", "which we call")
OPTIMAL = (r"\arg\min_w J(w)", r"\operatorname*{argmin}_w J(w)", r"\operatorname{argmin}_w \|Xw-y\|^2 + \lambda\|w\|^2")


def cases() -> dict[str, tuple[str, list[str]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for k, mask in enumerate(MASKS):
        found[f"a mask of zeros and ones {k}"] = (
            mask + r" $U\in\mathbb{R}^{m\times k}$, $V\in\mathbb{R}^{n\times k}$. "
            r"$f = \frac12\|M\odot(R-UV^\top)\|_F^2$. "
            r"$\nabla_U f = -(M\odot(R-UV^\top))V$, $\nabla_U f = (M\odot(R-UV^\top))V$.",
            [P, R],
        )
    for labels in SIGNS:
        found[f"labels {labels}"] = (
            rf"The label is $y\in{labels}$. $\ell(f)=\log(1+e^{{-yf}})$ with "
            r"$\frac{d^2\ell}{df^2}=\frac{e^{yf}}{(1+e^{yf})^2}$, not $\frac{d^2\ell}{df^2}=\frac{y "
            r"e^{yf}}{(1+e^{yf})^2}$.",
            [P, R],
        )
    for (a, f), on in product(PARAMETERS, ON[:2]):
        found[f"the parameter of {f}, {on}"] = (
            rf"${f}(r)=\max({a}\,r,({a}-1)\,r)$ with $0<{a}<1$. ${f}'(r)={a}$ {on} $r>0$ and ${f}'(r)={a}-1$ {on} "
            rf"$r<0$. "
            rf"Wrong: ${f}'(r)={a}$ {on} $r<0$.",
            [P, P, R],
        )
    for on in ON:
        found[f"a condition on a term, {on}"] = (
            rf"$\ell(f)=\max(0,1-yf)$. $\ell'(f)=-y$ {on} $yf<1$ and $\ell'(f)=0$ {on} $yf>1$. "
            rf"Wrong: $\ell'(f)=-y$ {on} $yf>1$.",
            [P, P, R],
        )
    for at in AT:
        found[f"a value at a point, {at}"] = (
            rf"Let $f(w)=\|Xw-y\|^2$. $\nabla f(w)=2X^\top(Xw-y)$. {at} $\nabla f(w)=-2X^\top y$. "
            r"$\nabla f(w)=2X^\top(Xw-y)$. Wrong: $\nabla f(w)=-2X^\top y$.",
            [P, P, P, U],
        )
    for said in NORMAL:
        found[f"the normal distribution: {said}"] = (
            said + r" With $\varphi(t)=\frac{1}{\sqrt{2\pi}}e^{-t^2/2}$ and $g(t)=t\Phi(t)$ we have "
            r"$\frac{d}{dt}\log\Phi(t)=\frac{\varphi(t)}{\Phi(t)}$, $g'(t)=\Phi(t)+t\varphi(t)$, "
            r"$g'(t)=\Phi(t)+\varphi(t)$.",
            [P, P, R],
        )
    for said, a in SYMMETRIC:
        found[f"symmetric by its definition: {said}"] = (
            rf"{said} and $f=\log\det {a}$. Then $\frac{{\partial f}}{{\partial {a}}}={a}^{{-1}}$ and not "
            rf"$\frac{{\partial f}}{{\partial {a}}}={a}$.",
            [P, R],
        )
    for way in WAYS[1:]:
        found[f"every way to the loss: {way}"] = (
            r"$X\in\mathbb{R}^{T\times D}$, $U\in\mathbb{R}^{D\times d}$. Let $Q=XU$, $S=QQ^\top$, $A=\exp(S)$ "
            r"and $Y=AQ$. "
            rf"{way} Let $\Delta=\frac{{\partial\ell}}{{\partial S}}$. "
            r"$$\frac{\partial\ell}{\partial X}=\Delta QU^\top+\Delta^\top QU^\top$$ "
            r"$$\frac{\partial\ell}{\partial X}=\Delta QU^\top+\Delta^\top "
            r"QU^\top+A^\top\frac{\partial\ell}{\partial Y}U^\top$$",
            [R, P],
        )
    for calls in CALLS:
        found[f"named in words: {calls}"] = (
            r"Let $y=Wx$ with $W\in\mathbb{R}^{m\times n}$, $z=\tanh(y)$ and $\delta=\frac{\partial L}{\partial z}$. "
            rf"$$\frac{{\partial L}}{{\partial y}}=\delta\odot(1-z\odot z)$$ {calls} $\delta_y$. "
            r"$\frac{\partial L}{\partial W}=\delta_yx^\top$ and not $\frac{\partial L}{\partial x}=W\delta_y$.",
            [P, P, I],
        )
    for best in OPTIMAL:
        found[f"a minimiser: {best}"] = (
            rf"Let $X\in\mathbb{{R}}^{{n\times p}}$ and $J(w)=\|Xw-y\|^2+\lambda\|w\|^2$. The estimate is "
            rf"$w^*={best}$, "
            r"that is $w^*=(X^\top X+\lambda I)^{-1}X^\top y$ and not $w^*=(X^\top X+2\lambda I)^{-1}X^\top y$.",
            [P, R],
        )
    return found


CASES = cases()
SINGLE = {
    "rows of a softmax, said beside it": (
        r"$S\in\mathbb{R}^{n\times m}$, $V\in\mathbb{R}^{m\times d}$. $$A=\operatorname{softmax}(S)\ "
        r"\text{(row-wise)},\qquad "
        r"Y=AV$$ Let $G=\frac{\partial\ell}{\partial Y}$ and $\Delta=\frac{\partial\ell}{\partial S}$. "
        r"$$\frac{\partial\ell}{\partial V}=A^\top G,\qquad \sum_u\Delta_{tu}=0$$",
        [P, P],
    ),
    "what is said of a slope is not used against a statement": (
        r"The activation $f$ satisfies $f'(t)=1-f(t)^2$. With $g(t)=tf(t)$ we have $g'(t)=f(t)+t(1-f(t)^2)$.",
        [U, U],
    ),
    "a number, then a vector of that name": (
        r"Let $g(w)=\frac12(\tanh(w^\top x)-t)^2$ with $w,x\in\mathbb{R}^n$, and $a=\tanh(w^\top x)$. "
        r"$$\nabla g(w)=(a-t)(1-a^2)\,x$$" "\n\n" r"For the softmax cross-entropy $h(z)=-\sum_kt_k\log p_k$, "
        r"$p=\operatorname{softmax}(z)$ with $\sum_kt_k=1$, $$\nabla h(z)=p-t$$",
        [P, P],
    ),
    "a policy and the number π": (
        r"$\log\pi(u)=-\frac{(u-\mu)^2}{2\sigma^2}-\log\sigma-\frac12\log(2\pi)$ and $\sigma=e^\kappa$. "
        r"$\frac{\partial\log\pi(u)}{\partial\mu}=\frac{u-\mu}{\sigma^2}$, "
        r"$\frac{\partial\log\pi(u)}{\partial\kappa}=\frac{(u-\mu)^2}{\sigma^2}-1$, "
        r"$\frac{\partial\log\pi(u)}{\partial\mu}=\frac{u-\mu}{\sigma}$.",
        [P, P, R],
    ),
    "factorials": (
        r"$\ell(\lambda)=\sum_{i=1}^n(y_i\log\lambda-\lambda-\log y_i!)$. "
        r"$\ell'(\lambda)=\sum_{i=1}^n(\frac{y_i}{\lambda}-1)$, "
        r"$\ell'(\lambda)=\sum_{i=1}^n\frac{y_i}{\lambda}$. $f(x)=\frac{x^3}{3!}$ has $f'(x)=\frac{x^2}{2}$.",
        [P, R, P],
    ),
    "a size and an array of one name": (
        r"$h\in\mathbb{R}^n$, $U\in\mathbb{R}^{n\times n}$, $a=Uh$ and $n=\tanh(a)$. $\delta=\frac{\partial "
        r"L}{\partial n}$. "
        r"$\frac{\partial L}{\partial h}=U^\top(\delta\odot(1-n\odot n))$, $\frac{\partial L}{\partial "
        r"h}=U(\delta\odot(1-n\odot n))$.",
        [P, R],
    ),
    "what is defined after a condition to be solved is no solution of it": (
        r"Let $J(x)=\frac12(x-m)^\top P(x-m)+\frac12x^\top Rx$ with symmetric $P,R\in\mathbb{R}^{n\times n}$. "
        r"Setting the "
        r"gradient to zero, $$(P+R)x=Pm.$$ With $\Lambda=R^{-1}$ and $e=x-m$, $f=\frac12e^\top\Lambda e$ has "
        r"$\frac{\partial f}{\partial\Lambda}=\frac12ee^\top$.",
        [P],
    ),
    "two letters below a function": (
        r"Let $\ell_{te}(\phi)=\frac12\|\phi-c\|^2$ and $\phi=\theta-\alpha g$. $\nabla_\theta\ell_{te}=\phi-c$, "
        r"$\nabla_\theta\ell_{te}=\alpha(\phi-c)$.",
        [P, R],
    ),
    "wrong ones beside right ones in a list": (
        "Let $f(x)=x^2$.\n\n- Wrong: $f'(x)=x$\n- Right: $f'(x)=2x$\n- correct: $f''(x)=2$",
        [R, P, P],
    ),
    "a family of functions": (
        r"Let $f(x)=\frac1n\sum_{i=1}^nf_i(x)$ with $x\in\mathbb{R}^d$. "
        r"$\nabla f(x)=\frac1n\sum_{i=1}^n\nabla f_i(x)$, "
        r"$\frac{\partial f}{\partial x_j}=\frac1n\sum_{i=1}^n\frac{\partial f_i}{\partial x_j}$, "
        r"$\nabla f(x)=\sum_{i=1}^n\nabla f_i(x)$.",
        [P, P, R],
    ),
    "a family of functions that nothing gives": (r"$$\nabla L(w)=\frac1n\sum_{i=1}^n\nabla L_i(w)$$", [U]),
    "derivatives of a minimiser": (
        r"Let $A\in\mathbb{R}^{d\times d}$ be symmetric. The problem $\phi^*=\arg\min_\phi\ "
        r"\frac12\phi^\top A\phi-b^\top\phi+\frac\lambda2\|\phi-\theta\|^2$ has the solution "
        r"$\phi^*=(A+\lambda I)^{-1}(b+\lambda\theta)$. "
        r"$\frac{\partial\phi^*}{\partial b}=(A+\lambda I)^{-1}$, "
        r"$\frac{\partial\phi^*}{\partial\lambda}=(A+\lambda I)^{-1}\theta$.",
        [P, R],
    ),
    "a star below": (
        r"$y,k_*\in\mathbb{R}^n$, $K\in\mathbb{R}^{n\times n}$, $m=k_*^\top Ky$. "
        r"$\frac{\partial m}{\partial k_*}=Ky$, $\frac{\partial m}{\partial y}=Kk_*$.",
        [P, R],
    ),
    "w_0 beside the sum over w_i": (
        r"$\hat y=w_0+\sum_iw_ix_i$. "
        r"$\frac{\partial\hat y}{\partial w_0}=1$, $\frac{\partial\hat y}{\partial w_i}=x_i$, "
        r"$\frac{\partial\hat y}{\partial w_0}=x_0$.",
        [P, P, U],
    ),
    "a derivative that is the same for all values of an index": (
        r"$m_c=\frac1T\sum_{t=1}^Th_{tc}$. $\frac{\partial m_c}{\partial h_{te}}=\frac1T\delta_{ce}$, "
        r"$\frac{\partial m_c}{\partial h_{te}}=\frac2T\delta_{ce}$.",
        [P, I],
    ),
    "between two bounds": (
        r"$S(x)=\max(x-\lambda,0)-\max(-x-\lambda,0)$ with $\lambda>0$. If $|x|<\lambda$ then $S'(x)=0$. "
        r"If $x>\lambda$ then $S'(x)=1$. If $x<-\lambda$ then $S'(x)=0$.",
        [P, P, R],
    ),
    "another clipping under a title of its own": (
        "**Clipping by norm:** $$\\tilde{g} = \\frac{\\theta g}{\\|g\\|}$$\n\n**Clipping by value:** "
        "$$\\tilde{g}_i = \\max(-\\theta, \\min(\\theta, g_i))$$",
        [],
    ),
    "values that are looked for": (
        r"$f(x)=\frac14x^4-x^2$. $f'(x)=x^3-2x$. We look for the values of $x$ for which $f'(x)=0$.",
        [P],
    ),
    "a model and its formula in one line": (
        r"$\hat y = f(x) = w^Tx$ with $x\in\mathbb{R}^n$. $\frac{\partial\hat y}{\partial w} = x$, "
        r"$\frac{\partial f(x)}{\partial x} = w$, $\frac{\partial f(x)}{\partial x} = x$",
        [P, P, R],
    ),
    "an activation and its formula in one line": (
        r"$$\text{RBF} = \phi(z_h) = e^{-z_h^2}$$ $$\frac{d\phi(z_h)}{dz_h} = -2z_he^{-z_h^2} = -2z_h\phi(z_h)$$ "
        r"$$\frac{d\phi(z_h)}{dz_h} = 2z_h\phi(z_h)$$",
        [P, P, R],
    ),
    "a function that nothing gives": (r"$-2ze^{-z^2} = -2z\phi(z)$. For all $\psi$, $\psi(2z) = 2\psi(z)$", [U, R]),
    "a squared name under another heading": (
        "# Forward\n\n$$(Mean) \\space \\mu = \\frac1N\\sum_jx_j$$ $$(Variance) \\space \\sigma^2 = "
        "\\frac1N\\sum_j(x_j-\\mu)^2$$ "
        "$$\\hat{x_i} = \\frac{x_i-\\mu}{\\sqrt{\\sigma^2+\\epsilon}}$$ $$y_i = \\gamma\\hat{x_i} + \\beta$$\n\n"
        "# Backward\n\n$$\\frac{\\partial\\sigma^2}{\\partial x_i} = \\frac2N(x_i-\\mu)$$ "
        "$$\\frac{\\partial\\sigma^2}{\\partial x_i} = \\frac1N(x_i-\\mu)$$ "
        "$$\\frac{\\partial y_k}{\\partial x_i} = \\frac\\gamma{\\sqrt{\\sigma^2+\\epsilon}}\\left({1(k == i) - "
        "\\frac1N - "
        "\\frac1N\\left(\\frac{x_i-\\mu}{\\sqrt{\\sigma^2+\\epsilon}}\\right)}\\left(\\frac{x_k-\\mu}"
        "{\\sqrt{\\sigma^2+\\epsilon}}\\right)\\right)$$",
        [P, R, P],
    ),
    "braces that nobody sees": (
        r"Let $a, b, c\in\mathbb{R}$. $({a - b}c) = a - bc$, $({a - b}c) = (a - b)c$, $({a + b}) - c = a + (b - c)$",
        [P, R, P],
    ),
    "a number between two bounds, and the logarithm of 1": (
        r"Let $0<p<1$ and $z\in\mathbb{R}$. $\log p + \log(1-p) = \log(p(1-p))$, $\log(1) - \log(e^{-z}) = z$, "
        r"$\log(1) = 1$",
        [P, P, R],
    ),
    "updates are no equations": (r"$w(k+1) = w(k) - \eta g(k)$ and $h(x+1) = h(x) + 1$", []),
    "a bar between two distributions": (r"$\mathrm{KL}[p \Vert q] = 3$ and $\|p = 3$", [U, U]),
    "what does not depend on the variable": (
        r"With $\sigma=e^\kappa$ and $\mu=2\nu$: "
        r"$\frac{\partial}{\partial\mu}\frac{(u-\mu)^2}{2\sigma^2}=-\frac{u-\mu}{\sigma^2}$.",
        [P],
    ),
}


@pytest.mark.parametrize("name", [*CASES, *SINGLE])
def test_habits(name: str) -> None:
    text, expected = {**CASES, **SINGLE}[name]
    found = [c.verdict for c in check_text(text) if c.kind == "claim"]
    assert found == expected, [str(c) for c in check_text(text)]


INDICATORS = (
    "1(k == i)", r"1\{k = i\}", "1[i=k]", "1_{k=i}", "I(k = i)", r"I\{k=i\}", r"\mathbb{I}[k = i]",
    r"\mathbb{1}_{\{k=i\}}",
)  # fmt: skip


def test_indicators() -> None:
    text = "".join(rf"$\frac{{\partial x_k}}{{\partial x_i}} = {s}$, " for s in INDICATORS)
    wrong = r"$\frac{\partial x_k}{\partial x_i} = I(k \neq i)$"
    found = [c.verdict for c in check_text(r"Let $x\in\mathbb{R}^n$. " + text + wrong) if c.kind == "claim"]
    assert found == [P] * len(INDICATORS) + [R]


def test_a_set_of_two_numbers_is_no_shape() -> None:
    assert [c.kind for c in check_text(r"Labels are in $\{0,1\}$.")] == ["remark"]
