"""Random identities, true and false, of benchmarks/random_identities.py: a small number of each."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from exact_values import Differences

from symbackprop.core.terms import Array, Diff, Entry
from symbackprop.numbers.points import Point

COUNT = 40
MANY_ANGLES = (698, 1720, 4872, 6383)  # the sine or cosine of a fraction whose numerator expands


def load() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "random_identities.py"
    spec = importlib.util.spec_from_file_location("random_identities", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["random_identities"] = module
    spec.loader.exec_module(module)
    return module


R = load()


@pytest.mark.parametrize("seed", [*range(COUNT), *MANY_ANGLES])
def test_true_identities_are_proved(seed: int) -> None:
    assert R.proved(R.identity(seed))


@pytest.mark.parametrize("steps", [False, True])
def test_false_identities_are_not_proved(steps: bool) -> None:
    found = [case for seed in range(COUNT) if (case := R.spoilt(seed, steps)) is not None]
    assert len(found) > COUNT // 2
    assert not [case for case in found if R.proved(case)]


def test_the_generator_makes_true_identities() -> None:
    """Its own derivatives and rewritings, against central differences."""
    for seed in range(COUNT):
        case = R.identity(seed)
        draw = np.random.default_rng(seed)
        sizes = {"n": 2, "m": 3}
        arrays = {}
        for name, shape in R.ARRAYS.items():
            counts = tuple(n.at(sizes) for n in shape)
            values = np.round(draw.uniform(-1, 1, counts), 3)
            arrays[Array(name)] = {at: R.Fraction(float(values[at])) for at in np.ndindex(counts)}
        evaluation = Differences(Point(sizes, arrays))
        slope = evaluation.tensor((R.J,), Diff(case.loss, Entry(Array("x"), (R.J,))))
        claim = evaluation.tensor((R.J,), case.claim)
        np.testing.assert_allclose(claim, slope, rtol=2e-3, atol=2e-3 * (1 + np.abs(slope).max()))
