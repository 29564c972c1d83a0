"""`symbackprop grade REFERENCE ANSWERS...`: the first wrong line of each answer, as CSV."""

from __future__ import annotations

import argparse

from .parsing import TIMEOUT, timeout

EPILOG = """\
  symbackprop grade reference.md answers/*.md > grades.csv

Each answer is read behind the reference: what is said there holds in the answers, too.  One row for each:
  answer, statements, proved, refuted, ill-formed, unknown, first wrong line, code, mistake, statement, right formula

exit codes: 0 every answer was read, 2 a file could not be read (the others are graded)"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Checks answers against a reference and prints where each first goes wrong."
    parser.add_argument("reference", metavar="REFERENCE", help="the task: a document with the definitions")
    parser.add_argument("answers", metavar="ANSWER", nargs="+", help="documents, or folders of them")
    parser.add_argument("--output", "-o", metavar="FILE", help="write the table there")
    parser.add_argument("--timeout", type=timeout, metavar="SECONDS", help=TIMEOUT)
    parser.epilog = EPILOG


def run(args: argparse.Namespace) -> int:
    import csv
    import io

    from symbackprop.clock import seconds_of
    from symbackprop.core.terms import SymbackpropError
    from symbackprop.documents.check import COLUMNS, graded
    from symbackprop.documents.judging import Judge
    from symbackprop.files import write_atomically

    from .document_cache import documents_in

    text, failure = io.StringIO(), None
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    judge = Judge(seconds=seconds_of(args.timeout))
    for answer in dict.fromkeys(d for name in args.answers for d in documents_in(name)):
        try:
            rows.writerow(graded(args.reference, answer, judge))
        except SymbackpropError as error:
            failure = failure or error
    if args.output:
        write_atomically(args.output, text.getvalue())
    else:
        print(text.getvalue(), end="")
    if failure is not None:
        raise failure
    return 0
