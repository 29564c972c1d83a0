"""The command line: a table of commands, one parser for the command that was asked for, one place for errors.

Exit codes: 0 all is well, 1 a statement does not hold, 2 the request could not be carried out, 130 interrupted,
141 the reader of a pipe went away.

Everything heavy is imported by the command that needs it.  The overview does not even need argparse, and
argparse is used because it loads in a third of click's time: `--help` has to answer about as fast as Python starts.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from .commands import TABLE

BAD_REQUEST, INTERRUPTED, BROKEN_PIPE = 2, 130, 141

# What an optional part needs, by the module whose import fails.
EXTRAS = {
    "flask": ("Flask", "serve"),
    "jax": ("JAX", "jax"),
    "matplotlib": ("matplotlib", "plot"),
    "pyarrow": ("pyarrow", "parquet"),
    "scipy": ("SciPy", "train"),
    "sklearn": ("scikit-learn", "train"),
    "waitress": ("waitress", "serve"),
    "watchfiles": ("watchfiles", "watch"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that `argv` names and returns the exit code of the process."""
    try:
        code = _dispatch(list(sys.argv[1:] if argv is None else argv))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except SystemExit as stop:  # argparse, after help or an error
        return stop.code if isinstance(stop.code, int) else BAD_REQUEST
    except KeyboardInterrupt:
        _say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        _forget_stdout()
        return BROKEN_PIPE
    except Exception as failure:
        line = _explain(failure)
        if line is None:
            raise  # a defect of this program: its traceback is what a report needs
        _say(line)
        return BAD_REQUEST


def _dispatch(argv: list[str]) -> int:
    _never_fail_to_print()
    match argv:
        case [] | ["-h" | "--help", *_] | ["help"]:
            print(_overview())
            return 0
        case ["help", name, *_]:
            argv = [name, "--help"]
        case ["--version", *_]:
            argv = ["version"]
    name, *rest = argv
    if name not in TABLE:
        _say(_unknown(name))
        return BAD_REQUEST
    from .commands.options import CONFIGURE
    from .commands.parsing import Parser

    parser = Parser(f"symbackprop {name}")
    CONFIGURE[name](parser)
    args = parser.parse_args(rest)
    code = import_module(f"symbackprop.commands.{name}").run(args)
    assert isinstance(code, int), f"symbackprop.commands.{name}.run must return an exit code"
    return code


def _overview() -> str:
    lines = [
        "usage: symbackprop COMMAND ...",
        "",
        "Derives the equations of backpropagation symbolically, proves them for all sizes, and checks yours.",
        "",
        "commands:",
        *(f"  {name:<10}{purpose}" for name, purpose in TABLE.items()),
        "",
        "`symbackprop COMMAND --help` describes a command and its options.",
        "exit codes: 0 all holds, 1 something does not hold, 2 the request could not be carried out",
    ]
    return "\n".join(lines)


def _unknown(name: str) -> str:
    if name.startswith("-"):
        return f"unknown option {name} (a command comes first: {', '.join(TABLE)})"
    from difflib import get_close_matches

    close = get_close_matches(name, TABLE, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"the commands are {', '.join(TABLE)}"
    return f"unknown command {name!r}; {hint}"


def _explain(failure: Exception) -> str | None:
    """One line for what is the user's to mend, None for what is ours."""
    from .core.terms import SymbackpropError

    match failure:
        case SymbackpropError():
            return str(failure)
        case OSError(errno=errno.ENOSPC, filename=None):
            _forget_stdout()
            return "cannot write the output: no space left on device"
        case OSError(strerror=str(reason), filename=place) if place is not None:
            return f"{os.fsdecode(place)}: {reason[0].lower()}{reason[1:]}"
        case OSError():
            _forget_stdout()
            return f"cannot read or write: {failure.strerror or failure}"
        case ModuleNotFoundError(name=str(module)) if (root := module.partition(".")[0]) in EXTRAS:
            package, extra = EXTRAS[root]
            return f"this needs {package}, which is not installed: pip install 'symbackprop[{extra}]'"
        case MemoryError():
            return "out of memory"
        case RecursionError():
            return "a formula is too long, or nested too deeply"
        case _:
            return None


def _say(message: str) -> None:
    """Prints one line on stderr; a closed or full stderr must not hide the exit code."""
    line = " ".join(message.split("\n")).strip()
    try:
        print(f"symbackprop: {line}", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass


def _never_fail_to_print() -> None:
    """In a locale without the letters of mathematics, prints escapes instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (getattr(stream, "encoding", None) or "").lower() not in ("utf-8", "utf8"):
            reconfigure(errors="backslashreplace")


def _forget_stdout() -> None:
    """Sends what is still buffered nowhere, so that the interpreter does not fail again while it shuts down."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        pass


if __name__ == "__main__":
    sys.exit(main())
