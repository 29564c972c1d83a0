"""Batches shared out over devices and hosts: the same numbers, and one message between them in a step."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed (extra `jax`)")
PROGRAM = """
import sys, numpy as np
if len(sys.argv) > 2:
    import jax
    jax.distributed.initialize(sys.argv[2], 2, int(sys.argv[3]))
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
engine.epoch(order, numbers)
np.save(sys.argv[1], engine.flat)
if len(sys.argv) == 2:
    print(engine.mesh.size, engine.compiled_text(order, numbers).count(" all-reduce("))
    try:
        JaxScan(step, 12, flat, [np.zeros_like(flat)], x, t)
    except Exception as problem:
        print(problem)
"""


def start(devices: int, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def said(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.splitlines()


def test_devices_and_hosts_are_one(tmp_path):
    """One device, eight of one host, and two of each of two hosts."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        place = f"localhost:{free.getsockname()[1]}"
    files = [str(tmp_path / f"{name}.npy") for name in ("one", "eight", "first", "second")]
    assert said(start(1, files[0])) == ["1 0"]
    assert said(start(8, files[1])) == ["8 1", "a batch of 12 cannot be shared out over 8 devices"]
    hosts = [start(2, file, place, str(k)) for k, file in enumerate(files[2:])]
    for host in hosts:
        said(host)
    one, *others = map(np.load, files)
    for other in others:
        assert np.abs(one - other).max() <= 1e-15
