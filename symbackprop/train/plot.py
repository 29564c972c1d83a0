"""The picture of a training: loss and accuracy over epochs."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

from .loop import Epoch, Measured

TRAIN, BEST, INK, GRID = "#8a94a6", "#1457a8", "#2b2f36", "#e3e6ea"


def picture(history: Sequence[Epoch], title: str) -> bytes:
    """A PNG with the loss over epochs, and beside it the accuracy where there is one."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    shares = history[-1].train.accuracy is not None
    figure = Figure(figsize=(9 if shares else 5, 3.9), dpi=160, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2 if shares else 1, squeeze=False)[0]
    losses = curves(history, lambda m: m.loss)
    drawn(panels[0], "Loss", losses, history)
    scaled(panels[0], [v for values in losses.values() for v in values])
    panels[0].legend(frameon=False, labelcolor=INK)
    if shares:
        accuracies = curves(history, lambda m: m.accuracy or 0.0)
        drawn(panels[1], "Accuracy", accuracies, history)
        lowest = min(v for values in accuracies.values() for v in values)
        panels[1].set_ylim(max(0.0, lowest - 0.08), 1.005)
        panels[1].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    figure.suptitle(title, fontsize=12, color=INK, x=0.01, ha="left")
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def curves(history: Sequence[Epoch], of: Callable[[Measured], float]) -> dict[str, list[float]]:
    found = {"training": [of(e.train) for e in history]}
    validation = [of(e.validation) for e in history if e.validation is not None]
    return found | ({"validation": validation} if validation else {})


def drawn(axes: Any, name: str, values: dict[str, list[float]], history: Sequence[Epoch]) -> None:
    epochs = [e.number for e in history]
    for (label, curve), colour, width in zip(values.items(), (TRAIN, BEST), (1.6, 2.2), strict=False):
        axes.plot(epochs, curve, color=colour, linewidth=width, label=label, solid_capstyle="round",
                  marker="o" if len(history) == 1 else None)  # fmt: skip
    axes.set_title(name, loc="left", fontsize=11, color=INK, pad=8)
    axes.set_xlabel("epoch", color=INK)
    axes.set_xlim(0, max(2, epochs[-1]) * 1.03)
    axes.grid(True, which="major", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK, length=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10]))
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GRID)


def scaled(axes: Any, losses: list[float]) -> None:
    """Logarithmic where the loss falls a lot."""
    if 0 < 5 * min(losses) < max(losses):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(0, 1.1 * max(losses) or 1)
