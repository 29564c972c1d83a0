"""The command line: quick to start, one clear line for what cannot be done, exit codes that mean something."""

from __future__ import annotations

import argparse
import errno
import os
import re
import signal
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import symbackprop
from symbackprop import cli
from symbackprop.clock import LIMIT
from symbackprop.commands import TABLE
from symbackprop.commands.options import CONFIGURE
from symbackprop.commands.parsing import Parser
from symbackprop.core.terms import SymbackpropError

HEAVY = {"sympy", "numpy", "scipy", "matplotlib", "rich", "mpmath", "sklearn", "latex2sympy2_extended", "flint"}


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "symbackprop", *arguments], capture_output=True, text=True, timeout=60, **options
    )


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*{{m.partition('.')[0] for m in sys.modules}}, file=sys.stderr)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(found.stderr.split())


def test_import_and_help_load_nothing_heavy() -> None:
    assert not loaded_by("import symbackprop; dir(symbackprop)") & (HEAVY | {"typing", "dataclasses", "argparse"})
    assert not loaded_by("from symbackprop.cli import main; main(['--help'])") & (HEAVY | {"argparse"})


@pytest.mark.parametrize("command", TABLE)
def test_command_help_loads_nothing_heavy(command: str) -> None:
    assert not loaded_by(f"from symbackprop.cli import main; assert main(['{command}', '--help']) == 0") & HEAVY


def test_public_names_exist_and_are_declared_twice() -> None:
    for name in symbackprop.__all__:
        assert getattr(symbackprop, name) is not None
        assert name in dir(symbackprop)
    source = Path(symbackprop.__file__).read_text(encoding="utf-8")
    block = source[source.index("if TYPE_CHECKING") : source.index("__all__")]
    declared = dict(
        (name.strip(), f"symbackprop{module}")
        for module, names in re.findall(r"from (\S+) import ([^\n]+)", block)
        for name in names.split(",")
    )
    assert declared == symbackprop._HOME
    assert {*declared, "__version__"} == set(symbackprop.__all__) == {*symbackprop.__all__}
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        symbackprop.nothing  # noqa: B018


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in ([], ["--help"], ["-h"], ["help"]):
        assert cli.main(argv) == 0
        shown = capsys.readouterr().out
        assert all(f"  {name} " in shown and purpose in shown for name, purpose in TABLE.items())
    assert cli.main(["help", "explicit"]) == 0
    assert "WIDTHS" in capsys.readouterr().out


def test_every_time_limit_is_that_of_the_checks() -> None:
    for name in TABLE:
        parser = Parser(name)
        CONFIGURE[name](parser)
        assert parser.get_default("timeout") in (LIMIT, None)
        assert ("--timeout" in parser.format_help()) == (parser.get_default("timeout") is not None)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["version"], ["--version"]):
        assert cli.main(argv) == 0
        assert capsys.readouterr().out.startswith(f"symbackprop {symbackprop.__version__}\nPython ")


def test_version_agrees_with_the_project_file() -> None:
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert f'version = "{symbackprop.__version__}"' in project.read_text(encoding="utf-8")


REFUSED = [
    (["explicti"], "unknown command 'explicti'; did you mean 'explicit'?"),
    (["frobnicate"], "unknown command 'frobnicate'; the commands are "),
    (["--loud"], "unknown option --loud"),
    (["version", "--loud"], "unrecognized arguments: --loud"),
    (["explicit"], "the following arguments are required: WIDTHS"),
    (["explicit", "2--2"], "widths are whole numbers joined by '-', as in 2-3-2, got '2--2'"),
    (["explicit", "2-x"], "widths are whole numbers"),
    (["explicit", "٣-٢"], "widths are whole numbers"),
    (["explicit", "9" * 5000 + "-1"], "widths are whole numbers"),
    (["explicit", "2-0"], "width 1 of the network must be at least 1, got 0"),
    (["explicit", "2"], "at least an input and an output width"),
    (["explicit", "500-500"], "too large"),
    (["explicit", "2-2", "--activation", "sigmod"], "unknown activation 'sigmod'"),
    (["explicit", "2-2", "--batch", "two"], "invalid int value: 'two'"),
    (["explicit", "2-2", "--batch", "-1"], "the batch size must be at least 1, got -1"),
    (["explicit", "2-2", "--convention", "up"], "invalid choice: 'up'"),
    (["check", "a.py", "b.py::f,g", "--html"], "--html is for documents"),
    (["check", "a.md", "--shapes", "x: n"], "--shapes is for functions"),
    (["check", "::f,g"], "a file is needed, as in layers.py::forward"),
    (["derive", "--to", "jax"], "--to is for FILE::FUNCTION"),
    (["derive", "a.py::f", "--show", "softmax"], "--show is for the equations of backpropagation"),
    (["explain", "a.md"], "a.md:LINE is needed"),
    (["explain", "layers.py"], "layers.py::FUNCTION is needed"),
    (["explain", "a.md:3", "--shapes", "x: n"], "a document says its own shapes"),
    (["grade", "nothing.md", "a.md"], "nothing.md: No such file"),
    (["explicit", "1-1", "--latex", "/nowhere/out.tex"], "cannot write /nowhere/out.tex: the directory /nowhere"),
]


@pytest.mark.parametrize(("argv", "message"), REFUSED, ids=lambda v: v if isinstance(v, str) else " ".join(v)[:40])
def test_refused_in_one_line(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(argv) == 2
    error = capsys.readouterr().err
    assert error.startswith("symbackprop: ") and message in error
    assert error.count("\n") == 1 and error.endswith("\n")


FAILURES: list[tuple[Exception | type[BaseException], int, str]] = [
    (SymbackpropError("notes.md:3:1 two\nlines"), 2, "symbackprop: notes.md:3:1 two lines\n"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.md"), 2, "symbackprop: a.md: no such file"),
    (PermissionError(errno.EACCES, "Permission denied", b"a.md"), 2, "symbackprop: a.md: permission denied\n"),
    (OSError(errno.EIO, "Input/output error"), 2, "symbackprop: cannot read or write: Input/output error\n"),
    (ModuleNotFoundError("No module", name="matplotlib.pyplot"), 2, "pip install 'symbackprop[plot]'\n"),
    (MemoryError(), 2, "symbackprop: out of memory\n"),
    (RecursionError(), 2, "symbackprop: a formula is too long, or nested too deeply\n"),
    (KeyboardInterrupt, 130, "symbackprop: interrupted\n"),
]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A command of which a test decides what it does."""
    module = types.ModuleType("symbackprop.commands.trial")
    monkeypatch.setitem(TABLE, "trial", "for tests")
    monkeypatch.setitem(CONFIGURE, "trial", lambda parser: None)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(cli, "_forget_stdout", lambda: None)  # the stream belongs to pytest
    return module


@pytest.mark.parametrize(("failure", "code", "shown"), FAILURES, ids=lambda v: type(v).__name__)
def test_failures_of_a_command(
    command: Any, failure: BaseException, code: int, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise failure

    command.run = fail
    assert cli.main(["trial"]) == code
    error = capsys.readouterr().err
    assert shown in error and error.count("\n") == 1


def test_a_defect_shows_its_traceback(command: Any) -> None:
    command.run = lambda args: 1 // 0
    with pytest.raises(ZeroDivisionError):
        cli.main(["trial"])
    command.run = lambda args: __import__("a_module_that_is_ours_and_missing")
    with pytest.raises(ModuleNotFoundError):
        cli.main(["trial"])


@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_code_is_the_commands(command: Any, code: int) -> None:
    command.run = lambda args: code
    assert cli.main(["trial"]) == code


def test_explicit_reports_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.tex"
    argv = ["explicit", "2-3-2", "--loss", "cross-entropy", "--batch", "2", "--convention", "row", "--entries"]
    assert cli.main([*argv, "--targets-sum-to-one", "--latex", str(target)]) == 0
    shown = capsys.readouterr().out
    assert "(1/N) (s - t)" in shown and "δ² (W²)ᵀ ∘ f'(z¹)" in shown
    assert shown.count("equal") == 8
    assert shown.count("\n∂L/∂W") == 12 + 2
    assert target.read_text(encoding="utf-8").startswith(r"\documentclass")


def test_the_process() -> None:
    """Through a real process: the exit code, a narrow terminal in a locale without mathematics, one line on stderr."""
    done = run("explicit", "1-1", env={**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "40"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u2202L/" in done.stdout
    failed = run("explicit", "1")
    assert failed.returncode == 2 and failed.stderr.startswith("symbackprop: ") and failed.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_behind_stdout() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "symbackprop", "version"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 2
    assert done.stderr == "symbackprop: cannot write the output: no space left on device\n"


def test_a_reader_that_goes_away() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "symbackprop", "version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == cli.BROKEN_PIPE == 128 + signal.SIGPIPE
    process.stderr.close()
