"""Progress of a training: a bar on a terminal, some lines elsewhere."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from .loop import Epoch

LINES = 10  # about as many lines as a file or a pipe gets


class Progress(Bar):
    """Shows each epoch: with Progress(30) as p: p.report(epoch)."""

    def __init__(self, epochs: int, console: Console | None = None) -> None:
        console = console or Console()
        columns = (
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[measures]}"),
            TimeRemainingColumn(compact=True),
        )  # fmt: skip
        super().__init__(*columns, console=console, disable=not console.is_terminal)
        self.epochs, self.shown = epochs, self.add_task("training", total=epochs, measures="")

    def report(self, epoch: Epoch) -> None:
        measures = f"loss {epoch.train.loss:.4f}"
        if epoch.validation is not None:
            measures += f"  validation {epoch.validation.loss:.4f}"
        share = (epoch.validation or epoch.train).accuracy
        if share is not None:
            measures += f"  accuracy {share:.1%}"
        if not self.disable:
            self.update(self.shown, completed=epoch.number, measures=measures)
        elif epoch.number in (1, self.epochs) or epoch.number % max(1, self.epochs // LINES) == 0:
            print(f"epoch {epoch.number:>{len(str(self.epochs))}}/{self.epochs}  {measures}", flush=True)
