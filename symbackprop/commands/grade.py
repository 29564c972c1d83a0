"""`symbackprop grade REFERENCE ANSWERS...`: the first wrong line of each answer, as CSV."""

from __future__ import annotations

import argparse
import csv
import io

from symbackprop.core.terms import SymbackpropError
from symbackprop.documents.check import COLUMNS, graded
from symbackprop.documents.judging import Judge
from symbackprop.files import put
from symbackprop.read.notes.files.sources import read_document

from .check_document import documents_in


def run(args: argparse.Namespace) -> int:
    read_document(args.reference)  # an unreadable task is said once, before any answer is
    text, failure = io.StringIO(), None
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    judge = Judge(seconds=args.timeout)
    for answer in dict.fromkeys(d for name in args.answers for d in documents_in(name)):
        try:
            rows.writerow(graded(args.reference, answer, judge))
        except SymbackpropError as error:
            failure = failure or error
    put(text.getvalue(), args.output or None)
    if failure is not None:
        raise failure
    return 0
