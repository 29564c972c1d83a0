"""The picture of a training: loss and accuracy over epochs."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

from .loop import Epoch

TRAIN, TEST, INK, GRID = "#8a94a6", "#1457a8", "#2b2f36", "#e3e6ea"


def picture(history: Sequence[Epoch], title: str) -> bytes:
    """A PNG with two panels, loss (logarithmic) and accuracy, for training and test data."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    figure = Figure(figsize=(9, 3.9), dpi=160, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    loss, accuracy = figure.subplots(1, 2)
    epochs = [e.number for e in history]
    for axes, name, curves in (
        (loss, "Loss", ([e.train_loss for e in history], [e.test_loss for e in history])),
        (accuracy, "Accuracy", ([e.train_accuracy for e in history], [e.test_accuracy for e in history])),
    ):
        for values, label, colour, width in zip(curves, ("training", "test"), (TRAIN, TEST), (1.6, 2.2), strict=True):
            axes.plot(epochs, values, color=colour, linewidth=width, label=label, solid_capstyle="round",
                      marker="o" if len(history) == 1 else None)  # fmt: skip
        axes.set_title(name, loc="left", fontsize=11, color=INK, pad=8)
        axes.set_xlabel("epoch", color=INK)
        axes.set_xlim(0, max(2, len(history)) * 1.03)
        axes.grid(True, which="major", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=INK, length=0)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, steps=[1, 2, 5, 10]))
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(GRID)
    losses = [x for e in history for x in (e.train_loss, e.test_loss)]
    if 0 < 5 * min(losses) < max(losses):
        loss.set_yscale("log")
        loss.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        loss.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        loss.yaxis.set_minor_locator(NullLocator())
    else:
        loss.set_ylim(0, 1.1 * max(losses) or 1)
    loss.legend(frameon=False, labelcolor=INK)
    lowest = min(min(e.train_accuracy, e.test_accuracy) for e in history)
    accuracy.set_ylim(max(0.0, lowest - 0.08), 1.005)
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    last = history[-1]
    accuracy.annotate(
        f"test {last.test_accuracy:.1%}", (last.number, last.test_accuracy), xytext=(-4, -16),
        textcoords="offset points", ha="right", color=TEST, fontsize=10, fontweight="bold",
    )  # fmt: skip
    figure.suptitle(title, fontsize=12, color=INK, x=0.01, ha="left")
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()
