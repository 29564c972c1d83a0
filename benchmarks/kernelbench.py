"""The forwards of KernelBench, level 1, read for all sizes and differentiated.

    python benchmarks/kernelbench.py PATH_TO_KERNELBENCH [--only 19,33] [--seconds 20] [--json out.json]

PATH is a checkout of github.com/ScalingIntelligence/KernelBench.  Its files are run: each defines a `Model`, the sizes
of its inputs as global numbers, and functions that make both.  Here these numbers become symbols, except those that say
how the model computes (an axis, a kernel, a stride, groups).  An axis along which windows move is as long as a first
window needs, plus a symbol times the stride.  For every model: is it read, are the gradients by all its inputs and
parameters derived and proved, in which time of the processor, and if not, why.
"""

from __future__ import annotations

import argparse
import importlib.util
import inspect
import json
import multiprocessing
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from symbackprop import SymbackpropError, derive
from symbackprop.clock import OutOfTime
from symbackprop.core.terms import Size, sized
from symbackprop.functions.torch_functions import layer_forward
from symbackprop.read.numpy import Declared, size_number, trace
from symbackprop.read.numpy.lifting import size_of
from symbackprop.read.torch import Reading, TracedTensor, building, doubles, for_torch

SETTINGS = re.compile(r"kernel|stride|padding|dilation|groups|reduce_dim|exclusive|ceil|margin")
WINDOWS = (nn.modules.conv._ConvNd, nn.modules.pooling._MaxPoolNd, nn.modules.pooling._AvgPoolNd)


@dataclass
class Row:
    name: str
    read: bool = False
    proved: bool = False
    seconds: float = 0.0
    shapes: dict[str, str] = field(default_factory=dict)
    why: str = ""


# --- the sizes of a file ---------------------------------------------------------------------------


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"kernelbench_{path.stem.split('_')[0]}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def used_names(module: ModuleType) -> set[str]:
    return {n for f in (module.get_inputs, module.get_init_inputs) for n in f.__code__.co_names}


def size_names(module: ModuleType) -> list[str]:
    """The global numbers that are sizes: positive, and neither a setting nor so small that it is an axis."""
    used = used_names(module)
    return [n for n, v in vars(module).items() if n in used and type(v) is int and v > 3 and not SETTINGS.search(n)]


def on_meta(module: ModuleType) -> nn.Module:
    """The model at the sizes of the file, without entries."""
    with torch.device("meta"):
        model: nn.Module = module.Model(*module.get_init_inputs())
    return model


def symbols(module: ModuleType) -> dict[str, Any]:
    """A size for each global number that is one, and for each width of the kernel of a convolution."""
    found: dict[str, Any] = {n: sized(n) for n in size_names(module)}
    found.update(channels(module, found))
    windows = [m for m in on_meta(module).modules() if isinstance(m, WINDOWS)]
    kernel = vars(module).get("kernel_size")
    if windows and isinstance(windows[0], nn.modules.conv._ConvNd) and "kernel_size" in used_names(module):
        names = tuple(f"k{n}" for n in range(len(kernel))) if isinstance(kernel, tuple) else "k"
        found["kernel_size"] = tuple(map(sized, names)) if isinstance(names, tuple) else sized(names)
    for window in windows[:1]:
        for name, axes in spatial_names(module, found).items():
            found[name] = long_enough(name, getattr(module, name), window, axes, found.get("kernel_size"))
    return found


def channels(module: ModuleType, sizes: dict[str, Any]) -> dict[str, Size]:
    """Channels in groups: so many in each."""
    groups, known = getattr(module, "groups", getattr(module, "num_groups", None)), vars(module)
    names = [n for n in ("in_channels", "out_channels", "features") if n in sizes]
    if type(groups) is int and groups > 1:
        each = sizes.get("num_groups", groups)
        return {n: sized(n) * each for n in names}
    if "depthwise" in str(module.__file__) and "pointwise" not in inspect.getsource(module.Model) and len(names) == 2:
        return {"out_channels": sized("in_channels") * (known["out_channels"] // known["in_channels"])}
    return {}


def spatial_names(module: ModuleType, sizes: dict[str, Any]) -> dict[str, list[int]]:
    """The names of the axes along which windows move, with their numbers after the channels."""
    x = symbolic_inputs(module, sizes)[0]
    shape = x.array.value.shape
    return {n: axes for n, s in sizes.items() if (axes := [k - 2 for k, m in enumerate(shape) if k > 1 and m == s])}


def long_enough(name: str, value: int, window: nn.Module, axes: list[int], kernel: Any) -> Size:
    """stride * name + rest, congruent to the size in the file, and as long as one window."""
    def of(attribute: str, axis: int, default: int) -> Any:
        given = getattr(window, attribute, default)
        return given[axis] if isinstance(given, tuple) else given

    stride = max(of("stride", a, 1) for a in axes)
    if getattr(window, "transposed", False):  # as long as the padding cuts
        return sized(name) + max(-(-2 * of("padding", a, 0) // of("stride", a, 1)) for a in axes)
    if kernel is not None:  # one more than what a window of any width needs
        widths = {(kernel[a] if isinstance(kernel, tuple) else kernel) * of("dilation", a, 1) for a in axes}
        total = sized(name) * stride + (value % stride)
        for width in widths:
            total = total + width
        return total
    need = max(of("dilation", a, 1) * (of("kernel_size", a, 1) - 1) + 1 - 2 * of("padding", a, 0) for a in axes)
    rest = value % stride
    while rest < need - stride:
        rest += stride
    return sized(name) * stride + rest


class Replaced:
    """The global numbers of a module as sizes, for a while."""

    def __init__(self, module: ModuleType, sizes: dict[str, Any]) -> None:
        self.module, self.sizes = module, sizes

    def __enter__(self) -> None:
        self.before = dict(vars(self.module))
        vars(self.module).update(self.sizes)
        for name, value in self.before.items():  # input_shape = (dim,)
            if isinstance(value, tuple) and name == "input_shape":
                by_value = {self.before[n]: s for n, s in self.sizes.items()}
                vars(self.module)[name] = tuple(by_value.get(v, v) for v in value)

    def __exit__(self, *_: Any) -> None:
        vars(self.module).update(self.before)


def symbolic_inputs(module: ModuleType, sizes: dict[str, Any]) -> list[Any]:
    """What get_inputs makes where the global numbers are sizes."""
    given = {n: in_torch(s) for n, s in sizes.items()}
    with doubles(), Reading(), building(), scalars_drawn(), Replaced(module, given):
        return list(module.get_inputs())


@contextmanager
def scalars_drawn() -> Iterator[None]:
    """torch.rand(()) is a number: which one, and what entries an input has, makes no difference here."""
    rand = torch.rand
    torch.rand = lambda *size, **options: 0.5 if size == ((),) else rand(*size, **options)  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.rand = rand


def in_torch(size: Any) -> Any:
    return tuple(map(in_torch, size)) if isinstance(size, tuple) else for_torch(size_number(size))


def maker(module: ModuleType, sizes: dict[str, Any]) -> Callable[..., nn.Module]:
    """The model from sizes by their symbols."""
    used = sorted({s for size in sizes.values() for part in parts(size) for s in part.symbols})

    def make(**given: Any) -> nn.Module:
        values = {n: at(size, given) for n, size in sizes.items()}
        with Replaced(module, values):
            return module.Model(*module.get_init_inputs())

    make.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(s, inspect.Parameter.POSITIONAL_OR_KEYWORD) for s in used]
    )
    return make


def parts(size: Any) -> tuple[Size, ...]:
    return size if isinstance(size, tuple) else (size,)


def at(size: Any, values: dict[str, Any]) -> Any:
    if isinstance(size, tuple):
        return tuple(at(s, values) for s in size)
    total: Any = 0
    for names, k in size.monomials:
        part: Any = k
        for n in names:
            part = part * values[n]
        total = total + part
    return total


def declared(x: Any) -> Declared:
    """The shape of an input; a plain number is any number."""
    if not isinstance(x, TracedTensor):
        return Declared(())
    below = None if x.dtype.is_floating_point else size_of(2 if x.below is None else x.below, "labels")
    return Declared(x.array.value.shape, below)


# --- one model -------------------------------------------------------------------------------------


def question(module: ModuleType) -> tuple[Callable[..., nn.Module], dict[str, Declared]]:
    sizes = symbols(module)
    names = [p for p in inspect.signature(module.Model.forward).parameters if p != "self"]
    inputs = symbolic_inputs(module, sizes)
    return maker(module, sizes), {n: declared(x) for n, x in zip(names, inputs, strict=False)}


def measured(path: Path, seconds: float) -> Row:
    row = Row(path.stem)
    try:
        make, shapes = question(load(path))
        row.shapes = {n: str(d) for n, d in shapes.items()}
        start = time.process_time()
        forward, everything = layer_forward("derive", make, shapes, None)
        trace(forward, everything)
        row.read, row.seconds = True, time.process_time() - start
        start = time.process_time()
        row.proved = bool(derive(make, shapes, params={}, timeout=seconds).verdict)
        row.seconds = time.process_time() - start
    except (SymbackpropError, OutOfTime) as error:
        row.why = str(error)
    except Exception as error:
        row.why = f"{type(error).__name__}: {error}"
    return row


def send(pipe: Any, path: Path, seconds: float) -> None:
    pipe.send(measured(path, seconds))


def answers(paths: list[Path], seconds: float) -> Iterator[Row]:
    """Each in a process of its own, for one may hang or end."""
    for path in paths:
        here, there = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=send, args=(there, path, seconds))
        process.start()
        there.close()
        try:
            yield here.recv() if here.poll(6 * seconds) else Row(path.stem, why=f"no answer in {6 * seconds:g} s")
        except EOFError:
            yield Row(path.stem, why="the process ended without an answer")
        process.kill()
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--only", help="numbers of files, with commas")
    parser.add_argument("--seconds", type=float, default=10.0, help="for the gradient by one variable")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    files = sorted(given.path.rglob("level1/*.py"), key=lambda p: int(p.stem.split("_")[0]))
    wanted = set(given.only.split(",")) if given.only else None
    rows = []
    for row in answers([f for f in files if wanted is None or f.stem.split("_")[0] in wanted], given.seconds):
        rows.append(row)
        status = "proved" if row.proved else "read" if row.read else "-"
        why = "" if row.proved else " ".join(row.why.split())[-150:]
        print(f"{row.name[:48]:48} {status:7} {row.seconds:7.2f} s  {why}", flush=True)
    if given.json:
        given.json.write_text(json.dumps([asdict(r) for r in rows], indent=1))
    times = [r.seconds for r in rows if r.proved]
    print(f"{len(rows)} models: {sum(r.read for r in rows)} read, {len(times)} derived and proved, "
          f"median {statistics.median(times) if times else 0:.2f} s")  # fmt: skip


if __name__ == "__main__":
    main()
