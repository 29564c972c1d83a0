"""From the text of a formula to its tree, with the names that the text around it declares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ..files.items import Formula
from ..files.place import ReadError
from ..grammar.resolve import parse_leniently, parse_statement
from ..grammar.tree import Statement, Symbol
from .in_text import declared_in_text, numbered
from .said_functions import dependent_said, dummies, function_said
from .symbols import Declarations, FunctionSymbol, IndexSymbol, LayerSymbol, SizeSymbol
from .table import with_sizes
from .undeclared import defined_here, following, said_later, undeclared_names

MAX_SETTLED = 12
_RANGE = re.compile(r"\s*([A-Za-z]|\\ell)\s*=\s*1\s*,\s*(?:\\[lc]?dots|…|\.\.\.)\s*,\s*([A-Za-z])\s*\.?\s*\Z")


def without_examples(table: Declarations, examples: dict[str, FunctionSymbol | None]) -> Declarations:
    """Functions that were only examples are again what they were."""
    for name, was in examples.items():
        functions = {k: f for k, f in table.functions.items() if k != name}
        table = replace(table, functions=functions if was is None else {**functions, name: was})
    examples.clear()
    return table


class Settler:
    """One formula among the others, and the symbol table, which reading it changes.

    `examples` are functions that the text gives by a formula to the end of the section, and what they were before.
    """

    def __init__(
        self,
        formula: Formula,
        table: Declarations,
        formulas: Sequence[Formula],
        at: int,
        examples: dict[str, FunctionSymbol | None],
    ) -> None:
        self.formula, self.table, self.formulas, self.at, self.examples = formula, table, formulas, at, examples
        self.dummies: set[str] = set()
        self.declares = self.gives_function = False

    def after(self) -> Declarations:
        """The table behind the formula: without the letters that stood only for arguments of functions."""
        if not self.dummies:
            return self.table
        return replace(self.table, arrays={k: s for k, s in self.table.arrays.items() if k not in self.dummies})

    def parse(self) -> Statement:
        formula, error = self.formula, ReadError("")
        self.said()
        for _ in range(MAX_SETTLED):
            try:
                statement = parse_statement(formula.text, self.table, formula.where)
            except ReadError as caught:
                error = caught
            else:
                new = numbered(statement, self.table)
                if new is None:
                    return statement
                self.table, self.declares = new, True
                continue
            table = self.settled(error.undeclared) if error.undeclared else None
            if table is None:
                break
            self.table = table
        raise error

    def said(self) -> None:
        """σ(z) = formula gives a function, J(w) = … says what J depends on."""
        text = self.formula.text
        found = function_said(text, self.formula.before, self.table)
        if found is not None:
            if found.local and found.name not in self.examples:
                self.examples[found.name] = self.table.functions.get(found.name)
            self.table, self.gives_function = found.table, True
            return
        dependent = dependent_said(text, self.table)
        if dependent is not None:
            array = self.table.arrays.get(dependent[0])
            if array is not None and not array.of:
                self.table = self.table.with_array(replace(array, of=dependent[1]))

    def sentence(self) -> str:
        """The words before the formula, with those between the formulas before it in the same sentence."""
        before = self.formula.before
        for k in range(self.at - 1, max(-1, self.at - 6), -1):
            formula = self.formulas[k]
            if re.search(r"[.;:]", before) or formula.section != self.formula.section or formula.display:
                break
            before = f"{formula.before} □ {before}"
        return before

    def settled(self, name: str) -> Declarations | None:
        """The table with an undeclared name, where the text says what it is."""
        text, where = self.formula.text, self.formula.where
        table = declared_in_text(text, self.table, where)
        if table is not None:
            self.declares = True
            return table
        table = self.numbered_with_sizes()
        if table is not None:
            self.declares = True
            return table
        ahead = list(following(self.formulas, self.at))
        table = said_later(name, self.table, ahead) or defined_here(text, name, self.sentence(), self.table)
        if table is None:
            others = (said_later(n, self.table, ahead) for n in undeclared_names(text, self.table) if n != name)
            table = next((t for t in others if t is not None), None)
        if table is None:
            table = dummies(text, name, self.table)
            if table is not None:
                self.dummies.add(name)
        return table

    def numbered_with_sizes(self) -> Declarations | None:
        """x_2 ∈ ℝ^m beside a declared x, where m is new too."""
        try:
            statement, free = parse_leniently(self.formula.text, self.table)
        except ReadError:
            return None
        shapes = [p.chain.links[0].rhs.span for p in statement.parts if p.chain.links]
        sizes = [f for f in free if any(low <= f[2][0] and f[2][1] <= high for low, high in shapes)]
        return numbered(statement, with_sizes(self.table, sizes)) if len(sizes) == len(free) else None

    def range_of_letters(self) -> bool:
        r"""l = 1, \dots, L declares an index, or a layer where the words around say so."""
        found = _RANGE.match(self.formula.text)
        if found is None:
            return False
        name, last = found[1].removeprefix("\\").replace("ell", "ℓ"), found[2]
        if self.table.known(name):
            return True
        words = f"{self.formula.before[-80:]} {self.formula.after[:80]}".lower()
        if "layer" in words:
            table = self.table.with_layer(LayerSymbol(name, last)).with_layer(LayerSymbol(last, last))
        else:
            table = self.table if last in self.table.sizes else self.table.with_size(SizeSymbol(last))
            table = table.with_index(IndexSymbol(name, Symbol(last)))
        self.table = table
        return True
