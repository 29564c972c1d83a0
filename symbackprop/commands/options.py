"""What each command takes, and its help: nothing but the standard library is loaded for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from .parsing import SECONDS, TIMEOUT, Parser, is_code, timeout

# What several commands take: what is asked of a function, how much is told, and where it goes.
SHARED: dict[str, dict[str, Any]] = {
    "--shapes": {"metavar": "TEXT", "help": 'axes of each argument: "x: B D; w: D; y: int[V] B; eps: "'},
    "--wrt": {"metavar": "NAMES", "help": "the variables, with commas (default: all)"},
    "--assuming": {
        "metavar": "TEXT", "action": "append", "default": [],
        "help": 'a hypothesis as a NumPy comparison, "eps > 0" or "t.sum(-1) == 1"; may be given more than once',
    },
    "--value": {
        "metavar": "NAME=NUMBER", "action": "append", "default": [],
        "help": "an argument that is a number, not an array",
    },
    "--detail": {
        "type": int, "choices": (1, 2, 3), "default": 2,
        "help": "of a derivation: results, usual steps, every derivative",
    },
    "--output": {"metavar": "PATH", "help": "write to a file instead"},
    "--timeout": {"type": timeout, "default": SECONDS, "metavar": "SECONDS", "help": TIMEOUT},
}  # fmt: skip


def shared(group: argparse._ActionsContainer, *names: str) -> None:
    for name in names:
        group.add_argument(*(["-o"] if name == "--output" else []), name, **SHARED[name])


KINDS = ("gradient", "jacobian", "hessian", "hvp", "equal")
CHECK_FUNCTIONS = """\
examples:
  symbackprop check layers.py::forward,backward --shapes "x: B D; w: D; eps: " --wrt x --assuming "eps > 0"
  symbackprop check layers.py::softmax,softmax_jacobian --kind jacobian --shapes "z: n"
  symbackprop check layers.py::Dense --shapes "x: B D; W: D M; b: M"
  symbackprop check layers.py

A file without names: its classes with a forward and a backward, functions called forward and backward, dense_forward
and dense_backward, softmax and softmax_backward, relu and relu_prime, and losses that return their gradients.  Shapes
that stand in a docstring ("shapes: x: B D; w: D", "x: input of shape (N, D)") or in annotations
(Float[Array, "B D"]) need not be given.

JSON for functions is a list of objects, one for each target: `target`, `status` (proved, refuted, ill-formed or
unknown), `name` of the variable, `statement`, `reason`, `hypotheses`, `conditions` (each with `text` and `why`),
`mistake`, `repair` (`mistake`, `text`, `latex`, `code`), `special_cases`, `counterexample` (`sizes`, `values`,
`index` counted from 0, `lhs`, `rhs` exactly and as floats; or `sizes` and `message` where shapes differ), and
`gradients` by name where there are several variables; `line` where the first wrong line is known (`message`, `file`,
`line`, `claimed`, `derived`).  What does not apply is null or empty.

exit codes: 0 everything is proved, 1 something is refuted, ill-formed or unknown, 2 the request makes no sense"""


def add_check_functions(group: argparse._ArgumentGroup) -> None:
    shared(group, "--shapes", "--wrt", "--assuming", "--value")
    add = group.add_argument
    add("--kind", choices=KINDS, default="gradient", help="what the second function is (default: gradient)")
    add("--tests", metavar="FILE.py", help="write counterexamples as tests for pytest that need NumPy only")
    add("--short", action="store_true", help="one line for each pair of functions")


CHECK_DOCUMENTS = """\
  symbackprop check notes.md
  symbackprop check notes/ --cache .cache
  symbackprop check notes.md --html notes.html
  symbackprop check notes.md --json > notes.json

JSON for documents is an object with `files`, `summary` and `statements`, described in docs/json.md.

exit codes for documents: 0 nothing is wrong, 1 something is refuted or ill-formed, 2 a file could not be read"""


def add_check_documents(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--html", action=Output, metavar="PAGE.html",
        help="a page with the document and its verdicts that needs no network (without a name: beside it)")  # fmt: skip
    add("--all", action="store_true", help="report the statements that are proved, too, and what they rest on")
    add("--strict", action="store_true", help="exit code 1 for unknown statements, too")
    add("--declare", action="store_true", help="print what was inferred as a block of declarations to keep in the text")
    add("--latex", metavar="FILE.tex", help="write the derivations of what is proved, step by step")
    add("--pdf", metavar="FILE.pdf", help="the same as PDF, by the LaTeX of this machine")
    add("--cache", metavar="FOLDER", help="remember answers there: what did not change is not checked again")
    add("--watch", action="store_true", help="check again whenever a file is saved; only what changed is proved again")


class Output(argparse.Action):
    """An option that may be followed by a file to write to; a document behind it is a document to check."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        super().__init__(option_strings, dest, nargs="?", const="", **more)

    def __call__(
        self, parser: argparse.ArgumentParser, args: argparse.Namespace, value: Any, option: str | None = None
    ) -> None:
        assert value is None or isinstance(value, str)
        if not value or value.lower().endswith(f".{self.dest}"):
            setattr(args, self.dest, value or "")
            return
        setattr(args, self.dest, "")
        args.misplaced = [*getattr(args, "misplaced", []), value]
        for action in parser._actions:  # it is not missing: it stands here
            if action.dest == "target":
                action.required = False
        args.target = args.target or [value]


def check(parser: Parser) -> None:
    parser.description = (
        "Gives a verdict (proved, refuted, ill-formed or unknown) for gradients written as NumPy functions, or for "
        "every\nstatement of a document (.md, .tex, .ipynb)."
    )
    add = parser.add_argument
    add("target", metavar="TARGET", nargs="+",
        help="file.py, file.py::Layer, file.py::loss or file.py::forward,backward, or documents")  # fmt: skip
    add("--json", action="store_true", help="print the verdicts as JSON (the keys are listed below)")
    add("--sarif", action=Output, metavar="LOG.sarif", help="the results as SARIF 2.1.0, printed without a name")
    add("--no-repair", action="store_true", help="do not look for the right formula")
    shared(parser, "--timeout")
    add("--certificate", metavar="FILE", help="write the proofs of what is proved, for `symbackprop verify`")
    add_check_functions(parser.group("for functions", lambda args: any(map(is_code, args.target))))
    add_check_documents(parser.group("for documents", lambda args: not all(map(is_code, args.target))))
    parser.epilog = f"{CHECK_FUNCTIONS}\n\n{CHECK_DOCUMENTS}"


CONVENTIONS = ("row", "column", "numerator", "gradient")
CONVERT = """\
row, column: vectors stand as rows or as columns. Each array is called as before and is the transpose of what it was:
z = W x + b becomes z = x W + b. numerator, gradient: ∂s/∂W has the shape of W^T, or of W; arrays stay as they are.

examples:
  symbackprop convert notes.md --to row -o notes-rows.md
  symbackprop convert '\\nabla_W L = \\delta x^T; z = W x' --to row

What cannot be translated and proved is left as it is, with a note on stderr.
exit codes: 0 everything was translated, 1 something was left as it is, 2 nothing could be read"""


def convert(parser: Parser) -> None:
    parser.description = "Write formulas in another convention or layout; the translation of each is proved."
    parser.epilog = CONVERT
    parser.add_argument("target", metavar="DOCUMENT | FORMULA", help="what is to be translated")
    parser.add_argument("--to", choices=CONVENTIONS, required=True, help="the convention or layout")
    shared(parser, "--output")


CODE = ("numpy", "jax", "torch", "jax.custom_vjp", "torch.autograd.Function")
FORMATS = (*CODE, "text", "markdown", "latex", "fragment", "html", "svg")


def derive(parser: Parser) -> None:
    parser.description = (
        "Derive the equations of backpropagation, prove each for all sizes, and print a table.\n"
        "Writes the derivations as LaTeX documents, one for each story, to DIR.\n\n"
        "With FILE::FUNCTION: the gradient of a forward function in NumPy, proved, as code or as a derivation."
    )
    parser.epilog = (
        "examples:\n  symbackprop derive --show softmax\n"
        '  symbackprop derive layers.py::layernorm --shapes "x: B D; eps: " --wrt x --assuming "eps > 0" --to torch'
    )
    parser.add_argument("target", metavar="FILE::FUNCTION", nargs="?", help="a forward function")
    functions = parser.group("for FILE::FUNCTION", lambda args: args.target is not None)
    functions.add_argument("--to", choices=FORMATS, default="numpy", help="what to write (default: numpy)")
    shared(functions, "--shapes", "--wrt", "--assuming", "--value", "--detail", "--output")
    add = parser.group("for the equations of backpropagation", lambda args: args.target is None).add_argument
    add("--tex", metavar="DIR", default="derivations/tex", help="where LaTeX goes (derivations/tex)")
    add("--no-tex", action="store_true", help="write nothing")
    add("--show", metavar="STORY", help="print one story line by line instead: softmax, weights, ...")
    add("--certificate", metavar="FILE", help="write the stories' proofs, for `symbackprop verify`")
    add("--markdown", action="store_true", help="with --show: as Markdown with LaTeX formulas")
    shared(parser, "--timeout")


FORMS = ("text", "markdown", "latex", "fragment", "html", "pdf", "svg", "numpy", "jax", "torch")
EXPLAIN = """\
examples:
  symbackprop explain 'L = sum((tanh(X W + b) - T)^2)' --wrt W
  symbackprop explain 'z = W x + b; L = 1/2 norm(tanh(z) - t)^2' --to html -o page.html
  symbackprop explain layers.py::layernorm --wrt x --shapes "x: B D; eps: " --assuming "eps > 0"
  symbackprop explain notes.md:64

A formula is read as in documents and never executed; A' is the transpose, .* and .^ go entry by entry. Definitions are
separated by semicolons. What --shapes leaves out is inferred.

exit codes: 0 derived and proved, 1 the statement of a document does not hold, 2 nothing could be derived"""


def explain(parser: Parser) -> None:
    parser.description = "Derive a gradient line by line, with a reason for each line; each step is proved."
    parser.epilog = EXPLAIN
    what = "what is to be differentiated"
    parser.add_argument("target", metavar="FORMULA | FILE::FUNCTION | DOCUMENT:LINE", help=what)
    parser.add_argument("--to", choices=FORMS, default="text", help="what to write (default: text)")
    shared(parser, "--shapes", "--wrt", "--assuming", "--value", "--detail", "--output", "--timeout")


GRADE = """\
  symbackprop grade reference.md answers/*.md > grades.csv

Each answer is read behind the reference: what is said there holds in the answers, too.  One row for each:
  answer, statements, proved, refuted, ill-formed, unknown, first wrong line, code, mistake, statement, right formula

exit codes: 0 every answer was read, 2 a file could not be read (the others are graded)"""


def grade(parser: Parser) -> None:
    parser.description = "Checks answers against a reference and prints where each first goes wrong."
    parser.add_argument("reference", metavar="REFERENCE", help="the task: a document with the definitions")
    parser.add_argument("answers", metavar="ANSWER", nargs="+", help="documents, or folders of them")
    shared(parser, "--output", "--timeout")
    parser.epilog = GRADE


def explicit(parser: Parser) -> None:
    parser.description = (
        "Writes out a small network with symbolic weights, differentiates every entry with SymPy, and compares the\n"
        "result with the chain rule as sums with Kronecker deltas and with the compact matrix form."
    )
    parser.epilog = "example: symbackprop explicit 2-3-2 --activation sigmoid --loss binary-cross-entropy --entries"
    parser.add_argument("widths", metavar="WIDTHS", help="units of each layer, input first: 2-3-2")
    add = parser.add_argument
    add("--activation", default="abstract", metavar="NAME",
        help="abstract (the default), identity, relu, sigmoid, softplus, tanh or gelu; or LaTeX in z, such as "
        "'\\frac{1}{1+e^{-z}}'")  # fmt: skip
    add("--output", metavar="NAME", help="activation of the last layer, if another one; also softmax")
    add("--loss", default="abstract", metavar="NAME",
        help="abstract (the default), squared-error, cross-entropy or binary-cross-entropy")  # fmt: skip
    add("--convention", default="column", choices=("column", "row"), help="z = W a + b (the default), or z = a W + b")
    add("--batch", type=int, metavar="N", help="a batch of N samples; the loss is their mean")
    add("--targets-sum-to-one", action="store_true", help="assume that the targets of each sample sum to one")
    parser.add_argument("--entries", action="store_true", help="print every entry of every gradient")
    parser.add_argument("--latex", metavar="FILE", help="also write everything as a LaTeX document")


def export(parser: Parser) -> None:
    parser.description = (
        "Write a certificate as a Coq file: a theorem about real derivatives (mathcomp-analysis), for all sizes. "
        "The libraries that it needs are written next to it. "
        "What has no translation is reported; docs/coq.md says what has one."
    )
    what = "a certificate, or a list of them, as `check --certificate` writes it"
    parser.add_argument("certificate", metavar="CERTIFICATE", help=what)
    parser.add_argument("--coq", required=True, metavar="FILE.v", help="the theorem (FILE_1.v, ... of several)")


def predict(parser: Parser) -> None:
    parser.description = (
        "Predict with a network that `symbackprop train` saved.\n"
        "Prints CSV with a row for each sample: the label and the share of each class, or the numbers of a regression."
    )
    parser.epilog = "example: symbackprop predict trained flowers.csv --out predicted.csv"
    parser.add_argument("model", metavar="MODEL", help="the folder of a training, or its weights.npz")
    parser.add_argument("data", metavar="DATA", help="a .csv, .npz or .parquet with the features")
    parser.add_argument("--out", metavar="FILE", help="write there instead of printing")


def serve(parser: Parser) -> None:
    parser.description = (
        "Serve a page on which one types a forward, as a formula or in NumPy, and sees its gradient derived and\n"
        "proved; a gradient that is typed besides gets a verdict.\n\n"
        "It is served to this machine only, and nothing that is typed is executed."
    )
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="the port (default: 8000)")


def train(parser: Parser) -> None:
    parser.description = (
        "Train a dense network on the built-in digits or on your own data.  Its gradient is the compact matrix form,\n"
        "proved for all sizes.  Writes to DIR: weights.npz (for `symbackprop predict`), config.json, metrics.jsonl,\n"
        "training.png, equations.tex, certificates.json, gradient.py, and checkpoint.npz for --resume DIR."
    )
    parser.epilog = (
        "examples:\n  symbackprop train\n"
        "  symbackprop train --data houses.csv --target price --standardize --patience 20"
    )
    add = parser.add_argument
    add("--data", default="digits", metavar="DATA",
        help="digits (handwritten, from scikit-learn), glyphs (printed, made here), or a .csv, .npz or .parquet "
        "(digits)")  # fmt: skip
    add("--target", default="", metavar="NAMES", help="the column or columns to predict (the last one)")
    add("--ignore", default="", metavar="NAMES", help="columns that are left out")
    add("--standardize", action="store_true",
        help="subtract the mean of each feature, and of the numbers of a regression, divide by the "
        "deviation")  # fmt: skip
    add("--layers", default="", metavar="N-N-N", help="widths from inputs to outputs (inputs-32-outputs)")
    add("--activation", default="relu", metavar="NAME",
        help="of the hidden layers: relu, tanh, gelu, ..., or LaTeX in z: '\\frac{z}{1+e^{-z}}' (relu)")  # fmt: skip
    add("--loss", default="", metavar="NAME",
        help="cross-entropy, binary-cross-entropy or squared-error (by the target: cross-entropy for classes, "
        "squared-error for numbers); the last layer is softmax, sigmoid or linear accordingly")  # fmt: skip
    add("--epochs", type=int, metavar="N", help="passes over the training data (40)")
    add("--batch", type=int, default=32, metavar="N", help="samples in a step (32)")
    add("--optimizer", default="adam", metavar="NAME", help="adam, adamw, sgd, momentum or nesterov (adam)")
    add("--lr", type=float, metavar="RATE", help="learning rate (0.003 for adam and adamw, 0.05 momentum, 0.2 sgd)")
    add("--schedule", default="constant", metavar="NAME", help="of the rate: constant, linear, cosine or halving")
    add("--warmup", type=int, default=0, metavar="N", help="epochs in which the rate rises (0)")
    add("--l2", type=float, default=0.0, metavar="λ", help="adds ½ λ times the squares of all weights to the cost (0)")
    add("--validation", type=float, metavar="SHARE", help="of the samples, to judge epochs by (0; 0.1 with --patience)")
    add("--test", type=float, metavar="SHARE", help="of the samples, for the figure at the end (0.2)")
    add("--patience", type=int, metavar="N", help="stop after N epochs without a better loss")
    add("--backend", default="auto", metavar="NAME", help="numpy, compiled (C), jax, or auto (auto)")
    add("--dtype", default="float32", metavar="TYPE", help="float32 or float64 (float32)")
    add("--seed", type=int, default=0, metavar="N", help="of the data split, the weights and the batches (0)")
    add("--out", default="trained", metavar="DIR", help="where the results go (trained)")
    add("--resume", metavar="DIR", help="go on with the training in DIR (of the options only --epochs counts)")


def verify(parser: Parser) -> None:
    parser.description = (
        "Re-check certificates with the independent checker: one file of Python's standard library, which shares no\n"
        "code with what found and wrote the proofs (symbackprop/checker/recheck.py; it also runs by itself)."
    )
    parser.epilog = "example: symbackprop derive --no-tex --certificate stories.json && symbackprop verify stories.json"
    parser.add_argument("files", metavar="FILE", nargs="+", help="a certificate, or a list of them, as JSON")


def version(parser: Parser) -> None:
    parser.description = "Print the version of the program, of Python, and of the libraries that results depend on."


CONFIGURE: dict[str, Callable[[Parser], None]] = {
    f.__name__: f
    for f in (check, convert, derive, explain, explicit, export, grade, predict, serve, train, verify, version)
}
