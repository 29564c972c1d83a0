"""Derived gradients written as functions with their own rule are read back, and proved."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symbackprop import Derivative, check_function, derive


def layernorm(x: Any, gamma: Any, beta: Any, eps: Any) -> Any:
    mu = x.mean(-1, keepdims=True)
    var = ((x - mu) ** 2).mean(-1, keepdims=True)
    std = np.sqrt(var + eps)
    xhat = (x - mu) / std
    return gamma * xhat + beta


def mlp(x: Any, w1: Any, b1: Any, w2: Any) -> Any:
    h = np.tanh(x @ w1 + b1)
    return h @ w2


def squared_error(x: Any, w: Any, t: Any) -> Any:
    y = x @ w
    return ((y - t) ** 2).mean()


def attention(q: Any, k: Any, v: Any) -> Any:
    s = q @ k.T / np.sqrt(q.shape[-1])
    e = np.exp(s - s.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return p @ v


def cross_entropy(z: Any, t: Any) -> Any:
    e = np.exp(z - z.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    return -np.log(p[np.arange(len(t)), t]).mean()


def two(x: Any) -> Any:
    y = np.sin(x)
    return y, y * x


FORWARDS: dict[str, tuple[Any, dict[str, str], Any]] = {
    "layernorm": (layernorm, {"x": "B D", "gamma": "D", "beta": "D", "eps": ""}, lambda eps: [eps > 0]),
    "mlp": (mlp, {"x": "B D", "w1": "D H", "b1": "H", "w2": "H K"}, None),
    "squared_error": (squared_error, {"x": "B D", "w": "D K", "t": "B K"}, None),
    "attention": (attention, {"q": "L E", "k": "S E", "v": "S P"}, None),
    "cross_entropy": (cross_entropy, {"z": "B K", "t": "int[K] B"}, None),
    "two": (two, {"x": "N"}, None),
}


@functools.cache
def derived(name: str) -> Derivative:
    forward, shapes, assuming = FORWARDS[name]
    return derive(forward, shapes, [n for n, s in shapes.items() if not s.startswith("int") and n != "eps"], assuming)


def written(name: str, dialect: str) -> str:
    return derived(name).to(dialect)


def loaded(text: str, folder: Path, name: str) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", FORWARDS)
def test_the_jax_rule_is_proved(name: str, tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")
    _, shapes, assuming = FORWARDS[name]
    rule = getattr(loaded(written(name, "jax.custom_vjp"), tmp_path, name), name)
    verdict = check_function(rule, None, shapes, derived(name).variables, assuming)
    assert verdict.status == "proved", str(verdict)


def test_a_jax_rule_with_another_sign_is_refuted(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")
    text = written("mlp", "jax.custom_vjp")
    assert "1 - h ** 2" in text
    rule = loaded(text.replace("1 - h ** 2", "1 + h ** 2"), tmp_path, "mlp").mlp
    assert check_function(rule, shapes=FORWARDS["mlp"][1]).status == "refuted"


@pytest.mark.parametrize("name", FORWARDS)
def test_the_torch_function_is_a_module(name: str) -> None:
    text = written(name, "torch.autograd.Function")
    compile(text, name, "exec")
    assert f"class {name}(torch.autograd.Function):" in text and "once_differentiable" in text


@pytest.mark.parametrize("name", [n for n in FORWARDS if n != "cross_entropy"])
def test_the_torch_function_has_torchs_gradients(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    _, shapes, _ = FORWARDS[name]
    function = getattr(loaded(written(name, "torch.autograd.Function"), tmp_path, name), name)
    sizes = {"B": 2, "D": 3, "H": 4, "K": 2, "L": 2, "E": 3, "S": 4, "P": 2, "N": 3}
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=[sizes[s] for s in shape.split()]) if shape else 0.1 for shape in shapes.values()]
    given = [torch.tensor(a, requires_grad=True) if isinstance(a, np.ndarray) else a for a in arrays]
    assert torch.autograd.gradcheck(function.apply, given)


def test_a_function_of_jax_is_derived_in_its_own_names(tmp_path: Path) -> None:
    jax = pytest.importorskip("jax", reason="needs JAX: pip install 'symbackprop[jax]'")

    def block(x: Any, w: Any, v: Any) -> Any:
        mean = jax.numpy.mean(jax.numpy.square(x), axis=-1, keepdims=True)
        inverse = jax.lax.rsqrt(mean + 1e-6)
        hidden = jax.nn.gelu(jax.lax.dot(x * inverse, w))
        return hidden @ v

    shapes = {"x": "B D", "w": "D H", "v": "H K"}
    text = derive(block, shapes).to("jax.custom_vjp")
    assert all(f"    {line} = " in text for line in ("mean", "inverse", "hidden", "dhidden"))
    assert check_function(loaded(text, tmp_path, "block").block, shapes=shapes).status == "proved"
