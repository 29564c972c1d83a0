"""The statements of a text with their verdicts alone: to look for the right formula in place of each wrong one, which
the tests of repairs ask for, takes half of the time of a document.
"""

from symbackprop.decide.outcomes import Checked
from symbackprop.documents.check import check_text
from symbackprop.documents.judging import Judge


def verdicts_of(text: str, name: str = "text.md") -> list[Checked]:
    return check_text(text, name, Judge(repair=False))
