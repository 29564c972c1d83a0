"""Batches shared out over 8 virtual devices: the same numbers, and one message between them in a step."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed (extra `jax`)")
PROGRAM = """
import sys, numpy as np
from symbackprop.network.dense import dense
from symbackprop.train.backends.jax_scan import JaxScan
from symbackprop.train.optimisers import Momentum
from symbackprop.write.step.from_forms import training_step

net = dense((12, 9, 5), ("tanh", "softmax"), "cross-entropy", "row", "N")
momentum = Momentum(0.1)
step, g = training_step(net, momentum.update), np.random.default_rng(0)
x, t = g.normal(size=(100, 12)), np.eye(5)[g.integers(5, size=100)]
flat = g.normal(size=step.count) / 3
engine = JaxScan(step, 16, flat, [np.zeros_like(flat)], x, t)
numbers, order = momentum.numbers(1, np.full(7, 0.1)), g.permutation(100)
text = engine.compiled_text(order, numbers)
engine.epoch(order, numbers)
np.save(sys.argv[1], engine.flat)
print(engine.mesh.size, text.count(" all-reduce("))
try:
    JaxScan(step, 12, flat, [np.zeros_like(flat)], x, t)
except Exception as problem:
    print(problem)
"""


def run(devices: int, path: Path) -> list[str]:
    environment = {**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, env=environment, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_eight_devices_are_one(tmp_path):
    import numpy as np

    one, eight = run(1, tmp_path / "one.npy"), run(8, tmp_path / "eight.npy")
    assert one == ["1 0"]
    assert eight == ["8 1", "a batch of 12 cannot be shared out over 8 devices"]
    assert np.abs(np.load(tmp_path / "one.npy") - np.load(tmp_path / "eight.npy")).max() <= 1e-15
