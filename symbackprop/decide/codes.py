"""One table of codes for what can be wrong with a statement or a gradient: for reports, for `ignore`, for SARIF."""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Rule(NamedTuple):
    code: str
    name: str
    what: str
    pattern: str
    """Mistakes and messages that are of this kind, by how they begin."""


RULES: Final = tuple(
    Rule(*row)
    for row in (
        ("SB101", "transposed", "A transpose is missing or too much, or two indices are exchanged.",
         r"transpose|extra transpose|result transposed|indices|shape transposed|layout|.+ in place of its transpose"),
        ("SB102", "sign", "A sign is wrong.", r"sign"),
        ("SB103", "order", "Factors stand in the wrong order.", r"factors in the wrong order|put together otherwise"),
        ("SB104", "product", "A Hadamard product stands for a matrix product, or the other way round.",
         r"Hadamard product (for|in place of)|matrix product (for|in place of)"),
        ("SB105", "factor", "A factor is missing or too much.", r"missing factor|extra factor|doubled factor"),
        ("SB106", "term", "A term is missing or too much.",
         r"missing (term|path)|extra term|term missing|the gradient that"),
        ("SB107", "sum", "A sum over an axis is missing or too much.",
         r"sum over|missing sum|extra sum|extra mean|missing mean|summed|wrong axis"),
        ("SB108", "slope", "A function stands where its derivative should, or the other way round.",
         r"\S+ (for|in place of) \S+'|\S+' at the wrong value|extra derivative|missing derivative|diag missing"),
        ("SB109", "index", "An index is wrong.", r"wrong index|1 for δ|the letter"),
        ("SB110", "power", "A power or a fraction is wrong.", r"wrong power|extra power|fraction upside down"),
        ("SB111", "layer", "A letter of another layer.", r"wrong layer"),
        ("SB112", "variable", "The derivative by another variable.", r"∂/∂|∇ by"),
        ("SB113", "letter", "Another letter or number.", r".+ (for|in place of) "),
        ("SB114", "shape", "The two sides have different shapes.", r"shapes differ|wrong shape"),
        ("SB115", "mask", "A mask is missing or is another one.", r"missing mask|mask "),
        ("SB199", "refuted", "The two sides differ: there is a counterexample.", r"$^"),
        ("SB201", "conform", "Shapes do not conform.",
         r"product of|sum of|Hadamard of|division by an array|an array .* on the|a number on the left|a power of"),
        ("SB202", "unclosed", "A formula or a bracket is never closed.", r".*never closed"),
        ("SB203", "free-index", "An index is free on one side, or has two ranges.", r"the index|one subscript"),
        ("SB299", "ill-formed", "No reading of it makes sense.", r"$^"),
        ("SB301", "undeclared", "A name is not known.", r".*is not declared|.*declare it"),
        ("SB302", "ambiguous", "Another reading has another verdict.", r"as read it is"),
        ("SB303", "unread", "It rests on a definition that could not be read.", r"the definition of"),
        ("SB304", "condition", "It holds only under a condition that nothing implies.",
         r"proved only where|it does not hold"),
        ("SB399", "undecided", "Neither a proof nor a counterexample was found.", r"$^"),
    )
)  # fmt: skip
GROUPS: Final = {"refuted": "SB1", "ill-formed": "SB2", "unknown": "SB3"}


def rule_of(verdict: str, mistake: str | None, message: str = "") -> Rule | None:
    """What kind of trouble it is; None for a verdict that is none."""
    group = GROUPS.get(verdict)
    if group is None:
        return None
    if mistake:
        for rule in RULES:
            if rule.code.startswith("SB1") and re.match(rule.pattern, mistake):
                return rule
    of_group = [r for r in RULES if r.code.startswith(group)]
    return next((r for r in of_group if re.match(r.pattern, message)), of_group[-1])
