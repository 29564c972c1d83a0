"""Files to formulas: places, sections, blocks, macros, rows; and what cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from symbackprop.read.notes.files.items import Block, Formula, Item, Prose, split_rows
from symbackprop.read.notes.files.place import ReadError
from symbackprop.read.notes.files.sources import read_document

MARKDOWN = r"""---
title: x
symbackprop:
  convention: column
---
# One

Text $a_b$ and ~~$$(c)^T d$$~~,
 more $e
 f$ end.

> quoted
> $$
> g = h
> $$

## Two

$$
\begin{aligned}
i &= j \\
  &= k \\
  &\quad + l
\end{aligned}
$$

<!-- symbackprop:
  convention: row
-->

- item $$m$$

\begin{align*}
n &= o & p &= q \\
  &= r &   &= s
\end{align*}

```{math}
:label: foo
t^2
```

```python
"$not math$"
```

| a | b |
|---|---|
| $u$ | $v$ |
"""


def formulas(items: tuple[Item, ...]) -> list[Formula]:
    return [i for i in items if isinstance(i, Formula)]


def test_markdown_formulas_in_order_with_their_places() -> None:
    found = formulas(read_document("notes.md", MARKDOWN))
    texts = [" ".join(f.text.split()) for f in found]
    assert texts == [
        "a_b", "(c)^T d", "e f", "g = h", "i = j", r"= k \quad + l", "m", "n = o", "p = q", "= r", "= s",
        "t^2", "u", "v",
    ]  # fmt: skip
    lines = MARKDOWN.split("\n")
    for f in found:
        line, column = f.where.at()
        assert lines[line - 1][column - 1] == f.text[0], f.text


def test_every_character_knows_where_it_came_from() -> None:
    for f in formulas(read_document("notes.md", MARKDOWN)):
        for k, c in enumerate(f.text):
            if not c.isspace():
                assert f.where.source.text[f.where.offset(k)] == c


def test_sections_strikethrough_and_alignment() -> None:
    found = {f.text.split()[0]: f for f in formulas(read_document("notes.md", MARKDOWN))}
    assert found["a_b"].section == ("One",)
    assert found["i"].section == ("One", "Two")
    assert found["(c)^T"].struck and not found["a_b"].struck
    assert found["n"].aligned is not None and found["p"].aligned is not None
    assert found["n"].aligned[1] == 0 and found["p"].aligned[1] == 1
    assert found["a_b"].before == "Text"


def test_declaration_blocks_come_in_document_order() -> None:
    blocks = [i for i in read_document("notes.md", MARKDOWN) if isinstance(i, Block)]
    assert [b.front for b in blocks] == [True, False]
    assert blocks[1].text.strip() == "convention: row"
    assert blocks[1].where.at() == (28, 3)


def test_prices_are_no_mathematics() -> None:
    assert not formulas(read_document("notes.md", "It costs $5 or $6."))


LATEX = r"""\documentclass{article}
\newcommand{\pd}[2]{\frac{\partial #1}{\partial #2}}
\newcommand{\half}[1][x]{\frac{1}{2} #1}
\def\W{W^l}
\DeclareMathOperator{\diag}{diag}
% symbackprop: convention: column
% symbackprop:
%   layout: numerator
%   arrays:
%     W: n x m
% an ordinary comment with $no math$
\begin{document}
\section{Head}
Text $a_b$ and \(x+y\). \[ z = w \] % $no$
The function $f$ acts elementwise.

\begin{align}
a &= b + \pd{L}{\W} \label{x}\\
 &= \diag(c) & u &= v \\
 &\quad + d & &= w \nonumber
\end{align}
\verb|$no$| \half \$5
\begin{verbatim}
$no$
\end{verbatim}
\begin{equation} \begin{split} q &= \half[r] \\ &= 2\end{split} \end{equation}
$\sout{no}$
\sout{$gone$}
\end{document}
$after$
"""


@pytest.mark.parametrize(
    ("lines", "block"),
    [
        ("% symbackprop:\n% sizes: n\n% arrays:\n%   x: n\n", "sizes: n\narrays:\n  x: n"),
        ("% symbackprop:\n%   sizes: n\n% arrays are these:\n", "sizes: n"),
        ("% symbackprop: sizes: n\n% arrays are these:\n", "sizes: n"),
    ],
)
def test_declarations_in_comment_lines(lines: str, block: str) -> None:
    (found,) = (i for i in read_document("paper.tex", lines + "$x$") if isinstance(i, Block))
    assert found.text == block


def test_latex_formulas_with_macros_expanded() -> None:
    items = read_document("paper.tex", LATEX)
    texts = [" ".join(f.text.split()) for f in formulas(items)]
    assert texts == [
        "a_b", "x+y", "z = w", "f", r"a = b + \frac{\partial L}{\partial W^l} \label{x}",
        r"= \operatorname{diag}(c) \quad + d", "u = v", r"= w \nonumber", r"q = \frac{1}{2} r", "= 2", r"\sout{no}",
        "gone",
    ]  # fmt: skip
    assert formulas(items)[-1].struck
    first, second = (b.text for b in items if isinstance(b, Block))
    assert first.strip() == "convention: column" and "W: n x m" in second
    assert any(isinstance(i, Prose) and "acts elementwise" in i.text for i in items)
    assert formulas(items)[0].section == ("Head",)


def test_a_macro_points_at_its_call() -> None:
    formula = next(f for f in formulas(read_document("paper.tex", LATEX)) if "partial" in f.text)
    where = formula.where
    call = where.source.text.index(r"\pd{L}{\W}")
    assert where.offset(formula.text.index(r"\frac")) == call
    assert where.offset(formula.text.index("L}")) == call + len(r"\pd{")


def notebook(*cells: tuple[str, str]) -> str:
    def cell(kind: str, source: str) -> dict[str, object]:
        extra = {"outputs": [], "execution_count": None} if kind == "code" else {}
        return {"cell_type": kind, "metadata": {}, "source": source, **extra}

    return json.dumps({"cells": [cell(*c) for c in cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def test_notebooks_give_cell_line_and_column() -> None:
    text = notebook(("markdown", "# A\n\n$x$"), ("code", "'$no$'"), ("markdown", "two $y = z$"))
    found = formulas(read_document("book.ipynb", text))
    assert [(f.text, f.where.label()) for f in found] == [
        ("x", "book.ipynb:cell 1:3:2"),
        ("y = z", "book.ipynb:cell 3:1:6"),
    ]
    assert found[1].section == ("A",)


UNREADABLE = [
    ("paper.tex", r"\begin{align} x"),
    ("paper.tex", r"text $x"),
    ("paper.tex", r"\[ x"),
    ("paper.tex", r"\section{x"),
    ("notes.md", "binary \x00 garbage"),
    ("book.ipynb", "no json"),
    ("book.ipynb", "[1, 2]"),
    ("book.ipynb", "[" * 5000),
]


@pytest.mark.parametrize(("name", "text"), UNREADABLE)
def test_unreadable_files_say_so(name: str, text: str) -> None:
    with pytest.raises(ReadError) as caught:
        read_document(name, text)
    assert name.split(".")[0] in str(caught.value)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="No such file"):
        read_document(tmp_path / "missing.md")
    (tmp_path / "latin.md").write_bytes(b"caf\xe9 $x$")
    with pytest.raises(ReadError, match="not UTF-8"):
        read_document(tmp_path / "latin.md")
    with pytest.raises(ReadError, match="more than"):  # without end, and no size is told
        read_document(Path("/dev/zero"))


@pytest.mark.parametrize(
    "definition",
    [r"\def\a{\a}", r"\def\a{\a\a}", r"\def\a{\b\b}\def\b{\c\c}\def\c{\a}", r"\newcommand{\a}[1]{#1#1\a{#1}}"],
)
def test_macros_without_end_are_refused(definition: str) -> None:
    (found,) = formulas(read_document("x.tex", definition + r" $\a{y}$"))
    assert found.error is not None and "macros" in found.error.message


def test_macro_arguments_that_are_missing() -> None:
    (found,) = formulas(read_document("x.tex", r"\newcommand{\a}[2]{#1#2} $\a{y}$"))
    assert found.error is not None and "2 arguments" in found.error.message


ROWS = [
    (r"x = y", ["x = y"]),
    (r"\begin{gather} x \\ y \end{gather}", ["x", "y"]),
    (r"\begin{align} x &= \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix} \\ y &= 1 \end{align}",
     [r"x = \begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}", "y = 1"]),
    (r"\begin{align} x &= a \\[2pt] &\quad - b \\ y &= c \end{align}", [r"x = a \quad - b", "y = c"]),
    (r"\begin{eqnarray} x &=& a \\ &=& b \end{eqnarray}", ["x = a", "= b"]),
    (r"\begin{multline} x \\ + y \end{multline}", ["x + y"]),
    (r"\begin{align} x &= a & y &= b \end{align}", ["x = a", "y = b"]),
    (r"\begin{align} x &= a && \text{by rule} \end{align}", ["x = a", r"\text{by rule}"]),
    (r"\begin{matrix} x \\ y \end{matrix} \Rightarrow z", [r"\begin{matrix} x \\ y \end{matrix} \Rightarrow z"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rows"), ROWS)
def test_rows(text: str, rows: list[str]) -> None:
    assert [" ".join(r.text.split()) for r in split_rows(text)] == rows


@pytest.mark.parametrize(
    "text", ["$" + "x" * 100_000 + "$", "$x$ " * 20_000, "*a " * 5_000, "`a " * 5_000, "[" * 5_000]
)
def test_long_markdown_is_read(text: str) -> None:
    read_document("long.md", text)


@pytest.mark.parametrize("text", ["$" + "x " * 50_000 + "$", "$x$ " * 20_000, "{" * 50_000, r"\foo" * 20_000])
def test_long_latex_is_read(text: str) -> None:
    read_document("long.tex", text)


def test_a_notebook_needs_nothing_but_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "markdown", "source": ["$x", " = y$"]}]}))
    assert [i.text for i in read_document(path) if isinstance(i, Formula)] == ["x = y"]
    path.write_text("[]")
    with pytest.raises(ReadError, match="cells"):
        read_document(path)
