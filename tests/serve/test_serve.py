"""The served page: what is typed is answered by a limited process; nothing of it is executed or becomes markup."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

pytest.importorskip("flask", reason="Flask is not installed (extra serve)")

from symbackprop.cli import main
from symbackprop.serve.answer import answer
from symbackprop.serve.app import EXAMPLES, as_query, create
from symbackprop.serve.question import Answer, Question
from symbackprop.serve.worker import ask

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def client() -> Any:
    """Answers are worked out in this process here: the limits have tests of their own."""
    return create(answer).test_client()


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", " ", html, flags=re.DOTALL))


def test_the_empty_page_has_the_form_and_the_examples(client: Any) -> None:
    response = client.get("/")
    assert response.status_code == 200 and response.text.count("<textarea") == 2
    assert response.text.count('href="/?') == len(EXAMPLES)
    assert "form-action 'self'" in response.text and "connect-src" not in response.text
    assert response.headers["Cache-Control"] == "no-store"


VERDICTS = [None, "refuted", "proved", None, None, "refuted"]


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_each_example_is_answered(client: Any, number: int) -> None:
    html = client.post("/", data=as_query(EXAMPLES[number])).text
    assert 'class="problem"' not in html and "proved for all sizes" in html and "<svg" in html
    verdict = VERDICTS[number]
    assert ('<section class="verdict">' in html) == (verdict is not None)
    if verdict is not None:
        assert f'<div class="statement {verdict}">' in html
    assert "import jax.numpy as jnp" in html and "import torch" in html and r"\begin{align*}" in html


def test_a_wrong_gradient_comes_with_what_makes_it_true(client: Any) -> None:
    html = words(client.post("/", data=as_query(EXAMPLES[1])).text)
    assert "true when A is symmetric" in html and "counterexample" in html
    html = words(client.post("/", data=as_query(EXAMPLES[5])).text)
    assert "missing factor w" in html


HOSTILE = [
    ({"forward": "<script>alert(1)</script>"}, "<script>alert(1)"),
    ({"forward": "L = x' y", "wrt": "\"><img src=x onerror=alert(1)>"}, "<img src=x"),
    ({"forward": "L = x' y", "shapes": "</textarea><script>alert(1)</script>"}, "<script>alert(1)"),
    ({"forward": "__import__('os').system('ls')", "kind": "numpy"}, "<never>"),
    ({"forward": r"L = \href{javascript:alert(1)}{x}"}, '<a href="javascript'),
    ({"forward": r"L = \input{/etc/passwd}"}, "root:x:0"),
    ({"forward": "L = " + "(" * 5000}, "<never>"),
    ({"forward": "x" * 90_000}, "<never>"),
    ({"forward": "L = x\x00y"}, "<never>"),
    ({"forward": "y = x", "kind": "numpy", "shapes": "x"}, "<never>"),
    ({"forward": "y = x", "kind": "numpy", "shapes": "x: n", "gradient": "import os"}, "<never>"),
]


@pytest.mark.parametrize(("given", "unwanted"), HOSTILE)
def test_hostile_questions_get_one_message(client: Any, given: dict[str, str], unwanted: str) -> None:
    html = client.post("/", data=given).text
    assert unwanted not in html
    assert html.count('role="alert"') == 1


def test_only_this_machine_is_answered(client: Any) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        assert client.get("/", headers={"Host": host}).status_code in (400, 403)
    for host in ("127.0.0.1:8000", "localhost:8000", "[::1]:8000", "localhost"):
        assert client.get("/", headers={"Host": host}).status_code == 200
    assert client.post("/", data={"forward": "x" * 200_000}).status_code == 413


def test_a_question_is_answered_by_a_process_with_limits() -> None:
    found = ask(Question("L = x' A x", wrt="x"))
    assert not found.problem and set(found.texts) >= {"LaTeX", "NumPy"}
    assert "within 0.001 s" in ask(Question("L = x' A x"), seconds=0.001).problem
    assert "64 MB" in ask(Question("L = x' A x"), megabytes=64).problem


def test_many_questions_at_once_wait_for_their_turn() -> None:
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(ask(Question("L = a' b", wrt="a")))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [a.problem for a in answers] == [""] * 4


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_the_page_in_a_browser(tmp_path: Path) -> None:
    """The formulas are typeset, and the answer to a link of an example is there."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    serve = [sys.executable, "-m", "symbackprop", "serve", "--port", "0"]
    with subprocess.Popen(serve, env=env, text=True, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[0]
            page = f"{address}/?{urlencode(as_query(EXAMPLES[0]))}"
            command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                       f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--dump-dom", page]  # fmt: skip
            dom = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False).stdout
        finally:
            server.terminate()
    assert 'data-ready="1"' in dom and 'class="katex-error"' not in dom
    assert dom.count('class="katex-display"') > 10 and "proved for all sizes" in dom


def test_a_taken_port_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        start = time.monotonic()
        assert main(["serve", "--port", str(taken.getsockname()[1])]) == 2
        assert time.monotonic() - start < 20
    assert "cannot listen on port" in capsys.readouterr().err
