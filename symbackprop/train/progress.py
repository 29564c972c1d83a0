"""Progress of a training: a bar on a terminal, some lines elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from .loop import Epoch

LINES = 10  # about as many lines as a file or a pipe gets


class Progress:
    """Shows each epoch: with Progress(30) as p: p.report(epoch)."""

    def __init__(self, epochs: int, console: Console | None = None) -> None:
        self.epochs = epochs
        self.console = console or Console()
        columns = (
            TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[measures]}"),
            TimeRemainingColumn(compact=True),
        )  # fmt: skip
        self.bar = Bar(*columns, console=self.console) if self.console.is_terminal else None

    def __enter__(self) -> Progress:
        if self.bar is not None:
            self.bar.start()
            self.task = self.bar.add_task("training", total=self.epochs, measures="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def report(self, epoch: Epoch) -> None:
        measures = f"loss {epoch.train.loss:.4f}"
        if epoch.validation is not None:
            measures += f"  validation {epoch.validation.loss:.4f}"
        share = (epoch.validation or epoch.train).accuracy
        if share is not None:
            measures += f"  accuracy {share:.1%}"
        if self.bar is not None:
            self.bar.update(self.task, completed=epoch.number, measures=measures)
        elif epoch.number in (1, self.epochs) or epoch.number % max(1, self.epochs // LINES) == 0:
            print(f"epoch {epoch.number:>{len(str(self.epochs))}}/{self.epochs}  {measures}", flush=True)
