"""Whatever is asked, the answer is a verdict or one clear line, in time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import pytest

from symbackprop import SymbackpropError, check_document, check_equal, check_gradient, cli, derive
from symbackprop.clock import GRACE
from symbackprop.documents.check import check_text

SECONDS = 0.6
SLACK = 4.0  # for a busy machine: what matters is that an end comes

Function = Callable[..., Any]


def in_time(ask: Callable[[], Any]) -> Any:
    start = monotonic()
    try:
        found = ask()
    except SymbackpropError as problem:
        found = problem
        assert str(problem).strip() and len(str(problem)) < 4000
    assert monotonic() - start < 2 * (SECONDS + GRACE) + SLACK
    return found


# --- functions -----------------------------------------------------------------------------------


def nested(times: int) -> Function:
    def f(x: Any) -> Any:
        for _ in range(times):
            x = np.tanh(x)
        return x

    return f


def doubling(times: int) -> Function:
    def f(x: Any) -> Any:
        for _ in range(times):
            x = x + x * x
        return x

    return f


def forever(x: Any) -> Any:
    while True:
        x = x + 1


def forever_without_arrays(x: Any) -> Any:
    n = 0
    while True:
        n += 1
        try:
            n -= 1
        except Exception:
            return x


def recursive(x: Any) -> Any:
    return recursive(x) + 1


def generator(x: Any) -> Iterator[Any]:
    yield x


def printing(x: Any) -> Any:
    print("value", x)
    return x * x


def reading(x: Any) -> Any:
    Path("/nonexistent/file").read_text()
    return x


def many(k: int) -> Function:
    names = [f"p{i}" for i in range(k)]
    made: Function = eval(f"lambda {', '.join(names)}: {' + '.join(f'(p{i} ** 2).sum()' for i in range(k))}")
    return made


def axes(n: int) -> str:
    return " ".join(f"a{i}" for i in range(n))


SQUARE: Function = lambda x: (x * x).sum()  # noqa: E731
TWICE: Function = lambda x: 2 * x  # noqa: E731
FUNCTIONS: dict[str, tuple[Function, Function, dict[str, str], set[str]]] = {
    "large literal axes": (SQUARE, TWICE, {"x": "300 300"}, {"proved", "unknown"}),
    "large literal axes, wrong": (SQUARE, lambda x: 3 * x, {"x": "300 300"}, {"refuted", "unknown"}),
    "an axis of a million": (SQUARE, TWICE, {"x": "1000000"}, {"proved", "unknown"}),
    "19 axes": (SQUARE, TWICE, {"x": axes(19)}, {"proved", "unknown"}),
    "19 axes, wrong": (SQUARE, lambda x: 3 * x, {"x": axes(19)}, {"refuted", "unknown"}),
    "nested 128 times": (nested(128), lambda g, x: g, {"x": "n"}, {"refuted", "unknown"}),
    "doubled 16 times": (doubling(16), lambda g, x: g, {"x": ""}, {"refuted", "unknown"}),
    "einsum of 26 indices": (
        lambda x: np.einsum("abcdefghijklmnopqrstuvwxyz->", x), lambda x: np.ones_like(x), {"x": axes(26)},
        {"proved", "unknown"},
    ),
    "a quotient of zero below": (
        lambda x: (3 / (0 / x)).sum(), lambda g, x: -g * 0 * x, {"x": "n"}, {"unknown", "refuted"},
    ),
    "a huge power": (lambda x: x ** (2**70), lambda g, x: g * x, {"x": ""}, {"refuted", "unknown"}),
    "a power of 5000": (
        lambda x: (x + 1) ** 5000, lambda g, x: g * 5000 * (x + 1) ** 4999, {"x": ""}, {"proved", "unknown"},
    ),
    "a number of 400 digits": (lambda x: x * 10**400, lambda g, x: g * 10**400, {"x": ""}, {"proved", "unknown"}),
    "nan": (lambda x: x * np.nan, lambda g, x: g * np.nan, {"x": ""}, {"unknown", "refuted"}),
    "inf": (lambda x: x * np.inf, lambda g, x: g * np.inf, {"x": ""}, {"unknown", "refuted"}),
    "recursion": (recursive, TWICE, {"x": "n"}, {"unknown"}),
    "an endless loop": (forever, TWICE, {"x": "n"}, {"unknown"}),
    "an endless loop in the backward": (SQUARE, forever, {"x": "n"}, {"unknown"}),
    "an endless loop without arrays": (forever_without_arrays, TWICE, {"x": "n"}, {"unknown"}),
    "an endless iterator": (lambda x: sum(k for k in count() if k < 0), TWICE, {"x": "n"}, {"unknown"}),
    "a generator": (generator, TWICE, {"x": "n"}, {"unknown"}),
    "prints": (printing, lambda g, x: 2 * g * x, {"x": "n"}, {"proved", "unknown"}),
    "reads a file": (reading, lambda g, x: g, {"x": "n"}, {"unknown"}),
    "returns None": (lambda x: None, TWICE, {"x": "n"}, {"unknown"}),
    "returns text": (lambda x: "x", TWICE, {"x": "n"}, {"unknown"}),
    "returns an object": (lambda x: object(), TWICE, {"x": "n"}, {"unknown"}),
    "backward returns None": (SQUARE, lambda x: None, {"x": "n"}, {"unknown"}),
    "backward returns text": (SQUARE, lambda x: "x", {"x": "n"}, {"unknown"}),
    "raises": (lambda x: 1 // 0, TWICE, {"x": "n"}, {"unknown"}),
    "exits": (lambda x: exit(3), TWICE, {"x": "n"}, {"unknown"}),
    "names in Greek": (lambda θ: (θ * θ).sum(), lambda θ: 2 * θ, {"θ": "n"}, {"proved"}),
    "sizes in Greek": (SQUARE, TWICE, {"x": "ν"}, {"proved"}),
    "a shape for no parameter": (SQUARE, TWICE, {"x": "n", "y": "n"}, set()),
    "no shape": (SQUARE, TWICE, {}, set()),
    "a shape in brackets": (SQUARE, TWICE, {"x": "(" * 5000}, set()),
    "a shape of a million digits": (SQUARE, TWICE, {"x": "9" * 5000}, {"unknown", "proved"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_end_in_time(name: str) -> None:
    forward, backward, shapes, allowed = FUNCTIONS[name]
    found = in_time(lambda: check_gradient(forward, backward, shapes, timeout=SECONDS))
    if isinstance(found, SymbackpropError):
        assert not allowed or "unknown" in allowed
    else:
        assert found.status in allowed and (found.status != "unknown" or found.reason)


NONSENSE: dict[str, Callable[[], Any]] = {
    "40 axes": lambda: check_gradient(SQUARE, TWICE, {"x": axes(40)}, timeout=SECONDS),
    "an argument by its number": lambda: check_gradient(SQUARE, TWICE, {1: "n"}),  # type: ignore[dict-item]
    "a variable by its number": lambda: check_gradient(SQUARE, TWICE, {"x": "n"}, 3),  # type: ignore[arg-type]
    "no backward": lambda: check_gradient(SQUARE, None, {"x": "n"}),  # type: ignore[arg-type]
    "an empty tuple": lambda: check_gradient(lambda x: (), TWICE, {"x": "n"}),
    "an empty list": lambda: check_equal(lambda x: [], lambda x: [], {"x": "n"}),
    "an empty dict": lambda: derive(lambda x: {}, {"x": "n"}),
    "two results of one name": lambda: check_equal(lambda x: {1: x, "1": 2 * x}, lambda x: {"1": 2 * x}, {"x": "n"}),
    "a factor beyond floats": lambda: derive(lambda x: x.sum() * 2**5000, {"x": "n"}),
    "a divisor beyond floats": lambda: derive(lambda x: x.sum() / 2**5000, {"x": "n"}),
    "infinity as a product": lambda: derive(lambda x: x.sum() * 1e308 * 1e308, {"x": "n"}),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_answered(name: str) -> None:
    found = in_time(NONSENSE[name])
    assert isinstance(found, SymbackpropError) or found.status in {"proved", "unknown"}


def test_200_parameters_end_in_time() -> None:
    found = in_time(
        lambda: check_equal(many(200), many(200), {f"p{i}": "n" for i in range(200)}, timeout=SECONDS)
    )
    assert found.status in {"proved", "unknown"}


@pytest.mark.parametrize("forward", [forever, forever_without_arrays])
def test_derive_says_that_it_was_too_late(forward: Function) -> None:
    with pytest.raises(SymbackpropError, match=r"no answer within 0\.3 s"):
        derive(forward, {"x": "n"}, timeout=0.3)


def test_the_clock_runs_in_every_thread() -> None:
    found = []
    thread = threading.Thread(
        target=lambda: found.append(check_gradient(forever_without_arrays, TWICE, {"x": "n"}, timeout=0.3))
    )
    thread.start()
    thread.join(10)
    assert found and found[0].reason.startswith("no answer within 0.3 s: reading the functions was not finished")


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "2", True])
def test_a_timeout_is_a_positive_number(timeout: Any) -> None:
    with pytest.raises(SymbackpropError, match="positive number of seconds"):
        check_gradient(SQUARE, TWICE, {"x": "n"}, timeout=timeout)


def test_no_limit_is_a_limit_too() -> None:
    assert check_gradient(SQUARE, TWICE, {"x": "n"}, timeout=None)


# --- documents -----------------------------------------------------------------------------------

DECLARED = "```symbackprop\narrays:\n  a: n\n```\n\n"
TEXTS: dict[str, str] = {
    "powers of powers": "$(2^{60})^{60}=1$",
    "towers": "$9^{9^{9^9}} = 1$",
    "a huge power": "$2^{100000000000} = 1$",
    "many digits": f"$10^{{400}} = {'9' * 401}$",
    "brackets": f"${'(' * 100_000}x{')' * 100_000} = x$",
    "braces": f"${'{' * 100_000}x{'}' * 100_000} = x$",
    "brackets that stay open": f"${'(' * 100_000}x = x$",
    "fractions in fractions": "$" + r"\frac{1}{" * 500 + "x" + "}" * 500 + " = x$",
    "nothing": "",
    "a dollar": "$",
    "dollars": "$$$$$$$$ $ $$ $",
    "definitions that double": "".join(f"$$x_{{{k + 1}}} = x_{{{k}}} + x_{{{k}}}^2$$\n\n" for k in range(16)),
    "a list in a list": f"```symbackprop\narrays: {'[' * 5000}{']' * 5000}\n```\n\n$x = x$",
    "a long sum": DECLARED + "$" + " + ".join(["a_1"] * 3000) + " = a_1$",
    "a power of a sum": "$(a + b + c + d + e)^{60} = a$",
    "other letters": "$\u03b8\u0301 \u200b = \u202e x$",
    "controls": "$x\x01\x02 = \x7f$",
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("ending", ["md", "tex"])
def test_documents_end_in_time(name: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"text.{ending}"
    path.write_text(TEXTS[name], encoding="utf-8")
    found = in_time(lambda: check_document(path, timeout=SECONDS))
    if not isinstance(found, SymbackpropError):
        assert all(s.verdict != "proved" or "powers" not in name for s in found)


CELL = {"cell_type": "markdown", "metadata": {}, "source": "$1 + 1 = 3$"}
FILES: dict[str, bytes] = {
    "metadata.ipynb": json.dumps({"cells": [CELL], "nbformat": 4, "nbformat_minor": 5}).encode(),
    "cell.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": "$x=1$"}], "nbformat": 4}).encode(),
    "broken.ipynb": b'{"cells": [',
    "list.ipynb": b"[]",
    "number.ipynb": b"4",
    "cells.ipynb": b'{"cells": 4, "nbformat": 4, "metadata": {}, "nbformat_minor": 5}',
    "deep.ipynb": b"[" * 100_000,
    "empty.md": b"",
    "empty.ipynb": b"",
    "empty.tex": b"",
    "binary.md": bytes(range(256)) * 10,
    "zeros.md": b"\0" * 100,
    "utf16.md": "$x = x$".encode("utf-16"),
    "latin.tex": b"\xe4 $x = x$",
}


@pytest.mark.parametrize("name", FILES)
def test_files_end_in_time(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    assert in_time(lambda: cli.main(["check", str(path), "--timeout", str(SECONDS)])) in (0, 1, 2)
    assert "Traceback" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "{dir}"],
        ["check", "{dir}/missing.md"],
        ["check", "{dir}/missing.py::f,g", "--shapes", "x: n"],
        ["check", "{dir}::f,g", "--shapes", "x: n"],
        ["check", "{file}::f,missing", "--shapes", "x: n"],
        ["check", "{file}::f", "--shapes", "x: n"],
        ["check", "{file}::f,f", "--shapes", "y: n"],
        ["check", "{file}::f,f", "--shapes", "x: 300 300", "--timeout", "0"],
        ["check", "{file}::f,f", "--shapes", "x: n", "--timeout", "soon"],
        ["check", "{file}::f,endless", "--shapes", "x: n", "--timeout", "0.3"],
        ["derive", "--timeout", "-1"],
    ],
)
def test_commands_say_one_line(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "layers.py"
    file.write_text("def f(x):\n    return x\n\ndef endless(x):\n    while True:\n        x = x * 1\n")
    given = [a.format(dir=tmp_path, file=file) for a in arguments]
    assert in_time(lambda: cli.main(given)) in (1, 2)
    out, err = capsys.readouterr()
    assert (err.count("\n") == 1 and "Traceback" not in err) or "no answer within 0.3 s" in out


def test_a_refutation_outlives_its_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    from symbackprop.functions import repairs

    monkeypatch.setattr(repairs, "repair", lambda *_, **__: forever_without_arrays(0))
    found = check_gradient(SQUARE, lambda x: 3 * x, {"x": "n"}, timeout=0.5)
    assert found.status == "refuted" and found.counterexample is not None


def test_text_is_read_within_the_limit() -> None:
    assert [s.verdict for s in check_text("$1 + 1 = 3$")] == ["refuted"]
