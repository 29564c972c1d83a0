"""What the kernel says of certificates: an opinion of its own, beside the checker that decides."""

from __future__ import annotations

from symbackprop.core.context import Equation, Excused, Statement
from symbackprop.core.discharge import has_value, holding, knowing
from symbackprop.core.indices import refusing
from symbackprop.core.kernel import check
from symbackprop.core.reasons import Argument, satisfied
from symbackprop.core.region import region_of
from symbackprop.core.rows import load, load_argument
from symbackprop.core.terms import free, require


def check_rows(certificate: object) -> Equation:
    """The equation that a certificate proves.  Raises ProofError where it proves none."""
    return check(*load(certificate))


def argued(rows: object) -> tuple[Excused, ...]:
    """What is excused by the argument that the rows of a certificate are.  Raises ProofError where it shows nothing."""
    with refusing("argument"):
        return shown(*load_argument(rows))


def shown(statement: Statement, argument: Argument) -> tuple[Excused, ...]:
    region, facts = region_of(statement)
    wider, used = knowing("known", argument.lemmas, region)
    more, values = has_value(statement, argument, wider)
    equation = holding(argument.steps, wider.knowing(values))
    require(equation.lhs == statement.lhs, "another left side was shown: {}", equation.lhs)
    require(equation.rhs == statement.rhs, "another right side was shown: {}", equation.rhs)
    for symbol, size in argument.point.sizes:
        require(size >= region.least[symbol], "{} is at least {}", symbol, region.least[symbol])
    for i in free(statement.lhs) | free(statement.rhs):
        require(i.size.at(dict(argument.point.sizes)) > 0, "{} has no values at this point", i.name)
    satisfied(region.hypotheses.values(), argument.point, region)
    used |= more | equation.used
    return tuple(facts[name] for name in sorted(used & facts.keys(), key=list(facts).index))
