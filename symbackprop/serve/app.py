"""The page on which one types a forward, and a gradient if one has it, and sees verdict, derivation, LaTeX and code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import urlencode

from flask import Flask, Response, abort, request

from symbackprop.write.html import page

from .question import LIMIT, Answer, Question
from .worker import ask

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
EXAMPLES = (
    Question("L = sum((tanh(X W + b) - T)^2)", wrt="W"),
    Question("f = x' A x + c' sin(x)", wrt="x", gradient=r"2 A x + c .* cos(x)"),
    Question("L = log(det(X)) + tr(A X)", wrt="X", gradient="(X^{-1})^T + A^T"),
    Question("z = W x; y = softmax(z); L = -t' log(y)", wrt="W"),
    Question("mu = x.mean(-1, keepdims=True)\nxc = x - mu\nstd = np.sqrt((xc**2).mean(-1, keepdims=True) + eps)\n"
             "y = gamma * xc / std + beta", "numpy", "x", "x: B D; gamma: D; beta: D; eps: "),
    Question("n = x / np.sqrt((x**2).mean(-1, keepdims=True) + eps)\ny = n * w", "numpy", "x", "x: B D; w: D; eps: ",
             "def backward(x, w, eps, dy):\n    r = 1 / np.sqrt((x**2).mean(-1, keepdims=True) + eps)\n"
             "    return r * dy - x * r**3 * (dy * x).mean(-1, keepdims=True)"),
)  # fmt: skip


def create(answer: Callable[[Question], Answer] = ask) -> Flask:
    """The application; `answer` is what works out an answer, in a process of its own."""
    app = Flask("symbackprop")
    app.config["MAX_CONTENT_LENGTH"] = 5 * LIMIT

    @app.before_request
    def local_only() -> None:
        """A page of another site cannot have its questions answered here under a name of its own."""
        if request.host.rpartition(":")[0] not in HOSTS and request.host not in HOSTS:
            abort(403)

    @app.get("/")
    def asked() -> Response:
        return shown(question(request.args), answer)

    @app.post("/")
    def posted() -> Response:
        return shown(question(request.form), answer)

    return app


def question(given: Mapping[str, str]) -> Question:
    def text(name: str, otherwise: str = "") -> str:
        return given.get(name, otherwise).replace("\r\n", "\n")

    kind = "numpy" if given.get("kind") == "numpy" else "formula"
    return Question(text("forward"), kind, text("wrt"), text("shapes"), text("gradient"))


def shown(q: Question, answer: Callable[[Question], Answer]) -> Response:
    found = answered(q, answer) if q.forward.strip() else None
    body = form(q) + ("" if found is None else result(found))
    html = page("symbackprop", f'<main class="ask">{body}</main>', form="'self'")
    response = Response(html, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Frame-Options"] = "DENY"
    return response


def answered(q: Question, answer: Callable[[Question], Answer]) -> Answer:
    longest = max(map(len, (q.forward, q.gradient, q.shapes, q.wrt)))
    if longest > LIMIT:
        return Answer(problem=f"a field of {longest} characters; at most {LIMIT} are read")
    return answer(q)


# --- the page ------------------------------------------------------------------------------------


def form(q: Question) -> str:
    kinds = (("formula", "formula"), ("numpy", "NumPy"))
    choice = "".join(
        f'<label><input type="radio" name="kind" value="{k}"{" checked" if q.kind == k else ""}> {said}</label>'
        for k, said in kinds
    )
    links = "".join(map(link, EXAMPLES))
    return (
        '<h1>Gradients, proved</h1><form method="post" action="/">'
        f'<div class="kinds">{choice}</div>'
        f"{area('forward', 'forward', q.forward, 'L = sum((tanh(X W + b) - T)^2)', 4)}"
        f"<div class=\"row\">{line('wrt', 'by', q.wrt, 'W')}"
        f"{line('shapes', 'shapes (inferred for formulas)', q.shapes, 'X: n m; W: m d')}</div>"
        f"{area('gradient', 'your gradient, if you have one', q.gradient, 'X^T (...)', 2)}"
        f'<button type="submit">Derive</button></form><nav class="examples">{links}</nav>'
    )


def link(q: Question) -> str:
    said = q.forward.splitlines()[0]
    address = escape(f"/?{urlencode(as_query(q))}", quote=True)
    return f'<a href="{address}"><code>{escape(said if len(said) <= 44 else f"{said[:43]}…")}</code></a>'


def as_query(q: Question) -> dict[str, str]:
    every = {"forward": q.forward, "kind": q.kind, "wrt": q.wrt, "shapes": q.shapes, "gradient": q.gradient}
    return {k: v for k, v in every.items() if v}


def area(name: str, label: str, value: str, hint: str, rows: int) -> str:
    rows = max(rows, value.count("\n") + 1)
    return (
        f'<label class="field">{escape(label)}<textarea name="{name}" rows="{rows}" spellcheck="false" '
        f'maxlength="{LIMIT}" placeholder="{escape(hint, quote=True)}">{escape(value)}</textarea></label>'
    )


def line(name: str, label: str, value: str, hint: str) -> str:
    return (
        f'<label class="field">{escape(label)}<input name="{name}" value="{escape(value, quote=True)}" '
        f'spellcheck="false" maxlength="{LIMIT}" placeholder="{escape(hint, quote=True)}"></label>'
    )


def result(a: Answer) -> str:
    parts = []
    if a.problem:
        parts.append(f'<p class="problem" role="alert">{escape(a.problem)}</p>')
    if a.verdict:
        parts.append(f'<section class="verdict">{a.verdict}</section>')
    if a.derivation:
        parts.append(f'<section class="derivation">{a.derivation}</section>')
    for heading, text in a.texts.items():
        parts.append(
            f'<details class="text"><summary>{escape(heading)}</summary>'
            f'<button type="button" class="copy">copy</button><pre>{escape(text)}</pre></details>'
        )
    return "".join(parts)
