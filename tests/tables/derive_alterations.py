"""Steps of a sweep that are slightly wrong: none of them may turn out to be a theorem."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy

from symbackprop.gradients.lemmas import Lemmas, meanings, reused
from symbackprop.gradients.reverse import Reverse, Step
from symbackprop.gradients.theorem import needed
from symbackprop.numbers.exact_numbers import Undefined
from symbackprop.read.numpy import TRACED_NUMPY as np
from symbackprop.read.numpy import Node, parse_shapes, record

SECONDS = 1.0  # of search for one altered step
Change = Callable[[Any], Any]
CHANGES: dict[str, Change] = {
    "doubled": lambda x: 2 * x,
    "halved": lambda x: x / 2,
    "negated": lambda x: -x,
    "shifted": lambda x: x + 1,
    "squared": lambda x: x * x,
    "cubed": lambda x: x * x * x,
    "centred": lambda x: x - np.mean(x, axis=-1, keepdims=True),
    "summed": lambda x: x - x + np.sum(x, axis=0, keepdims=True),
    "averaged": lambda x: x - x + np.mean(x),
    "turned": lambda x: x.T if x.ndim == 2 and x.shape[0] == x.shape[1] else x + x,
    "flipped": lambda x: np.flip(x, axis=-1),
    "through tanh": lambda x: np.tanh(x),
    "off by a little": lambda x: x * 1.001,
    "without signs": lambda x: np.abs(x),
}


@dataclass(frozen=True)
class Altered:
    """`step` hands something else on; `accepted` says whether a proof of it is found."""

    case: str
    change: str
    step: Step
    accepted: Callable[[], bool]


def altered_steps(name: str, case: Any) -> Iterator[Altered]:
    declared = parse_shapes(case.shapes)
    reverse = Reverse(record(case.forward, declared), declared, case.variables)
    known = meanings(reverse, needed(reverse))
    lemmas = Lemmas(reverse, known)
    heard: set[Any] = set()
    for lemma in lemmas.found:
        step = lemma.step
        heard |= {a for g in [step.adjoint] if isinstance(g, Node) for a in [g.array]}
        for place, (to, g) in enumerate(step.into):
            for change, f in CHANGES.items():
                with reverse.graph.recording():
                    try:
                        wrong = reverse.node(f(reverse.array(g) if isinstance(g, Node) else numpy.float64(g)))
                    except Exception:
                        continue
                if not differs(reverse, g, wrong, to):
                    continue
                into = [*step.into[:place], (to, wrong), *step.into[place + 1 :]]
                yield Altered(name, change, step, acceptance(lemmas, replace(step, into=into), set(heard)))


def differs(reverse: Reverse, g: Any, wrong: Any, to: Node) -> bool:
    """By a value that has nothing to do with the proof; not where that would take too long to work out."""
    try:
        right, other = (reverse.sample.of(x) for x in (g, wrong))
    except Undefined:
        return False
    shape = reverse.sample.shape(to.shape)
    try:
        right, other = numpy.broadcast_to(right, shape), numpy.broadcast_to(other, shape)
    except ValueError:
        return False
    scale = float(numpy.abs(right).max(initial=0)) + 1e-9
    return bool(numpy.abs(right - other).max(initial=0) > 1e-6 * scale)


def acceptance(lemmas: Lemmas, step: Step, heard: set[Any]) -> Callable[[], bool]:
    def accepted() -> bool:
        later = Lemmas.__new__(Lemmas)
        later.reverse, later.known, later.context = lemmas.reverse, lemmas.known, lemmas.context
        later.kept, later.heard, later.assumed = lemmas.kept, heard, lemmas.assumed
        later.differ = lambda one, other: False  # it is the proof that is to fail
        definitions = lemmas.reverse.graph.definitions
        later.context = type(lemmas.context)({**definitions, **lemmas.known.definitions})
        later.backward = [n.array for n in lemmas.reverse.graph.nodes if n.backward and n.meaning is not None]
        with limited(SECONDS):
            return any(later.attempt(step, h, a) is not None for h in (heard, set()) for a in {(), reused(step)})
        return False  # a search that is given up has accepted nothing

    return accepted


class GivenUp(BaseException):
    pass


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise GivenUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    except GivenUp:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
