"""Prints what a proof rests on: `make trust`.  The trusted files are the import closure of what `ROOTS` names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "symbackprop"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
ROOTS = ("symbackprop.core.theorem",)
BELIEVED = """\
What is believed besides:
  the laws, as mathematics: the table LAWS of the checker states them
  the meaning of terms: functions are total, 1/0 = 0, sizes are whole numbers from 1 on
  the reading: that the claim says what the functions or the document say; it is shown, and in the certificate
  that unknown functions have the derivatives that are written for them
  Python, its standard library, and the computer"""


def imports(module: str, path: Path) -> Iterator[str]:
    """Every module that is imported anywhere in the file, functions included, with relative imports resolved."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=source, names=names, level=level):
                base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                origin = ".".join([*base, *([source] if source else [])])
                for alias in names:
                    whole = f"{origin}.{alias.name}"
                    yield whole if whole in MODULES else origin


def trusted() -> dict[str, int]:
    """The lines of each module that the roots import, themselves and packages on the way included."""
    found: dict[str, int] = {}
    pending = list(ROOTS)
    while pending:
        module = pending.pop()
        if module not in found:
            found[module] = lines(MODULES[module])
            parents = [module.rpartition(".")[0]] if module.count(".") > 1 else []
            pending += [m for m in (*imports(module, MODULES[module]), *parents) if m in MODULES]
    return found


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def main() -> None:
    files = trusted()
    for module in sorted(files):
        print(f"{files[module]:6}  {MODULES[module].relative_to(ROOT).as_posix()}")
    print(f"{sum(files.values()):6}  lines in {len(files)} files: all that can make a false theorem\n\n{BELIEVED}")


if __name__ == "__main__":
    main()
