"""The commands of the program, one module each: `run(args) -> exit code`; what they take is in `options`.

Only `options` and `parsing` are imported to print a help, so they import the standard library only.  `run` raises
`SymbackpropError` (one line on stderr, exit code 2) and prints no errors itself.

`TABLE` is all that `symbackprop --help` reads.
"""

from __future__ import annotations

TABLE: dict[str, str] = {
    "check": "give a verdict for gradients written as NumPy functions, or for every statement of a document",
    "convert": "write formulas or a document in another convention or layout, each translation proved",
    "derive": "derive and prove a gradient as code, or the equations of backpropagation as LaTeX",
    "export": "write a certificate as a Coq file about real derivatives",
    "explain": "derive a gradient line by line: of a formula, a function, a statement of a document",
    "explicit": "write out a small network entry by entry and compare with the matrix form",
    "grade": "check answers against a reference: where each first goes wrong, as a table",
    "predict": "predict with a network that was trained",
    "serve": "a page on this machine: type a forward and a gradient, see verdict, derivation, LaTeX and code",
    "train": "train a network with the generated gradient, on built-in or your own data",
    "verify": "re-check certificates with the independent checker",
    "version": "print the version of the program and of what it uses",
}
